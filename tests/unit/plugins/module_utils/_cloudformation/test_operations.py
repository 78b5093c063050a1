# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is called, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._cloudformation import (
    operations,
    plan,
    runs,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._deadline import Deadline
from ansible_collections.openpacs.dicoogle.plugins.module_utils._errors import ModuleError
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

REVIEW = {"Stacks": [description("pacs", "REVIEW_IN_PROGRESS")]}
DENIED = refusal("AccessDenied", "not you")
UNDER_WAY = refusal("InvalidChangeSetStatus", "ChangeSet is in EXECUTE_IN_PROGRESS status")

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


def run(client: FakeClient, check_mode: bool = False) -> runs.Run:
    instant = Deadline(60, sleep=lambda seconds: None)
    return runs.Run(client, instant, lambda line: None, check_mode)


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
        "list_change_sets": {"Summaries": []},
        "create_change_set": CREATED,
        "describe_change_set": found,
        "execute_change_set": {},
        "describe_stack_events": operation(*entries),
    }
    return FakeClient(**common | answers)


def client_for_plan(found: list[Any], **answers: Any) -> FakeClient:
    """A client whose change set, found, is deleted afterwards."""
    common = {
        "create_change_set": CREATED,
        "describe_change_set": [*found, GONE],
        "delete_change_set": {},
        "list_change_sets": {"Summaries": []},
    }
    return FakeClient(**common | answers)


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
        describe_stacks=[MISSING, REVIEW, stacks(description("pacs", "DELETE_COMPLETE"))],
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


LEFT = [
    {"ChangeSetName": "openpacs-1", "ChangeSetId": "arn:1", "ExecutionStatus": "AVAILABLE"},
    {"ChangeSetName": "openpacs-2", "ChangeSetId": "arn:2", "ExecutionStatus": "EXECUTE_COMPLETE"},
    {"ChangeSetName": "by-hand", "ChangeSetId": "arn:3", "ExecutionStatus": "AVAILABLE"},
]


def test_what_an_interrupted_run_left_is_removed_before_the_next_change() -> None:
    client = client_for_change(
        change_set("pacs", change("Queue")),
        own("pacs", "CREATE_IN_PROGRESS"),
        own("pacs", "CREATE_COMPLETE"),
        describe_stacks=[REVIEW, stacks(description("pacs"))],
        list_change_sets={"Summaries": LEFT},
        delete_change_set={},
        describe_change_set=[GONE, change_set("pacs", change("Queue"))],
    )
    assert operations.present(run(client), DESIRED, may_replace=False).action == "create"
    deleted = [request for name, request in client.calls if name == "delete_change_set"]
    assert deleted == [{"ChangeSetName": "arn:1"}]
    assert client.called.index("delete_change_set") < client.called.index("create_change_set")


def test_check_mode_leaves_the_change_sets_of_other_runs_alone() -> None:
    client = client_for_plan(
        [change_set("pacs", change("Queue"))],
        describe_stacks=REVIEW,
        list_change_sets={"Summaries": LEFT},
    )
    operations.present(run(client, check_mode=True), DESIRED, may_replace=False)
    deleted = [request for name, request in client.calls if name == "delete_change_set"]
    assert deleted == [{"ChangeSetName": change_set_id("pacs")}]


def test_a_shell_is_deleted_with_what_an_interrupted_run_left_in_it() -> None:
    client = FakeClient(
        describe_stacks=[REVIEW, REVIEW, MISSING],
        list_change_sets=[{"Summaries": LEFT[:1]}, {"Summaries": []}],
        delete_change_set={},
        describe_change_set=GONE,
        delete_stack={},
    )
    assert operations.absent(run(client), "pacs", None, None).action == "delete"
    assert client.called.index("delete_change_set") < client.called.index("delete_stack")


def test_a_shell_with_a_change_set_of_someone_else_is_not_deleted() -> None:
    client = FakeClient(describe_stacks=REVIEW, list_change_sets={"Summaries": LEFT[2:]})
    with pytest.raises(ModuleError, match=r"Stack pacs .*change set by-hand.*[Dd]elete"):
        operations.absent(run(client), "pacs", None, None)


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
        describe_stacks=stacks(description("pacs"), nested("pacs", "Network", "pacs")),
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
        describe_stacks=[MISSING, REVIEW, MISSING],
        delete_stack={},
    )
    with pytest.raises(ModuleError, match=r"stack pacs: Transform failed\. Nothing was changed"):
        operations.present(run(client), DESIRED, may_replace=False)
    assert client.called[-2:] == ["delete_stack", "describe_stacks"]


