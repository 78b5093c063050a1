# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is called, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._aws import ModuleError
from ansible_collections.openpacs.dicoogle.plugins.module_utils._cloudformation import (
    operations,
    plan,
    waiter,
)
from cloudformation_shapes import (
    FakeClient,
    change,
    change_set,
    change_set_id,
    description,
    empty_change_set,
    event,
    nested,
    own,
    refusal,
    stack_id,
)

FLAT = "Resources: {Queue: {Type: 'AWS::SQS::Queue'}}"
TREE = "Resources: {Network: {Type: 'AWS::CloudFormation::Stack'}}"
NESTED = "AWS::CloudFormation::Stack"
MISSING = refusal("ValidationError", "Stack with id pacs does not exist")
GONE = refusal("ChangeSetNotFound", "ChangeSet does not exist")
CREATED = {"Id": change_set_id("pacs"), "StackId": stack_id("pacs")}

DESIRED = plan.Desired(
    name="pacs",
    template_url=None,
    template_body=FLAT,
    parameters={},
    tags=None,
    capabilities=(),
    role_arn=None,
    termination_protection=None,
)


def run(client: FakeClient, check_mode: bool = False) -> operations.Run:
    instant = waiter.Deadline(60, sleep=lambda seconds: None)
    return operations.Run(client, instant, lambda line: None, check_mode)


def stacks(*found: dict[str, Any]) -> dict[str, Any]:
    return {"Stacks": list(found)}


def operation(*entries: dict[str, Any]) -> Callable[..., dict[str, Any]]:
    """Answer with the events, newest first, as those of the operation that was started last."""

    def answer(client: FakeClient, **_request: Any) -> dict[str, Any]:
        requests = [arguments for _name, arguments in client.calls]
        tokens = [item["ClientRequestToken"] for item in requests if "ClientRequestToken" in item]
        newest_first = reversed(entries)
        return {"StackEvents": [e | {"ClientRequestToken": tokens[-1]} for e in newest_first]}

    return answer


def client_for_change(
    found: dict[str, Any], *entries: dict[str, Any], **answers: Any
) -> FakeClient:
    """A client whose change set, found, can be executed with these events in consequence."""
    common = {
        "create_change_set": CREATED,
        "describe_change_set": found,
        "execute_change_set": {},
        "describe_stack_events": operation(*entries),
    }
    return FakeClient(**common | answers)


def client_for_plan(found: list[Any], **answers: Any) -> FakeClient:
    """A client whose change set, found, is deleted afterwards."""
    return FakeClient(
        create_change_set=CREATED,
        describe_change_set=[*found, GONE],
        delete_change_set={},
        **answers,
    )


def test_a_flat_stack_that_is_as_desired_costs_two_calls() -> None:
    client = FakeClient(
        describe_stacks=stacks(description("pacs")), get_template={"TemplateBody": FLAT}
    )
    outcome = operations.present(run(client), DESIRED, may_replace=False)
    assert outcome.action == "none"
    assert client.called == ["describe_stacks", "get_template"]


def test_a_tree_that_is_as_desired_costs_two_calls_and_tells_all_outputs() -> None:
    outputs = [{"OutputKey": "VpcId", "OutputValue": "vpc-1"}]
    network = nested("pacs", "Network", "pacs", Outputs=outputs)
    client = FakeClient(
        describe_stacks=stacks(description("other"), network, description("pacs")),
        get_template={"TemplateBody": TREE},
    )
    desired = replace(DESIRED, template_body=TREE, template_url="https://b.s3.amazonaws.com/k")
    outcome = operations.present(run(client), desired, may_replace=False)
    assert client.called == ["describe_stacks", "get_template"]
    assert client.calls[0][1] == {}
    assert outcome.tree["pacs/Network"].outputs == {"VpcId": "vpc-1"}


