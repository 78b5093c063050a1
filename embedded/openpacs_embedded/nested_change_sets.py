# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Change sets of nested stacks, made with that of their root (IncludeNestedStacks).

Each nested stack that the root's change set creates or changes gets a change set of its own,
which the ChangeSetId of the resource's change names. A nested stack in which nothing changes is
not listed, nor is what would only have changed because of it. Change sets of a tree are executed
and deleted by their root.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ministack.core.responses import get_account_id, get_region, new_uuid, now_iso
from ministack.services import cloudformation
from ministack.services.cloudformation import changesets, provisioners, stacks

from openpacs_embedded.change_set_drift import list_drift
from openpacs_embedded.change_set_outlook import Outlook, is_unknown, outlook, resource_changes
from openpacs_embedded.nested_requests import (
    STACK_TYPE,
    Record,
    Request,
    children,
    discard_planned,
    new_child,
    read_request,
    reported_parameters,
    template_body,
    templates_changed,
)

NO_CHANGES = (
    "The submitted information didn't contain changes. "
    "Submit different information to create a change set."
)
NO_REQUEST = Request("", {}, {}, {}, [])


def include_nested_stacks(change_set: Record) -> None:
    """Make the change sets of all nested stacks and settle what the root's change set lists."""
    change_set["IncludeNestedStacks"] = True
    stack = cloudformation._stacks[change_set["StackName"]]
    list_drift(stack, change_set)
    _preview(stack, change_set)


def settle(stack: Record, change_set: Record) -> None:
    """Set the status of a change set by what it changes; new outputs are a change too."""
    old_outputs = stack.get("_template", {}).get("Outputs") or {}
    new_outputs = change_set["_template"].get("Outputs") or {}
    if change_set["Changes"] or old_outputs != new_outputs:
        change_set.update(Status="CREATE_COMPLETE", ExecutionStatus="AVAILABLE", StatusReason="")
    else:
        _fail(change_set, NO_CHANGES)


def list_changed_templates(stack: Record, change_set: Record) -> None:
    """List nested stacks whose templates have changed at the same URL, without looking inside."""
    listed = {change["LogicalResourceId"] for change in resource_changes(change_set)}
    template = change_set["_template"].get("Resources") or {}
    if change_set["ChangeSetType"] != "UPDATE":
        return
    for logical_id, child in children(stack).items():
        if logical_id in listed or logical_id not in template:
            continue
        properties = stack["_resources"][logical_id]["Properties"]
        if template_body(properties) != child["_template_body"] or templates_changed(child):
            change_set["Changes"].append({"ResourceChange": _automatic_change(stack, logical_id)})


def nested_change_sets(change_set: Record) -> Iterator[Record]:
    """Yield the change sets below one, at any depth."""
    for candidate in list(cloudformation._change_sets.values()):
        if candidate.get("ParentChangeSetId") == change_set["ChangeSetId"]:
            yield candidate
            yield from nested_change_sets(candidate)


def discard_nested(change_set: Record) -> None:
    """Delete the change sets below one, and the stacks which exist for these only."""
    for nested in list(nested_change_sets(change_set)):
        cloudformation._change_sets.pop(nested["ChangeSetId"], None)
        discard_planned(nested["StackId"])


def _preview(stack: Record, change_set: Record) -> Outlook | None:
    """Settle a change set after the change sets of its nested stacks, None when one fails."""
    try:
        view = _preview_children(stack, change_set)
    except ValueError as error:
        _fail(change_set, str(error))
        return None
    settle(stack, change_set)
    return view


