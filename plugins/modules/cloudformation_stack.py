#!/usr/bin/python
# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudformation_stack
short_description: Bring a CloudFormation stack and its nested stacks to a desired state
version_added: 1.0.0
description:
  - Creates and updates a stack through change sets only, nested stacks included.
  - A stack that is as desired costs two calls - one for the stack and its nested stacks, one for
    the template.
  - A nested stack that was deleted by hand is named, and so is the way to bring it back, unless it
    has a condition.
  - In check mode the plan is a real change set, deleted afterwards together with the empty stack
    that holds it where the stack does not exist yet. It also shows what was changed outside
    CloudFormation.
  - Waits for an operation that is already under way, such as one that an interrupted run has
    left, and goes on from there.
  - When an operation fails, RV(ignore:msg) names the resource that failed first, in whichever
    nested stack, and the service's reason.
  - Where the module runs on the control node, it shows a line for every change of a stack's
    status while it waits, and for every call that AWS throttles.
options:
  name:
    description: Name of the stack.
    type: str
    required: true
  state:
    description:
      - V(present) creates or updates the stack, V(absent) deletes it.
      - Resources whose C(DeletionPolicy) says so outlive the deletion; RV(retained) lists them.
    type: str
    choices: [present, absent]
    default: present
  template:
    description:
      - Path of the template where the module runs. Its text is sent with the request, which takes
        at most 51,200 bytes.
      - With O(template_url), the path of the same template; see O(template_body).
    type: path
  template_body:
    description:
      - Text of the template, at most 51,200 bytes.
      - With O(template_url), the text of the template at that URL, of any size. It is compared
        with the deployed template,
        so that a stack that is as desired needs no change set.
    type: str
  template_url:
    description:
      - URL of the template in S3, as M(openpacs.dicoogle.cloudformation_package) returns it
        together with O(template_body).
      - Alone, every run makes a change set to tell whether anything is to be changed.
      - Nested templates are compared by their URLs, so these have to change when the templates do.
    type: str
  parameters:
    description:
      - Parameters of the template. Numbers, booleans and lists are turned into the texts that
        CloudFormation takes.
      - An item of a list must not hold a comma, as CloudFormation would take it for two.
      - A parameter that is left out has the template's default, not the value it had before.
      - Parameters declared with C(NoEcho) cannot be read back. A change of nothing but these is
        not noticed.
      - Give the ARN of a secret, never its value; values are shown at high verbosity.
    type: dict
    default: {}
  tags:
    description:
      - Tags of the stack, which CloudFormation hands on to its resources.
      - Left out, the tags stay as they are; an empty dictionary removes them.
      - Numbers and booleans are turned into texts, as with O(parameters).
    type: dict
    aliases: [resource_tags]
  capabilities:
    description: What the template is allowed to do.
    type: list
    elements: str
    choices: [CAPABILITY_IAM, CAPABILITY_NAMED_IAM, CAPABILITY_AUTO_EXPAND]
    default: [CAPABILITY_IAM, CAPABILITY_NAMED_IAM, CAPABILITY_AUTO_EXPAND]
  termination_protection:
    description:
      - Whether the stack is protected against deletion. Left out, the protection stays as it is.
      - With O(state=absent), V(false) takes the protection off before the deletion.
    type: bool
  role_arn:
    description: ARN of the role that CloudFormation acts with. Left out, it acts with the
      caller's permissions.
    type: str
  on_rollback_complete:
    description:
      - What to do with a stack whose creation failed, which can only be deleted.
      - V(fail) says what has failed. V(replace) deletes the stack and creates it again, at most
        once in a run.
    type: str
    choices: [fail, replace]
    default: fail
  allow_data_loss:
    description:
      - Logical paths, such as V(pacs/Storage/Files), of resources with data that may be replaced or
        removed.
      - A change that would replace or remove any other file system, bucket, key, backup vault or
        user pool is refused. In check mode it comes first in RV(changes), with a warning.
      - Does not concern O(state=absent) and O(on_rollback_complete=replace).
    type: list
    elements: str
    default: []
  revert_drift:
    description:
      - Whether to bring back what was changed or deleted outside CloudFormation, as far as AWS can
        tell. Every run makes a change set for that.
      - Otherwise a run leaves it, and check mode shows it in RV(drift), with a warning.
      - Needs a boto3 that knows drift-aware change sets.
    type: bool
    default: false
  timeout:
    description: Seconds to wait for CloudFormation, in all.
    type: int
    default: 5400
  progress_file:
    description:
      - File to which a line is appended for every change of a stack's status.
      - Set by the action plugin, which shows the lines, where the module runs on the control node.
    type: path
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
requirements:
  - PyYAML