def test_a_new_stack_is_created_by_a_change_set() -> None:
    client = client_for_change(
        change_set("pacs", change("Queue")),
        own("pacs", "CREATE_IN_PROGRESS"),
        own("pacs", "CREATE_COMPLETE"),
        describe_stacks=[MISSING, stacks(description("pacs"))],
    )
    outcome = operations.present(run(client), DESIRED, may_replace=False)
    assert outcome.action == "create"
    assert [item.path for item in outcome.changes] == ["pacs/Queue"]
    assert outcome.tree["pacs"].status == "CREATE_COMPLETE"
    assert client.calls[1][1]["ChangeSetType"] == "CREATE"


def test_check_mode_of_a_new_stack_leaves_nothing_behind() -> None:
    client = client_for_plan(
        [change_set("pacs", change("Queue"))],
        describe_stacks=[MISSING, stacks(description("pacs", "DELETE_COMPLETE"))],
        delete_stack={},
    )
    outcome = operations.present(run(client, check_mode=True), DESIRED, may_replace=False)
    assert [item.path for item in outcome.changes] == ["pacs/Queue"]
    assert "execute_change_set" not in client.called
    assert client.called.index("delete_change_set") < client.called.index("delete_stack")
    deleted = dict(client.calls)["delete_stack"]
    assert deleted["StackName"] == stack_id("pacs")


def test_a_shell_that_was_there_before_outlives_check_mode() -> None:
    client = client_for_plan(
        [change_set("pacs", change("Queue"))],
        describe_stacks=stacks(description("pacs", "REVIEW_IN_PROGRESS")),
    )
    outcome = operations.present(run(client, check_mode=True), DESIRED, may_replace=False)
    assert outcome.action == "create"
    assert "delete_stack" not in client.called


def test_what_a_change_set_calls_unchanged_is_unchanged() -> None:
    client = client_for_plan(
        [empty_change_set("pacs")],
        describe_stacks=stacks(description("pacs")),
        get_template={"TemplateBody": FLAT + " # older"},
    )
    desired = replace(DESIRED, tags={"a": "b"})
    assert operations.present(run(client), desired, may_replace=False).action == "none"
    assert "delete_change_set" in client.called


def unchanged_tree(deployed: str) -> FakeClient:
    """A root change set that lists a nested stack, though nothing changes in it."""
    entry = change("Network", "Modify", ResourceType=NESTED, ChangeSetId=change_set_id("Network"))
    return client_for_plan(
        [change_set("pacs", entry), empty_change_set("Network")],
        describe_stacks=stacks(description("pacs")),
        get_template={"TemplateBody": deployed},
    )


def test_a_nested_stack_that_is_listed_but_unchanged_is_no_change() -> None:
    client = unchanged_tree(TREE.replace("Network", "Old"))
    desired = replace(DESIRED, template_body=TREE)
    assert operations.present(run(client), desired, may_replace=False).action == "none"


def test_outputs_that_no_change_set_lists_are_a_change() -> None:
    client = unchanged_tree(TREE)
    desired = replace(DESIRED, template_body=f"{TREE}\nOutputs: {{A: {{Value: b}}}}")
    outcome = operations.present(run(client, check_mode=True), desired, may_replace=False)
    assert outcome.action == "update"


def test_a_change_set_without_a_list_changes_outputs_only() -> None:
    client = client_for_plan(
        [change_set("pacs")],
        describe_stacks=stacks(description("pacs")),
        get_template={"TemplateBody": FLAT},
    )
    desired = replace(DESIRED, template_body=None, template_url="https://b.s3.amazonaws.com/k")
    outcome = operations.present(run(client, check_mode=True), desired, may_replace=False)
    assert outcome.action == "update"
    assert outcome.changes == []


def test_a_change_set_that_fails_is_deleted_and_says_why() -> None:
    client = client_for_plan(
        [change_set("pacs", status="FAILED", reason="Transform failed.")],
        describe_stacks=[MISSING, MISSING],
        delete_stack={},
    )
    with pytest.raises(ModuleError, match=r"Transform failed. Nothing was changed"):
        operations.present(run(client), DESIRED, may_replace=False)
    assert client.called[-2:] == ["delete_stack", "describe_stacks"]


