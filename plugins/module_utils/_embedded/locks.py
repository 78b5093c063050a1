# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""File locks: they end with the process that holds them, however it ends."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import EmbeddedError


@contextmanager
def exclusive(file: Path, timeout: float) -> Iterator[None]:
    """Hold the lock on a file. Raises EmbeddedError when it is not to be had within timeout."""
    file.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + timeout
    with file.open("a") as handle:
        while not _try_lock(handle.fileno(), fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                raise EmbeddedError(
                    f"another run has been holding {file} for more than {timeout:.0f} s; "
                    "wait for it to end, then run this again"
                )
            time.sleep(0.05)
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
