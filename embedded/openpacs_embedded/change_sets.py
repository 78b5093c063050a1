# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Change sets: conditions are heeded, nested stacks are looked into."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import Element

from ministack.services import cloudformation
from ministack.services.cloudformation import changesets, engine, handlers, helpers

from openpacs_embedded import change_set_drift
from openpacs_embedded.descriptions import (
    XML,
    Response,
    add_texts,
    completed,
    show_resolved_values,
)
from openpacs_embedded.nested_change_sets import (
    discard_nested,
    include_nested_stacks,
    list_changed_templates,
    nested_change_sets,
    settle,
)
from openpacs_embedded.nested_requests import PLANNED, Record, stack_by_id
from openpacs_embedded.patching import replace, replace_entry

Action = Callable[[Record], Response]


def create_change_set(original: Action, params: Record) -> Response:
    """Create a change set, those of the nested stacks with it if the request says so."""
    before = set(cloudformation._change_sets)
    response = original(params)
    for change_set_id in set(cloudformation._change_sets) - before:
        change_set = cloudformation._change_sets[change_set_id]
        if change_set["ChangeSetType"] == "IMPORT" or change_set["ImportExistingResources"]:
            continue
        if change_set_drift.is_drift_aware(params):
            change_set["DeploymentMode"] = change_set_drift.MODE
        if helpers._p(params, "IncludeNestedStacks").lower() == "true":
            include_nested_stacks(change_set)
        else:
            stack = cloudformation._stacks[change_set["StackName"]]
            list_changed_templates(stack, change_set)
            change_set_drift.list_drift(stack, change_set)
            settle(stack, change_set)
    return response


def describe_change_set(original: Action, params: Record) -> Response:
    """Add what connects change sets to each other."""
    change_set = _find(params)
    response = original(params)
    if change_set is None:
        return response
    with_values = helpers._p(params, "IncludePropertyValues").lower() == "true"
    nested_ids = [c["ResourceChange"].get("ChangeSetId") for c in change_set["Changes"]]

    def complete(root: Element) -> None:
        for result in root.iterfind(f"{XML}DescribeChangeSetResult"):
            add_texts(
                result,
                IncludeNestedStacks="true" if change_set.get("IncludeNestedStacks") else None,
                ParentChangeSetId=change_set.get("ParentChangeSetId"),
                RootChangeSetId=change_set.get("RootChangeSetId"),
            )
            changes = result.iterfind(f"{XML}Changes/{XML}member/{XML}ResourceChange")
            for change, nested_id in zip(changes, nested_ids, strict=True):
                add_texts(change, ChangeSetId=nested_id)
            show_resolved_values(result, change_set["_resolved_params"])
            change_set_drift.describe(result, change_set, with_values)

    return completed(response, complete)


def execute_change_set(original: Action, params: Record) -> Response:
    """Execute a tree of change sets from its root."""
    change_set = _find(params)
    if change_set is None:
        return original(params)
    if "ParentChangeSetId" in change_set:
        return _refused("executed", change_set)
    tree = [change_set, *nested_change_sets(change_set)]
    if change_set["ExecutionStatus"] == "AVAILABLE":
        for member in tree:
            stack = stack_by_id(member["StackId"])
            if stack is not None:
                change_set_drift.take_as_it_is(stack, member)
                stack[PLANNED] = dict(member.get("_planned_children", {}))
        for other in list(cloudformation._change_sets.values()):
            if other["StackId"] == change_set["StackId"] and other is not change_set:
                discard_nested(other)
    return original(params)


def delete_change_set(original: Action, params: Record) -> Response:
    """Delete a tree of change sets from its root."""
    change_set = _find(params)
    if change_set is not None and "ParentChangeSetId" in change_set:
        return _refused("deleted", change_set)
    response = original(params)
    if change_set is not None and response[0] == 200:
        discard_nested(change_set)
    return response


def delete_stack(original: Action, params: Record) -> Response:
    """Delete a stack together with the nested stacks that its change sets have announced."""
    stack = handlers._resolve_stack(helpers._p(params, "StackName"))
    owned = [
        change_set
        for change_set in cloudformation._change_sets.values()
        if stack is not None and change_set["StackId"] == stack["StackId"]
    ]
    response = original(params)
    if response[0] == 200:
        for change_set in owned:
            discard_nested(change_set)
    return response


def list_change_sets(original: Action, params: Record) -> Response:
    """List the change sets of a stack that is given by its id, too."""
    stack = handlers._resolve_stack(helpers._p(params, "StackName"))
    return original({**params, "StackName": [stack["StackName"]]} if stack else params)


async def track_execution(
    original: Callable[..., Any], change_set: Record, stack: Record, deployment: Any
) -> None:
    """Let the nested change sets share the fate of their root's."""
    nested = list(nested_change_sets(change_set))
    for member in nested:
        member["ExecutionStatus"] = "EXECUTE_IN_PROGRESS"
    await original(change_set, stack, deployment)
    for member in nested:
        member["ExecutionStatus"] = change_set["ExecutionStatus"]


def resolve_props_for_diff(
    original: Callable[..., Record], template: Record, params: Record, *rest: Any
) -> Record:
    """Leave out the resources whose condition does not hold."""
    resolved = original(template, params, *rest)
    if not resolved:
        return resolved
    conditions = engine._evaluate_conditions(template, params)
    return {
        "Resources": {
            name: resource
            for name, resource in resolved["Resources"].items()
            if conditions.get(resource.get("Condition"), True)
        }
    }


def _find(params: Record) -> Record | None:
    stack = handlers._resolve_stack(helpers._p(params, "StackName"))
    name = stack["StackName"] if stack else ""
    found: Record | None = changesets._find_change_set(helpers._p(params, "ChangeSetName"), name)[1]
    return found


def _refused(verb: str, change_set: Record) -> Response:
    response: Response = helpers._error(
        "InvalidOperation",
        f"Change set {change_set['ChangeSetId']} belongs to a nested stack and is {verb} with the "
        f"change set of its root, {change_set['RootChangeSetId']}",
    )
    return response


def install() -> None:
    """Extend the actions on change sets."""
    actions = handlers._ACTION_HANDLERS
    replace_entry(actions, "CreateChangeSet", create_change_set)
    replace_entry(actions, "DescribeChangeSet", describe_change_set)
    replace_entry(actions, "ExecuteChangeSet", execute_change_set)
    replace_entry(actions, "DeleteChangeSet", delete_change_set)
    replace_entry(actions, "ListChangeSets", list_change_sets)
    replace_entry(actions, "DeleteStack", delete_stack)
    replace("_track_change_set_execution", track_execution, changesets)
    replace("_resolve_props_for_diff", resolve_props_for_diff, changesets)
