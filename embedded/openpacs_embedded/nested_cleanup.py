# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What an update replaces or removes is deleted when the root stack has succeeded, not before.

Until then the deletions wait in the records of the stacks, in POSTPONED.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from ministack.core.concurrency import run_reentrant
from ministack.core.responses import now_iso
from ministack.services import cloudformation
from ministack.services.cloudformation import provisioners, stacks

from openpacs_embedded.nested_requests import STACK_TYPE, Record

AWAITING = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
POSTPONED = "_postponed_deletions"
ATTEMPTS = 3  # as CloudFormation does; what still depends on a resource may go meanwhile

_updating: ContextVar[Record | None] = ContextVar("openpacs_updating", default=None)


def postpone_for(stack: Record | None) -> None:
    """Postpone the deletions of this task to the end of the stack's update; None: do not."""
    _updating.set(stack)


def delete_resource(
    original: Callable[..., None],
    resource_type: str,
    physical_id: str,
    properties: Record,
    stack_name: str,
    logical_id: str,
) -> None:
    """Delete a resource, or note the deletion while the stack is being updated."""
    stack = _updating.get()
    if stack is None:
        original(resource_type, physical_id, properties, stack_name, logical_id)
        return
    stack.setdefault(POSTPONED, []).append(
        {
            "LogicalResourceId": logical_id,
            "PhysicalResourceId": physical_id,
            "ResourceType": resource_type,
            "Properties": properties,
        }
    )


def await_cleanup(stack: Record) -> None:
    """Turn the end of a stack's update into the beginning of its clean-up."""
    stack["StackStatus"] = AWAITING
    cloudformation._stack_events[stack["StackId"]][-1]["ResourceStatus"] = AWAITING


async def clean_up(members: list[Record]) -> None:
    """Delete what has been postponed in the stacks of a tree, the deepest first, and end it."""
    pending = [(stack, old) for stack in members for old in stack.pop(POSTPONED, [])]
    for attempt in range(1, ATTEMPTS + 1):
        pending = [(stack, old) for stack, old in pending if not await _delete(stack, old, attempt)]
    for stack in members:
        if stack["StackStatus"] == AWAITING:
            stack["StackStatus"] = "UPDATE_COMPLETE"
            _event(stack, stack["StackName"], STACK_TYPE, stack["StackId"], "UPDATE_COMPLETE")


async def _delete(stack: Record, old: Record, attempt: int) -> bool:
    logical_id, physical_id = old["LogicalResourceId"], old["PhysicalResourceId"]
    about = (stack, logical_id, old["ResourceType"], physical_id)
    if attempt == 1:
        _event(*about, "DELETE_IN_PROGRESS")
    try:
        await run_reentrant(
            provisioners._delete_resource,
            old["ResourceType"],
            physical_id,
            old["Properties"],
            stack["StackName"],
            logical_id,
        )
    except Exception as error:
        if attempt == ATTEMPTS:
            _event(*about, "DELETE_FAILED", str(error))
            _keep(stack, old, str(error))
        return False
    _event(*about, "DELETE_COMPLETE")
    return True


def _keep(stack: Record, old: Record, reason: str) -> None:
    """Leave a removed resource in its stack, for the next deletion to try again."""
    if old["LogicalResourceId"] not in stack["_resources"]:
        stack["_resources"][old["LogicalResourceId"]] = {
            **old,
            "Attributes": {},
            "ResourceStatus": "DELETE_FAILED",
            "ResourceStatusReason": reason,
            "Timestamp": now_iso(),
        }


def _event(
    stack: Record,
    logical_id: str,
    resource_type: str,
    physical_id: str,
    status: str,
    reason: str = "",
) -> Any:
    stacks._add_event(
        stack["StackId"],
        stack["StackName"],
        logical_id,
        resource_type,
        status,
        reason,
        physical_id,
    )
