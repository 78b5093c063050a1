# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Programs that outlive the module, or that run where there is no module to run them."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

PAUSE = 0.05  # seconds between two looks


def spawn(command: Sequence[str], environment: Mapping[str, str], log: Path) -> int:
    """Start a program in a session of its own and return its process id.

    A module's run_command waits for the end of what it runs, and a server has none. So this forks,
    as ansible.module_utils.service does for services.

    command: the program's path and its arguments.
    log: takes what it prints; it reads nothing.
    """
    pid = os.fork()
    if pid:
        return pid
    try:
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 1)
        os.dup2(1, 2)
        os.execve(command[0], list(command), dict(environment))
    finally:
        os._exit(127)


def exit_code(pid: int) -> int | None:
    """Return the exit code of a spawned program, or None while it runs."""
    ended, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None


def wait(pid: int, timeout: float) -> int | None:
    """Return the exit code of a spawned program, or None when it still runs after the timeout."""
    deadline = time.monotonic() + timeout
    while (code := exit_code(pid)) is None and time.monotonic() < deadline:
        time.sleep(PAUSE)
    return code
