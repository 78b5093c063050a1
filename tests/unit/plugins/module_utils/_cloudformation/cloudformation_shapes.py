# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Answers of CloudFormation, and a client that plays them back and counts the calls."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
ARN = "arn:aws:cloudformation:eu-west-1:123456789012"


def stack_id(name: str) -> str:
    return f"{ARN}:stack/{name}/0f9e"


def change_set_id(name: str) -> str:
    return f"{ARN}:changeSet/{name}/0f9e"


def description(name: str, status: str = "CREATE_COMPLETE", **members: Any) -> dict[str, Any]:
    """One stack of DescribeStacks."""
    return {"StackName": name, "StackId": stack_id(name), "StackStatus": status} | members


def nested(parent: str, logical_id: str, root: str, **members: Any) -> dict[str, Any]:
    """A nested stack of DescribeStacks, named as CloudFormation names it."""
    family = {"ParentId": stack_id(parent), "RootId": stack_id(root)}
    return description(f"{parent}-{logical_id}-1X2Y3Z", **family, **members)


def event(
    stack: str,
    logical_id: str,
    status: str,
    *,
    at: float = 0,
    kind: str = "AWS::SQS::Queue",
    physical_id: str = "",
    reason: str = "",
    token: str = "",
) -> dict[str, Any]:
    """One event in a stack's log, so many seconds after the beginning."""
    return {
        "EventId": f"{stack}/{logical_id}/{status}/{at}",
        "StackId": stack_id(stack),
        "StackName": stack,
        "LogicalResourceId": logical_id,
        "PhysicalResourceId": physical_id,
        "ResourceType": kind,
        "ResourceStatus": status,
        "ResourceStatusReason": reason,
        "Timestamp": BEGIN + timedelta(seconds=at),
        "ClientRequestToken": token,
    }


def own(stack: str, status: str, **members: Any) -> dict[str, Any]:
    """An event about the stack itself."""
    return child(stack, stack, stack, status, **members)


def child(parent: str, logical_id: str, stack: str, status: str, **members: Any) -> dict[str, Any]:
    """An event about a nested stack in its parent's log."""
    kind = "AWS::CloudFormation::Stack"
    return event(parent, logical_id, status, kind=kind, physical_id=stack_id(stack), **members)


def change(logical_id: str, action: str = "Add", **members: Any) -> dict[str, Any]:
    """One change of DescribeChangeSet."""
    resource = {"LogicalResourceId": logical_id, "ResourceType": "AWS::SQS::Queue"}
    return {"Type": "Resource", "ResourceChange": resource | {"Action": action} | members}


def change_set(
    name: str,
    *changes: dict[str, Any],
    status: str = "CREATE_COMPLETE",
    reason: str = "",
    execution: str = "AVAILABLE",
) -> dict[str, Any]:
    """An answer of DescribeChangeSet."""
    return {
        "ChangeSetId": change_set_id(name),
        "StackName": name,
        "StackId": stack_id(name),
        "Status": status,
        "StatusReason": reason,
        "ExecutionStatus": execution,
        "Changes": list(changes),
    }


def empty_change_set(name: str) -> dict[str, Any]:
    """An answer of DescribeChangeSet for a change set without changes."""
    return change_set(
        name, status="FAILED", reason="The submitted information didn't contain changes."
    )


def refusal(code: str, message: str) -> ClientError:
    """An error that the service answers with."""
    return ClientError({"Error": {"Code": code, "Message": message}}, "Operation")


class FakeClient:
    """Answers each operation from its own list, the last answer again and again.

    An answer is a response, an exception to raise, or a function of the client and the request.
    calls: the operations called, with their arguments.
    """

    def __init__(self, **answers: Any) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self._answers = {
            name: list(answer) if isinstance(answer, list) else [answer]
            for name, answer in answers.items()
        }

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        if operation not in self._answers:
            raise AssertionError(f"unexpected call of {operation}")

        def call(**arguments: Any) -> Any:
            self.calls.append((operation, arguments))
            answers = self._answers[operation]
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
            if isinstance(answer, Exception):
                raise answer
            return answer(self, **arguments) if callable(answer) else answer

        call.__name__ = operation
        return call

    @property
    def called(self) -> list[str]:
        """The names of the operations called."""
        return [operation for operation, _arguments in self.calls]
