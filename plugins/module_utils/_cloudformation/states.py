# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every state a stack can be in and what follows from it. Private to this collection.

Source: the StackStatus enumeration of the API and the CloudFormation User Guide, "Understand stack
creation events" and "Stack status codes".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum, auto


class Category(Enum):
    """What a status means."""

    EMPTY = auto()  # nothing is deployed
    BUSY = auto()  # an operation runs and will end without help
    COMPLETE = auto()  # the last operation did what was asked
    ROLLED_BACK = auto()  # the last operation failed, the version before it is in service
    NEVER_CREATED = auto()  # the creation failed; the stack can only be deleted
    STUCK = auto()  # the last operation failed half-way; a person has to decide


class Action(StrEnum):
    """What a run does with a stack; state=present does one of the first five by its state."""

    CREATE = auto()
    UPDATE = auto()
    WAIT = auto()
    REPLACE = auto()  # delete and create, if the user allows it
    REFUSE = auto()
    DELETE = auto()
    NONE = auto()


@dataclass(frozen=True)
class State:
    """A row of the table.

    advice: what a person does next, with `{name}` for the stack and `{stack}` for the options that
    let a command find it.
    """

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
    "Correct the cause, then run with on_rollback_complete=replace (a playbook with "
    "-e stack_on_rollback_complete=replace), which deletes the failed stack {name} and creates it "
    "again.",
)


def _stuck(advice: str) -> State:
    return State(Category.STUCK, Action.REFUSE, advice)


_CONTINUE_ROLLBACK = _stuck(
    "Correct the cause, run `aws cloudformation continue-update-rollback {stack}`, then run again. "
    "For a resource that cannot be rolled back, add --resources-to-skip LOGICAL_ID, or "
    "NESTED_STACK_NAME.LOGICAL_ID."
)
_UNKNOWN = _stuck(
    "This version of openpacs.dicoogle does not know the status: install a newer one, or bring the "
    "stack {name} back to a status ending in _COMPLETE in the AWS console."
)

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
    "UPDATE_FAILED": _stuck("Run `aws cloudformation rollback-stack {stack}`, then run again."),
    "UPDATE_ROLLBACK_IN_PROGRESS": _BUSY,
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": _BUSY,
    "UPDATE_ROLLBACK_COMPLETE": _ROLLED_BACK,
    "UPDATE_ROLLBACK_FAILED": _CONTINUE_ROLLBACK,
    "DELETE_IN_PROGRESS": _BUSY,
    "DELETE_COMPLETE": _EMPTY,
    "DELETE_FAILED": _stuck(
        "Remove what blocks the deletion and run with state=absent again, as the playbook destroy "
        "does. To leave a resource behind, run "
        "`aws cloudformation delete-stack {stack} --retain-resources LOGICAL_ID`."
    ),
    "IMPORT_IN_PROGRESS": _BUSY,
    "IMPORT_COMPLETE": _COMPLETE,
    "IMPORT_ROLLBACK_IN_PROGRESS": _BUSY,
    "IMPORT_ROLLBACK_COMPLETE": _ROLLED_BACK,
    "IMPORT_ROLLBACK_FAILED": _CONTINUE_ROLLBACK,
}


def category(status: str) -> Category:
    """Return what a stack's status means."""
    return _state(status).category


def action(status: str) -> Action:
    """Return what state=present does with a stack of this status."""
    return _state(status).action


def advice(status: str, name: str, cli_options: str = "") -> str:
    """Return what a person does next about a failed stack.

    cli_options: what the commands in it need besides, such as the region.
    """
    stack = f"--stack-name {name} {cli_options}".rstrip()
    return _state(status).advice.format(name=name, stack=stack)


def _state(status: str) -> State:
    """Return the row of a status, also of one that AWS has added since."""
    added = _BUSY if status.endswith("_IN_PROGRESS") else _UNKNOWN
    return STATES.get(status, added)
