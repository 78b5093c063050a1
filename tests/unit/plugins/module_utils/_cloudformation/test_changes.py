# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Change sets of a whole tree as one list."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._cloudformation import changes
from cloudformation_shapes import change, change_set, change_set_id, empty_change_set

STACK = "AWS::CloudFormation::Stack"


def nested_change(name: str, action: str = "Modify") -> dict[str, Any]:
    return change(name, action, ResourceType=STACK, ChangeSetId=change_set_id(name))


def fold(root: dict[str, Any], *nested: dict[str, Any]) -> list[str]:
    known = {item["ChangeSetId"]: item for item in nested}
    return [f"{item.action} {item.path}" for item in changes.fold(root, "pacs", known)]


def test_changes_of_nested_stacks_stand_in_the_place_of_the_stacks() -> None:
    root = change_set("pacs", nested_change("Network"), change("Queue", "Remove"))
    network = change_set("Network", nested_change("Deep"), change("Vpc", "Modify"))
    deep = change_set("Deep", change("Endpoint", "Add"))
    assert fold(root, network, deep) == [
        "Add pacs/Network/Deep/Endpoint",
        "Modify pacs/Network/Vpc",
        "Remove pacs/Queue",
    ]


def test_nested_stacks_without_a_change_are_left_out() -> None:
    root = change_set("pacs", nested_change("Network"), nested_change("Storage"))
    storage = change_set("Storage", nested_change("Deep"))
    assert fold(root, empty_change_set("Network"), storage, empty_change_set("Deep")) == []


def test_a_nested_stack_of_which_only_outputs_change_is_listed_itself() -> None:
    root = change_set("pacs", nested_change("Network"))
    assert fold(root, change_set("Network")) == ["Modify pacs/Network"]


def test_an_added_nested_stack_is_listed_with_its_resources() -> None:
    root = change_set("pacs", nested_change("Network", "Add"))
    network = change_set("Network", change("Vpc"))
    assert fold(root, network) == ["Add pacs/Network", "Add pacs/Network/Vpc"]


def test_a_change_says_what_is_replaced_and_why() -> None:
    details = [
        {
            "Target": {"Attribute": "Properties", "Name": "InstanceType"},
            "ChangeSource": "ParameterReference",
            "CausingEntity": "InstanceType",
        },
        {"Target": {"Attribute": "Properties", "Name": "InstanceType"}},
        {"Target": {"Attribute": "Tags"}},
    ]
    entry = change("Host", "Modify", Replacement="Conditional", Details=details)
    (found,) = changes.fold(change_set("pacs", entry), "pacs", {})
    assert found.result() == {
        "path": "pacs/Host",
        "type": "AWS::SQS::Queue",
        "action": "Modify",
        "replacement": "Conditional",
        "properties": ["InstanceType", "Tags"],
        "causes": ["InstanceType"],
        "reverts": False,
    }
    assert str(found) == (
        "pacs/Host (AWS::SQS::Queue): "
        "Modify, replacement Conditional, InstanceType, Tags <- InstanceType"
    )


def test_the_diff_has_what_is_before_and_what_is_after() -> None:
    entries = [change("New"), change("Old", "Remove"), change("Same", "Modify")]
    found = changes.fold(change_set("pacs", *entries), "pacs", {})
    assert changes.diff(found) == {
        "before": "pacs/Old (AWS::SQS::Queue)\npacs/Same (AWS::SQS::Queue)\n",
        "after": "pacs/New (AWS::SQS::Queue): Add\npacs/Same (AWS::SQS::Queue): Modify\n",
    }


@pytest.mark.parametrize(
    ("reason", "empty"),
    [
        ("The submitted information didn't contain changes. Submit different information.", True),
        ("No updates are to be performed.", True),
        ("Transform AWS::Include failed", False),
        ("", False),
    ],
)
def test_a_failed_change_set_without_changes_is_empty(reason: str, empty: bool) -> None:
    assert changes.is_empty(change_set("pacs", status="FAILED", reason=reason)) is empty


def test_the_reason_of_a_failure_comes_from_the_nested_change_set_that_failed() -> None:
    blame = f"Nested change set {change_set_id('Network')} was not successfully created: FAILED."
    root = change_set("pacs", status="FAILED", reason=blame)
    network = change_set("Network", status="FAILED", reason="Template format error: no Resources")
    known = {item["ChangeSetId"]: item for item in (root, network)}
    assert changes.nested_ids(root) == [change_set_id("Network")]
    assert changes.failed_below(root, known) == network
    assert changes.failed_below(network, known) == network


FILES = "AWS::EFS::FileSystem"
BUCKET = "AWS::S3::Bucket"


@pytest.mark.parametrize(
    ("action", "replacement", "kind", "lost"),
    [
        ("Remove", "", FILES, True),
        ("Modify", "True", BUCKET, True),
        ("Modify", "Conditional", "AWS::KMS::Key", True),
        ("Modify", "True", "AWS::Backup::BackupVault", True),
        ("Modify", "True", "AWS::Cognito::UserPool", True),
        ("Modify", "False", FILES, False),
        ("Add", "", FILES, False),
        ("Remove", "", "AWS::SQS::Queue", False),
    ],
)
def test_what_holds_data_must_not_be_replaced_or_removed(
    action: str, replacement: str, kind: str, lost: bool
) -> None:
    found = changes.Change("pacs/Storage/It", kind, action, replacement)
    assert changes.loses_data(found) is lost


def test_changes_that_lose_data_come_first_and_the_others_keep_their_order() -> None:
    queue = changes.Change("pacs/Queue", "AWS::SQS::Queue", "Add")
    files = changes.Change("pacs/Files", FILES, "Remove")
    topic = changes.Change("pacs/Topic", "AWS::SNS::Topic", "Add")
    assert changes.worst_first([queue, files, topic]) == [files, queue, topic]