EARLY = (
    "The following hook(s)/validation failed: [AWS::EarlyValidation::ResourceExistenceCheck]. "
    "To troubleshoot Early Validation errors, use the DescribeEvents API."
)


def client_for_refused_plan(**answers: Any) -> FakeClient:
    """A client whose nested change set fails in the validation before the deployment."""
    blame = f"Nested change set {change_set_id('Network')} was not successfully created"
    root = change_set("pacs", status="FAILED", reason=blame)
    return client_for_plan(
        [root, change_set("Network", status="FAILED", reason=EARLY)],
        describe_stacks=[MISSING, MISSING],
        **answers,
    )


def test_what_validation_has_found_before_a_deployment_is_told() -> None:
    found = {
        "LogicalResourceId": "FlowLogs",
        "ResourceType": "AWS::Logs::LogGroup",
        "ValidationStatusReason": "Resource with identifier '/flow-logs' already exists",
    }
    client = client_for_refused_plan(describe_events={"OperationEvents": [{}, found]})
    with pytest.raises(ModuleError, match="Nothing was changed") as failure:
        operations.present(run(client), DESIRED, may_replace=False)
    reason = "FlowLogs (AWS::Logs::LogGroup): Resource with identifier '/flow-logs' already exists."
    assert f"Network: {reason}" in str(failure.value)
    assert "DescribeEvents" not in str(failure.value)
    request = dict(client.calls)["describe_events"]
    assert request == {"ChangeSetName": change_set_id("Network"), "Filters": {"FailedEvents": True}}


def test_reasons_that_cannot_be_read_do_not_hide_that_the_plan_failed() -> None:
    client = client_for_refused_plan(describe_events=DENIED)
    with pytest.raises(ModuleError, match=r"EarlyValidation.*Allow cloudformation:DescribeEvents"):
        operations.present(run(client), DESIRED, may_replace=False)


def test_a_clean_up_that_fails_does_not_hide_why_the_plan_did() -> None:
    client = client_for_plan(
        [change_set("pacs", status="FAILED", reason="Transform failed.")],
        describe_stacks=[MISSING, REVIEW],
        delete_stack=refusal("AccessDenied", "not you"),
    )
    with pytest.raises(ModuleError, match=r"Transform failed\. Nothing .* not you"):
        operations.present(run(client), DESIRED, may_replace=False)


def test_an_execution_whose_answer_was_lost_is_waited_for() -> None:
    client = client_for_change(
        change_set("pacs", change("Queue")),
        own("pacs", "CREATE_IN_PROGRESS"),
        own("pacs", "CREATE_COMPLETE"),
        describe_change_set=[
            change_set("pacs", change("Queue")),
            change_set("pacs", change("Queue"), execution="EXECUTE_IN_PROGRESS"),
        ],
        execute_change_set=UNDER_WAY,
        describe_stacks=[MISSING, stacks(description("pacs"))],
    )
    outcome = operations.present(run(client), DESIRED, may_replace=False)
    assert outcome.action == "create"
    assert "delete_stack" not in client.called


def test_an_execution_that_was_refused_leaves_nothing_behind_and_says_why() -> None:
    available = change_set("pacs", change("Queue"))
    client = client_for_plan(
        [available, available, available],
        execute_change_set=DENIED,
        describe_stacks=[MISSING, REVIEW, MISSING],
        delete_stack={},
    )
    with pytest.raises(ModuleError, match=r"execute the change set of stack pacs: .*not you"):
        operations.present(run(client), DESIRED, may_replace=False)
    assert client.called.index("delete_change_set") < client.called.index("delete_stack")


BUSY = stacks(description("pacs", "CREATE_IN_PROGRESS"))
AVAILABLE = change_set("pacs", change("Queue"))


