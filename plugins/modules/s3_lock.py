#!/usr/bin/python
# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: s3_lock
version_added: 1.0.0
short_description: Keep other runs out with a lock in Amazon S3
description:
  - The lock is an object that S3 writes only where there is none, so that one run holds it,
    whatever machines the others are on.
  - A run that finds the lock held waits for it, and says who holds it since when.
  - A run that dies leaves its lock behind. It is free for the next run when it has expired. On the
    same machine it is free at once, where that can tell that the run is no more (on Linux).
options:
  bucket:
    description: The bucket of the lock. It must exist, except in check mode.
    type: str
    required: true
  key:
    description: The key of the lock.
    type: str
    required: true
  state:
    description: V(present) takes the lock, V(absent) releases it.
    type: str
    choices: [present, absent]
    default: present
  duration:
    description:
      - Seconds after which the lock expires, which must be more than the run may take.
      - This is also how long to wait for the lock.
      - Required with O(state=present).
    type: int
  etag:
    description:
      - RV(etag) of the lock to release. A lock that another run has taken since stays.
      - Required with O(state=absent).
    type: str
  process:
    description:
      - ID of the process with which the run ends.
      - Set by the action plugin, where the module runs on the control node.
    type: int
  progress_file:
    description:
      - File to which a line is appended for every run that is waited for.
      - Set by the action plugin, which shows the lines, where the module runs on the control node.
    type: path
requirements:
  - botocore >= 1.36.0
attributes:
  check_mode:
    support: full
    details: Neither asks for the lock nor waits for it.
  diff_mode:
    support: none
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
- name: Keep other runs out
  openpacs.dicoogle.s3_lock:
    bucket: pacs-artifacts
    key: lock
    duration: 7200
  register: lock

- name: Change what only one run may change
  block:
    - name: Deploy
      ansible.builtin.import_tasks: deploy.yml
  always:
    - name: Let other runs in
      openpacs.dicoogle.s3_lock:
        bucket: pacs-artifacts
        key: lock
        state: absent
        etag: "{{ lock.etag }}"
"""

RETURN = r"""
etag:
  description: What the lock is released with; empty in check mode.
  returned: O(state=present)
  type: str
  sample: '"9b2cf535f27731c974343645a3985328"'
"""

import time
from collections.abc import Mapping
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.openpacs.dicoogle.plugins.module_utils._aws import (
    build_client,
    cli_options,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._cloudformation.events import line
from ansible_collections.openpacs.dicoogle.plugins.module_utils._deadline import Deadline
from ansible_collections.openpacs.dicoogle.plugins.module_utils._errors import reporting_failures
from ansible_collections.openpacs.dicoogle.plugins.module_utils._progress import progress_writer
from ansible_collections.openpacs.dicoogle.plugins.module_utils._s3_lock import lock
from ansible_collections.openpacs.dicoogle.plugins.module_utils._s3_lock.api import Place


def build_argument_spec() -> dict[str, Any]:
    """Return the module's own options."""
    return {
        "bucket": {"required": True},
        "key": {"required": True, "no_log": False},
        "state": {"choices": ["present", "absent"], "default": "present"},
        "duration": {"type": "int"},
        "etag": {},
        "process": {"type": "int"},
        "progress_file": {"type": "path"},
    }


def way_out(place: Place, cli: str) -> str:
    """Return what a person does when the run that holds a lock is dead.

    cli: what an AWS command needs to go where this run goes.
    """
    command = f"aws s3api delete-object --bucket {place.bucket} --key {place.key} {cli}".rstrip()
    return f"If that run is no more, release its lock with {command}"


def take(module: AnsibleAWSModule, place: Place) -> dict[str, Any]:
    """Take the lock and return the module's result."""
    params: Mapping[str, Any] = module.params
    report, begin = progress_writer(params["progress_file"]), time.monotonic()
    advice = way_out(place, cli_options(module.region, params))

    def waits(held: lock.Held) -> None:
        news = f"waiting for the run of {held}. {advice}"
        report(line(time.monotonic() - begin, str(place), news))

    mine = lock.this_run(params["process"], params["duration"])
    deadline = Deadline(params["duration"], f"{advice}.")
    taken = lock.take(build_client(module, "s3"), place, mine, deadline, waits)
    if taken.left_by:
        module.warn(f"The run of {taken.left_by}, has died. Its lock {place} was taken over.")
    return {"changed": True, "etag": taken.etag}


def release(module: AnsibleAWSModule, place: Place) -> dict[str, Any]:
    """Release the lock and return the module's result."""
    released, other = lock.release(build_client(module, "s3"), place, module.params["etag"])
    if other:
        module.warn(
            f"The lock {place} had expired or was removed, and the run of {other}, has taken it. "
            "Look whether both have changed the same: run again when it has ended."
        )
    return {"changed": released}


def main() -> None:
    """Take or release the lock."""
    module = AnsibleAWSModule(
        argument_spec=build_argument_spec(),
        required_if=[("state", "present", ("duration",)), ("state", "absent", ("etag",))],
        supports_check_mode=True,
    )
    module.require_botocore_at_least("1.36.0", reason="to write to S3 on a condition")
    present = module.params["state"] == "present"
    if module.check_mode:
        module.exit_json(changed=True, **({"etag": ""} if present else {}))
    place = Place(module.params["bucket"], module.params["key"])
    with reporting_failures(module):
        module.exit_json(**(take(module, place) if present else release(module, place)))


if __name__ == "__main__":
    main()
