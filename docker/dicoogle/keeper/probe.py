# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether files can be written where images, index and journal live."""

from __future__ import annotations

import contextlib
import os
import queue
import threading
from pathlib import Path

SECONDS = 5.0  # for all folders; a network file system that hangs never answers
SIZE = 4096  # bytes, the least that EFS charges for
_NAME = ".write-probe-"


def problem(folders: list[Path]) -> str | None:
    """Write a file to the disk of each folder and remove it; what went wrong, or None."""
    answers: queue.Queue[str | None] = queue.Queue()
    threading.Thread(target=lambda: answers.put(_first_problem(folders)), daemon=True).start()
    try:
        return answers.get(timeout=SECONDS)
    except queue.Empty:
        return f"writing to {' or '.join(map(str, folders))} takes more than {SECONDS:g} s"


def remove_leftovers(folder: Path) -> None:
    """Remove what a probe has left that was killed."""
    for path in folder.glob(f"{_NAME}*"):
        path.unlink(missing_ok=True)


def _first_problem(folders: list[Path]) -> str | None:
    for folder in folders:
        path = folder / f"{_NAME}{os.getpid()}"
        try:
            with path.open("wb") as stream:
                stream.write(bytes(SIZE))
                stream.flush()
                os.fsync(stream.fileno())
            path.unlink()
        except OSError as error:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
            return f"{folder} cannot be written: {error.strerror}"
    return None
