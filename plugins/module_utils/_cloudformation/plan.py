# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Compare the desired and the deployed state. Private to this collection; calls nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .._errors import ModuleError
from .._texts import plain_text
from . import states, template
from .stacks import Stack

TEMPLATE_BODY_LIMIT = 51_200  # bytes; a larger template has to come from S3


@dataclass(frozen=True)
class Desired:
    """The stack as the user wants it.

    template_url, template_body: at least one; with both, the body is the text at the URL.
    tags, termination_protection: None leaves what there is.
    allow_data_loss: logical paths of the resources with data that may be replaced or removed.
    revert_drift: whether to bring back what was changed outside CloudFormation.
    """

    name: str
    template_url: str | None
    template_body: str | None
    parameters: Mapping[str, str]
    tags: Mapping[str, str] | None
    capabilities: tuple[str, ...]
    role_arn: str | None
    termination_protection: bool | None
    allow_data_loss: tuple[str, ...] = ()
    revert_drift: bool = False

    def __post_init__(self) -> None:
        """Refuse a template that CloudFormation would not take."""
        try:
            size = len((self.template_body or "").encode())
        except UnicodeEncodeError as error:
            raise ModuleError(
                f"The template_body of stack {self.name} holds what is no character. Give text."
            ) from error
        if not self.template_url and size > TEMPLATE_BODY_LIMIT:
            raise ModuleError(
                f"The template of stack {self.name} has {size} bytes, and CloudFormation takes at "
                f"most {TEMPLATE_BODY_LIMIT} in a request. Upload it with cloudformation_package "
                "and give its template_url."
            )

    @cached_property
    def document(self) -> template.Document | None:
        """The template as data, parsed once; None when its text is not known."""
        return None if self.template_body is None else template.parse(self.template_body)

    @property
    def nested(self) -> bool:
        """Whether the template nests stacks, or may do so because its text is not known."""
        return self.document is None or template.may_nest_stacks(self.document)


def parameter_text(name: str, value: Any) -> str:
    """Return a parameter's value as CloudFormation takes it, always a text.

    Raises ModuleError for what is neither a plain value nor a list of such, and for an item that
    CloudFormation would take for several.
    """
    if not isinstance(value, list):
        return plain_text(f"The parameter {name}", value)
    items = [plain_text(f"An item of the parameter {name}", item) for item in value]
    divided = [item for item in items if "," in item]
    if divided:
        raise ModuleError(
            f"The parameter {name} has the item '{divided[0]}', which its comma would divide. "
            "Give each item by itself."
        )
    return ",".join(items)


def next_action(stack: Stack, may_replace: bool) -> states.Action:
    """Return what to do about a stack that is to be present."""
    action = states.action(stack.status)
    if action is states.Action.REPLACE and not may_replace:
        return states.Action.REFUSE
    return action


def differences(stack: Stack, deployed: str | Mapping[str, Any], desired: Desired) -> list[str]:
    """Return which parts of a stack may differ from what is wanted.

    deployed: the stack's template as it was given.
    Hidden (NoEcho) parameters cannot be compared and do not count. Without the text of the wanted
    template nothing can be said about it, so it counts.
    """
    if desired.document is None:
        return ["template"]
    found = []
    if deployed != desired.template_body and template.document(deployed) != desired.document:
        found.append("template")
    if _visible(stack.parameters, desired) != _visible(_with_defaults(desired), desired):
        found.append("parameters")
    if desired.tags is not None and stack.tags != desired.tags:
        found.append("tags")
    return found


def _declared(desired: Desired) -> dict[str, Any]:
    return template.declarations(desired.document or {}, "Parameters")


def _with_defaults(desired: Desired) -> dict[str, str]:
    defaults = {
        name: parameter_text(name, declaration["Default"])
        for name, declaration in _declared(desired).items()
        if "Default" in declaration
    }
    return defaults | dict(desired.parameters)


def _visible(parameters: Mapping[str, str], desired: Desired) -> dict[str, str]:
    declared = _declared(desired)

    def hidden(name: str) -> bool:
        return str(declared.get(name, {}).get("NoEcho")).lower() == "true"

    return {name: value for name, value in parameters.items() if not hidden(name)}


def kept_stacks(deployed: str | Mapping[str, Any], desired: Desired) -> set[str]:
    """Return the paths of the nested stacks that were and are wanted, whatever the parameters."""
    declared = template.unconditional_stacks(template.document(deployed))
    wanted = (
        declared if desired.document is None else template.unconditional_stacks(desired.document)
    )
    return {f"{desired.name}/{logical_id}" for logical_id in declared & wanted}


def outputs_differ(deployed: str | Mapping[str, Any], desired: Desired) -> bool:
    """Tell whether the wanted template has other outputs, which no change set lists."""
    if desired.document is None:
        return False
    return template.document(deployed).get("Outputs") != desired.document.get("Outputs")


def change_set_request(
    desired: Desired, kind: str, name: str, sees_drift: bool = False
) -> dict[str, Any]:
    """Return the request of CreateChangeSet.

    kind: `CREATE` or `UPDATE`.
    name: of the change set.
    sees_drift: whether the change set also lists, and reverts, what was changed outside.
    A parameter that is left out gets the template's default, never the value it had before.
    """
    request: dict[str, Any] = {
        "StackName": desired.name,
        "ChangeSetName": name,
        "ClientToken": name,
        "ChangeSetType": kind,
        "IncludeNestedStacks": True,
        "Capabilities": list(desired.capabilities),
        "Parameters": [
            {"ParameterKey": key, "ParameterValue": value}
            for key, value in sorted(desired.parameters.items())
        ],
    }
    if desired.template_url:
        request["TemplateURL"] = desired.template_url
    else:
        request["TemplateBody"] = desired.template_body
    if sees_drift:
        request["DeploymentMode"] = "REVERT_DRIFT"
    if desired.role_arn:
        request["RoleARN"] = desired.role_arn
    if desired.tags is not None:
        request["Tags"] = [{"Key": key, "Value": value} for key, value in desired.tags.items()]
    return request