@pytest.mark.parametrize(
    ("answers", "reads"),
    [
        ({"create_change_set": refusal("ValidationError", "is in CREATE_IN_PROGRESS state")}, 1),
        ({"describe_change_set": GONE}, 0),
        ({"describe_change_set": [AVAILABLE, GONE], "execute_change_set": GONE}, 0),
    ],
    ids=["before the change set", "before the plan", "before the execution"],
)
def test_a_run_that_is_overtaken_waits_for_the_other_and_begins_anew(
    answers: dict[str, Any], reads: int
) -> None:
    created = stacks(description("pacs"))
    client = client_for_change(
        AVAILABLE,
        **answers,
        describe_stacks=[MISSING, *[BUSY] * reads, BUSY, created],
        delete_change_set={},
        describe_stack_events={"StackEvents": [own("pacs", "CREATE_COMPLETE")]},
        get_template={"TemplateBody": FLAT},
    )
    outcome = operations.present(run(client), DESIRED, may_replace=False)
    assert outcome.action == "none"
    assert "delete_stack" not in client.called


def test_a_run_that_is_overtaken_again_says_so() -> None:
    client = client_for_plan([], describe_stacks=[MISSING, MISSING, REVIEW, MISSING])
    with pytest.raises(ModuleError, match=r"changed nothing; run it again"):
        operations.present(run(client), DESIRED, may_replace=False)
    assert client.called.count("create_change_set") == 2


def test_a_clean_up_never_touches_what_is_being_created() -> None:
    """The answer is lost, and so is the one that would tell whether the execution began."""
    available = change_set("pacs", change("Queue"))
    executing = change_set("pacs", change("Queue"), execution="EXECUTE_IN_PROGRESS")
    client = client_for_plan(
        [],
        describe_change_set=[available, DENIED, executing],
        execute_change_set=refusal("ExpiredToken", "expired"),
        describe_stacks=MISSING,
    )
    with pytest.raises(ModuleError, match="sign in again"):
        operations.present(run(client), DESIRED, may_replace=False)
    assert not {"delete_change_set", "delete_stack"} & set(client.called)