def test_a_failed_update_names_the_resource_and_what_to_do() -> None:
    client = client_for_change(
        change_set("pacs", change("Queue")),
        own("pacs", "UPDATE_IN_PROGRESS"),
        event("pacs", "Queue", "UPDATE_FAILED", physical_id="q-1", reason="Quota exceeded."),
        event("pacs", "Bucket", "DELETE_SKIPPED", physical_id="b-1"),
        own("pacs", "UPDATE_ROLLBACK_COMPLETE"),
        describe_stacks=stacks(description("pacs")),
        get_template={"TemplateBody": TREE},
    )
    with pytest.raises(operations.StackError) as failure:
        operations.present(run(client), DESIRED, may_replace=False)
    assert str(failure.value) == (
        "Stack pacs is in UPDATE_ROLLBACK_COMPLETE: pacs/Queue (AWS::SQS::Queue, q-1): "
        "Quota exceeded. The version before it is in service again; "
        "correct the cause and run again."
    )
    assert failure.value.details["root_cause"][0]["path"] == "pacs/Queue"
    assert failure.value.details["retained"][0]["physical_id"] == "b-1"


FAILED_CREATION = [
    own("pacs", "ROLLBACK_COMPLETE", at=2),
    event("pacs", "Queue", "CREATE_FAILED", at=1, reason="Quota exceeded"),
    own("pacs", "CREATE_IN_PROGRESS"),
]


def test_a_stack_that_was_never_created_is_not_touched_unasked() -> None:
    client = FakeClient(
        describe_stacks=stacks(description("pacs", "ROLLBACK_COMPLETE")),
        describe_stack_events={"StackEvents": FAILED_CREATION},
    )
    with pytest.raises(operations.StackError, match=r"Quota exceeded.*complete=replace"):
        operations.present(run(client), DESIRED, may_replace=False)


def test_a_stack_that_was_never_created_is_replaced_on_request_and_only_once() -> None:
    def answer_events(client: FakeClient, **_request: Any) -> dict[str, Any]:
        creating = "execute_change_set" in client.called
        entries = reversed(FAILED_CREATION) if creating else [own("pacs", "DELETE_COMPLETE")]
        return operation(*entries)(client)

    client = client_for_change(
        change_set("pacs", change("Queue")),
        describe_stacks=stacks(description("pacs", "ROLLBACK_COMPLETE")),
        describe_stack_events=answer_events,
        delete_stack={},
    )
    with pytest.raises(operations.StackError, match="ROLLBACK_COMPLETE"):
        operations.present(run(client), DESIRED, may_replace=True)
    assert client.called.count("delete_stack") == 1
    assert client.called.count("execute_change_set") == 1


def test_check_mode_of_a_replacement_calls_nothing_that_writes() -> None:
    client = FakeClient(describe_stacks=stacks(description("pacs", "ROLLBACK_COMPLETE")))
    outcome = operations.present(run(client, check_mode=True), DESIRED, may_replace=True)
    assert outcome.action == "replace"
    assert client.called == ["describe_stacks"]


def test_an_operation_under_way_is_waited_for() -> None:
    client = FakeClient(
        describe_stacks=[
            stacks(description("pacs", "UPDATE_IN_PROGRESS")),
            stacks(description("pacs", "UPDATE_COMPLETE")),
        ],
        describe_stack_events=[
            {"StackEvents": [own("pacs", "UPDATE_IN_PROGRESS")]},
            {"StackEvents": [own("pacs", "UPDATE_COMPLETE"), own("pacs", "UPDATE_IN_PROGRESS")]},
        ],
        get_template={"TemplateBody": FLAT},
    )
    outcome = operations.present(run(client), DESIRED, may_replace=False)
    assert outcome.action == "none"
    assert outcome.tree["pacs"].status == "UPDATE_COMPLETE"


