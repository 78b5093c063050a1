# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""File locks: they end with the process that holds them, however it ends."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .._deadline import LOCAL, Deadline


@contextmanager
def exclusive(file: Path, timeout: float) -> Iterator[None]:
    """Hold the lock on a file.

    Raises DeadlineError: it is not to be had within timeout, in seconds.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    advice = "Another run holds it: wait for its end, then run this again."
    deadline = Deadline(timeout, advice, LOCAL)
    with file.open("a") as handle:
        deadline.poll(
            f"the lock on {file}", lambda: _try_lock(handle.fileno(), fcntl.LOCK_EX) or None
        )
        yield


def holder(pid_file: Path) -> int | None:
    """Return the process id that a locked pid file contains, None when nobody locks it."""
    try:
        with pid_file.open() as handle:
            if _try_lock(handle.fileno(), fcntl.LOCK_SH):
                return None
            return int(handle.read())
    except (FileNotFoundError, ValueError):  # not started yet, or locked a moment ago
        return None


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
