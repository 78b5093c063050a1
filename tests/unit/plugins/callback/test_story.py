# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the callback says of a step, and of runs of a small playbook."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openpacs.dicoogle.plugins.callback.story import (
    Step,
    duration,
    place,
    plain_lines,
    recap,
    short,
)
from support import CHECKOUT
from support.playbook_runs import Run, ansible_command, ansible_environment, run_to_its_end

RUNS = Path(__file__).parent / "runs"
TIME = re.compile(r"\d+\.\d s|\d+ s")


class Role:
    """A role as tasks know it."""

    def get_name(self) -> str:
        """Return its name."""
        return "openpacs.dicoogle.pki"


@dataclass
class Block:
    """What the callback asks of a block."""

    name: str = ""
    _parent: Any = None
    _role: Role | None = None
    always: list[Any] = field(default_factory=list)


@dataclass
class Task(Block):
    """What the callback asks of a task, or of an import of tasks."""

    action: str = "ansible.builtin.debug"

    def get_name(self) -> str:
        """Return the name that Ansible gives where the playbook does not."""
        return self.name or self.action


def test_a_task_of_the_play_is_a_step() -> None:
    assert place(Task("Reach it", Block())) == ("Reach it", "Reach it")


def test_a_block_that_ends_with_always_holds_steps() -> None:
    guarded = Block("Deploy while other runs are kept out", always=[Task("Let others in")])
    assert place(Task("Reach it", guarded)) == ("Reach it", "Reach it")


def test_a_task_without_a_name_goes_by_its_action() -> None:
    assert place(Task(_parent=Block()))[0] == "ansible.builtin.debug"


def test_a_task_within_a_block_belongs_to_the_block() -> None:
    block = Block("Try it", Block())
    assert place(Task("leaf | Make the key.", block)) == ("Try it", "Make the key")


def test_a_task_of_an_imported_role_belongs_to_the_import() -> None:
    role = Role()
    imported = Task("Make the certificates", Block())
    part = Task("Issue those that are due", Block("", imported, role), role)
    task = Task("leaf | Make the key.", Block("", part, role), role)
    assert place(task) == ("Make the certificates", "Issue those that are due")


def test_a_task_of_a_role_of_the_play_belongs_to_the_role() -> None:
    role = Role()
    task = Task("Make the key", Block("", None, role), role)
    assert place(task) == ("openpacs.dicoogle.pki", "Make the key")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("leaf | Make the key.", "Make the key"),
        ("openpacs.dicoogle.pki : leaf | Make the key.", "Make the key"),
        ("Make the key", "Make the key"),
    ],
)
def test_the_short_name_of_a_task(name: str, expected: str) -> None:
    assert short(name) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.7, "1 min 0 s"),
        (3599.4, "59 min 59 s"),
        (3660, "1 h 1 min"),
    ],
)
def test_durations(seconds: float, expected: str) -> None:
    assert duration(seconds) == expected


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (Step("Do", 0, ran=2), "done in 5.0 s"),
        (Step("Do", 0), "skipped"),
        (Step("Do", 0, ran=2, changed=["Do"]), "done in 5.0 s, changed"),
        (Step("Do", 0, ran=2, changed=["A", "B", "A"]), "done in 5.0 s, changed: A; B"),
        (Step("Do", 0, ran=5, changed=list("ABCDE")), "done in 5.0 s, changed: A; B; C; 2 more"),
        (Step("Do", 0, ran=1, would_change=["Do"]), "done in 5.0 s, would change"),
        (Step("Do", 0, ran=2, failed=1, changed=["A"]), "ended after 5.0 s, 1 failed, changed: A"),
    ],
)
def test_how_a_step_ends(step: Step, expected: str) -> None:
    assert step.outcome(5) == expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("one\ntwo", ["one", "two"]),
        ("one   \n  two", ["one", "  two"]),
        (["one", "two\nthree"], ["one", "two", "three"]),
        (["same", "same", "other", "same"], ["same (2 times)", "other", "same"]),
        ({"a": 1}, None),
        (["one", 2], None),
        (None, None),
    ],
)
def test_messages(message: object, expected: list[str] | None) -> None:
    assert plain_lines(message) == expected


def test_the_recap_names_what_is_seldom_only_where_it_happened() -> None:
    summary = {"ok": 3, "changed": 1, "failures": 0, "unreachable": 0, "rescued": 0, "ignored": 0}
    assert recap("pacs", summary, 5) == "pacs : ok=3 changed=1 failed=0 after 5.0 s"
    rescued = recap("pacs", {**summary, "rescued": 2}, 5)
    assert rescued == "pacs : ok=3 changed=1 failed=0 rescued=2 after 5.0 s"