seealso:
  - module: openpacs.dicoogle.cloudformation_package
  - module: openpacs.dicoogle.cloudformation_stack_info
author:
  - openpacs contributors (@openpacs)
"""

EXAMPLES = r"""
- name: Upload the templates
  openpacs.dicoogle.cloudformation_package:
    template: cloudformation/root.template
    bucket: pacs-artifacts
  register: package

- name: Deploy the stack
  openpacs.dicoogle.cloudformation_stack:
    name: pacs
    template_url: "{{ package.template_url }}"
    template_body: "{{ package.template_body }}"
    parameters:
      AvailabilityZones: [eu-central-1a, eu-central-1b]
      InstanceType: t3.small
    tags:
      department: radiology
    termination_protection: true
  register: stack

- name: Show where the web page is
  ansible.builtin.debug:
    msg: "{{ stack.outputs.WebUrl }}"

- name: Deploy a small stack, again from the start when its creation has failed before
  openpacs.dicoogle.cloudformation_stack:
    name: pacs-bootstrap
    template: cloudformation/bootstrap.template
    on_rollback_complete: replace

- name: Delete the stack
  openpacs.dicoogle.cloudformation_stack:
    name: pacs
    state: absent
    termination_protection: false
"""

RETURN = r"""
action:
  description: What was done or, in check mode, would be done - V(create), V(update), V(replace),
    V(delete) or V(none).
  returned: success
  type: str
  sample: update
changes:
  description: What changed or would change, the resources of nested stacks included.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: Logical path of the resource.
      type: str
      sample: pacs/Hospital/Client
    type:
      description: Resource type.
      type: str
      sample: AWS::EC2::Instance
    action:
      description: V(Add), V(Modify), V(Remove), V(Import) or V(Dynamic).
      type: str
      sample: Modify
    replacement:
      description: Whether the resource is replaced - V(True), V(False) or V(Conditional); empty
        for what is not modified.
      type: str
      sample: "False"
    properties:
      description: Properties that change, or attributes such as V(Tags).
      type: list
      elements: str
      sample: [InstanceType]
    causes:
      description: Parameters and resources that the change comes from.
      type: list
      elements: str
      sample: [InstanceType]
    reverts:
      description: Whether the change only undoes what was changed outside CloudFormation.
      type: bool
      sample: false
drift:
  description:
    - Resources that were changed or deleted outside CloudFormation, with the keys C(path), C(type),
      C(physical_id), C(status) and C(differences).
    - Each difference has the keys C(property), C(expected) and C(actual).
  returned: success; in check mode and with O(revert_drift=true), where boto3 knows drift-aware
    change sets, and else empty
  type: list
  elements: dict
  sample:
    - path: pacs/Storage/SecurityGroup
      type: AWS::EC2::SecurityGroup
      physical_id: sg-0123456789abcdef0
      status: MODIFIED
      differences:
        - {property: /SecurityGroupIngress/0/CidrIp, expected: 10.0.0.0/16, actual: 0.0.0.0/0}
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
outputs:
  description: Outputs of the stack.
  returned: success
  type: dict
  sample: {WebUrl: "https://pacs.example.org"}
stacks:
  description: The stack and its nested stacks by logical path, with the keys C(stack_id),
    C(status) and C(outputs).
  returned: success
  type: dict
  sample:
    pacs/Network:
      stack_id:
        arn:aws:cloudformation:eu-central-1:123456789012:stack/pacs-Network-1X2Y3Z/1f9e5d80-1b2c
      status: CREATE_COMPLETE
      outputs: {VpcId: vpc-0123456789abcdef0}
retained:
  description:
    - Resources that the deletion of the stack, or the rollback of its creation, has left behind.
    - Each has the keys C(path), C(type) and C(physical_id).
  returned: success, and when an operation on the stack fails
  type: list
  elements: dict
  sample: [{path: pacs/Storage/Images, type: "AWS::S3::Bucket", physical_id: pacs-images}]
