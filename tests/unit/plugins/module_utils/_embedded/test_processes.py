# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Programs in a session of their own."""

from __future__ import annotations

import os
from pathlib import Path

from ansible_collections.openpacs.dicoogle.plugins.module_utils._embedded.processes import (
    spawn,
    wait,
)


def test_a_program_gets_its_environment_and_its_words_are_kept(tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = ["/bin/sh", "-c", 'echo "$GREETING"; echo trouble >&2; exit 3']
    assert wait(spawn(command, {"GREETING": "hello"}, log), 10) == 3
    assert log.read_text() == "hello\ntrouble\n"
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_program_has_a_session_of_its_own_and_waiting_for_it_is_bounded(tmp_path: Path) -> None:
    pid = spawn(["/bin/sleep", "60"], {}, tmp_path / "log")
    try:
        assert wait(pid, 0.1) is None
        assert os.getsid(pid) == pid
    finally:
        os.kill(pid, 9)
    assert wait(pid, 10) == -9


def test_a_program_that_does_not_exist_ends_at_once(tmp_path: Path) -> None:
    assert wait(spawn(["/nonexistent/program"], {}, tmp_path / "log"), 10) == 127
