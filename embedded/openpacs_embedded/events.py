# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Stack events of an update say what happens: creations too, and nothing of what stays as it is."""

from __future__ import annotations

from collections.abc import Callable

from ministack.services import cloudformation
from ministack.services.cloudformation import changesets, handlers, stacks

from openpacs_embedded.nested_requests import Record
from openpacs_embedded.patching import replace

UNTOUCHED = "_untouched"  # member of a stack's record: physical ids that the update leaves alone


def add_event(
    original: Callable[..., None],
    stack_id: str,
    stack_name: str,
    logical_id: str,
    resource_type: str,
    status: str,
    reason: str = "",
    physical_id: str = "",
    detailed_status: str = "",
) -> None:
    """Record an event with the physical id of its resource, unless nothing has happened to it."""
    stack = cloudformation._stacks.get(stack_name, {})
    resource = stack.get("_resources", {}).get(logical_id, {})
    physical_id = physical_id or resource.get("PhysicalResourceId", "")
    if status == "UPDATE_COMPLETE" and physical_id in stack.get(UNTOUCHED, ()):
        stack[UNTOUCHED].remove(physical_id)
        return
    if physical_id != stack_id and status.startswith("UPDATE_"):
        status = _as_creation(stack_id, logical_id, status, existing=bool(resource))
    original(
        stack_id,
        stack_name,
        logical_id,
        resource_type,
        status,
        reason,
        physical_id,
        detailed_status,
    )


def leave_alone(stack: Record, physical_id: str) -> None:
    """Take back the event which says that the update of a resource has begun."""
    events = cloudformation._stack_events[stack["StackId"]]
    if events[-1]["PhysicalResourceId"] == physical_id:
        events.pop()
        stack.setdefault(UNTOUCHED, []).append(physical_id)


def _as_creation(stack_id: str, logical_id: str, status: str, existing: bool) -> str:
    """Return the status of an event; that of a resource which the update creates says so."""
    phase = status.removeprefix("UPDATE_")
    if phase == "IN_PROGRESS":
        return status if existing else f"CREATE_{phase}"
    for event in reversed(cloudformation._stack_events[stack_id]):
        if event["LogicalResourceId"] == logical_id:
            created = event["ResourceStatus"] == "CREATE_IN_PROGRESS"
            return f"CREATE_{phase}" if created else status
    return status


def install() -> None:
    """Change how events are recorded."""
    replace("_add_event", add_event, stacks, handlers, changesets)
