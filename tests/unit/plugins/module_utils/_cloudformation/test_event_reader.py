# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reading the events of stacks."""

from __future__ import annotations

from typing import Any

from ansible_collections.openpacs.dicoogle.plugins.module_utils._cloudformation import event_reader
from cloudformation_shapes import FakeClient, child, event, own, stack_id


def log(*entries: dict[str, Any]) -> dict[str, Any]:
    """An answer of DescribeStackEvents: newest first."""
    return {"StackEvents": list(reversed(entries))}


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
    reader = event_reader.EventReader(client, "pacs", stack_id("pacs"), lines.append)
    assert [reader.status("t") for _look in range(4)] == [None, None, None, "UPDATE_COMPLETE"]
    assert lines[-1] == "00:02 pacs: UPDATE_COMPLETE"


def test_events_of_a_failed_nested_stack_are_read_once_and_at_once() -> None:
    failed = child("pacs", "Network", "network", "CREATE_FAILED", at=2)
    logs = {
        stack_id("pacs"): log(own("pacs", "CREATE_IN_PROGRESS"), failed),
        stack_id("network"): log(event("network", "Vpc", "CREATE_FAILED", at=1, reason="full")),
    }
    client = FakeClient(describe_stack_events=lambda client, StackName: logs[StackName])  # noqa: N803
    reader = event_reader.EventReader(client, "pacs", stack_id("pacs"))
    assert reader.status() is None
    read = [arguments["StackName"] for _operation, arguments in client.calls]
    assert read == [stack_id("pacs"), stack_id("network")]
    logs[stack_id("network")] = log()
    assert reader.failures()[0].reason == "full"


def test_old_pages_are_not_read() -> None:
    page = log(own("pacs", "UPDATE_IN_PROGRESS", at=9), event("pacs", "Q", "UPDATE_COMPLETE"))
    client = FakeClient(describe_stack_events=[page | {"NextToken": "older"}, RuntimeError()])
    event_reader.EventReader(client, "pacs", stack_id("pacs")).status()
    assert client.called == ["describe_stack_events"]


def test_events_that_are_known_are_not_read_again() -> None:
    queue = event("pacs", "Queue", "CREATE_COMPLETE", at=1)
    first = log(own("pacs", "CREATE_IN_PROGRESS"), queue)
    second = log(queue, own("pacs", "CREATE_COMPLETE", at=2)) | {"NextToken": "older"}
    client = FakeClient(describe_stack_events=[first, second, RuntimeError()])
    reader = event_reader.EventReader(client, "pacs", stack_id("pacs"))
    assert [reader.status(), reader.status()] == [None, "CREATE_COMPLETE"]
    statuses = [entry["ResourceStatus"] for entry in reader.logs[stack_id("pacs")]]
    assert statuses == ["CREATE_IN_PROGRESS", "CREATE_COMPLETE", "CREATE_COMPLETE"]


def test_a_status_that_events_repeat_is_shown_once() -> None:
    repeated = [child("pacs", "Network", "n", "CREATE_IN_PROGRESS", at=at) for at in (1, 2)]
    client = FakeClient(describe_stack_events=log(own("pacs", "CREATE_IN_PROGRESS"), *repeated))
    lines: list[str] = []
    event_reader.EventReader(client, "pacs", stack_id("pacs"), lines.append).status()
    assert lines == ["00:00 pacs: CREATE_IN_PROGRESS", "00:01 pacs/Network: CREATE_IN_PROGRESS"]