def _preview_children(stack: Record, change_set: Record) -> Outlook:
    """Make the change sets of a stack's nested stacks; return the outlook after all of them.

    Raises ValueError when one cannot be made; that one is there to be read and says why.
    """
    view = outlook(stack, change_set)
    existing = children(stack)
    current = {name: dict(_outputs(child)) for name, child in existing.items()}
    planned: dict[str, str | None] = {}
    for logical_id in view.nested():
        child, nested = _nested_change_set(view, change_set, logical_id, existing.get(logical_id))
        below = _preview(child, nested) if "Status" not in nested else None
        if below is None:
            raise ValueError(
                f"Nested change set {nested['ChangeSetId']} was not successfully created: "
                "Currently in FAILED."
            )
        changed = nested["Status"] != "FAILED"
        if not changed:
            cloudformation._change_sets.pop(nested["ChangeSetId"])
        planned[logical_id] = nested["ChangeSetId"] if changed else None
        view.resources[logical_id] = {
            "PhysicalResourceId": child["StackId"],
            "Attributes": below.outputs() if changed else current[logical_id],
        }
    unsettled = {
        f"{name}.{attribute}"
        for name in planned
        for attribute, value in view.resources[name]["Attributes"].items()
        if is_unknown(value) or value != current.get(name, {}).get(attribute)
    }
    _list_children(stack, change_set, planned)
    _drop_unfounded(change_set, planned, unsettled)
    return view


def _nested_change_set(
    view: Outlook, parent_set: Record, logical_id: str, child: Record | None
) -> tuple[Record, Record]:
    """Record the change set of a nested stack; without that, a stack in review is announced."""
    tags = parent_set["Tags"] if parent_set["_tags_given"] else view.stack["Tags"]
    about = (view.stack["StackName"], view.stack["StackId"], logical_id)
    properties = provisioners._with_stack_tags(
        STACK_TYPE, view.properties(logical_id), tags, *about
    )
    parameters = properties["Parameters"]
    unknown = frozenset(name for name, value in parameters.items() if is_unknown(value))
    previous = child["_resolved_params"] if child else None
    reason = None
    try:
        request = read_request(properties, parent_set["Capabilities"], previous, unknown)
    except ValueError as error:
        request, reason = NO_REQUEST, str(error)
    change_type = "UPDATE" if child else "CREATE"
    if child is None:
        child = new_child(view.stack, logical_id, request, "REVIEW_IN_PROGRESS")
        child.update(_template={}, _template_body="", _resolved_params={}, _conditions={})
        parent_set.setdefault("_planned_children", {})[logical_id] = child["StackId"]
    change_set = _record(parent_set, logical_id, change_type, child, request)
    if reason is not None:
        _fail(change_set, reason)
    return child, change_set


def _fail(change_set: Record, reason: str) -> None:
    change_set.update(
        Status="FAILED", ExecutionStatus="UNAVAILABLE", StatusReason=reason, Changes=[]
    )


def _record(
    parent_set: Record, logical_id: str, change_type: str, child: Record, request: Request
) -> Record:
    name = f"{parent_set['ChangeSetName']}-{logical_id}"[:115] + f"-{new_uuid()[:8]}"
    change_set_id = (
        f"arn:aws:cloudformation:{get_region()}:{get_account_id()}:changeSet/{name}/{new_uuid()}"
    )
    change_set = {
        "ChangeSetId": change_set_id,
        "ChangeSetName": name,
        "ParentChangeSetId": parent_set["ChangeSetId"],
        "RootChangeSetId": parent_set.get("RootChangeSetId", parent_set["ChangeSetId"]),
        "IncludeNestedStacks": True,
        "StackId": child["StackId"],
        "StackName": child["StackName"],
        "CreationTime": now_iso(),
        "Description": "",
        "ChangeSetType": change_type,
        "Changes": _changes(child, request),
        "Parameters": reported_parameters(request.params),
        "Tags": request.tags,
        "Capabilities": parent_set["Capabilities"],
        "OnStackFailure": "",
        "_tags_given": True,
        "_template": request.template,
        "_template_body": request.body,
        "_resolved_params": request.params,
    }
    if "DeploymentMode" in parent_set:
        change_set["DeploymentMode"] = parent_set["DeploymentMode"]
        list_drift(child, change_set)
    cloudformation._change_sets[change_set_id] = change_set
    return change_set


