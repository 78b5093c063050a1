# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the embedded ECS decides about services and containers, without any of them."""

from __future__ import annotations

from typing import Any

import pytest
from openpacs_embedded.service_decisions import Step, is_steady, next_step, pause_after
from openpacs_embedded.task_definitions import (
    Observation,
    health_check,
    may_start,
    never_starts,
    observation,
    options,
    overridden,
    stop_order,
)

SINGLE = {"minimumHealthyPercent": 0, "maximumPercent": 100}
ROLLING = {"minimumHealthyPercent": 100, "maximumPercent": 200}


@pytest.mark.parametrize(
    ("limits", "desired", "current", "earlier", "running", "step"),
    [
        pytest.param(SINGLE, 1, 0, 0, 0, Step(start=1), id="the first task"),
        pytest.param(SINGLE, 1, 1, 0, 0, Step(), id="nothing to do"),
        pytest.param(SINGLE, 1, 0, 1, 1, Step(stop_earlier=1), id="stop the old one first"),
        pytest.param(SINGLE, 1, 0, 1, 0, Step(), id="wait until the old one is gone"),
        pytest.param(ROLLING, 1, 0, 1, 1, Step(start=1), id="start the new one first"),
        pytest.param(ROLLING, 2, 1, 3, 3, Step(stop_earlier=1), id="make room within the limits"),
        pytest.param(SINGLE, 0, 1, 0, 0, Step(stop_current=1), id="scaled to nothing"),
    ],
)
def test_next_step(
    limits: dict[str, int], desired: int, current: int, earlier: int, running: int, step: Step
) -> None:
    service = {"desiredCount": desired, "deploymentConfiguration": limits}
    assert next_step(service, current, earlier, running) == step


@pytest.mark.parametrize(("failures", "pause"), [(0, 0), (1, 1), (3, 4), (50, 60)])
def test_a_failing_service_waits_longer_and_longer(failures: int, pause: float) -> None:
    assert pause_after(failures) == pause


def depending(condition: str) -> dict[str, Any]:
    return {"name": "b", "dependsOn": [{"containerName": "a", "condition": condition}]}


RUNNING = Observation(running=True)
HEALTHY = Observation(running=True, health="HEALTHY")
UNHEALTHY = Observation(running=True, health="UNHEALTHY")
SUCCEEDED = Observation(running=False, exit_code=0)
FAILED = Observation(running=False, exit_code=1)


@pytest.mark.parametrize(
    ("condition", "enough", "not_enough", "hopeless"),
    [
        ("START", [RUNNING, SUCCEEDED], [], []),
        ("HEALTHY", [HEALTHY], [RUNNING], [UNHEALTHY, SUCCEEDED]),
        ("COMPLETE", [SUCCEEDED, FAILED], [RUNNING], []),
        ("SUCCESS", [SUCCEEDED], [RUNNING], [FAILED]),
    ],
)
def test_containers_wait_for_those_they_depend_on(
    condition: str,
    enough: list[Observation],
    not_enough: list[Observation],
    hopeless: list[Observation],
) -> None:
    container = depending(condition)
    assert not may_start(container, {})
    assert all(may_start(container, {"a": seen}) for seen in enough)
    assert not any(may_start(container, {"a": seen}) for seen in not_enough + hopeless)
    assert not any(never_starts(container, {"a": seen}) for seen in enough + not_enough)
    assert all("dependency a" in never_starts(container, {"a": seen}) for seen in hopeless)


def test_containers_stop_before_those_they_depend_on() -> None:
    assert stop_order([{"name": "a"}, depending("HEALTHY"), {"name": "c"}]) == [["b", "c"], ["a"]]


def test_a_health_check_of_the_image_does_not_count() -> None:
    assert health_check({"name": "a"}) == {"test": ["NONE"]}
    wanted = health_check({"healthCheck": {"command": ["CMD", "check"], "interval": 15}})
    assert wanted["test"] == ["CMD", "check"]
    assert (wanted["interval"], wanted["timeout"]) == (15_000_000_000, 5_000_000_000)


def test_the_engine_is_told_nothing_that_opens_the_machine() -> None:
    wanted = {
        "name": "a",
        "privileged": True,
        "dockerSecurityOptions": ["seccomp=unconfined"],
        "linuxParameters": {"devices": [{"hostPath": "/dev/sda"}], "initProcessEnabled": True},
    }
    assert options(wanted) == {"init": True, "healthcheck": {"test": ["NONE"]}}


def test_what_the_engine_says_of_a_container_in_words_of_ecs() -> None:
    starting = {"Status": "running", "Health": {"Status": "starting"}}
    assert observation(starting) == RUNNING
    assert observation({"Status": "running", "Health": {"Status": "healthy"}}) == HEALTHY
    killed = observation({"Status": "exited", "ExitCode": 137, "OOMKilled": True})
    assert (killed.exit_code, killed.reason[:16]) == (137, "OutOfMemoryError")


def test_a_task_counts_when_its_health_checks_say_so() -> None:
    checked = {"containerDefinitions": [{"name": "a", "healthCheck": {"command": ["CMD", "x"]}}]}
    task = {"lastStatus": "RUNNING", "desiredStatus": "RUNNING", "healthStatus": "UNKNOWN"}
    assert not is_steady(task, checked, 100)
    assert is_steady({**task, "healthStatus": "HEALTHY"}, checked, 0)
    assert not is_steady(
        {**task, "healthStatus": "HEALTHY", "desiredStatus": "STOPPED"}, checked, 0
    )
    unchecked = {"containerDefinitions": [{"name": "a"}]}
    assert not is_steady(task, unchecked, 0.5)
    assert is_steady(task, unchecked, 1.5)


def test_overrides_change_command_and_environment() -> None:
    definition = {
        "containerDefinitions": [
            {"name": "a", "command": ["x"], "environment": [{"name": "K", "value": "old"}]},
            {"name": "b", "command": ["y"]},
        ]
    }
    override = {"name": "a", "command": ["z"], "environment": [{"name": "K", "value": "new"}]}
    first, second = overridden(definition, [override])["containerDefinitions"]
    assert (first["command"], first["environment"]) == (["z"], [{"name": "K", "value": "new"}])
    assert second["command"] == ["y"]
