# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the events of a stack say: progress, root cause, durations. Private; calls nothing.

Events are the service's shapes, those of one stack in the order of time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from .template import NESTED_STACK

Event = Mapping[str, Any]
Logs = Mapping[str, Sequence[Event]]  # by stack id

STARTS = (
    "CREATE_IN_PROGRESS",
    "UPDATE_IN_PROGRESS",
    "DELETE_IN_PROGRESS",
    "IMPORT_IN_PROGRESS",
)
CONSEQUENCES = ("creation cancelled", "update cancelled", "deletion cancelled")


@dataclass(frozen=True)
class Failure:
    """A resource that failed on its own account; path is logical, such as `pacs/Network/Vpc`."""

    path: str
    type: str
    physical_id: str
    status: str
    reason: str

    def __str__(self) -> str:
        identity = f"{self.type}, {self.physical_id}" if self.physical_id else self.type
        return f"{self.path} ({identity}): {self.reason}"

    def result(self) -> dict[str, str]:
        """Return the failure as a module returns it."""
        return asdict(self)


def is_own(event: Event) -> bool:
    """Tell whether an event is about the stack itself, not about a resource in it."""
    return event.get("PhysicalResourceId") == event["StackId"]


def is_start(event: Event) -> bool:
    """Tell whether an event begins an operation on the stack."""
    return is_own(event) and event["ResourceStatus"] in STARTS


def nested_stack_id(event: Event) -> str:
    """Return the id of the nested stack that an event is about, or an empty text.

    A nested stack that fails early has its id only in the reason, "Embedded stack <id> was not".
    """
    if event["ResourceType"] != NESTED_STACK or is_own(event):
        return ""
    named = re.search(r"Embedded stack (arn:\S+)", event.get("ResourceStatusReason", ""))
    return event.get("PhysicalResourceId") or (named.group(1) if named else "")


def operation_begin(log: Sequence[Event]) -> datetime:
    """Return when the last operation on a stack began; the log holds one event at least."""
    starts = [event["Timestamp"] for event in log if is_start(event)]
    return starts[-1] if starts else log[0]["Timestamp"]


def last_operation(logs: Logs, stack_id: str) -> Logs:
    """Return the events, of all stacks of the tree, since the last operation on a stack began."""
    begin = operation_begin(logs[stack_id])
    return {
        key: [event for event in log if event["Timestamp"] >= begin] for key, log in logs.items()
    }


def failures(operation: Logs, stack_id: str, path: str) -> list[Failure]:
    """Return what failed in a stack, earliest first: the first is the root cause.

    In place of a nested stack stand the failures within it; what was only cancelled because
    something else failed is left out. Where no resource failed, the stack itself stands.

    operation: events of one operation, of the stack and of its nested stacks.
    path: logical path of the stack.
    """
    found: dict[Failure, None] = {}
    log = operation.get(stack_id, ())
    for event in log:
        if is_own(event) or not _has_failed(event):
            continue
        event_path = f"{path}/{event['LogicalResourceId']}"
        nested = nested_stack_id(event)
        inner = failures(operation, nested, event_path) if nested else []
        found.update(dict.fromkeys(inner or [_failure(event, event_path)]))
    return list(found) or _own_failures(log, path)


def _has_failed(event: Event) -> bool:
    reason = event.get("ResourceStatusReason", "")
    cancelled = any(text in reason.lower() for text in CONSEQUENCES)
    return event["ResourceStatus"].endswith("_FAILED") and not cancelled


def _own_failures(log: Iterable[Event], path: str) -> list[Failure]:
    for event in log:
        status = event["ResourceStatus"]
        if (
            is_own(event)
            and event.get("ResourceStatusReason")
            and ("ROLLBACK" in status or "FAILED" in status)
        ):
            return [_failure(event, path)]
    return []


def _failure(event: Event, path: str) -> Failure:
    return Failure(
        path=path,
        type=event["ResourceType"],
        physical_id=event.get("PhysicalResourceId", ""),
        status=event["ResourceStatus"],
        reason=event.get("ResourceStatusReason", ""),
    )


def retained(operation: Logs, stack_id: str, path: str) -> list[dict[str, str]]:
    """Return the resources that an operation left behind, in the whole tree."""
    return [
        {
            "path": event_path,
            "type": event["ResourceType"],
            "physical_id": event.get("PhysicalResourceId", ""),
        }
        for event_path, event in _walk(operation, stack_id, path)
        if event["ResourceStatus"] == "DELETE_SKIPPED"
    ]


def timeline(operation: Logs, stack_id: str, path: str) -> list[dict[str, Any]]:
    """Return how long each stack and resource took in an operation, the slowest first.

    start: seconds from the beginning of the operation to the first event.
    seconds: from the first to the last event.
    """
    spans: dict[tuple[str, str], list[datetime]] = {}
    for event_path, event in _walk(operation, stack_id, path):
        spans.setdefault((event_path, event["ResourceType"]), []).append(event["Timestamp"])
    begin = min((times[0] for times in spans.values()), default=None)
    rows = [
        {
            "path": event_path,
            "type": kind,
            "start": (min(times) - begin).total_seconds(),
            "seconds": (max(times) - min(times)).total_seconds(),
        }
        for (event_path, kind), times in spans.items()
        if begin
    ]
    return sorted(rows, key=lambda row: (-row["seconds"], row["start"], row["path"]))


def _walk(operation: Logs, stack_id: str, path: str) -> Iterator[tuple[str, Event]]:
    """Yield the events of a tree with the logical path of what they are about.

    A nested stack is told about in its parent's log and in its own; the parent's counts.
    """
    nested = {}
    for event in operation.get(stack_id, ()):
        event_path = path if is_own(event) else f"{path}/{event['LogicalResourceId']}"
        yield event_path, event
        if child := nested_stack_id(event):
            nested[child] = event_path
    for child, child_path in nested.items():
        for event_path, event in _walk(operation, child, child_path):
            if event_path != child_path:
                yield event_path, event


def progress_line(event: Event, path: str, begin: datetime) -> str:
    """Return one line about a change of a stack's status.

    path: logical path of the stack whose log holds the event.
    begin: of the operation.
    """
    name = path if is_own(event) else f"{path}/{event['LogicalResourceId']}"
    return line((event["Timestamp"] - begin).total_seconds(), name, event["ResourceStatus"])


def line(seconds: float, name: str, news: str) -> str:
    """Return a line of progress, so many seconds after the beginning."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes:02}:{rest:02} {name}: {news}"
