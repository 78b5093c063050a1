# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Nested stacks run through the engine of root stacks, so that they can do what those can.

A nested stack is created, updated, rolled back and deleted by the same functions as a root stack.
What makes it nested is added here:

- Its parent's rollback takes it back to what it was before the operation, from a snapshot in its
  record; nothing is read again from S3.
- What an update of any stack of the tree replaces or removes is deleted only when the root has
  succeeded, so that a rollback finds it.
- A nested stack whose creation has failed stays in its parent until the parent's rollback.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import Any

from ministack import app
from ministack.core.responses import now_iso
from ministack.services import cloudformation
from ministack.services.cloudformation import changesets, handlers, provisioners, stacks

from openpacs_embedded import nested_cleanup
from openpacs_embedded.change_set_drift import REVERTS
from openpacs_embedded.events import leave_alone
from openpacs_embedded.nested_requests import (
    PLANNED,
    STACK_TYPE,
    Record,
    apply_request,
    children,
    discard_planned,
    new_child,
    read_request,
    stack_by_id,
    templates_changed,
    tree,
)
from openpacs_embedded.patching import extend, replace

BEFORE = "_before_update"  # member of a nested stack's record: what a rollback restores
SNAPSHOT = (
    "_resources",
    "_template",
    "_template_body",
    "_resolved_params",
    "_conditions",
    "Parameters",
    "Tags",
    "Outputs",
)

_disable_rollback: ContextVar[bool] = ContextVar("openpacs_disable_rollback", default=False)
_rolling_back: ContextVar[bool] = ContextVar("openpacs_rolling_back", default=False)


def create(logical_id: str, properties: Record, parent_name: str) -> tuple[str, Record]:
    """Create a nested stack; return its id and its outputs. Raises ValueError when it fails."""
    parent = cloudformation._stacks[parent_name]
    request = read_request(properties, parent.get("Capabilities", []), None)
    child = stack_by_id(parent.get(PLANNED, {}).pop(logical_id, ""))
    if child is None:
        child = new_child(parent, logical_id, request, "CREATE_IN_PROGRESS")
    else:
        apply_request(child, request, parent)
    _run(_deploy(child, "CREATE", None, disable_rollback=True))
    if child["StackStatus"] != "CREATE_COMPLETE":
        parent["_resources"][logical_id] = _failed_resource(logical_id, child, properties)
        raise ValueError(
            f"Embedded stack {child['StackId']} was not successfully created: {_reason(child)}"
        )
    return child["StackId"], _attributes(child)


def update(
    physical_id: str, _old: Record, properties: Record, parent_name: str
) -> tuple[str, Record]:
    """Update a nested stack, or take it back while its parent rolls back.

    Returns its id and its outputs. Raises ValueError when it fails.
    """
    parent = cloudformation._stacks[parent_name]
    child = stack_by_id(physical_id)
    if child is None:
        raise ValueError(f"Stack [{physical_id}] does not exist")
    if _rolling_back.get() or child["StackStatus"] == "UPDATE_ROLLBACK_FAILED":
        _run(_take_back(child))
        return physical_id, _attributes(child)
    request = read_request(properties, parent.get("Capabilities", []), child["_resolved_params"])
    same = (request.body, request.params, request.tags) == (
        child["_template_body"],
        child["_resolved_params"],
        child["Tags"],
    )
    reverts = child.pop(REVERTS, False)
    if same and not reverts and not templates_changed(child):
        leave_alone(parent, physical_id)
        return physical_id, _attributes(child)
    before = {name: copy.deepcopy(child.get(name)) for name in SNAPSHOT}
    child[BEFORE] = before
    apply_request(child, request, parent)
    _run(_deploy(child, "UPDATE", before, disable_rollback=_disable_rollback.get()))
    if child["StackStatus"] != nested_cleanup.AWAITING:
        raise ValueError(
            f"Embedded stack {physical_id} was not successfully updated. "
            f"Currently in {child['StackStatus']} with reason: {_reason(child)}"
        )
    return physical_id, _attributes(child)


def delete(physical_id: str, _properties: Record) -> None:
    """Delete a nested stack. Raises ValueError when a resource in it cannot be deleted."""
    child = stack_by_id(physical_id)
    if child is None:
        return
    _run(stacks._delete_stack_async(child["StackName"], physical_id))
    if child["StackStatus"] != "DELETE_COMPLETE":
        raise ValueError(
            f"Embedded stack {physical_id} was not successfully deleted: "
            f"{child['StackStatusReason']}"
        )


def update_resource(
    original: Callable[..., tuple[str, Record]],
    resource_type: str,
    physical_id: str,
    old: Record,
    new: Record,
    stack_name: str,
    *rest: Any,
) -> tuple[str, Record]:
    """Leave a resource with the same properties alone, but visit every nested stack.

    Its template may differ at the same URL.
    """
    if resource_type == STACK_TYPE:
        return update(physical_id, old, new, stack_name)
    if old == new:
        leave_alone(cloudformation._stacks[stack_name], physical_id)
    return original(resource_type, physical_id, old, new, stack_name, *rest)


def stack_has_no_updates(
    original: Callable[..., bool], stack: Record, *rest: Any, **named: Any
) -> bool:
    """Tell that nothing is to be done only if no nested template has changed either."""
    return original(stack, *rest, **named) and not templates_changed(stack)


