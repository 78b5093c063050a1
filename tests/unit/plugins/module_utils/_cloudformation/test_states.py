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


def test_a_status_that_aws_has_added_is_waited_for_or_refused_with_advice() -> None:
    assert states.action("REFACTOR_IN_PROGRESS") is Action.WAIT
    assert states.action("REFACTOR_FAILED") is Action.REFUSE
    assert "stack pacs back" in states.advice("REFACTOR_FAILED", "pacs")


@pytest.mark.parametrize("status", sorted(states.STATES))
def test_whoever_has_to_act_is_told_how(status: str) -> None:
    left_to_the_user = states.category(status) in (
        Category.NEVER_CREATED,
        Category.ROLLED_BACK,
        Category.STUCK,
    )
    assert bool(states.advice(status, "pacs")) == left_to_the_user


STUCK = [s for s in sorted(states.STATES) if states.category(s) is Category.STUCK]


@pytest.mark.parametrize("status", STUCK)
def test_commands_in_advice_can_be_run_as_they_are(status: str) -> None:
    advice = states.advice(status, "pacs", "--region eu-west-1 --profile hospital")
    commands = advice.split("`")[1::2]
    assert commands
    for command in commands:
        assert command.startswith("aws cloudformation ")
        assert "--stack-name pacs --region eu-west-1 --profile hospital" in command


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("ROLLBACK_COMPLETE", ["on_rollback_complete=replace", "stack_on_rollback_complete"]),
        ("DELETE_FAILED", ["state=absent", "the playbook destroy", "--retain-resources"]),
        ("UPDATE_ROLLBACK_FAILED", ["--resources-to-skip"]),
    ],
)
def test_advice_speaks_of_the_options_and_of_the_variables_of_the_roles(
    status: str, words: list[str]
) -> None:
    advice = states.advice(status, "pacs")
    assert all(word in advice for word in words)


def test_advice_without_region_and_profile_has_no_gap() -> None:
    assert "--stack-name pacs`" in states.advice("UPDATE_FAILED", "pacs")
