# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every state a stack can be in has one row that says what to do."""

from __future__ import annotations

import botocore.loaders
import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._cloudformation import states
from ansible_collections.openpacs.dicoogle.plugins.module_utils._cloudformation.states import (
    Action,
    Category,
)


def known_to_the_service() -> set[str]:
    model = botocore.loaders.Loader().load_service_model("cloudformation", "service-2")
    return set(model["shapes"]["StackStatus"]["enum"])


def test_every_status_of_the_service_has_a_row() -> None:
    assert set(states.STATES) == known_to_the_service()


@pytest.mark.parametrize("status", sorted(states.STATES))
def test_a_running_operation_is_waited_for_and_no_other(status: str) -> None:
    running = status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS"
    assert (states.action(status) is Action.WAIT) == running


@pytest.mark.parametrize(
    ("status", "action"),
    [
        ("REVIEW_IN_PROGRESS", Action.CREATE),
        ("DELETE_COMPLETE", Action.CREATE),
        ("CREATE_COMPLETE", Action.UPDATE),
        ("UPDATE_ROLLBACK_COMPLETE", Action.UPDATE),
        ("IMPORT_ROLLBACK_COMPLETE", Action.UPDATE),
        ("CREATE_FAILED", Action.REPLACE),
        ("ROLLBACK_COMPLETE", Action.REPLACE),
        ("ROLLBACK_FAILED", Action.REPLACE),
        ("DELETE_FAILED", Action.REFUSE),
        ("UPDATE_FAILED", Action.REFUSE),
        ("UPDATE_ROLLBACK_FAILED", Action.REFUSE),
    ],
)
def test_what_follows_from_a_status(status: str, action: Action) -> None:
    assert states.action(status) is action


@pytest.mark.parametrize("status", sorted(states.STATES))
def test_whoever_has_to_act_is_told_how(status: str) -> None:
    left_to_the_user = states.category(status) in (
        Category.NEVER_CREATED,
        Category.ROLLED_BACK,
        Category.STUCK,
    )
    assert bool(states.advice(status, "pacs")) == left_to_the_user


def test_advice_names_the_stack_in_the_command() -> None:
    command = "aws cloudformation continue-update-rollback --stack-name pacs"
    assert command in states.advice("UPDATE_ROLLBACK_FAILED", "pacs")
