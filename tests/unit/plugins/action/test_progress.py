# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Progress that is shown while the module runs."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
from ansible.plugins.action.normal import ActionModule as NormalActionModule
from ansible_collections.openpacs.dicoogle.plugins.action import s3_lock
from ansible_collections.openpacs.dicoogle.plugins.plugin_utils import _progress as plugin


class Task:
    """What the action plugin asks of a task."""

    def __init__(self, async_val: int = 0, **args: Any) -> None:
        self.async_val = async_val
        self.args = {"name": "pacs", **args}


class Connection:
    """What the action plugin asks of a connection."""

    def __init__(self, transport: str = "local") -> None:
        self.transport = transport


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the lines shown, with little time between looks."""
    lines: list[str] = []
    monkeypatch.setattr(plugin, "LOOK_EVERY", 0.01)
    monkeypatch.setattr(plugin.display, "display", lines.append)
    return lines


def run_action(
    task: Task, connection: Connection, action_module: type = plugin.ActionModule
) -> dict[str, Any]:
    """Run an action plugin as the task executor does; return the arguments the module got."""
    action = action_module(
        task, connection, play_context=None, loader=None, templar=None, shared_loader_obj=None
    )
    return action.run(task_vars={})


@pytest.fixture(autouse=True)
def _module(monkeypatch: pytest.MonkeyPatch) -> None:
    """Return, in place of running a module, the arguments it would get."""
    monkeypatch.setattr(
        NormalActionModule, "run", lambda self, tmp, task_vars: dict(self._task.args)
    )


def test_lines_are_shown_while_the_module_runs_and_after_its_last(shown: list[str]) -> None:
    with plugin.shown_progress() as path:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write("00:00 pacs: CREATE_IN_PROGRESS\n")
        end = time.monotonic() + 5
        while not shown and time.monotonic() < end:
            time.sleep(0.01)
        assert shown == ["  00:00 pacs: CREATE_IN_PROGRESS"]
        with Path(path).open("a", encoding="utf-8") as file:
            file.write("00:09 pacs: CREATE_COMPLETE\n")
    assert shown[1:] == ["  00:09 pacs: CREATE_COMPLETE"]


def test_the_file_is_private_and_goes_away(shown: list[str]) -> None:
    with plugin.shown_progress() as path:
        assert Path(path).stat().st_mode & 0o077 == 0
        assert Path(path).parent.stat().st_mode & 0o077 == 0
    assert not Path(path).parent.exists()


def test_the_module_gets_a_file_where_it_runs_on_the_control_node(shown: list[str]) -> None:
    task = Task()
    assert "progress_file" in run_action(task, Connection())
    assert task.args == {"name": "pacs"}


@pytest.mark.parametrize(
    ("task", "connection"),
    [(Task(async_val=60), Connection()), (Task(), Connection("ssh"))],
    ids=["in the background", "elsewhere"],
)
def test_no_file_where_it_could_not_be_read(task: Task, connection: Connection) -> None:
    assert run_action(task, connection) == {"name": "pacs"}


def test_a_lock_gets_the_process_that_ends_with_the_run(shown: list[str]) -> None:
    given = run_action(Task(), Connection(), s3_lock.ActionModule)
    assert given["process"] == os.getppid()
    assert "progress_file" in given
    assert "process" not in run_action(Task(), Connection("ssh"), s3_lock.ActionModule)


def test_a_file_of_the_user_stays() -> None:
    assert run_action(Task(progress_file="mine"), Connection())["progress_file"] == "mine"


def test_what_came_since_the_last_look_is_a_line_for_each_time_and_status() -> None:
    lines = [
        "00:00 pacs: CREATE_IN_PROGRESS\n",
        "00:01 pacs/Logs: CREATE_IN_PROGRESS\n",
        "00:02 pacs/Network: CREATE_IN_PROGRESS\n",
        "00:02 pacs/Logs: CREATE_COMPLETE\n",
        "00:02 pacs/Task: CREATE_IN_PROGRESS\n",
        "00:02 pacs/Alarms: CREATE_FAILED\n",
    ]
    assert plugin.merged(lines) == [
        "00:00 pacs: CREATE_IN_PROGRESS",
        "00:02 pacs/Network, pacs/Task: CREATE_IN_PROGRESS",
        "00:02 pacs/Logs: CREATE_COMPLETE",
        "00:02 pacs/Alarms: CREATE_FAILED",
    ]


def test_a_line_names_a_few_stacks() -> None:
    lines = [f"00:01 pacs/{name}: CREATE_COMPLETE" for name in "ABCDEF"]
    assert plugin.merged(lines) == [
        "00:01 pacs/A, pacs/B, pacs/C, pacs/D and 2 more: CREATE_COMPLETE"
    ]