async def deploy_stack(
    original: Callable[..., Coroutine[Any, Any, None]],
    stack_name: str,
    stack_id: str,
    template: Record,
    params: Record,
    disable_rollback: bool,
    tags: list[Record],
    is_update: bool = False,
    **rest: Any,
) -> None:
    """Create or update a stack; clean the whole tree up when its root has succeeded."""
    stack = cloudformation._stacks[stack_name]
    is_root = "ParentId" not in stack
    if is_root:
        _disable_rollback.set(disable_rollback)
    nested_cleanup.postpone_for(stack if is_update else None)
    arguments = (stack_name, stack_id, template, params, disable_rollback, tags, is_update)
    await original(*arguments, **rest)
    nested_cleanup.postpone_for(None)
    for planned in stack.pop(PLANNED, {}).values():
        discard_planned(planned)
    if stack["StackStatus"] != "UPDATE_COMPLETE":
        return
    nested_cleanup.await_cleanup(stack)
    if is_root:
        await nested_cleanup.clean_up(tree(stack))
        for member in tree(stack):
            member.pop(BEFORE, None)


async def roll_back_operation(
    original: Callable[..., Coroutine[Any, Any, None]],
    stack_name: str,
    stack_id: str,
    stack: Record,
    operation: Record,
    reason_override: str = "",
) -> None:
    """Roll a stack back together with the nested stacks that the operation has touched."""
    failed = operation.get("failed_logical_id")
    previous = operation.get("previous_stack") or {}
    failed_resource = stack["_resources"].get(failed, {})
    if failed_resource.get("ResourceStatus") == "CREATE_FAILED":
        operation["created"].append(failed)
    for logical_id, child in children(stack).items():
        if BEFORE in child:  # to be visited even if only its template has changed
            resource = stack["_resources"][logical_id]
            resource["Properties"] = {**resource["Properties"], "Changed": "true"}
    nested_cleanup.postpone_for(None)
    stack.pop(nested_cleanup.POSTPONED, None)
    token = _rolling_back.set(True)
    try:
        await original(stack_name, stack_id, stack, operation, reason_override)
    finally:
        _rolling_back.reset(token)
    if operation.get("is_update"):
        stack["_conditions"] = previous.get("_conditions", stack.get("_conditions", {}))
    stack.pop(BEFORE, None)


async def _deploy(
    child: Record, prefix: str, before: Record | None, disable_rollback: bool
) -> None:
    name, stack_id = child["StackName"], child["StackId"]
    child["StackStatus"] = f"{prefix}_IN_PROGRESS"
    stacks._add_event(stack_id, name, name, STACK_TYPE, child["StackStatus"], "", stack_id)
    await stacks._deploy_stack_async(
        name,
        stack_id,
        child["_template"],
        child["_resolved_params"],
        disable_rollback,
        child["Tags"],
        before is not None,
        previous_stack=before,
    )


async def _take_back(child: Record) -> None:
    """Undo what the running operation of the root has done to a nested stack."""
    name, stack_id = child["StackName"], child["StackId"]
    before = child.get(BEFORE)
    if child["StackStatus"] == "UPDATE_ROLLBACK_FAILED":
        await stacks._continue_update_rollback_async(name, stack_id, frozenset())
    elif before is not None:
        operation = child.get("_failed_operation") or _finished_update(child, before)
        await stacks._roll_back_operation(name, stack_id, child, operation)
    if child["StackStatus"] == "UPDATE_ROLLBACK_FAILED":
        raise ValueError(
            f"Embedded stack {stack_id} was not rolled back: {child['StackStatusReason']}"
        )


def _finished_update(child: Record, before: Record) -> Record:
    """Return an update that has succeeded as the engine describes one that has failed."""
    operation: Record = stacks._failed_operation(
        is_update=True,
        previous_stack=before,
        created=list(child["_resources"]),
        failed_update=None,
        failed_logical_id=None,
        replaced_ids=[],
        cancelled=False,
        template=child["_template"],
        param_values=child["_resolved_params"],
        retain_except_on_create=False,
        stack_tags=child["Tags"],
        previous_tags=before["Tags"],
    )
    return operation


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Run work on the server's event loop; resource handlers run on threads of their own."""
    asyncio.run_coroutine_threadsafe(work, app._MAIN_LOOP).result()


def _attributes(child: Record) -> Record:
    return {f"Outputs.{o['OutputKey']}": o["OutputValue"] for o in child["Outputs"]}


def _failed_resource(logical_id: str, child: Record, properties: Record) -> Record:
    return {
        "PhysicalResourceId": child["StackId"],
        "ResourceType": STACK_TYPE,
        "ResourceStatus": "CREATE_FAILED",
        "LogicalResourceId": logical_id,
        "Properties": properties,
        "Attributes": {},
        "Timestamp": now_iso(),
    }


def _reason(child: Record) -> str:
    """Return why the last operation of a nested stack has failed, in CloudFormation's words."""
    reason = str(child["StackStatusReason"])
    for event in reversed(cloudformation._stack_events[child["StackId"]]):
        verb, _unused, phase = event["ResourceStatus"].partition("_")
        of_stack = event["PhysicalResourceId"] == child["StackId"]
        if of_stack and event["ResourceStatus"] in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"):
            break
        if phase == "FAILED" and verb in ("CREATE", "UPDATE"):
            failed = f"[{event['LogicalResourceId']}]"
            reason = (
                event["ResourceStatusReason"]
                if of_stack
                else f"The following resource(s) failed to {verb.lower()}: {failed}. "
            )
            if not of_stack:
                break
    return reason


def install() -> None:
    """Route AWS::CloudFormation::Stack through the engine."""
    extend(provisioners._RESOURCE_HANDLERS, STACK_TYPE, create=create, update=update, delete=delete)
    replace("_update_resource", update_resource, provisioners, stacks)
    replace("_stack_has_no_updates", stack_has_no_updates, handlers)
    replace("_deploy_stack_async", deploy_stack, stacks, handlers, changesets)
    replace("_roll_back_operation", roll_back_operation, stacks, handlers)
    replace("_delete_resource", nested_cleanup.delete_resource, stacks)
