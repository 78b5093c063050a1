# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Bring a stack to its desired state, always by change set. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from .._deadline import DeadlineError
from .._errors import ModuleError
from . import api, change_sets, changes, events, plan, reports, stacks, states, template
from .changes import Change
from .drift import Drift
from .event_reader import EventReader
from .runs import Run, new_token
from .stacks import Stack, Tree
from .states import Action, Category


class OperationError(ModuleError):
    """An operation on a stack has ended, and not as it should."""


@dataclass(frozen=True)
class Outcome:
    """What a run did or, in check mode, would do.

    action: CREATE, UPDATE, REPLACE, DELETE or NONE.
    tree: as it is afterwards.
    retained: resources left behind by a deletion.
    drift: what was changed outside CloudFormation, as far as the run has looked.
    warnings: what a run would refuse, and what it would leave, in check mode.
    """

    action: Action
    changes: Sequence[Change] = ()
    tree: Tree = field(default_factory=dict)
    retained: Sequence[Mapping[str, str]] = ()
    drift: Sequence[Drift] = ()
    warnings: Sequence[str] = ()


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
    """Create, update or replace a stack, or do nothing when it is as desired.

    A run that is overtaken by another begins anew, once: it then waits for the other's operation.
    """
    try:
        outcome = _reach(run, desired, may_replace)
    except change_sets.OvertakenError:
        run.report(events.line(0, desired.name, "overtaken by another run, beginning anew"))
        outcome = _reach(run, desired, may_replace)
    return _protect(run, desired, outcome)


def _reach(run: Run, desired: plan.Desired, may_replace: bool) -> Outcome:
    """Bring a stack to its desired state when no operation is under way any more."""
    tree = _settled(run, desired.name, desired.nested)
    stack = tree.get(desired.name)
    if stack is None:
        return _by_change_set(run, desired, tree)
    match plan.next_action(stack, may_replace):
        case Action.REFUSE:
            reader = EventReader(run.client, stack.name, stack.stack_id)
            raise _failure(run, reader, stack.status)
        case Action.REPLACE:
            return _replace(run, desired, stack)
        case Action.UPDATE:
            return _update(run, desired, tree, stack)
        case _:
            return _by_change_set(run, desired, tree)


def absent(
    run: Run, name: str, role_arn: str | None, termination_protection: bool | None
) -> Outcome:
    """Delete a stack; termination_protection False takes its protection off first."""
    tree = _settled(run, name, nested=False)
    if name not in tree:
        return Outcome(Action.NONE)
    stack = tree[name]
    if stack.protected and termination_protection is not False:
        raise ModuleError(
            f"Stack {name} is protected against deletion. "
            "To delete it nevertheless, run with termination_protection=false."
        )
    outcome = Outcome(Action.DELETE, [Change(name, template.NESTED_STACK, "Remove")], tree)
    if run.check_mode:
        return outcome
    if stack.protected:
        api.set_termination_protection(run.client, name, False)
    return replace(outcome, tree={}, retained=_delete(run, stack, role_arn))


def _settled(run: Run, name: str, nested: bool) -> Tree:
    """Return the tree when no operation is under way any more."""

    def settled() -> Tree | None:
        tree = read_tree(run.client, name, nested)
        stack = tree.get(name)
        if stack is None or states.category(stack.status) is not Category.BUSY:
            return tree
        if run.check_mode:
            raise ModuleError(
                f"Stack {name} is in {stack.status}, so what a run would change cannot be told. "
                "Try again when this operation has ended."
            )
        run.report(events.line(0, name, f"waiting for {stack.status} to end"))
        reader = run.reader(name, stack.stack_id)
        run.deadline.poll(f"{stack.status} of stack {name} to end", reader.status)
        return None

    return run.deadline.poll(f"the operation on stack {name} to end", settled)


def _replace(run: Run, desired: plan.Desired, stack: Stack) -> Outcome:
    """Delete a stack whose creation failed, and create it again."""
    replacement = Change(stack.name, template.NESTED_STACK, "Modify", "True", (stack.status,))
    if run.check_mode:
        return Outcome(Action.REPLACE, [replacement])
    if stack.protected:
        api.set_termination_protection(run.client, stack.name, False)
    retained = _delete(run, stack, desired.role_arn)
    outcome = _by_change_set(run, desired, {})
    changed = [replacement, *outcome.changes]
    return replace(outcome, action=Action.REPLACE, changes=changed, retained=retained)


