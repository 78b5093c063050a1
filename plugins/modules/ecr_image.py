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
  - Where ECR has the tag, nothing is done and no container engine is touched. This costs one call
    per image.
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
            description: Name in the context.
            type: str
            required: true
          src:
            description:
              - Where the file is.
              - With O(images[].files[].sha256) it is needed for building only.
            type: path
            required: true
          sha256:
            description:
              - SHA-256 of the file, hexadecimal. A file that has another one is refused.
            type: str
  without_engine:
    description:
      - What to do when an image is missing and neither Docker nor Podman answers.
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
      description: SHA-256 of everything that goes into the image.
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
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.openpacs.dicoogle.plugins.module_utils._aws import ModuleError, in_threads
from ansible_collections.openpacs.dicoogle.plugins.module_utils._ecr.api import (
    StoredImage,
    find_image,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._ecr.engine import find_engine
from ansible_collections.openpacs.dicoogle.plugins.module_utils._ecr.image import Image, read_image
from ansible_collections.openpacs.dicoogle.plugins.module_utils._ecr.publish import publish_images

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
    }
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
        "without_engine": {"type": "str", "choices": ["fail", "record"], "default": "fail"},
        "network": {"type": "str"},
    }


def result_of(
    image: Image, stored: StoredImage | None, pushed: bool, reason: str
) -> dict[str, Any]:
    """Return what is reported of one image."""
    return {
        "uri": stored.uri if stored else f"{image.repository.given}:{image.tag}",
        "tag": image.tag,
        "digest": stored.digest if stored else None,
        "pushed": pushed,
        "reason": reason,
    }


def ensure(
    module: AnsibleAWSModule, client: Any, missing: Sequence[Image]
) -> dict[str, dict[str, Any]]:
    """Build and push what is missing, or say what would be done or why nothing can be."""
    engine = find_engine(module.run_command)
    if engine is None and module.params["without_engine"] == "record":
        return {i.name: result_of(i, None, False, f"{MISSING} {NO_ENGINE}") for i in missing}
    if module.check_mode:
        if engine is None:
            module.warn(f"The images cannot be built. {NO_ENGINE}")
        return {image.name: result_of(image, None, True, MISSING) for image in missing}
    if engine is None:
        names = ", ".join(image.name for image in missing)
        raise ModuleError(f"The images {names} have to be built, but cannot be. {NO_ENGINE}")
    published = publish_images(client, engine, missing, module.params["network"])
    return {
        image.name: result_of(image, stored, True, MISSING)
        for image, stored in zip(missing, published, strict=True)
    }


def process(module: AnsibleAWSModule, client: Any) -> dict[str, dict[str, Any]]:
    """Look all images up and care for those that are missing."""
    images = {params["name"]: read_image(params) for params in module.params["images"]}
    if len(images) < len(module.params["images"]):
        raise ModuleError("Two images have the same name. Give each one its own.")

    def find(image: Image) -> StoredImage | None:
        return find_image(client, image.repository, image.tag, module.check_mode)

    found = dict(zip(images, in_threads(find, images.values()), strict=True))
    missing = [images[name] for name, stored in found.items() if stored is None]
    results = ensure(module, client, missing) if missing else {}
    for name, stored in found.items():
        if stored:
            results[name] = result_of(images[name], stored, False, PRESENT)
    return results


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
    client = module.client("ecr")
    try:
        results = process(module, client)
    except ModuleError as error:
        module.fail_json(msg=str(error))
    module.exit_json(**report(results))


if __name__ == "__main__":
    main()
