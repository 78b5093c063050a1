# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Progress, root cause and durations from recorded events."""

from __future__ import annotations

from ansible_collections.openpacs.dicoogle.plugins.module_utils._cloudformation import events
from cloudformation_shapes import BEGIN, child, event, own, stack_id

PACS, NETWORK, DEEP = (stack_id(name) for name in ("pacs", "network", "deep"))

# A creation that fails two levels down, as CloudFormation tells it; the nested stacks are deleted.
FAILED_CREATION = {
    PACS: [
        own("pacs", "CREATE_IN_PROGRESS", at=0, reason="User Initiated"),
        child("pacs", "Network", "network", "CREATE_IN_PROGRESS", at=1),
        event("pacs", "Bucket", "CREATE_IN_PROGRESS", at=1),
        child(
            "pacs",
            "Network",
            "network",
            "CREATE_FAILED",
            at=6,
            reason=f"Embedded stack {NETWORK} was not successfully created: [Deep].",
        ),
        event("pacs", "Bucket", "CREATE_FAILED", at=7, reason="Resource creation cancelled"),
        own("pacs", "ROLLBACK_IN_PROGRESS", at=8, reason="[Network, Bucket] failed to create"),
        child("pacs", "Network", "network", "DELETE_IN_PROGRESS", at=9),
        child("pacs", "Network", "network", "DELETE_COMPLETE", at=11),
        own("pacs", "ROLLBACK_COMPLETE", at=12),
    ],
    NETWORK: [
        own("network", "CREATE_IN_PROGRESS", at=1),
        child("network", "Deep", "deep", "CREATE_FAILED", at=5, reason="Embedded stack failed"),
        own("network", "CREATE_FAILED", at=6),
        own("network", "DELETE_IN_PROGRESS", at=9),
        own("network", "DELETE_COMPLETE", at=11),
    ],
    DEEP: [
        own("deep", "CREATE_IN_PROGRESS", at=2),
        event("deep", "Vpc", "CREATE_FAILED", at=4, physical_id="vpc-1", reason="Limit exceeded."),
        event("deep", "Igw", "CREATE_FAILED", at=4.5, reason="Resource creation cancelled"),
        own("deep", "CREATE_FAILED", at=5),
    ],
}


def test_the_root_cause_is_in_the_nested_stack_that_failed_first() -> None:
    (cause,) = events.failures(FAILED_CREATION, PACS, "pacs")
    assert str(cause) == "pacs/Network/Deep/Vpc (AWS::SQS::Queue, vpc-1): Limit exceeded."
    assert cause.result()["status"] == "CREATE_FAILED"


def test_a_nested_stack_whose_events_are_unknown_stands_for_itself() -> None:
    (cause,) = events.failures({PACS: FAILED_CREATION[PACS]}, PACS, "pacs")
    assert cause.path == "pacs/Network"
    assert "was not successfully created" in cause.reason


def test_failures_are_told_in_the_order_of_time_and_once() -> None:
    log = [
        own("pacs", "UPDATE_IN_PROGRESS", at=0),
        event("pacs", "B", "UPDATE_FAILED", at=1, reason="first"),
        event("pacs", "A", "UPDATE_FAILED", at=2, reason="second"),
        event("pacs", "A", "UPDATE_FAILED", at=3, reason="second"),
        event("pacs", "C", "UPDATE_FAILED", at=3, reason="Resource update cancelled"),
    ]
    found = events.failures({PACS: log}, PACS, "pacs")
    assert [failure.reason for failure in found] == ["first", "second"]


def test_a_failure_of_the_stack_itself_is_told_where_no_resource_failed() -> None:
    log = [
        own("pacs", "CREATE_IN_PROGRESS", reason="User Initiated"),
        own("pacs", "ROLLBACK_IN_PROGRESS", reason="Circular dependency"),
        own("pacs", "ROLLBACK_COMPLETE"),
    ]
    (cause,) = events.failures({PACS: log}, PACS, "pacs")
    assert (cause.path, cause.reason) == ("pacs", "Circular dependency")


def test_the_id_of_a_nested_stack_is_read_from_the_reason_if_need_be() -> None:
    failure = child("pacs", "Network", "x", "CREATE_FAILED", reason=f"Embedded stack {NETWORK} was")
    assert events.nested_stack_id(failure | {"PhysicalResourceId": ""}) == NETWORK
    assert events.nested_stack_id(own("pacs", "CREATE_FAILED")) == ""


def test_older_operations_do_not_count() -> None:
    update = [
        own("pacs", "UPDATE_IN_PROGRESS", at=100),
        event("pacs", "Queue", "UPDATE_FAILED", at=101, reason="new"),
    ]
    logs = FAILED_CREATION | {PACS: FAILED_CREATION[PACS] + update}
    operation = events.last_operation(logs, PACS)
    assert [failure.reason for failure in events.failures(operation, PACS, "pacs")] == ["new"]
    assert operation[NETWORK] == []


def test_resources_left_behind_are_found_in_the_whole_tree() -> None:
    logs = {
        PACS: [
            own("pacs", "DELETE_IN_PROGRESS"),
            event("pacs", "Key", "DELETE_SKIPPED", physical_id="key-1"),
            child("pacs", "Network", "network", "DELETE_IN_PROGRESS"),
            child("pacs", "Network", "network", "DELETE_COMPLETE"),
        ],
        NETWORK: [event("network", "Logs", "DELETE_SKIPPED", physical_id="logs-1")],
    }
    found = events.retained(logs, PACS, "pacs")
    assert [(item["path"], item["physical_id"]) for item in found] == [
        ("pacs/Key", "key-1"),
        ("pacs/Network/Logs", "logs-1"),
    ]


def test_the_timeline_has_the_slowest_first() -> None:
    rows = events.timeline(FAILED_CREATION, PACS, "pacs")
    assert [(row["path"], row["start"], row["seconds"]) for row in rows[:3]] == [
        ("pacs", 0, 12),
        ("pacs/Network", 1, 10),
        ("pacs/Bucket", 1, 6),
    ]


def test_a_line_of_progress() -> None:
    line = events.progress_line(
        child("pacs", "Network", "network", "CREATE_COMPLETE", at=80), "pacs", BEGIN
    )
    assert line == "01:20 pacs/Network: CREATE_COMPLETE"
