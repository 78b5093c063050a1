# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What an AWS::CloudFormation::Stack resource asks for: template, parameters, tags."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ministack.core.responses import get_account_id, get_region, new_uuid, now_iso
from ministack.services import cloudformation
from ministack.services.cloudformation import engine, handlers, helpers, provisioners

STACK_TYPE = "AWS::CloudFormation::Stack"
PLANNED = "_planned_children"  # member of a record: nested stacks that a change set has announced
Record = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """A nested stack as its parent wants it; params maps a name to Value, NoEcho and Type."""

    body: str
    template: Record
    params: dict[str, Record]
    conditions: dict[str, bool]
    tags: list[dict[str, str]]


def read_request(
    properties: Record,
    capabilities: list[str],
    previous: Record | None,
    unknown: frozenset[str] = frozenset(),
) -> Request:
    """Read a nested stack's properties, after the checks which a root stack undergoes.

    previous holds the parameters of the nested stack that is updated. The parameters in unknown
    have no value yet, only something that stands for it, and are not checked. Raises ValueError
    with the reason that the event of the resource shows.
    """
    body = template_body(properties)
    try:
        template = engine._parse_template(body)
    except Exception as error:
        raise ValueError(f"Template format error: {error}") from error
    check_capabilities(template, capabilities)
    checked = _without_constraints(template, unknown)
    params = handlers._resolve_parameters(checked, _given(properties), previous)
    conditions = engine._evaluate_conditions(template, params)
    handlers.validate_template_support(template, conditions, params=None if unknown else params)
    return Request(body, template, params, conditions, _tags(properties))


def template_body(properties: Record) -> str:
    """Return the template that TemplateURL names. Raises ValueError when there is none."""
    url = properties.get("TemplateURL")
    if not url:
        raise ValueError("Property TemplateURL cannot be empty.")
    body, error = helpers._resolve_template({"TemplateURL": [url]})
    if error is not None or not body:
        raise ValueError(f"S3 error: no template at TemplateURL {url}")
    return str(body)


def check_capabilities(template: Record, capabilities: list[str]) -> None:
    """Raise ValueError when the root stack's request lacks a capability for this template."""
    required = handlers._required_iam_capabilities(template)
    missing = handlers._missing_capabilities(set(capabilities), required)
    if missing:
        raise ValueError(handlers._insufficient_capabilities_message(missing))


def reported_parameters(params: dict[str, Record]) -> list[Record]:
    """Return parameters as a stack's record keeps them for DescribeStacks."""
    return [
        {"ParameterKey": name, "ParameterValue": param["Value"], "NoEcho": param["NoEcho"]}
        for name, param in params.items()
    ]


def new_child(parent: Record, logical_id: str, request: Request, status: str) -> Record:
    """Record a new nested stack of a parent, named as AWS names them, and return the record."""
    suffix = new_uuid().replace("-", "")[:13].upper()
    name = f"{parent['StackName']}-{logical_id}"[: helpers.STACK_NAME_MAX_CHARS - 14] + f"-{suffix}"
    stack_id = f"arn:aws:cloudformation:{get_region()}:{get_account_id()}:stack/{name}/{new_uuid()}"
    child = {
        "StackName": name,
        "StackId": stack_id,
        "ParentId": parent["StackId"],
        "RootId": parent.get("RootId", parent["StackId"]),
        "CreationTime": now_iso(),
        "StackStatus": status,
        "StackStatusReason": "",
        "Outputs": [],
        "DisableRollback": True,
        "_region": get_region(),
        "_resources": {},
    }
    apply_request(child, request, parent)
    cloudformation._stacks[name] = child
    cloudformation._stack_events[stack_id] = []
    return child


def apply_request(child: Record, request: Request, parent: Record) -> None:
    """Put a request's template, parameters and tags into a nested stack's record."""
    child.update(
        LastUpdatedTime=now_iso(),
        Description=request.template.get("Description", ""),
        Parameters=reported_parameters(request.params),
        Tags=request.tags,
        Capabilities=list(parent.get("Capabilities", [])),
        _disable_validation=parent.get("_disable_validation", False),
        _template=request.template,
        _template_body=request.body,
        _resolved_params=request.params,
        _conditions=request.conditions,
    )


def children(stack: Record) -> dict[str, Record]:
    """Return the nested stacks of a stack, those deleted excepted, by their logical ids."""
    found = {}
    for logical_id, resource in stack.get("_resources", {}).items():
        if resource.get("ResourceType") == STACK_TYPE:
            child = stack_by_id(resource.get("PhysicalResourceId", ""))
            if child is not None:
                found[logical_id] = child
    return found


def tree(stack: Record) -> list[Record]:
    """Return a stack and all stacks below it, the deepest first."""
    below = [nested for child in children(stack).values() for nested in tree(child)]
    return [*below, stack]


def stack_by_id(stack_id: str) -> Record | None:
    """Return the record of a stack that is not deleted, None when there is none."""
    for stack in cloudformation._stacks.values():
        if stack["StackId"] == stack_id and stack["StackStatus"] != "DELETE_COMPLETE":
            found: Record = stack
            return found
    return None


def discard_planned(stack_id: str) -> None:
    """Forget a nested stack that a change set has announced, unless it has been created."""
    stack = stack_by_id(stack_id)
    if stack is None or stack["StackStatus"] != "REVIEW_IN_PROGRESS":
        return
    for planned in stack.get(PLANNED, {}).values():
        discard_planned(planned)
    del cloudformation._stacks[stack["StackName"]]
    cloudformation._stack_events.pop(stack_id, None)


def templates_changed(stack: Record) -> bool:
    """Return whether the template of a stack below this one has changed at the same URL."""
    for logical_id, child in children(stack).items():
        properties = stack["_resources"][logical_id]["Properties"]
        if template_body(properties) != child["_template_body"] or templates_changed(child):
            return True
    return False


def _given(properties: Record) -> list[Record]:
    parameters = properties.get("Parameters") or {}
    if any(isinstance(value, list | dict) for value in parameters.values()):
        raise ValueError(
            "Value of property Parameters must be an object with String (or simple type) properties"
        )
    return [
        {"Key": name, "Value": _simple(value)}
        for name, value in parameters.items()
        if value is not engine._NO_VALUE
    ]


def _without_constraints(template: Record, names: frozenset[str]) -> Record:
    """Return a template whose parameters of these names take any string, or list of strings."""
    parameters = dict(template.get("Parameters") or {})
    for name in names & parameters.keys():
        is_list = "List" in parameters[name].get("Type", "")
        parameters[name] = {"Type": "CommaDelimitedList" if is_list else "String"}
    return {**template, "Parameters": parameters}


def _simple(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _tags(properties: Record) -> list[dict[str, str]]:
    tags = provisioners._tag_map(properties.get("Tags"))
    return [
        {"Key": key, "Value": value} for key, value in tags.items() if not key.startswith("aws:")
    ]
