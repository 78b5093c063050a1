# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Bring a stack to its desired state, always by change set. Private to this collection."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.openpacs.dicoogle.plugins.module_utils._aws import ModuleError
from ansible_collections.openpacs.dicoogle.plugins.module_utils._cloudformation import (
    api,
    changes,
    plan,
    stacks,
    states,
    template,
    waiter,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._cloudformation.changes import (
    Change,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._cloudformation.stacks import Stack
from ansible_collections.openpacs.dicoogle.plugins.module_utils._cloudformation.states import (
    Action,
    Category,
)

Tree = Mapping[str, Stack]  # by logical path, the root's is its name


class StackError(ModuleError):
    """An operation on a stack failed; details are more keys for the module's result."""

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.details = details


@dataclass(frozen=True)
class Run:
    """What all steps of a run share."""

    client: Any
    deadline: waiter.Deadline
    report: waiter.Report
    check_mode: bool

    def reader(self, name: str, stack_id: str) -> waiter.EventReader:
        """Return a reader of a stack's events that reports progress."""
        return waiter.EventReader(self.client, name, stack_id, self.report)


@dataclass(frozen=True)
class Outcome:
    """What a run did or, in check mode, would do.

    action: C(create), C(update), C(replace), C(delete) or C(none).
    tree: as it is afterwards.
    retained: resources left behind by a deletion.
    """

    action: str
    changes: Sequence[Change] = ()
    tree: Tree = field(default_factory=dict)
    retained: Sequence[Mapping[str, str]] = ()


def read_tree(client: Any, name: str, nested: bool) -> Tree:
    """Return a stack and its nested stacks, nothing when there is no such stack, in one call.

    nested: False saves reading the account's other stacks where the stack nests none.
    """
    if not nested:
        description = api.describe_stack(client, name)
        return {name: stacks.from_description(description)} if description else {}
    family = [stacks.from_description(item) for item in api.describe_stacks(client)]
    root = next((stack for stack in family if stack.name == name), None)
    return stacks.tree(root, family) if root else {}


def present(run: Run, desired: plan.Desired, may_replace: bool) -> Outcome:
    """Create, update or replace a stack, or do nothing when it is as desired."""
    tree = _settled(run, desired.name, desired.nested)
    stack = tree.get(desired.name)
    action = plan.next_action(stack, may_replace)
    if action is Action.REFUSE and stack:
        reader = waiter.EventReader(run.client, stack.name, stack.stack_id)
        raise _failure(reader, stack.status)
    if action is Action.REPLACE and stack:
        outcome = _replace(run, desired, stack)
    elif action is Action.UPDATE and stack:
        outcome = _update(run, desired, tree, stack)
    else:
        outcome = _by_change_set(run, desired, tree)
    return _protect(run, desired, outcome)


def absent(
    run: Run, name: str, role_arn: str | None, termination_protection: bool | None
) -> Outcome:
    """Delete a stack; termination_protection False takes its protection off first."""
    tree = _settled(run, name, nested=False)
    if name not in tree:
        return Outcome("none")
    stack = tree[name]
    if stack.protected and termination_protection is not False:
        raise ModuleError(
            f"Stack {name} is protected against deletion. "
            "To delete it nevertheless, run with termination_protection=false."
        )
    outcome = Outcome("delete", [Change(name, template.NESTED_STACK, "Remove")], tree)
    if run.check_mode:
        return outcome
    if stack.protected:
        api.set_termination_protection(run.client, name, False)
    return replace(outcome, tree={}, retained=_delete(run, stack, role_arn))


def _settled(run: Run, name: str, nested: bool) -> Tree:
    """Return the tree when no operation is under way any more."""
    while True:
        tree = read_tree(run.client, name, nested)
        stack = tree.get(name)
        if stack is None or states.category(stack.status) is not Category.BUSY:
            return tree
        if run.check_mode:
            raise ModuleError(
                f"Stack {name} is in {stack.status}, so what a run would change cannot be told. "
                "Try again when this operation has ended."
            )
        run.report(f"{name}: waiting for {stack.status} to end")
        reader = run.reader(name, stack.stack_id)
        run.deadline.poll(f"{stack.status} of stack {name} to end", reader.status)


def _replace(run: Run, desired: plan.Desired, stack: Stack) -> Outcome:
    """Delete a stack whose creation failed, and create it again."""
    replacement = Change(stack.name, template.NESTED_STACK, "Modify", "True", (stack.status,))
    if run.check_mode:
        return Outcome("replace", [replacement])
    retained = _delete(run, stack, desired.role_arn)
    outcome = _by_change_set(run, desired, {})
    changed = [replacement, *outcome.changes]
    return replace(outcome, action="replace", changes=changed, retained=retained)


def _update(run: Run, desired: plan.Desired, tree: Tree, stack: Stack) -> Outcome:
    deployed = api.get_template(run.client, stack.stack_id)
    if not plan.differences(stack, deployed, desired):
        return Outcome("none", tree=tree)
    return _by_change_set(run, desired, tree, plan.outputs_differ(deployed, desired))


def _by_change_set(
    run: Run, desired: plan.Desired, tree: Tree, outputs_differ: bool = False
) -> Outcome:
    """Plan by a change set and execute it, unless in check mode or for lack of changes."""
    stack = tree.get(desired.name)
    creating = stack is None or states.action(stack.status) is Action.CREATE
    request = plan.change_set_request(desired, "CREATE" if creating else "UPDATE", _token())
    with _ChangeSet(run, request, makes_shell=stack is None) as change_set:
        planned = _read_plan(run, desired.name, change_set.change_set_id, outputs_differ)
        if planned is None:
            return Outcome("none", tree=tree)
        outcome = Outcome("create" if creating else "update", planned, tree)
        if run.check_mode:
            return outcome
        token = change_set.execute()
    _wait(run, desired.name, change_set.stack_id, token)
    return replace(outcome, tree=read_tree(run.client, desired.name, desired.nested))


class _ChangeSet:
    """A change set that is deleted in the end, with the shell it made, unless it is executed."""

    def __init__(self, run: Run, request: dict[str, Any], makes_shell: bool) -> None:
        self.change_set_id, self.stack_id = api.create_change_set(run.client, request)
        self._run = run
        self._makes_shell = makes_shell
        self._executed = False

    def execute(self) -> str:
        """Start the operation; return the token that its events carry."""
        token = _token()
        api.execute_change_set(self._run.client, self.change_set_id, token)
        self._executed = True
        return token

    def __enter__(self) -> _ChangeSet:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._executed:
            return
        api.delete_change_set(self._run.client, self.change_set_id)
        self._run.deadline.poll(f"the deletion of change set {self.change_set_id}", self._is_gone)
        if self._makes_shell:
            _delete_shell(self._run, self.stack_id)

    def _is_gone(self) -> bool | None:
        """Answer only when the nested change sets, and with them this one, are deleted."""
        found = api.describe_change_set(self._run.client, self.change_set_id)
        return True if found is None else None


def _read_plan(
    run: Run, name: str, change_set_id: str, outputs_differ: bool
) -> list[Change] | None:
    """Return what a change set would change, None when that is nothing."""
    known = _change_sets(run, change_set_id)
    root = known[change_set_id]
    if changes.is_empty(root):
        return None
    if changes.has_failed(root):
        reason = changes.failure_reason(root, known)
        raise ModuleError(
            f"CloudFormation cannot plan the change of stack {name}: {reason} Nothing was changed."
        )
    planned = changes.fold(root, name, known)
    only_outputs = not root.get("Changes") or outputs_differ
    return planned if planned or only_outputs else None


def _change_sets(run: Run, root_id: str) -> dict[str, changes.ChangeSet]:
    """Return a change set and those of its nested stacks by id, when they are finished."""
    known: dict[str, changes.ChangeSet] = {}

    def read(change_set_id: str) -> None:
        def finished() -> changes.ChangeSet | None:
            change_set = api.describe_change_set(run.client, change_set_id)
            if change_set is None:
                raise ModuleError(f"Change set {change_set_id} is gone; was it deleted by hand?")
            return None if changes.is_pending(change_set) else change_set

        known[change_set_id] = run.deadline.poll(f"change set {change_set_id}", finished)
        for nested_id in changes.nested_ids(known[change_set_id]):
            if nested_id not in known:
                read(nested_id)

    read(root_id)
    return known


def _delete(run: Run, stack: Stack, role_arn: str | None) -> list[dict[str, str]]:
    """Delete a stack; return the resources that were left behind."""
    if states.category(stack.status) is Category.EMPTY:
        _delete_shell(run, stack.stack_id)
        return []
    token = _token()
    api.delete_stack(run.client, stack.stack_id, token, role_arn)
    reader = _wait(run, stack.name, stack.stack_id, token)
    return reader.retained()


def _delete_shell(run: Run, stack_id: str) -> None:
    """Delete a stack that holds nothing but change sets."""

    def gone() -> bool | None:
        found = api.describe_stack(run.client, stack_id)
        return True if found is None or found["StackStatus"] == "DELETE_COMPLETE" else None

    api.delete_stack(run.client, stack_id, _token(), None)
    run.deadline.poll(f"the deletion of stack {stack_id}", gone)


def _wait(run: Run, name: str, stack_id: str, token: str) -> waiter.EventReader:
    """Wait for the end of the operation with this token; raise StackError unless it succeeds."""
    reader = run.reader(name, stack_id)
    status = run.deadline.poll(f"stack {name}", lambda: reader.status(token))
    if states.category(status) not in (Category.COMPLETE, Category.EMPTY):
        raise _failure(reader, status)
    return reader


def _failure(reader: waiter.EventReader, status: str) -> StackError:
    causes = reader.failures()
    cause = f": {str(causes[0]).rstrip('. ')}" if causes else ""
    return StackError(
        f"Stack {reader.name} is in {status}{cause}. {states.advice(status, reader.name)}",
        stack_id=reader.stack_id,
        status=status,
        root_cause=[cause.result() for cause in causes],
        retained=reader.retained(),
    )


def _protect(run: Run, desired: plan.Desired, outcome: Outcome) -> Outcome:
    """Turn the termination protection on or off where it is not as desired."""
    wanted = desired.termination_protection
    stack = outcome.tree.get(desired.name)
    if wanted is None or wanted == (stack is not None and stack.protected):
        return outcome
    if not run.check_mode:
        api.set_termination_protection(run.client, desired.name, wanted)
    if outcome.action not in ("none", "update"):
        return outcome
    change = Change(
        desired.name, template.NESTED_STACK, "Modify", "False", ("EnableTerminationProtection",)
    )
    return replace(outcome, action="update", changes=[*outcome.changes, change])


def _token() -> str:
    """Return a unique name for a change set or an operation."""
    return f"openpacs-{uuid.uuid4()}"
