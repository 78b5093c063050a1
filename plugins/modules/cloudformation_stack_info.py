#!/usr/bin/python
# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudformation_stack_info
short_description: Read a CloudFormation stack and its nested stacks
version_added: 1.0.0
description:
  - Reads status, parameters, tags and outputs of a stack and its nested stacks, in one call.
  - On request also reads the resources, looks for drift, and tells what took how long.
  - A stack that does not exist is no error.
options:
  name:
    description: Name of the stack.
    type: str
    required: true
  resources:
    description: Whether to read the resources of all stacks of the tree, one call for each stack.
    type: bool
    default: false
  drift:
    description: Whether to look for drift in all stacks of the tree. This changes no resource but
      takes its time.
    type: bool
    default: false
  timeline:
    description: Whether to tell how long each resource took in the last operation on the stack.
    type: bool
    default: false
  timeout:
    description: Seconds to wait for the drift detection, in all.
    type: int
    default: 900
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - openpacs.dicoogle.attributes
  - openpacs.dicoogle.attributes.aws
seealso:
  - module: openpacs.dicoogle.cloudformation_stack
author:
  - openpacs contributors (@openpacs)
"""

EXAMPLES = r"""
- name: Read the stack
  openpacs.dicoogle.cloudformation_stack_info:
    name: pacs
  register: pacs

- name: Show what differs from the templates
  openpacs.dicoogle.cloudformation_stack_info:
    name: pacs
    drift: true
  register: pacs
  failed_when: pacs.exists and pacs.drift.status != 'IN_SYNC'

- name: Show what took longest
  openpacs.dicoogle.cloudformation_stack_info:
    name: pacs
    timeline: true
  register: pacs
"""

RETURN = r"""
exists:
  description: Whether there is a stack of this name. Without, nothing else is returned.
  returned: success
  type: bool
stack_id:
  description: ARN of the stack.
  returned: when the stack exists
  type: str
  sample: arn:aws:cloudformation:eu-central-1:123456789012:stack/pacs/0f9e5d80-1b2c
status:
  description: Status of the stack.
  returned: when the stack exists
  type: str
  sample: UPDATE_COMPLETE
status_reason:
  description: Why the stack has this status, often empty.
  returned: when the stack exists
  type: str
parameters:
  description: Parameters of the stack. Those declared with C(NoEcho) are masked by the service.
  returned: when the stack exists
  type: dict
  sample: {InstanceType: t3.small}
tags:
  description: Tags of the stack.
  returned: when the stack exists
  type: dict
  sample: {department: radiology}
termination_protection:
  description: Whether the stack is protected against deletion.
  returned: when the stack exists
  type: bool
outputs:
  description: Outputs of the stack.
  returned: when the stack exists
  type: dict
  sample: {WebUrl: "https://pacs.example.org"}
stacks:
  description: The stack and its nested stacks by logical path, with the keys C(stack_id),
    C(status) and C(outputs).
  returned: when the stack exists
  type: dict
resources:
  description: Resources of all stacks.
  returned: with O(resources=true), when the stack exists
  type: list
  elements: dict
  contains:
    path:
      description: Logical path of the resource.
      type: str
      sample: pacs/Network/Vpc
    type:
      description: Resource type.
      type: str
      sample: AWS::EC2::VPC
    physical_id:
      description: Identifier of the resource.
      type: str
      sample: vpc-0123456789abcdef0
    status:
      description: Status of the resource.
      type: str
      sample: CREATE_COMPLETE
drift:
  description: What differs from the templates.
  returned: with O(drift=true), when the stack exists
  type: dict
  contains:
    status:
      description: V(IN_SYNC), V(DRIFTED), or V(UNKNOWN) when something could not be checked.
      type: str
      sample: IN_SYNC
    problems:
      description: What could not be checked and why.
      type: list
      elements: str
    resources:
      description:
        - Resources that were changed or deleted behind CloudFormation's back, with the keys
          C(path), C(type), C(physical_id), C(status) and C(differences).
        - Each difference has the keys C(property), C(expected) and C(actual).
      type: list
      elements: dict
timeline:
  description: Stacks and resources of the last operation, the slowest first.
  returned: with O(timeline=true), when the stack exists
  type: list
  elements: dict
  contains:
    path:
      description: Logical path of the stack or resource.
      type: str
      sample: pacs/Service/Service
    type:
      description: Resource type.
      type: str
      sample: AWS::ECS::Service
    start:
      description: Seconds from the beginning of the operation.
      type: float
      sample: 212.4
    seconds:
      description: Seconds from its first event to its last.
      type: float
      sample: 187.0
"""

from collections.abc import Mapping
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.openpacs.dicoogle.plugins.module_utils._aws import build_client
from ansible_collections.openpacs.dicoogle.plugins.module_utils._cloudformation import (
    event_reader,
    operations,
    reports,
    stacks,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._deadline import Deadline
from ansible_collections.openpacs.dicoogle.plugins.module_utils._errors import reporting_failures


def build_argument_spec() -> dict[str, Any]:
    """Return the module's own options."""
    return {
        "name": {"required": True},
        "resources": {"type": "bool", "default": False},
        "drift": {"type": "bool", "default": False},
        "timeline": {"type": "bool", "default": False},
        "timeout": {"type": "int", "default": 900},
    }


def read(client: Any, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the module answers."""
    name = options["name"]
    tree = operations.read_tree(client, name, nested=True)
    if name not in tree:
        return {"exists": False}
    root = tree[name]
    result = stacks.summary(root) | {
        "exists": True,
        "status_reason": root.status_reason,
        "parameters": root.parameters,
        "tags": root.tags,
        "termination_protection": root.protected,
        "stacks": {path: stacks.summary(stack) for path, stack in tree.items()},
    }
    if options["resources"]:
        result["resources"] = reports.resources(client, tree)
    if options["drift"]:
        result["drift"] = reports.drift(
            client, tree, Deadline(options["timeout"], "Run again with a larger timeout.")
        )
    if options["timeline"]:
        result["timeline"] = event_reader.EventReader(client, name, root.stack_id).timeline()
    return result


def main() -> None:
    """Run the module."""
    module = AnsibleAWSModule(argument_spec=build_argument_spec(), supports_check_mode=True)
    with reporting_failures(module):
        result = read(build_client(module, "cloudformation"), module.params)
        module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
