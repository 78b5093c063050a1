# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Make, read, execute and delete change sets. Private to this collection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .._errors import ModuleError
from . import api, changes, stacks, states
from .changes import Change
from .drift import Drift
from .runs import PREFIX, Run, new_token
from .stacks import Stack


class OvertakenError(ModuleError):
    """Another run changes the stack at this moment; nothing was changed by this one."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"Another run, or a person, changed stack {name} while this run planned to. "
            "This run has changed nothing; run it again."
        )


class OwnChangeSet:
    """A change set that is deleted in the end, with the shell it made, unless it is executed."""

    def __init__(self, run: Run, request: dict[str, Any], creates_review_stack: bool) -> None:
        self.name = request["StackName"]
        try:
            self.change_set_id, self.stack_id = api.create_change_set(run.client, request)
        except ModuleError as error:
            if _is_busy(run, self.name):
                raise OvertakenError(self.name) from error
            raise
        self._run = run
        self._creates_review_stack = creates_review_stack
        self._executed = False

    def execute(self) -> str:
        """Start the operation; return the token that its events carry."""
        token = new_token()
        try:
            api.execute_change_set(self._run.client, self.name, self.change_set_id, token)
            self._executed = True
        except ModuleError as error:
            # The request may have arrived, and only its answer may be lost.
            try:
                found = self._find()
            except ModuleError:
                raise error from None
            if found is None:
                raise OvertakenError(self.name) from error
            self._executed = changes.has_begun(found)
            if not self._executed:
                raise
        return token

    def __enter__(self) -> OwnChangeSet:
        return self

    def __exit__(self, _type: object, first: BaseException | None, _trace: object) -> None:
        if self._executed:
            return
        try:
            self._discard()
        except ModuleError as error:
            if not isinstance(first, ModuleError):
                raise
            message = f"{first} Besides, what the plan had made was not removed: {error}"
            raise ModuleError(message, **first.details) from first

    def _discard(self) -> None:
        found = self._find()
        if found is not None and changes.has_begun(found):
            return
        _delete_change_set(self._run, self.name, self.change_set_id)
        if self._creates_review_stack:
            delete_review_stack(self._run, self.stack_id)

    def _find(self) -> api.Shape | None:
        return api.describe_change_set(self._run.client, self.name, self.change_set_id)


def _is_busy(run: Run, name: str) -> bool:
    found = api.describe_stack(run.client, name)
    return found is not None and states.category(found["StackStatus"]) is states.Category.BUSY


def delete_leftovers(run: Run, stack: Stack) -> list[api.Shape]:
    """Delete the change sets that interrupted runs have left; return those of other origin."""
    found = api.list_change_sets(run.client, stack.stack_id)
    waiting = [summary for summary in found if not changes.has_begun(summary)]
    others = []
    for summary in waiting:
        if summary["ChangeSetName"].startswith(PREFIX):
            _delete_change_set(run, stack.name, summary["ChangeSetId"])
        else:
            others.append(summary)
    return others


def _delete_change_set(run: Run, name: str, change_set_id: str) -> None:
    """Delete a change set and wait until those of nested stacks, and with them this, are gone."""

    def gone() -> bool | None:
        found = api.describe_change_set(run.client, name, change_set_id)
        return True if found is None else None

    api.delete_change_set(run.client, name, change_set_id)
    run.deadline.poll(f"the deletion of a change set of stack {name}", gone)


def delete_review_stack(run: Run, stack_id: str) -> None:
    """Delete a stack that holds nothing, not even a change set; leave any other alone."""

    def status() -> str:
        found = api.describe_stack(run.client, stack_id)
        return found["StackStatus"] if found else "DELETE_COMPLETE"

    def gone() -> bool | None:
        return True if status() == "DELETE_COMPLETE" else None

    if status() != stacks.REVIEW_IN_PROGRESS or api.list_change_sets(run.client, stack_id):
        return
    api.delete_stack(run.client, stack_id, new_token(), None)
    run.deadline.poll(f"the deletion of stack {stack_id}", gone)


@dataclass(frozen=True)
class Preview:
    """What a change set would change, None when that is nothing, and what was changed outside."""

    changes: list[Change] | None
    drift: Sequence[Drift] = ()


def read_plan(run: Run, name: str, change_set_id: str, outputs_differ: bool) -> Preview:
    """Return what a change set would change, and what was changed outside if it looks for that."""
    known = _change_sets(run, name, change_set_id)
    root = known[change_set_id]
    if changes.is_empty(root):
        return Preview(None)
    if changes.has_failed(root):
        failed = changes.failed_below(root, known)
        where = name if failed is root else f"{name}: {failed['StackName']}"
        raise ModuleError(
            f"CloudFormation cannot plan the change of stack {where}: "
            f"{_failure_reason(run, failed)} Nothing was changed."
        )
    planned = changes.fold(root, name, known)
    only_outputs = not root.get("Changes") or outputs_differ
    drift = changes.drifted(root, name, known)
    return Preview(planned if planned or only_outputs else None, drift)


def _failure_reason(run: Run, failed: changes.ChangeSet) -> str:
    """Return why a change set failed, from its events where these alone say so."""
    reason: str = failed.get("StatusReason", "")
    if not changes.is_explained_by_events(failed):
        return reason
    try:
        found = api.failed_events(run.client, failed["StackName"], failed["ChangeSetId"])
    except ModuleError as error:
        return f"{reason} {error}"
    return " ".join(changes.event_reasons(found)) or reason


def _change_sets(run: Run, name: str, root_id: str) -> dict[str, changes.ChangeSet]:
    """Return a change set and those of its nested stacks by id, when they are finished."""
    known: dict[str, changes.ChangeSet] = {}

    def read(change_set_id: str) -> None:
        def finished() -> changes.ChangeSet | None:
            change_set = api.describe_change_set(run.client, name, change_set_id)
            if change_set is None:
                raise OvertakenError(name)
            return None if changes.is_pending(change_set) else change_set

        known[change_set_id] = run.deadline.poll(f"a change set of stack {name}", finished)
        for nested_id in changes.nested_ids(known[change_set_id]):
            if nested_id not in known:
                read(nested_id)

    read(root_id)
    return known