def _update(run: Run, desired: plan.Desired, tree: Tree, stack: Stack) -> Outcome:
    deployed = api.get_template(run.client, stack.stack_id)
    if gone := _gone(run, plan.kept_stacks(deployed, desired) - set(tree), stack):
        raise ModuleError(
            f"A nested stack was deleted outside stack {stack.name}, with all that was in it: "
            f"{', '.join(gone)}. No update can succeed. To bring it back, take it and what refers "
            "to it out of the template and run once, then put it back and run again."
        )
    differs = bool(plan.differences(stack, deployed, desired))
    outputs_differ = plan.outputs_differ(deployed, desired)
    if desired.revert_drift:
        return _by_change_set(run, desired, tree, outputs_differ, sees_drift=True)
    if run.check_mode and run.sees_drift:
        return _preview_with_drift(run, desired, tree, outputs_differ, differs)
    if not differs:
        return Outcome(Action.NONE, tree=tree)
    return _by_change_set(run, desired, tree, outputs_differ)


def _preview_with_drift(
    run: Run, desired: plan.Desired, tree: Tree, outputs_differ: bool, differs: bool
) -> Outcome:
    """Tell what a run would change, and what was changed outside and would be left as it is.

    differs: whether a run would change anything.
    """
    try:
        outcome = _by_change_set(run, desired, tree, outputs_differ, sees_drift=True)
    except DeadlineError:
        raise
    except ModuleError as error:
        plain = Outcome(Action.NONE, tree=tree)
        if differs:
            plain = _by_change_set(run, desired, tree, outputs_differ)
        unseen = f"What was changed outside CloudFormation cannot be shown: {error}"
        return replace(plain, warnings=[*plain.warnings, unseen])
    if not outcome.drift:
        return outcome
    outside = changes.changed_outside(outcome.drift)
    planned = [change for change in outcome.changes if not change.reverts]
    if differs and (planned or outputs_differ):
        return replace(outcome, changes=planned, warnings=[*outcome.warnings, outside])
    return replace(outcome, action=Action.NONE, changes=[], warnings=[outside])


def _gone(run: Run, unseen: set[str], root: Stack) -> list[str]:
    """Return the paths of nested stacks that a root lists though they are not seen."""
    if not unseen:
        return []
    listed = reports.resources(run.client, {root.name: root})
    return [
        item["path"]
        for item in listed
        if item["path"] in unseen and not item["status"].startswith("DELETE_")
    ]


def _by_change_set(
    run: Run,
    desired: plan.Desired,
    tree: Tree,
    outputs_differ: bool = False,
    sees_drift: bool = False,
) -> Outcome:
    """Plan by a change set and execute it, unless in check mode or for lack of changes.

    sees_drift: whether it also shows, and reverts, what was changed outside CloudFormation.
    """
    stack = tree.get(desired.name)
    creating = stack is None or states.action(stack.status) is Action.CREATE
    if stack and not run.check_mode:
        change_sets.delete_leftovers(run, stack)
    kind = "CREATE" if creating else "UPDATE"
    request = plan.change_set_request(desired, kind, new_token(), sees_drift)
    with change_sets.OwnChangeSet(run, request, creates_review_stack=stack is None) as change_set:
        preview = change_sets.read_plan(run, desired.name, change_set.change_set_id, outputs_differ)
        if preview.changes is None:
            return Outcome(Action.NONE, tree=tree)
        removed = _removed_with_stacks(run, desired.name, preview.changes)
        planned = changes.worst_first([*preview.changes, *removed])
        action = Action.CREATE if creating else Action.UPDATE
        outcome = Outcome(action, planned, tree, drift=preview.drift)
        losses = [
            change
            for change in planned
            if changes.loses_data(change) and change.path not in desired.allow_data_loss
        ]
        if run.check_mode:
            return replace(outcome, warnings=[changes.data_loss(losses)] if losses else [])
        if losses:
            raise ModuleError(f"{changes.data_loss(losses)} Nothing was changed.")
        token = change_set.execute()
    with _going_on(desired.name):
        if creating and desired.termination_protection:
            api.set_termination_protection(run.client, desired.name, True)
        _wait(run, desired.name, change_set.stack_id, token)
    return replace(outcome, tree=read_tree(run.client, desired.name, desired.nested))


