# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How Dicoogle is started and ended."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from keeper import process
from keeper.process import Process


def await_end(child: Process) -> int:
    for _unused in range(1000):
        if (status := child.ended()) is not None:
            return status
        time.sleep(0.01)
    raise AssertionError("it does not end")


def test_what_was_changed_while_it_ran_does_not_act_at_the_next_start(tmp_path: Path) -> None:
    configuration = tmp_path / "server.xml"
    configuration.write_text("rendered\n")
    script = f"cat {configuration} >> {tmp_path}/seen; echo changed > {configuration}"
    child = Process(["sh", "-c", script], configuration)
    for _unused in range(2):
        child.start()
        assert await_end(child) == 0
    assert (tmp_path / "seen").read_text() == "rendered\nrendered\n"


def test_a_signal_is_told_as_a_shell_tells_it(tmp_path: Path) -> None:
    (tmp_path / "server.xml").write_text("")
    child = Process(["sh", "-c", "kill -9 $$"], tmp_path / "server.xml")
    child.start()
    assert await_end(child) == 137


def test_one_that_does_not_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "server.xml").write_text("")
    monkeypatch.setattr(process, "STOP_SECONDS", 0.2)
    child = Process(
        ["sh", "-c", "trap '' TERM; while :; do sleep 0.05; done"], tmp_path / "server.xml"
    )
    child.start()
    time.sleep(0.2)
    child.stop()
    assert child.ended() == 137
