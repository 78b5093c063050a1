# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Calls that answer in pages, or about what is not there."""

from __future__ import annotations

import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._aws import ModuleError
from ansible_collections.openpacs.dicoogle.plugins.module_utils._cloudformation import api
from cloudformation_shapes import FakeClient, change, change_set, description, refusal


def test_all_pages_of_stacks_are_read() -> None:
    pages = [{"Stacks": [description("a")], "NextToken": "2"}, {"Stacks": [description("b")]}]
    client = FakeClient(describe_stacks=pages)
    assert [stack["StackName"] for stack in api.describe_stacks(client)] == ["a", "b"]
    assert client.calls[1][1] == {"NextToken": "2"}


def test_all_pages_of_a_change_set_are_read() -> None:
    pages = [
        change_set("pacs", change("A")) | {"NextToken": "2"},
        change_set("pacs", change("B")) | {"NextToken": "3"},
        change_set("pacs", change("C")),
    ]
    found = api.describe_change_set(FakeClient(describe_change_set=pages), "id")
    assert found
    names = [item["ResourceChange"]["LogicalResourceId"] for item in found["Changes"]]
    assert names == ["A", "B", "C"]


def test_what_does_not_exist_is_none() -> None:
    missing = refusal("ValidationError", "Stack with id pacs does not exist")
    assert api.describe_stack(FakeClient(describe_stacks=missing), "pacs") is None
    gone = refusal("ChangeSetNotFound", "ChangeSet [id] not found")
    assert api.describe_change_set(FakeClient(describe_change_set=gone), "id") is None


def test_any_other_refusal_names_the_stack_and_the_reason() -> None:
    denied = refusal("AccessDenied", "not authorized to perform cloudformation:DescribeStacks")
    with pytest.raises(ModuleError, match=r"Failed to describe stack pacs: .*not authorized"):
        api.describe_stack(FakeClient(describe_stacks=denied), "pacs")


def test_a_throttled_call_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    throttled = refusal("Throttling", "Rate exceeded")
    client = FakeClient(describe_stacks=[throttled, throttled, {"Stacks": [description("pacs")]}])
    assert api.describe_stack(client, "pacs")
    assert len(client.calls) == 3