def _removed_with_stacks(run: Run, name: str, planned: Sequence[Change]) -> list[Change]:
    """Return the resources with data in nested stacks to be removed, which no change set lists."""
    roots = [
        change.path
        for change in planned
        if change.type == template.NESTED_STACK and change.action == "Remove"
    ]
    if not roots:
        return []
    removed = {
        path: stack
        for path, stack in read_tree(run.client, name, nested=True).items()
        if any(path == root or path.startswith(f"{root}/") for root in roots)
    }
    listed = {change.path for change in planned}
    return [
        Change(item["path"], item["type"], "Remove")
        for item in reports.resources(run.client, removed)
        if item["type"] in changes.HOLD_DATA and item["path"] not in listed
    ]


def _delete(run: Run, stack: Stack, role_arn: str | None) -> list[dict[str, str]]:
    """Delete a stack; return the resources that were left behind."""
    if states.category(stack.status) is Category.EMPTY:
        if others := change_sets.delete_leftovers(run, stack):
            raise ModuleError(
                f"Stack {stack.name} is not deleted, because it holds the change set "
                f"{others[0]['ChangeSetName']}, which this collection did not make. "
                "Delete that first, in the AWS console for example, and run again."
            )
        change_sets.delete_review_stack(run, stack.stack_id)
        return []
    token = new_token()
    api.delete_stack(run.client, stack.stack_id, token, role_arn)
    with _going_on(stack.name):
        return _wait(run, stack.name, stack.stack_id, token).retained()


@contextmanager
def _going_on(name: str) -> Iterator[None]:
    """Say of an error that the operation on a stack does not end with it."""
    try:
        yield
    except (DeadlineError, OperationError):
        raise
    except ModuleError as error:
        message = f"{error} The operation on stack {name} goes on in AWS: run again to wait for it."
        raise ModuleError(message) from error


def _wait(run: Run, name: str, stack_id: str, token: str) -> EventReader:
    """Wait for the end of the operation with this token; raise ModuleError unless it succeeds."""
    reader = run.reader(name, stack_id)
    status = run.deadline.poll(f"stack {name}", lambda: reader.status(token))
    if states.category(status) not in (Category.COMPLETE, Category.EMPTY):
        raise _failure(run, reader, status)
    return reader


def _failure(run: Run, reader: EventReader, status: str) -> OperationError:
    causes = reader.failures()
    cause = f": {str(causes[0]).rstrip('. ')}" if causes else ""
    advice = states.advice(status, reader.name, run.cli_options)
    retained = reader.retained()
    return OperationError(
        f"Stack {reader.name} is in {status}{cause}. {advice}{_left_behind(retained)}",
        stack_id=reader.stack_id,
        status=status,
        root_cause=[cause.result() for cause in causes],
        retained=retained,
    )


def _left_behind(retained: Sequence[Mapping[str, str]]) -> str:
    items = [f"{item['path']} ({item['type']}, {item['physical_id']})" for item in retained]
    return f" It has left behind: {', '.join(items)}." if items else ""


def _protect(run: Run, desired: plan.Desired, outcome: Outcome) -> Outcome:
    """Turn the termination protection on or off where it is not as desired."""
    wanted = desired.termination_protection
    stack = outcome.tree.get(desired.name)
    if wanted is None or wanted == (stack is not None and stack.protected):
        return outcome
    if not run.check_mode:
        api.set_termination_protection(run.client, desired.name, wanted)
    if outcome.action not in (Action.NONE, Action.UPDATE):
        return outcome
    change = Change(
        desired.name, template.NESTED_STACK, "Modify", "False", ("EnableTerminationProtection",)
    )
    return replace(outcome, action=Action.UPDATE, changes=[*outcome.changes, change])
