#!/usr/bin/python
# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: ecr_image
version_added: 1.0.0
short_description: Build container images and push them to Amazon ECR, by content
description:
  - The tag of an image is a digest of everything that goes into it. These are the files of the
    context that C(.dockerignore) leaves, with their executable bits, the Dockerfile, additional
    files, build arguments and platform.
  - Where ECR has the tag, nothing is built and no container engine is touched. This costs two calls
    per image, one of them to read what the scan has found.
  - An image that is too old is built again, and gets the tag with the number of the build. Tags are
    never used twice.
  - ECR scans what is pushed. Critical findings stop the run, also in a later one, unless
    O(waivers) names them. So does a scan that fails or was never made, by its state, such as
    V(UNSUPPORTED_IMAGE) or V(SCAN_NOT_FOUND). The repository has to scan on push.
  - Otherwise the image is built and pushed with Docker or Podman, several images side by side.
  - The token for the registry is given to the engine through standard input, and kept in a private
    folder for the time of the push only.
  - An interrupted push is completed by the next run. A tag that another run has pushed meanwhile is
    as good as one's own.
options:
  images:
    description: The images.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: What the image is called in RV(images).
        type: str
        required: true
      repository:
        description:
          - Name or URI of an existing repository.
          - With an O(endpoint_url) on the loopback interface, the registry on the same port is
            pushed to, by plain HTTP.
        type: str
        required: true
      context:
        description: Folder of the build context.
        type: path
        required: true
      dockerfile:
        description: The Dockerfile, relative to O(images[].context).
        type: str
        default: Dockerfile
      build_args:
        description:
          - Build arguments by name.
          - They show in the process list and in the image's history. Do not use them for secrets.
        type: dict
        default: {}
      platform:
        description: Operating system and architecture of the image.
        type: str
        default: linux/amd64
      files:
        description: Files that join the context, or replace files in it, for this build only.
        type: list
        elements: dict
        default: []
        suboptions:
          path:
            description: Name in the context; one that leads out of it is refused.
            type: str
            required: true
          src:
            description:
              - Where the file is.
              - With O(images[].files[].sha256) or O(images[].files[].url) it is needed for building
                only.
            type: path
            required: true
          sha256:
            description:
              - SHA-256 of the file, hexadecimal. A file that has another one is refused.
            type: str
          url:
            description:
              - Where the file is downloaded from when an image is built and it is not at
                O(images[].files[].src), where it is kept.
              - Without O(images[].files[].sha256) this address stands for the content of the file.
            type: str
  rebuild_after_days:
    description:
      - Build an image again that was pushed longer ago than these days.
      - Without it, age does not count. V(0) builds again in any case.
    type: int
  waivers:
    description: The critical findings that are accepted.
    type: list
    elements: dict
    default: []
    suboptions:
      id:
        description: Name of the finding, such as V(CVE-2017-7658).
        type: str
        required: true
      until:
        description: The last day on which it is accepted, such as V(2027-01-31).
        type: str
        required: true
      reason:
        description: Why it is accepted.
        type: str
        required: true
  without_engine:
    description:
      - What to do when an image has to be built and neither Docker nor Podman answers.
      - V(fail) fails. V(record) changes nothing and returns what would be pushed.
    type: str
    choices: [fail, record]
    default: fail
  network:
    description:
      - Network of the build steps, such as V(host).
      - Without it the engine decides.
    type: str
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - openpacs.dicoogle.attributes
  - openpacs.dicoogle.attributes.aws
author:
  - openpacs contributors (@openpacs)
"""

EXAMPLES = r"""
- name: Build and push two images
  openpacs.dicoogle.ecr_image:
    images:
      - name: nginx
        repository: dicoogle/nginx
        context: docker/nginx
        build_args:
          BASE: docker.io/library/nginx:1.29.3
      - name: dicoogle
        repository: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/dicoogle/dicoogle
        context: docker/dicoogle
        files:
          - path: dicoogle.zip
            src: ~/downloads/Dicoogle_v3.5.1.zip
  register: pushed

- name: Show the image to run
  ansible.builtin.debug:
    var: pushed.images.nginx.uri
