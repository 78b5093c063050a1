# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lines that say how far a module is, for its action plugin. Private to this collection."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def progress_writer(path: str | None) -> Callable[[str], None]:
    """Return a function that appends a line to the file; progress never makes a run fail."""

    def write(line: str) -> None:
        if path:
            with suppress(OSError), Path(path).open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")

    return write
