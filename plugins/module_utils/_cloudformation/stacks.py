# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A stack and the tree of its nested stacks, from the service's shapes. Private; calls nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Stack:
    """A deployed stack; parent_id and root_id are empty for a root stack."""

    name: str
    stack_id: str
    status: str
    status_reason: str
    parameters: dict[str, str]
    outputs: dict[str, str]
    tags: dict[str, str]
    protected: bool
    parent_id: str
    root_id: str


REVIEW_IN_PROGRESS = "REVIEW_IN_PROGRESS"  # holds nothing but change sets

Tree = Mapping[str, Stack]  # by logical path, the root's is its name


def from_description(description: Mapping[str, Any]) -> Stack:
    """Read one stack of the answer of DescribeStacks.

    A parameter that names an entry of the Parameter Store keeps that name as its value.
    """

    def pairs(member: str, key: str, value: str) -> dict[str, str]:
        return {item[key]: item.get(value, "") for item in description.get(member, [])}

    return Stack(
        name=description["StackName"],
        stack_id=description["StackId"],
        status=description["StackStatus"],
        status_reason=description.get("StackStatusReason", ""),
        parameters=pairs("Parameters", "ParameterKey", "ParameterValue"),
        outputs=pairs("Outputs", "OutputKey", "OutputValue"),
        tags=pairs("Tags", "Key", "Value"),
        protected=description.get("EnableTerminationProtection", False),
        parent_id=description.get("ParentId", ""),
        root_id=description.get("RootId", ""),
    )


def tree(root: Stack, stacks: Iterable[Stack]) -> Tree:
    """Return the root and its nested stacks by logical path, such as `pacs/Network`, sorted.

    stacks: any stacks; those of other trees are left out, and the empty ones of change sets that
    an interrupted run has left.
    """
    members = [stack for stack in stacks if stack.root_id == root.stack_id]
    family = {stack.stack_id: stack for stack in members if stack.status != REVIEW_IN_PROGRESS}
    family[root.stack_id] = root

    def path(stack: Stack) -> str:
        if stack is root:
            return root.name
        parent = family.get(stack.parent_id, root)
        return f"{path(parent)}/{_logical_id(stack, parent)}"

    # Of two stacks with one path the last counts, and that must not be one that is to be gone.
    leaving_first = sorted(family.values(), key=lambda stack: stack.status != "DELETE_FAILED")
    by_path = {path(stack): stack for stack in leaving_first}
    return dict(sorted(by_path.items(), key=lambda item: item[0]))


def _logical_id(stack: Stack, parent: Stack) -> str:
    """Read the logical id from `<name of the parent>-<logical id>-<suffix>`."""
    return stack.name.removeprefix(f"{parent.name}-").rpartition("-")[0]


def summary(stack: Stack) -> dict[str, Any]:
    """Return what the modules tell about each stack of a tree."""
    return {"stack_id": stack.stack_id, "status": stack.status, "outputs": stack.outputs}
