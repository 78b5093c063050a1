# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Bounded waits."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._aws import ModuleError
from ansible_collections.openpacs.dicoogle.plugins.module_utils._cloudformation import waiter
from cloudformation_shapes import FakeClient, child, event, own, stack_id


class Clock:
    """A time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def deadline(clock: Clock, seconds: float) -> waiter.Deadline:
    return waiter.Deadline(seconds, clock=lambda: clock.now, sleep=clock.sleep)


def log(*entries: dict[str, Any]) -> dict[str, Any]:
    """An answer of DescribeStackEvents: newest first."""
    return {"StackEvents": list(reversed(entries))}


def test_looks_often_at_first_and_seldom_later() -> None:
    pauses = list(islice(waiter.pauses(), 40))
    assert pauses[0] == 0.2
    assert sum(pauses[:3]) < 1
    assert pauses[-1] == 5
    assert pauses == sorted(pauses)


def test_polls_until_there_is_an_answer() -> None:
    clock = Clock()
    answers = iter([None, None, "done"])
    assert deadline(clock, 10).poll("it", lambda: next(answers)) == "done"
    assert clock.now < 1


def test_gives_up_at_the_deadline_and_says_what_for() -> None:
    clock = Clock()
    with pytest.raises(ModuleError, match="waiting for stack pacs after 60 seconds"):
        deadline(clock, 60).poll("stack pacs", lambda: None)
    assert clock.now == 60


def test_one_deadline_bounds_all_waits_of_a_run() -> None:
    clock = Clock()
    bound = deadline(clock, 5)
    answers: Callable[[], str | None] = lambda: "done" if clock.now >= 4 else None  # noqa: E731
    bound.poll("one", answers)
    with pytest.raises(ModuleError):
        bound.poll("two", lambda: None)
    assert clock.now == 5


def test_an_operation_has_ended_only_when_its_own_token_says_so() -> None:
    before = own("pacs", "UPDATE_COMPLETE", at=1)
    start = own("pacs", "UPDATE_IN_PROGRESS", at=10, token="t")
    cleanup = own("pacs", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", at=11, token="t")
    end = own("pacs", "UPDATE_COMPLETE", at=12, token="t")
    client = FakeClient(
        describe_stack_events=[
            log(before),
            log(before, start),
            log(before, start, cleanup),
            log(before, start, cleanup, end),
        ]
    )
    lines: list[str] = []
    reader = waiter.EventReader(client, "pacs", stack_id("pacs"), lines.append)
    assert [reader.status("t") for _look in range(4)] == [None, None, None, "UPDATE_COMPLETE"]
    assert lines[-1] == "00:02 pacs: UPDATE_COMPLETE"


def test_events_of_a_failed_nested_stack_are_read_once_and_at_once() -> None:
    failed = child("pacs", "Network", "network", "CREATE_FAILED", at=2)
    logs = {
        stack_id("pacs"): log(own("pacs", "CREATE_IN_PROGRESS"), failed),
        stack_id("network"): log(event("network", "Vpc", "CREATE_FAILED", at=1, reason="full")),
    }
    client = FakeClient(describe_stack_events=lambda client, StackName: logs[StackName])  # noqa: N803
    reader = waiter.EventReader(client, "pacs", stack_id("pacs"))
    assert reader.status() is None
    read = [arguments["StackName"] for _operation, arguments in client.calls]
    assert read == [stack_id("pacs"), stack_id("network")]
    logs[stack_id("network")] = log()
    assert reader.failures()[0].reason == "full"


def test_old_pages_are_not_read() -> None:
    page = log(own("pacs", "UPDATE_IN_PROGRESS", at=9), event("pacs", "Q", "UPDATE_COMPLETE"))
    client = FakeClient(describe_stack_events=[page | {"NextToken": "older"}, RuntimeError()])
    waiter.EventReader(client, "pacs", stack_id("pacs")).status()
    assert client.called == ["describe_stack_events"]


def test_events_that_are_known_are_not_read_again() -> None:
    queue = event("pacs", "Queue", "CREATE_COMPLETE", at=1)
    first = log(own("pacs", "CREATE_IN_PROGRESS"), queue)
    second = log(queue, own("pacs", "CREATE_COMPLETE", at=2)) | {"NextToken": "older"}
    client = FakeClient(describe_stack_events=[first, second, RuntimeError()])
    reader = waiter.EventReader(client, "pacs", stack_id("pacs"))
    assert [reader.status(), reader.status()] == [None, "CREATE_COMPLETE"]
    statuses = [entry["ResourceStatus"] for entry in reader.logs[stack_id("pacs")]]
    assert statuses == ["CREATE_IN_PROGRESS", "CREATE_COMPLETE", "CREATE_COMPLETE"]


def test_a_status_that_events_repeat_is_shown_once() -> None:
    repeated = [child("pacs", "Network", "n", "CREATE_IN_PROGRESS", at=at) for at in (1, 2)]
    client = FakeClient(describe_stack_events=log(own("pacs", "CREATE_IN_PROGRESS"), *repeated))
    lines: list[str] = []
    waiter.EventReader(client, "pacs", stack_id("pacs"), lines.append).status()
    assert lines == ["00:00 pacs: CREATE_IN_PROGRESS", "00:01 pacs/Network: CREATE_IN_PROGRESS"]