def _changes(child: Record, request: Request) -> list[Record]:
    """Return what a nested stack's new template and parameters change, by MiniStack's rules."""
    name, stack_id = child["StackName"], child["StackId"]
    old_params = child["_resolved_params"]
    old = changesets._resolve_props_for_diff(child["_template"], old_params, name, stack_id)
    new = changesets._resolve_props_for_diff(request.template, request.params, name, stack_id)
    changed_params = {
        parameter
        for parameter, value in request.params.items()
        if old_params.get(parameter, {}).get("Value") != value["Value"]
    }
    retag = child["_resources"] if child["Tags"] != request.tags else ()
    found: list[Record] = changesets._diff_resources(
        old, new, child["_resources"], request.template, changed_params, retag
    )
    return found


def _list_children(stack: Record, change_set: Record, planned: dict[str, str | None]) -> None:
    """List exactly the nested stacks that change, with the ids of their change sets."""
    unchanged = {logical_id for logical_id, changes in planned.items() if changes is None}
    kept = [c for c in resource_changes(change_set) if c["LogicalResourceId"] not in unchanged]
    listed = {change["LogicalResourceId"] for change in kept}
    for logical_id, change_set_id in planned.items():
        if change_set_id and logical_id not in listed:
            kept.append(_automatic_change(stack, logical_id))
    for change in kept:
        if planned.get(change["LogicalResourceId"]):
            change["ChangeSetId"] = planned[change["LogicalResourceId"]]
    kept.sort(key=lambda change: change["LogicalResourceId"])
    change_set["Changes"] = [{"ResourceChange": change} for change in kept]


def _automatic_change(stack: Record, logical_id: str) -> Record:
    return {
        "Action": "Modify",
        "LogicalResourceId": logical_id,
        "PhysicalResourceId": stack["_resources"][logical_id]["PhysicalResourceId"],
        "ResourceType": STACK_TYPE,
        "Replacement": "False",
        "Scope": ["Properties"],
        "Details": [
            {
                "Target": {"Attribute": "Properties", "RequiresRecreation": "Never"},
                "Evaluation": "Dynamic",
                "ChangeSource": "Automatic",
            }
        ],
    }


def _drop_unfounded(change_set: Record, nested: dict[str, str | None], unsettled: set[str]) -> None:
    """Drop changes whose only cause is a nested stack, or its output, that does not change."""
    while True:
        changes = resource_changes(change_set)
        changing = {change["LogicalResourceId"] for change in changes}

        def founded(detail: Record, changing: set[str] = changing) -> bool:
            if detail.get("ChangeSource") not in ("ResourceReference", "ResourceAttribute"):
                return True
            cause = detail["CausingEntity"].partition(".")[0]
            if cause in nested:
                return detail["CausingEntity"] in unsettled
            return cause in changing

        kept = [c for c in changes if _refounded(c, [d for d in _details(c) if founded(d)])]
        change_set["Changes"] = [{"ResourceChange": change} for change in kept]
        if len(kept) == len(changes):
            return


def _refounded(change: Record, details: list[Record]) -> bool:
    """Give a change the details that are left; return whether it is still one."""
    if change["Action"] != "Modify" or len(details) == len(_details(change)):
        return True
    change["Details"] = details
    change["Scope"] = list(dict.fromkeys(d["Target"]["Attribute"] for d in details))
    change["Replacement"] = stacks._replacement(details, False)
    return bool(details) or "ChangeSetId" in change


def _details(change: Record) -> list[Record]:
    details: list[Record] = change.get("Details", [])
    return details


def _outputs(stack: Record) -> Iterator[tuple[str, Any]]:
    for output in stack["Outputs"]:
        yield f"Outputs.{output['OutputKey']}", output["OutputValue"]
