# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every state a stack can be in and what follows from it. Private to this collection.

Source: the StackStatus enumeration of the API and the CloudFormation User Guide, "Understand stack
creation events" and "Stack status codes".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class Category(Enum):
    """What a status means."""

    EMPTY = auto()  # nothing is deployed
    BUSY = auto()  # an operation runs and will end without help
    COMPLETE = auto()  # the last operation did what was asked
    ROLLED_BACK = auto()  # the last operation failed, the version before it is in service
    NEVER_CREATED = auto()  # the creation failed; the stack can only be deleted
    STUCK = auto()  # the last operation failed half-way; a person has to decide


class Action(Enum):
    """What state=present does with a stack in this state."""

    CREATE = auto()
    UPDATE = auto()
    WAIT = auto()
    REPLACE = auto()  # delete and create, if the user allows it
    REFUSE = auto()


@dataclass(frozen=True)
class State:
    """A row of the table; advice says what a person does next, with C({name}) for the stack."""

    category: Category
    action: Action
    advice: str = ""


_EMPTY = State(Category.EMPTY, Action.CREATE)
_BUSY = State(Category.BUSY, Action.WAIT)
_COMPLETE = State(Category.COMPLETE, Action.UPDATE)
_ROLLED_BACK = State(
    Category.ROLLED_BACK,
    Action.UPDATE,
    "The version before it is in service again; correct the cause and run again.",
)
_NEVER_CREATED = State(
    Category.NEVER_CREATED,
    Action.REPLACE,
    "Correct the cause, then run with on_rollback_complete=replace, "
    "which deletes the failed stack {name} and creates it again.",
)


def _stuck(advice: str) -> State:
    return State(Category.STUCK, Action.REFUSE, advice)


STATES = {
    "REVIEW_IN_PROGRESS": _EMPTY,
    "CREATE_IN_PROGRESS": _BUSY,
    "CREATE_COMPLETE": _COMPLETE,
    "CREATE_FAILED": _NEVER_CREATED,
    "ROLLBACK_IN_PROGRESS": _BUSY,
    "ROLLBACK_COMPLETE": _NEVER_CREATED,
    "ROLLBACK_FAILED": _NEVER_CREATED,
    "UPDATE_IN_PROGRESS": _BUSY,
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": _BUSY,
    "UPDATE_COMPLETE": _COMPLETE,
    "UPDATE_FAILED": _stuck("Run `aws cloudformation rollback-stack --stack-name {name}`."),
    "UPDATE_ROLLBACK_IN_PROGRESS": _BUSY,
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": _BUSY,
    "UPDATE_ROLLBACK_COMPLETE": _ROLLED_BACK,
    "UPDATE_ROLLBACK_FAILED": _stuck(
        "Correct the cause, then run "
        "`aws cloudformation continue-update-rollback --stack-name {name}`."
    ),
    "DELETE_IN_PROGRESS": _BUSY,
    "DELETE_COMPLETE": _EMPTY,
    "DELETE_FAILED": _stuck(
        "Remove what blocks the deletion and run with state=absent again; to leave a resource "
        "behind, run `aws cloudformation delete-stack --stack-name {name} --retain-resources "
        "<logical id>`."
    ),
    "IMPORT_IN_PROGRESS": _BUSY,
    "IMPORT_COMPLETE": _COMPLETE,
    "IMPORT_ROLLBACK_IN_PROGRESS": _BUSY,
    "IMPORT_ROLLBACK_COMPLETE": _ROLLED_BACK,
    "IMPORT_ROLLBACK_FAILED": _stuck(
        "Correct the cause, then run "
        "`aws cloudformation continue-update-rollback --stack-name {name}`."
    ),
}


def category(status: str) -> Category:
    """Return what a stack's status means."""
    return STATES[status].category


def action(status: str) -> Action:
    """Return what state=present does with a stack of this status."""
    return STATES[status].action


def advice(status: str, name: str) -> str:
    """Return what a person does next about a failed stack."""
    return STATES[status].advice.format(name=name)
