# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What happens to a stack, read as it comes. Private to this collection."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from . import api, events, states
from .template import NESTED_STACK

Report = Callable[[str], None]


class EventReader:
    """Reads the events of a stack and its nested stacks, each event once.

    logs: events by stack id, in the order of time.
    """

    def __init__(
        self, client: Any, name: str, stack_id: str, report: Report = lambda line: None
    ) -> None:
        self.name = name
        self.stack_id = stack_id
        self.logs: dict[str, list[events.Event]] = {}
        self._client = client
        self._shown: dict[str, str] = {}
        self._report = report

    def status(self, token: str | None = None) -> str | None:
        """Read what is new; return the stack's status, or None while an operation is under way.

        token: of the operation that has to end; None means any.
        """
        self._read_root()
        own = [event for event in self.logs[self.stack_id] if events.is_own(event)]
        if not own or (token and own[-1].get("ClientRequestToken") != token):
            return None
        status = own[-1]["ResourceStatus"]
        pending = states.category(status) in (states.Category.BUSY, states.Category.EMPTY)
        return None if pending and status != "DELETE_COMPLETE" else status

    def failures(self) -> list[events.Failure]:
        """Return what failed in the stack's last operation, the root cause first."""
        self._read_root()
        return events.failures(self._last_operation(), self.stack_id, self.name)

    def retained(self) -> list[dict[str, str]]:
        """Return the resources that the stack's last operation left behind."""
        self._read_all()
        return events.retained(self._last_operation(), self.stack_id, self.name)

    def timeline(self) -> list[dict[str, Any]]:
        """Return how long each resource took in the stack's last operation, the slowest first."""
        self._read_all()
        return events.timeline(self._last_operation(), self.stack_id, self.name)

    def _last_operation(self) -> events.Logs:
        return events.last_operation(self.logs, self.stack_id)

    def _read_all(self) -> None:
        self._read_root()
        self._follow(self.logs[self.stack_id], lambda event: True)

    def _read_root(self) -> None:
        fresh = self._read(self.stack_id, events.is_start)
        for event in fresh:
            if event["ResourceType"] == NESTED_STACK:
                self._show(event)
        self._follow(fresh, lambda event: event["ResourceStatus"].endswith("_FAILED"))

    def _show(self, event: events.Event) -> None:
        """Report a stack's status once, however many events repeat it."""
        stack, status = event["LogicalResourceId"], event["ResourceStatus"]
        if self._shown.get(stack) != status:
            self._shown[stack] = status
            self._report(events.progress_line(event, self.name, self._begin))

    @property
    def _begin(self) -> datetime:
        return events.operation_begin(self.logs[self.stack_id])

    def _follow(self, log: list[events.Event], wanted: Callable[[events.Event], bool]) -> None:
        """Read the logs of nested stacks, at any depth, while these can still be found."""
        nested = dict.fromkeys(events.nested_stack_id(event) for event in log if wanted(event))
        for stack_id in filter(None, nested):
            self._read(stack_id, lambda event: event["Timestamp"] < self._begin)
            self._follow(self.logs[stack_id], wanted)

    def _read(self, stack_id: str, is_last: Callable[[events.Event], bool]) -> list[events.Event]:
        """Add the events that are new, newest first up to the last one wanted; return them."""
        log = self.logs.setdefault(stack_id, [])
        known = {event["EventId"] for event in log}
        fresh: list[events.Event] = []
        for event in api.stack_events(self._client, stack_id):
            if event["EventId"] in known:
                break
            fresh.insert(0, event)
            if is_last(event):
                break
        log.extend(fresh)
        return fresh