@pytest.mark.parametrize(
    ("status", "others"),
    [
        ("CREATE_IN_PROGRESS", []),
        ("REVIEW_IN_PROGRESS", [{"ChangeSetName": "openpacs-2", "ChangeSetId": "arn:2"}]),
    ],
)
def test_a_plan_never_deletes_a_stack_that_another_run_uses(
    status: str, others: list[dict[str, str]]
) -> None:
    client = client_for_plan(
        [change_set("pacs", change("Queue"))],
        describe_stacks=[MISSING, stacks(description("pacs", status))],
        list_change_sets={"Summaries": others},
        delete_stack={},
    )
    operations.present(run(client, check_mode=True), DESIRED, may_replace=False)
    assert "delete_change_set" in client.called
    assert "delete_stack" not in client.called


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
    with pytest.raises(ModuleError) as failure:
        operations.present(run(client), DESIRED, may_replace=False)
    assert str(failure.value) == (
        "Stack pacs is in UPDATE_ROLLBACK_COMPLETE: pacs/Queue (AWS::SQS::Queue, q-1): "
        "Quota exceeded. The version before it is in service again; "
        "correct the cause and run again. It has left behind: pacs/Bucket (AWS::SQS::Queue, b-1)."
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
    with pytest.raises(ModuleError, match=r"Quota exceeded.*complete=replace"):
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
    with pytest.raises(ModuleError, match="ROLLBACK_COMPLETE"):
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
    lines: list[str] = []
    waiting = replace(run(client), report=lines.append)
    outcome = operations.present(waiting, DESIRED, may_replace=False)
    assert lines[0] == "00:00 pacs: waiting for UPDATE_IN_PROGRESS to end"
    assert outcome.action == "none"
    assert outcome.tree["pacs"].status == "UPDATE_COMPLETE"


def test_a_stack_that_stays_busy_whatever_its_events_say_is_waited_for_in_bounds() -> None:
    """The events say that the operation has ended, the stack does not."""
    times = iter(range(1000))
    pauses: list[float] = []
    client = FakeClient(
        describe_stacks=stacks(description("pacs", "UPDATE_IN_PROGRESS")),
        describe_stack_events={"StackEvents": [own("pacs", "UPDATE_COMPLETE")]},
    )
    clock = Deadline(60, "Run again.", clock=lambda: next(times), sleep=pauses.append)
    waiting = runs.Run(client, clock, lambda line: None, check_mode=False)
    with pytest.raises(ModuleError, match=r"Gave up waiting for .*pacs.* after 60 seconds"):
        operations.present(waiting, DESIRED, may_replace=False)
    assert pauses
    assert client.called.count("describe_stacks") <= len(pauses) + 1


def test_what_blocks_a_stack_is_undone_by_a_command_with_region_and_profile() -> None:
    client = FakeClient(
        describe_stacks=stacks(description("pacs", "UPDATE_FAILED")),
        describe_stack_events={"StackEvents": [own("pacs", "UPDATE_FAILED")]},
    )
    shown = replace(run(client), cli_options="--region eu-west-1 --profile hospital")
    command = "rollback-stack --stack-name pacs --region eu-west-1 --profile hospital"
    with pytest.raises(ModuleError, match=command):
        operations.present(shown, DESIRED, may_replace=False)


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


def test_a_new_stack_is_protected_while_it_is_being_created() -> None:
    client = client_for_change(
        change_set("pacs", change("Queue")),
        own("pacs", "CREATE_IN_PROGRESS"),
        own("pacs", "CREATE_COMPLETE"),
        describe_stacks=[MISSING, stacks(description("pacs", EnableTerminationProtection=True))],
        update_termination_protection={},
    )
    desired = replace(DESIRED, termination_protection=True)
    outcome = operations.present(run(client), desired, may_replace=False)
    assert [item.path for item in outcome.changes] == ["pacs/Queue"]
    assert client.called.count("update_termination_protection") == 1
    protected = client.called.index("update_termination_protection")
    assert protected < client.called.index("describe_stack_events")
    assert dict(client.calls)["update_termination_protection"]["EnableTerminationProtection"]


def test_a_failed_stack_that_is_protected_is_replaced_on_request() -> None:
    failed = description("pacs", "ROLLBACK_COMPLETE", EnableTerminationProtection=True)
    client = client_for_change(
        change_set("pacs", change("Queue")),
        describe_stacks=[stacks(failed), stacks(description("pacs"))],
        describe_stack_events=lambda client, **_request: operation(
            own(
                "pacs",
                "CREATE_COMPLETE" if "execute_change_set" in client.called else "DELETE_COMPLETE",
            )
        )(client),
        update_termination_protection={},
        delete_stack={},
    )
    assert operations.present(run(client), DESIRED, may_replace=True).action == "replace"
    assert client.called.index("update_termination_protection") < client.called.index(
        "delete_stack"
    )


def test_whoever_is_signed_out_while_waiting_learns_that_the_change_goes_on() -> None:
    client = client_for_change(
        change_set("pacs", change("Queue")),
        describe_stacks=MISSING,
        describe_stack_events=refusal("ExpiredToken", "expired"),
    )
    with pytest.raises(
        ModuleError, match=r"sign in again.*The operation on stack pacs goes on in AWS"
    ):
        operations.present(run(client), DESIRED, may_replace=False)


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
    with pytest.raises(ModuleError, match=r"pacs/Bucket .*Not empty.*state=absent again"):
        operations.absent(run(client), "pacs", None, None)


def test_whoever_is_signed_out_while_deleting_learns_that_it_goes_on() -> None:
    client = FakeClient(
        describe_stacks=stacks(description("pacs")),
        delete_stack={},
        describe_stack_events=refusal("ExpiredToken", "expired"),
    )
    with pytest.raises(ModuleError, match="stack pacs goes on in AWS"):
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


LOSS = change("Files", "Remove", ResourceType="AWS::EFS::FileSystem")


def client_for_loss(*planned: dict[str, Any], **answers: Any) -> FakeClient:
    """A client whose change set loses data."""
    return client_for_plan(
        [change_set("pacs", *planned)],
        describe_stacks=stacks(description("pacs")),
        get_template={"TemplateBody": FLAT + " # older"},
        **answers,
    )


def test_a_change_that_would_lose_data_is_refused_by_name() -> None:
    bucket = change("Images", "Modify", ResourceType="AWS::S3::Bucket", Replacement="True")
    client = client_for_loss(change("Queue"), LOSS, bucket)
    with pytest.raises(ModuleError) as failure:
        operations.present(run(client), replace(DESIRED, tags={"a": "b"}), may_replace=False)
    message = str(failure.value)
    assert "remove pacs/Files (AWS::EFS::FileSystem)" in message
    assert "replace pacs/Images (AWS::S3::Bucket)" in message
    assert "pacs/Queue" not in message
    assert "Nothing was changed" in message
    assert "allow_data_loss: [pacs/Files, pacs/Images]" in message
    assert "stack_allow_data_loss" in message
    assert "execute_change_set" not in client.called
    assert "delete_change_set" in client.called


def test_check_mode_shows_first_what_would_be_refused() -> None:
    client = client_for_loss(change("Queue"), LOSS)
    desired = replace(DESIRED, tags={"a": "b"})
    outcome = operations.present(run(client, check_mode=True), desired, may_replace=False)
    assert [item.path for item in outcome.changes] == ["pacs/Files", "pacs/Queue"]
    assert "remove pacs/Files (AWS::EFS::FileSystem)" in outcome.warnings[0]


def test_data_may_be_lost_by_name_only() -> None:
    desired = replace(DESIRED, tags={"a": "b"}, allow_data_loss=("pacs/Other",))
    with pytest.raises(ModuleError, match="pacs/Files"):
        operations.present(run(client_for_loss(LOSS)), desired, may_replace=False)
    client = client_for_change(
        change_set("pacs", LOSS),
        own("pacs", "UPDATE_IN_PROGRESS"),
        own("pacs", "UPDATE_COMPLETE"),
        describe_stacks=stacks(description("pacs")),
        get_template={"TemplateBody": FLAT + " # older"},
    )
    desired = replace(desired, allow_data_loss=("pacs/Files",))
    assert operations.present(run(client), desired, may_replace=False).action == "update"


@pytest.mark.parametrize("wanted", [TREE, FLAT])
def test_the_data_in_a_nested_stack_that_would_be_removed_counts(wanted: str) -> None:
    resource = {
        "LogicalResourceId": "Files",
        "PhysicalResourceId": "fs-1",
        "ResourceType": "AWS::EFS::FileSystem",
        "ResourceStatus": "CREATE_COMPLETE",
    }

    def found(client: FakeClient, **request: Any) -> dict[str, Any]:
        """One stack by its name, or all stacks."""
        storage = [] if "StackName" in request else [nested("pacs", "Storage", "pacs")]
        return stacks(description("pacs"), *storage)

    client = client_for_plan(
        [change_set("pacs", change("Storage", "Remove", ResourceType=NESTED))],
        describe_stacks=found,
        get_template={"TemplateBody": TREE + " # older"},
        list_stack_resources={"StackResourceSummaries": [resource]},
    )
    desired = replace(DESIRED, template_body=wanted, tags={"a": "b"})
    with pytest.raises(ModuleError, match=r"remove pacs/Storage/Files \(AWS::EFS::FileSystem\)"):
        operations.present(run(client), desired, may_replace=False)


GONE_NETWORK = {
    "LogicalResourceId": "Network",
    "PhysicalResourceId": stack_id("pacs-Network-1X2Y3Z"),
    "ResourceType": NESTED,
    "ResourceStatus": "CREATE_COMPLETE",
}


@pytest.mark.parametrize("check_mode", [True, False])
def test_a_nested_stack_that_was_deleted_outside_is_named(check_mode: bool) -> None:
    client = FakeClient(
        describe_stacks=stacks(description("pacs")),
        get_template={"TemplateBody": TREE},
        list_stack_resources={"StackResourceSummaries": [GONE_NETWORK]},
    )
    desired = replace(DESIRED, template_body=TREE)
    with pytest.raises(
        ModuleError, match=r"deleted outside stack pacs.*: pacs/Network\..*run again"
    ):
        operations.present(run(client, check_mode), desired, may_replace=False)


def test_a_nested_stack_that_a_condition_leaves_out_is_not_missed() -> None:
    client = FakeClient(
        describe_stacks=stacks(description("pacs")),
        get_template={"TemplateBody": TREE},
        list_stack_resources={"StackResourceSummaries": []},
    )
    desired = replace(DESIRED, template_body=TREE)
    assert operations.present(run(client), desired, may_replace=False).action == "none"


def test_a_nested_stack_that_is_gone_can_be_taken_out_of_the_template() -> None:
    client = client_for_plan(
        [change_set("pacs", change("Network", "Remove", ResourceType=NESTED))],
        describe_stacks=stacks(description("pacs")),
        get_template={"TemplateBody": TREE},
    )
    outcome = operations.present(run(client, check_mode=True), DESIRED, may_replace=False)
    assert [str(item.action) for item in outcome.changes] == ["Remove"]


OPEN_TO_THE_WORLD = {
    "Target": {
        "Attribute": "Properties",
        "Name": "CidrIp",
        "Path": "/CidrIp",
        "AfterValue": "10.0.0.0/16",
        "Drift": {"PreviousValue": "10.0.0.0/16", "ActualValue": "0.0.0.0/0"},
    }
}
OPENED = change(
    "Group",
    "Modify",
    PhysicalResourceId="sg-1",
    ResourceDriftStatus="MODIFIED",
    Replacement="False",
    Details=[OPEN_TO_THE_WORLD],
)
LARGER = replace(DESIRED, template_body=f"{FLAT[:-1]}, Topic: {{Type: 'AWS::SNS::Topic'}}}}")


def see(client: FakeClient, check_mode: bool = True) -> runs.Run:
    return replace(run(client, check_mode), sees_drift=True)


def deployed_and_changed_outside(*changes: dict[str, Any], **answers: Any) -> FakeClient:
    """A client of the stack pacs as it was deployed, whose change set holds these changes."""
    return client_for_plan(
        [change_set("pacs", *changes) if changes else empty_change_set("pacs")],
        describe_stacks=stacks(description("pacs")),
        get_template={"TemplateBody": FLAT},
        **answers,
    )


def test_a_preview_shows_what_was_changed_outside_and_that_a_run_leaves_it() -> None:
    client = deployed_and_changed_outside(OPENED)
    outcome = operations.present(see(client), DESIRED, may_replace=False)
    assert dict(client.calls)["create_change_set"]["DeploymentMode"] == "REVERT_DRIFT"
    assert (outcome.action, outcome.changes) == ("none", [])
    assert [item.result() for item in outcome.drift] == [
        {
            "path": "pacs/Group",
            "type": "AWS::SQS::Queue",
            "physical_id": "sg-1",
            "status": "MODIFIED",
            "differences": [
                {"property": "/CidrIp", "expected": "10.0.0.0/16", "actual": "0.0.0.0/0"}
            ],
        }
    ]
    (warning,) = outcome.warnings
    assert 'sg-1): /CidrIp is "0.0.0.0/0", not "10.0.0.0/16".' in warning
    assert "stack_revert_drift=true" in warning


def test_a_preview_shows_what_was_deleted_outside() -> None:
    gone = change("Files", ResourceDriftStatus="DELETED", ResourceType="AWS::EFS::FileSystem")
    client = deployed_and_changed_outside(gone)
    outcome = operations.present(see(client), DESIRED, may_replace=False)
    assert (outcome.action, outcome.changes) == ("none", [])
    assert "pacs/Files (AWS::EFS::FileSystem): deleted." in outcome.warnings[0]
    assert "What pacs/Files held comes back from a backup only." in outcome.warnings[0]


def test_a_preview_keeps_changes_apart_from_what_was_changed_outside() -> None:
    client = deployed_and_changed_outside(change("Topic"), OPENED)
    outcome = operations.present(see(client), LARGER, may_replace=False)
    assert [item.path for item in outcome.changes] == ["pacs/Topic"]
    assert [item.path for item in outcome.drift] == ["pacs/Group"]


def test_a_preview_of_what_is_in_sync_warns_of_nothing() -> None:
    outcome = operations.present(see(deployed_and_changed_outside()), DESIRED, may_replace=False)
    assert (outcome.action, outcome.warnings) == ("none", ())


def test_a_preview_goes_on_where_aws_cannot_look_for_what_was_changed_outside() -> None:
    client = deployed_and_changed_outside(
        change("Topic"),
        create_change_set=[refusal("ValidationError", "REVERT_DRIFT is not for you"), CREATED],
    )
    outcome = operations.present(see(client), LARGER, may_replace=False)
    assert [item.path for item in outcome.changes] == ["pacs/Topic"]
    assert "REVERT_DRIFT is not for you" in outcome.warnings[0]


def test_a_run_looks_for_what_was_changed_outside_only_when_it_is_to_bring_it_back() -> None:
    client = deployed_and_changed_outside(OPENED)
    assert operations.present(see(client, False), DESIRED, may_replace=False).action == "none"
    assert "create_change_set" not in client.called

    client = client_for_change(
        change_set("pacs", OPENED),
        own("pacs", "UPDATE_IN_PROGRESS"),
        own("pacs", "UPDATE_COMPLETE"),
        describe_stacks=stacks(description("pacs")),
        get_template={"TemplateBody": FLAT},
    )
    desired = replace(DESIRED, revert_drift=True)
    outcome = operations.present(see(client, False), desired, may_replace=False)
    assert dict(client.calls)["create_change_set"]["DeploymentMode"] == "REVERT_DRIFT"
    assert [(item.path, item.reverts) for item in outcome.changes] == [("pacs/Group", True)]
    assert "execute_change_set" in client.called
