# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Locks, by which a running server is known."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._embedded.locks import (
    exclusive,
    holder,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._errors import ModuleError

HOLD = """
import fcntl, sys, time
file = open(sys.argv[1], "w")
fcntl.flock(file, fcntl.LOCK_EX)
file.write("4711")
file.flush()
print("held", flush=True)
time.sleep(60)
"""


def test_nobody_holds_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert holder(tmp_path / "server.pid") is None


def test_stale_pid_means_nothing_even_if_another_process_has_it_now(tmp_path: Path) -> None:
    stale = tmp_path / "server.pid"
    stale.write_text(str(os.getpid()))
    assert holder(stale) is None


def test_holder_is_known_until_it_is_killed(tmp_path: Path) -> None:
    file = tmp_path / "server.pid"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(file)], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert holder(file) == 4711
        process.kill()
    assert holder(file) is None


def test_second_run_waits_for_its_turn_but_not_forever(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    with file.open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        turn = exclusive(file, timeout=0.1)
        with pytest.raises(ModuleError, match="Another run holds it"), turn:
            pass
    with exclusive(file, timeout=0.1):
        assert file.exists()