def test_check_mode_does_not_wait_but_says_that_the_stack_is_busy() -> None:
    client = FakeClient(describe_stacks=stacks(description("pacs", "UPDATE_IN_PROGRESS")))
    with pytest.raises(ModuleError, match=r"UPDATE_IN_PROGRESS.*Try again"):
        operations.present(run(client, check_mode=True), DESIRED, may_replace=False)


@pytest.mark.parametrize("check_mode", [True, False])
def test_protection_alone_is_a_change(check_mode: bool) -> None:
    client = FakeClient(
        describe_stacks=stacks(description("pacs")),
        get_template={"TemplateBody": FLAT},
        update_termination_protection={},
    )
    desired = replace(DESIRED, termination_protection=True)
    outcome = operations.present(run(client, check_mode), desired, may_replace=False)
    assert outcome.action == "update"
    assert outcome.changes[0].properties == ("EnableTerminationProtection",)
    assert ("update_termination_protection" in client.called) is not check_mode


def test_protection_of_a_new_stack_is_part_of_its_creation() -> None:
    client = client_for_change(
        change_set("pacs", change("Queue")),
        own("pacs", "CREATE_IN_PROGRESS"),
        own("pacs", "CREATE_COMPLETE"),
        describe_stacks=[MISSING, stacks(description("pacs"))],
        update_termination_protection={},
    )
    desired = replace(DESIRED, termination_protection=True)
    outcome = operations.present(run(client), desired, may_replace=False)
    assert [item.path for item in outcome.changes] == ["pacs/Queue"]
    assert dict(client.calls)["update_termination_protection"]["EnableTerminationProtection"]


def test_an_absent_stack_costs_one_call() -> None:
    client = FakeClient(describe_stacks=MISSING)
    assert operations.absent(run(client), "pacs", None, None).action == "none"
    assert client.called == ["describe_stacks"]


def test_a_deletion_tells_what_is_left() -> None:
    client = FakeClient(
        describe_stacks=stacks(description("pacs")),
        delete_stack={},
        describe_stack_events=operation(
            own("pacs", "DELETE_IN_PROGRESS"),
            event("pacs", "Key", "DELETE_SKIPPED", physical_id="key-1"),
            own("pacs", "DELETE_COMPLETE"),
        ),
    )
    outcome = operations.absent(run(client), "pacs", None, None)
    assert outcome.action == "delete"
    assert outcome.tree == {}
    assert outcome.retained[0]["physical_id"] == "key-1"


def test_a_deletion_that_is_blocked_says_by_what() -> None:
    client = FakeClient(
        describe_stacks=stacks(description("pacs")),
        delete_stack={},
        describe_stack_events=operation(
            own("pacs", "DELETE_IN_PROGRESS"),
            event("pacs", "Bucket", "DELETE_FAILED", physical_id="b", reason="Not empty"),
            own("pacs", "DELETE_FAILED"),
        ),
    )
    with pytest.raises(operations.StackError, match=r"pacs/Bucket .*Not empty.*state=absent again"):
        operations.absent(run(client), "pacs", None, None)


@pytest.mark.parametrize("protection", [None, True])
def test_a_protected_stack_is_not_deleted(protection: bool | None) -> None:
    protected = description("pacs", EnableTerminationProtection=True)
    client = FakeClient(describe_stacks=stacks(protected))
    with pytest.raises(ModuleError, match="termination_protection=false"):
        operations.absent(run(client), "pacs", None, protection)


def test_check_mode_of_a_deletion_only_reads() -> None:
    client = FakeClient(describe_stacks=stacks(description("pacs")))
    outcome = operations.absent(run(client, check_mode=True), "pacs", None, None)
    assert outcome.action == "delete"
    assert client.called == ["describe_stacks"]
