# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is done to an embedded AWS in which situation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._embedded import lifecycle, server
from ansible_collections.openpacs.dicoogle.plugins.module_utils._embedded.layout import Layout
from ansible_collections.openpacs.dicoogle.plugins.module_utils._embedded.lifecycle import (
    Desired,
    Observed,
    plan,
)

SOURCE = Path("/source")
NEW = Observed(pid=None, port=None, digest=None, venv_ready=False, empty=True, has_key=False)
STOPPED = replace(NEW, port=4000, digest="d", venv_ready=True, empty=False, has_key=True)
RUNNING = replace(STOPPED, pid=1)
RUNNING_EMPTY = replace(RUNNING, empty=True)
NEW_REQUIREMENTS = replace(RUNNING, venv_ready=False)
LOST_KEY = replace(RUNNING, has_key=False)


@pytest.mark.parametrize(
    ("desired", "observed", "digest", "actions"),
    [
        (Desired("started", SOURCE), NEW, "d", ("install", "start")),
        (Desired("started", SOURCE), STOPPED, "d", ("start",)),
        (Desired("started", SOURCE), RUNNING, "d", ()),
        (Desired("started", SOURCE), RUNNING, "changed", ("stop", "start")),
        (Desired("started", SOURCE), NEW_REQUIREMENTS, "d", ("stop", "install", "start")),
        (Desired("started", SOURCE), LOST_KEY, "d", ("stop", "start")),
        (Desired("started", SOURCE, port=4000), RUNNING, "d", ()),
        (Desired("started", SOURCE, port=4001), RUNNING, "d", ("stop", "start")),
        (Desired("stopped", SOURCE), NEW, "d", ()),
        (Desired("stopped", SOURCE), STOPPED, "d", ()),
        (Desired("stopped", SOURCE), RUNNING, "changed", ("stop",)),
        (Desired("reset", SOURCE), NEW, "d", ()),
        (Desired("reset", SOURCE), STOPPED, "d", ("clear",)),
        (Desired("reset", SOURCE), RUNNING, "d", ("stop", "clear", "start")),
        (Desired("reset", SOURCE), RUNNING_EMPTY, "d", ()),
    ],
)
def test_plan(desired: Desired, observed: Observed, digest: str, actions: tuple[str, ...]) -> None:
    assert plan(desired, observed, digest) == actions


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A source folder with a program and requirements."""
    source = tmp_path / "embedded"
    (source / "openpacs_embedded").mkdir(parents=True)
    (source / "openpacs_embedded" / "__main__.py").write_text("")
    (source / "requirements.txt").write_text("nothing==1")
    return source


def test_check_mode_plans_and_leaves_no_trace(source: Path, tmp_path: Path) -> None:
    layout = Layout.at(tmp_path / "aws")
    outcome = lifecycle.reach(Desired("started", source), layout, check_mode=True)
    assert outcome.actions == ("install", "start")
    assert not layout.path.exists()


def test_stopped_where_nothing_ever_ran_changes_nothing(source: Path, tmp_path: Path) -> None:
    outcome = lifecycle.reach(Desired("stopped", source), Layout.at(tmp_path / "aws"))
    assert outcome.actions == ()
    assert not outcome.after.running


def test_steps_are_taken_in_the_order_of_the_plan(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = Layout.at(tmp_path / "aws")
    started: list[int] = []
    monkeypatch.setattr(lifecycle.venv, "ensure", lambda venv, _: venv.mkdir(parents=True))

    def start(layout: Layout, _source: Path, port: int, _digest: str) -> int:
        assert layout.venv.is_dir()
        started.append(port)
        return 1

    monkeypatch.setattr(server, "start", start)
    lifecycle.reach(Desired("started", source, port=server.free_port()), layout)
    assert len(started) == 1
