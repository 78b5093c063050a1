# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The CloudFormation API, one function per call. Private to this collection.

Every function takes a boto3 client, retries when throttled, returns the useful part of the answer
in the service's own shape and raises ModuleError.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry

from .._aws import Answer, AnswerError, attempt, error_code

with suppress(ImportError):  # AnsibleAWSModule reports a missing boto3
    from botocore.exceptions import ClientError

Client = Any
Shape = dict[str, Any]


def _attempt(action: str, operation: Callable[..., Shape]) -> AbstractContextManager[None]:
    """Turn an error of an operation into a ModuleError, which says what has to be allowed."""
    name = operation.__name__.title().replace("_", "")
    return attempt(action, {"AccessDenied": f"Allow cloudformation:{name}."})


def _answer(operation: Callable[..., Shape], arguments: Shape) -> Shape:
    return Answer(operation.__name__, AWSRetry.jittered_backoff()(operation)(**arguments))


def _call(action: str, operation: Callable[..., Shape], **arguments: Any) -> Shape:
    with _attempt(action, operation):
        return _answer(operation, arguments)


def _call_if_exists(action: str, operation: Callable[..., Shape], **arguments: Any) -> Shape | None:
    """Call an operation on one object; None when the service does not know the object."""
    with _attempt(action, operation):
        try:
            return _answer(operation, arguments)
        except ClientError as error:
            if error_code(error) == "ChangeSetNotFound" or "does not exist" in str(error):
                return None
            raise


def _pages(action: str, operation: Callable[..., Shape], **arguments: Any) -> Iterator[Shape]:
    """Yield the answers of an operation that answers in pages, each fetched when it is needed."""
    page = _call(action, operation, **arguments)
    yield page
    while page.get("NextToken"):
        page = _call(action, operation, **arguments | {"NextToken": page["NextToken"]})
        yield page


def describe_stacks(client: Client) -> list[Shape]:
    """Return every stack of the account and region that is not deleted, nested ones included."""
    pages = _pages("list the stacks", client.describe_stacks)
    return [stack for page in pages for stack in page["Stacks"]]


def describe_stack(client: Client, stack: str) -> Shape | None:
    """Return the stack with this name or id, or None; a deleted stack is found by its id only."""
    answer = _call_if_exists(f"describe stack {stack}", client.describe_stacks, StackName=stack)
    if answer is None:
        return None
    if not answer["Stacks"]:
        raise AnswerError("DescribeStacks", f"has nothing about stack {stack}")
    return answer["Stacks"][0]


def get_template(client: Client, stack: str) -> str | Shape:
    """Return the template as it was given: text, or a dictionary when it is JSON."""
    return _call(
        f"read the template of stack {stack}",
        client.get_template,
        StackName=stack,
        TemplateStage="Original",
    )["TemplateBody"]


def sees_drift(client: Client) -> bool:
    """Tell whether this boto3 can ask for drift-aware change sets."""
    request = client.meta.service_model.operation_model("CreateChangeSet").input_shape
    return "DeploymentMode" in request.members


def create_change_set(client: Client, request: Shape) -> tuple[str, str]:
    """Start to make a change set; return its id and the id of its stack.

    Its name is unique: one that exists was made by an earlier try, whose answer was lost.
    """
    stack, name = request["StackName"], request["ChangeSetName"]
    action = f"create a change set for stack {stack}"
    with _attempt(action, client.create_change_set):
        try:
            answer = _answer(client.create_change_set, request)
            return answer["Id"], answer["StackId"]
        except ClientError as error:
            if error_code(error) != "AlreadyExistsException":
                raise
    answer = _call(action, client.describe_change_set, StackName=stack, ChangeSetName=name)
    return answer["ChangeSetId"], answer["StackId"]