def run_playbook(
    folder: Path, name: str, *options: str, callback: str = "openpacs.dicoogle.story"
) -> Run:
    """Run a playbook of this folder with a callback."""
    collection = folder / "collections/ansible_collections/openpacs/dicoogle"
    if not collection.exists():
        collection.parent.mkdir(parents=True)
        collection.symlink_to(CHECKOUT)
    environment = ansible_environment(folder / "collections", CHECKOUT / "ansible.cfg")
    command = ansible_command(str(RUNS / name), "-i", str(RUNS / "hosts.yml"), *options)
    return run_to_its_end(
        [*command, "-e", f"folder={folder}"],
        folder,
        {**environment, "ANSIBLE_STDOUT_CALLBACK": callback},
    )


def told(run: Run) -> list[str]:
    """Return the lines of a story, with every time as T and banners without stars."""
    lines = (TIME.sub("T", line).rstrip(" *") for line in run.output.splitlines())
    return [line for line in lines if line]


def test_the_story_of_a_run(tmp_path: Path) -> None:
    run = run_playbook(tmp_path, "success.yml")
    assert not run.failed
    lines = told(run)
    of_other = [line for line in lines if "[other]" in line]
    assert of_other == ["  [other] name    value", "  [other] longer  value"]
    assert [line for line in lines if line not in of_other] == [
        "PLAY [Deploy]",
        "Prepare",
        "  name    value",
        "  longer  value",
        "  done in T, changed: Keep what there is",
        "Nothing to do",
        "  skipped",
        "Write a file",
        "  done in T, changed",
        "Say each",
        "  item 1",
        "  item 2",
        "  done in T",
        "Wait until it is there",
        "  trying again, up to 5 times: Wait until it is there",
        "  done in T",
        "localhost : ok=6 changed=2 failed=0 after T",
        "other : ok=3 changed=1 failed=0 after T",
    ]


def test_check_mode_tells_what_would_change_and_shows_the_difference(tmp_path: Path) -> None:
    lines = told(run_playbook(tmp_path, "success.yml", "--check", "--diff"))
    start = lines.index("Write a file")
    assert "+what it holds" in lines[start:]
    assert "  done in T, would change" in lines[start:]
    assert not (tmp_path / "written").exists()


def test_every_task_is_shown_on_demand(tmp_path: Path) -> None:
    lines = told(run_playbook(tmp_path, "success.yml", "-v"))
    assert "TASK [story : parts | Keep what there is.]" in lines
    assert any(line.startswith("changed: [localhost] => {") for line in lines)
    assert any(line.startswith("FAILED - RETRYING: [localhost]: Wait") for line in lines)


@pytest.fixture(scope="module")
def failures(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a run with failures: ignored, rescued and final ones."""
    return run_playbook(tmp_path_factory.mktemp("story"), "failure.yml")


def test_failures_are_shown_as_the_default_callback_shows_them(
    failures: Run, tmp_path: Path
) -> None:
    def details(run: Run) -> list[str]:
        shown = ("fatal:", "failed:", "...ignoring", "[ERROR]", "[WARNING]")
        return [line for line in run.output.splitlines() if line.startswith(shown)]

    default = run_playbook(tmp_path, "failure.yml", callback="ansible.builtin.default")
    assert failures.failed
    assert len(details(default)) >= 6
    assert details(failures) == details(default)


def test_a_step_that_failed_says_so(failures: Run) -> None:
    lines = told(failures)
    assert lines[lines.index("Mend it") :].index("  ended after T, 1 failed, changed: Repair") > 0
    assert lines[-2:] == [
        "  ended after T, 1 failed",
        "localhost : ok=3 changed=1 failed=1 rescued=1 ignored=1 after T",
    ]


def test_what_no_log_hides_stays_hidden(failures: Run) -> None:
    assert "the output has been hidden" in failures.output
    assert "classified" not in failures.output


@pytest.mark.parametrize(("plan", "said"), [("false", "changed"), ("true", "would change")])
def test_a_loop_that_runs_is_not_said_to_be_tried(tmp_path: Path, plan: str, said: str) -> None:
    run = run_playbook(tmp_path, "templated_check_mode.yml", "-e", f'{{"story_plan": {plan}}}')
    assert f"  done in T, {said}" in told(run)
