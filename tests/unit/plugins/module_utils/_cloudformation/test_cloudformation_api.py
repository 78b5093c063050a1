# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Calls that answer in pages, or about what is not there."""

from __future__ import annotations

import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._cloudformation import api
from ansible_collections.openpacs.dicoogle.plugins.module_utils._errors import ModuleError
from cloudformation_shapes import (
    FakeClient,
    change,
    change_set,
    change_set_id,
    description,
    refusal,
    stack_id,
)


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
    found = api.describe_change_set(FakeClient(describe_change_set=pages), "pacs", "id")
    assert found
    names = [item["ResourceChange"]["LogicalResourceId"] for item in found["Changes"]]
    assert names == ["A", "B", "C"]


def test_what_does_not_exist_is_none() -> None:
    missing = refusal("ValidationError", "Stack with id pacs does not exist")
    assert api.describe_stack(FakeClient(describe_stacks=missing), "pacs") is None
    gone = refusal("ChangeSetNotFound", "ChangeSet [id] not found")
    assert api.describe_change_set(FakeClient(describe_change_set=gone), "pacs", "id") is None


def test_any_other_refusal_names_the_stack_and_the_reason() -> None:
    denied = refusal("AccessDenied", "not authorized to perform cloudformation:DescribeStacks")
    with pytest.raises(ModuleError, match=r"Failed to describe stack pacs: .*not authorized"):
        api.describe_stack(FakeClient(describe_stacks=denied), "pacs")


def test_what_is_denied_is_to_be_allowed_by_name() -> None:
    denied = refusal("AccessDenied", "not you")
    client = FakeClient(describe_stacks=denied, create_change_set=denied, list_change_sets=denied)
    with pytest.raises(ModuleError, match=r"Allow cloudformation:DescribeStacks\."):
        api.describe_stack(client, "pacs")
    with pytest.raises(ModuleError, match=r"Allow cloudformation:CreateChangeSet\."):
        api.create_change_set(client, {"StackName": "pacs", "ChangeSetName": "openpacs-1"})
    with pytest.raises(ModuleError, match=r"Allow cloudformation:ListChangeSets\."):
        api.list_change_sets(client, "pacs")


def test_a_throttled_call_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    throttled = refusal("Throttling", "Rate exceeded")
    client = FakeClient(describe_stacks=[throttled, throttled, {"Stacks": [description("pacs")]}])
    assert api.describe_stack(client, "pacs")
    assert len(client.calls) == 3


def test_a_change_set_whose_creation_was_answered_to_nobody_is_found_again() -> None:
    taken = refusal("AlreadyExistsException", "ChangeSet openpacs-1 already exists")
    client = FakeClient(create_change_set=taken, describe_change_set=change_set("pacs"))
    request = {"StackName": "pacs", "ChangeSetName": "openpacs-1"}
    found = api.create_change_set(client, request)
    assert found == (change_set_id("pacs"), stack_id("pacs"))
    assert client.calls[1][1] == {"ChangeSetName": "openpacs-1", "StackName": "pacs"}


def test_a_refusal_about_a_change_set_names_its_stack() -> None:
    denied = refusal("AccessDenied", "not you")
    client = FakeClient(execute_change_set=denied, delete_change_set=denied)
    with pytest.raises(ModuleError, match="execute the change set of stack pacs"):
        api.execute_change_set(client, "pacs", "id", "token")
    with pytest.raises(ModuleError, match="delete a change set of stack pacs"):
        api.delete_change_set(client, "pacs", "id")