def describe_change_set(client: Client, stack: str, change_set_id: str) -> Shape | None:
    """Return a change set with all its changes and their values, or None when there is none."""
    action = f"describe a change set of stack {stack}"
    operation = client.describe_change_set
    about = {"ChangeSetName": change_set_id, "IncludePropertyValues": True}
    description = _call_if_exists(action, operation, **about)
    if description and (token := description.pop("NextToken", None)):
        for page in _pages(action, operation, **about, NextToken=token):
            description["Changes"] += page["Changes"]
    return description


def list_change_sets(client: Client, stack: str) -> list[Shape]:
    """Return the change sets of a stack, without their changes."""
    pages = _pages(
        f"list the change sets of stack {stack}", client.list_change_sets, StackName=stack
    )
    return [summary for page in pages for summary in page["Summaries"]]


def failed_events(client: Client, stack: str, change_set_id: str) -> list[Shape]:
    """Return what went wrong while a change set was made; nothing where boto3 cannot ask yet."""
    if not hasattr(client, "describe_events"):
        return []
    pages = _pages(
        f"read the events of a change set of stack {stack}",
        client.describe_events,
        ChangeSetName=change_set_id,
        Filters={"FailedEvents": True},
    )
    return [event for page in pages for event in page["OperationEvents"]]


def execute_change_set(client: Client, stack: str, change_set_id: str, token: str) -> None:
    """Start to execute a change set; the events of the operation carry the token."""
    _call(
        f"execute the change set of stack {stack}",
        client.execute_change_set,
        ChangeSetName=change_set_id,
        ClientRequestToken=token,
    )


def delete_change_set(client: Client, stack: str, change_set_id: str) -> None:
    """Start to delete a change set and those of its nested stacks."""
    action = f"delete a change set of stack {stack}"
    _call(action, client.delete_change_set, ChangeSetName=change_set_id)


def delete_stack(client: Client, stack: str, token: str, role_arn: str | None) -> None:
    """Start to delete a stack; the events of the operation carry the token."""
    role = {"RoleARN": role_arn} if role_arn else {}
    _call(
        f"delete stack {stack}",
        client.delete_stack,
        StackName=stack,
        ClientRequestToken=token,
        **role,
    )


def set_termination_protection(client: Client, stack: str, enabled: bool) -> None:
    """Turn the termination protection of a root stack on or off."""
    _call(
        f"set the termination protection of stack {stack}",
        client.update_termination_protection,
        StackName=stack,
        EnableTerminationProtection=enabled,
    )


def stack_events(client: Client, stack_id: str) -> Iterator[Shape]:
    """Yield the events of one stack, newest first; a page is fetched when it is needed."""
    action = f"read the events of stack {stack_id}"
    for page in _pages(action, client.describe_stack_events, StackName=stack_id):
        yield from page["StackEvents"]


def stack_resources(client: Client, stack_id: str) -> list[Shape]:
    """Return the resources of one stack, without those of its nested stacks."""
    action = f"list the resources of stack {stack_id}"
    pages = _pages(action, client.list_stack_resources, StackName=stack_id)
    return [resource for page in pages for resource in page["StackResourceSummaries"]]


def detect_drift(client: Client, stack_id: str) -> str:
    """Start to look for drift in one stack, not in its nested stacks; return the detection's id."""
    action = f"detect the drift of stack {stack_id}"
    return _call(action, client.detect_stack_drift, StackName=stack_id)["StackDriftDetectionId"]


def describe_drift_detection(client: Client, detection_id: str) -> Shape:
    """Return the progress and the outcome of a drift detection."""
    return _call(
        f"describe drift detection {detection_id}",
        client.describe_stack_drift_detection_status,
        StackDriftDetectionId=detection_id,
    )


def resource_drifts(client: Client, stack_id: str) -> list[Shape]:
    """Return the resources of one stack that the last detection found changed or deleted."""
    pages = _pages(
        f"read the drift of stack {stack_id}",
        client.describe_stack_resource_drifts,
        StackName=stack_id,
        StackResourceDriftStatusFilters=["MODIFIED", "DELETED"],
    )
    return [drift for page in pages for drift in page["StackResourceDrifts"]]