"""

RETURN = r"""
images:
  description: The images by name.
  returned: success
  type: dict
  contains:
    uri:
      description:
        - The image as C(repository@digest), as the registry reports it.
        - For an image that is not in ECR, O(images[].repository) and the tag it would have.
      type: str
      sample: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/dicoogle/nginx@sha256:9f86d0
    tag:
      description:
        - SHA-256 of everything that goes into the image, from the second build on with its number.
      type: str
    digest:
      description: Digest of the image in the registry; V(null) for one that is not there.
      type: str
      sample: sha256:9f86d0
    pushed:
      description: Whether the image was built and pushed, or would be in check mode.
      type: bool
    reason:
      description: Why it was, or was not.
      type: str
    waived:
      description: Critical findings that O(waivers) accepts.
      type: list
      elements: str
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.openpacs.dicoogle.plugins.module_utils._aws import (
    build_client,
    in_threads,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._ecr.api import (
    StoredImage,
    find_image,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._ecr.publish import (
    Build,
    publish_images,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._ecr.scan import (
    blocking_findings,
    read_waivers,
    refuse,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._errors import (
    ModuleError,
    reporting_failures,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._images.engine import find_engine
from ansible_collections.openpacs.dicoogle.plugins.module_utils._images.image import (
    Image,
    read_image,
    tag_of,
)

PRESENT = "ECR has an image of this content."
MISSING = "ECR has no image of this content."
NO_ENGINE = (
    "Neither docker nor podman answers. Install one, start its daemon, and check that this user "
    "may use it, for example with 'docker info'."
)


def build_argument_spec() -> dict[str, Any]:
    """Return the options of this module."""
    file = {
        "path": {"type": "str", "required": True},
        "src": {"type": "path", "required": True},
        "sha256": {"type": "str"},
        "url": {"type": "str"},
    }
    waiver = {name: {"type": "str", "required": True} for name in ("id", "until", "reason")}
    image = {
        "name": {"type": "str", "required": True},
        "repository": {"type": "str", "required": True},
        "context": {"type": "path", "required": True},
        "dockerfile": {"type": "str", "default": "Dockerfile"},
        "build_args": {"type": "dict", "default": {}},
        "platform": {"type": "str", "default": "linux/amd64"},
        "files": {"type": "list", "elements": "dict", "default": [], "options": file},
    }
    return {
        "images": {"type": "list", "elements": "dict", "required": True, "options": image},
        "rebuild_after_days": {"type": "int"},
        "waivers": {"type": "list", "elements": "dict", "default": [], "options": waiver},
        "without_engine": {"type": "str", "choices": ["fail", "record"], "default": "fail"},
        "network": {"type": "str"},
    }


@dataclass(frozen=True)
class Outcome:
    """What becomes of an image.

    stored: what ECR has of its content, after the push if there was one.
    number: the build that is wanted.
    """

    image: Image
    stored: StoredImage | None
    number: int
    reason: str
    pushed: bool = False

    @property
    def is_due(self) -> bool:
        """Tell whether the wanted build is not there yet."""
        return self.stored is None or self.stored.build < self.number

    def result(self, waived: list[str]) -> dict[str, Any]:
        """Return what is reported of the image."""
        build = self.stored.build if self.stored else self.number
        tag = tag_of(self.image.content, build)
        return {
            "uri": self.stored.uri if self.stored else f"{self.image.repository.given}:{tag}",
            "tag": tag,
            "digest": self.stored.digest if self.stored else None,
            "pushed": self.pushed,
            "reason": self.reason,
            "waived": waived,
        }


def decide(image: Image, stored: StoredImage | None, days: int | None, now: datetime) -> Outcome:
    """Return which build of an image is wanted, and why."""
    if stored is None:
        return Outcome(image, None, 1, MISSING)
    age = now - stored.pushed_at
    if days is None or age <= timedelta(days=days):
        return Outcome(image, stored, stored.build, PRESENT)
    return Outcome(image, stored, stored.build + 1, f"ECR has it, {age.days} days old.")


def ensure(module: AnsibleAWSModule, client: Any, due: Sequence[Outcome]) -> list[Outcome]:
    """Build and push what is due, or say what would be done or why nothing can be."""
    engine = find_engine(module.run_command)
    if engine is None and module.params["without_engine"] == "record":
        return [replace(each, reason=f"{each.reason} {NO_ENGINE}") for each in due]
    if module.check_mode:
        if engine is None:
            module.warn(f"The images cannot be built. {NO_ENGINE}")
        return [replace(each, stored=None, pushed=True) for each in due]
    if engine is None:
        reasons = " ".join(f"{each.image.name}: {each.reason}" for each in due)
        raise ModuleError(
            f"Images must be built, but no container engine is available. {reasons} {NO_ENGINE}"
        )
    builds = [Build(each.image, each.number) for each in due]
    published = publish_images(client, engine, builds, module.params["network"])
    return [
        replace(each, stored=stored, pushed=True)
        for each, stored in zip(due, published, strict=True)
    ]


def process(module: AnsibleAWSModule, client: Any) -> dict[str, dict[str, Any]]:
    """Look all images up, care for those that are due, and read what the scans have found."""
    images = {params["name"]: read_image(params) for params in module.params["images"]}
    if len(images) < len(module.params["images"]):
        raise ModuleError("Two images have the same name. Give each one its own.")
    waivers = read_waivers(module.params["waivers"])
    now = datetime.now(UTC)

    def look_up(image: Image) -> Outcome:
        stored = find_image(client, image.repository, image.content, module.check_mode)
        return decide(image, stored, module.params["rebuild_after_days"], now)

    def findings(outcome: Outcome) -> list[str]:
        if outcome.stored is None:
            return []
        return blocking_findings(client, outcome.image.repository, outcome.stored)

    outcomes = in_threads(look_up, images.values())
    due = [each for each in outcomes if each.is_due]
    done = [each for each in outcomes if not each.is_due]
    done += ensure(module, client, due) if due else []
    found = dict(zip((each.image.name for each in done), in_threads(findings, done), strict=True))
    refuse(found, waivers, now.date())
    return {each.image.name: each.result(found[each.image.name]) for each in done}


def report(results: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the module's result."""
    pushed = [f"{name}: {result['uri']}\n" for name, result in results.items() if result["pushed"]]
    return {
        "changed": bool(pushed),
        "images": results,
        "diff": {"before": "", "after": "".join(pushed)},
    }


def main() -> None:
    """Look the images up; build and push those that are missing."""
    module = AnsibleAWSModule(argument_spec=build_argument_spec(), supports_check_mode=True)
    with reporting_failures(module):
        client = build_client(module, "ecr")
        results = process(module, client)
        module.exit_json(**report(results))


if __name__ == "__main__":
    main()