root_cause:
  description: The resources that failed, the first failure first; what only failed in consequence
    is left out.
  returned: when an operation on the stack fails
  type: list
  elements: dict
  contains:
    path:
      description: Logical path of the resource.
      type: str
      sample: pacs/Service/Service
    type:
      description: Resource type.
      type: str
      sample: AWS::ECS::Service
    physical_id:
      description: Identifier of the resource, empty when it was not created.
      type: str
      sample: arn:aws:ecs:eu-central-1:123456789012:service/pacs/Service
    status:
      description: Status in which the resource failed.
      type: str
      sample: CREATE_FAILED
    reason:
      description: The service's own reason.
      type: str
      sample: "Resource handler returned message: \"Unable to assume the service linked role\""
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import missing_required_lib
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.openpacs.dicoogle.plugins.module_utils._aws import (
    build_client,
    cli_options,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._cloudformation import (
    api,
    changes,
    operations,
    plan,
    runs,
    stacks,
    template,
    throttling,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._cloudformation.states import Action
from ansible_collections.openpacs.dicoogle.plugins.module_utils._deadline import Deadline
from ansible_collections.openpacs.dicoogle.plugins.module_utils._errors import (
    ModuleError,
    reporting_failures,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._progress import progress_writer
from ansible_collections.openpacs.dicoogle.plugins.module_utils._texts import plain_text

CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
GOES_ON = "It goes on in AWS: run again to wait for it, with a larger timeout if need be."


def build_argument_spec() -> dict[str, Any]:
    """Return the module's own options."""
    return {
        "name": {"required": True},
        "state": {"choices": ["present", "absent"], "default": "present"},
        "template": {"type": "path"},
        "template_body": {},
        "template_url": {},
        "parameters": {"type": "dict", "default": {}},
        "tags": {"type": "dict", "aliases": ["resource_tags"]},
        "capabilities": {
            "type": "list",
            "elements": "str",
            "choices": CAPABILITIES,
            "default": CAPABILITIES,
        },
        "termination_protection": {"type": "bool"},
        "role_arn": {},
        "on_rollback_complete": {"choices": ["fail", "replace"], "default": "fail"},
        "allow_data_loss": {"type": "list", "elements": "str", "default": []},
        "revert_drift": {"type": "bool", "default": False},
        "timeout": {"type": "int", "default": 5400},
        "progress_file": {"type": "path"},
    }


def build_desired(options: Mapping[str, Any]) -> plan.Desired:
    """Return the stack that the module's options ask for."""
    tags = options["tags"]
    return plan.Desired(
        name=options["name"],
        template_url=options["template_url"],
        template_body=read_template(options),
        parameters={
            name: plan.parameter_text(name, value) for name, value in options["parameters"].items()
        },
        tags=tags
        if tags is None
        else {key: plain_text(f"The tag {key}", value) for key, value in tags.items()},
        capabilities=tuple(options["capabilities"]),
        role_arn=options["role_arn"],
        termination_protection=options["termination_protection"],
        allow_data_loss=tuple(options["allow_data_loss"]),
        revert_drift=options["revert_drift"],
    )


def read_template(options: Mapping[str, Any]) -> str | None:
    """Return the text of the template, if it is given."""
    if not options["template"]:
        return options["template_body"]
    return template.read_text(Path(options["template"]))


def apply(run: runs.Run, options: Mapping[str, Any]) -> operations.Outcome:
    """Bring the stack to the desired state or, in check mode, tell what that would take."""
    protection = options["termination_protection"]
    if options["state"] == "absent":
        return operations.absent(run, options["name"], options["role_arn"], protection)
    may_replace = options["on_rollback_complete"] == "replace"
    return operations.present(run, build_desired(options), may_replace)


def build_result(name: str, outcome: operations.Outcome) -> dict[str, Any]:
    """Return what the module answers."""
    result: dict[str, Any] = {
        "changed": outcome.action is not Action.NONE,
        "action": str(outcome.action),
        "changes": [change.result() for change in outcome.changes],
        "drift": [item.result() for item in outcome.drift],
        "outputs": {},
        "stacks": {path: stacks.summary(stack) for path, stack in outcome.tree.items()},
        "retained": list(outcome.retained),
        "diff": changes.diff(outcome.changes),
    }
    return result | result["stacks"].get(name, {})


def main() -> None:
    """Run the module."""
    module = AnsibleAWSModule(
        argument_spec=build_argument_spec(),
        mutually_exclusive=[("template", "template_body")],
        required_if=[("state", "present", ("template", "template_body", "template_url"), True)],
        supports_check_mode=True,
    )
    if not template.HAS_YAML:
        module.fail_json(msg=missing_required_lib("PyYAML"))
    with reporting_failures(module):
        client = build_client(module, "cloudformation")
        report = progress_writer(module.params["progress_file"])
        throttling.show(client, module.params["name"], report)
        run = runs.Run(
            client=client,
            deadline=Deadline(module.params["timeout"], GOES_ON),
            report=report,
            check_mode=module.check_mode,
            cli_options=cli_options(module.region, module.params),
            sees_drift=api.sees_drift(client),
        )
        if module.params["revert_drift"] and not run.sees_drift:
            raise ModuleError("This boto3 knows no drift-aware change sets. Install a newer one.")
        outcome = apply(run, module.params)
        for warning in outcome.warnings:
            module.warn(warning)
        module.exit_json(**build_result(module.params["name"], outcome))


if __name__ == "__main__":
    main()
