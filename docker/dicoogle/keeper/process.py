# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Dicoogle's process."""

from __future__ import annotations

import subprocess
from pathlib import Path

from . import log

STOP_SECONDS = 15.0  # Dicoogle needs 0.4 to 2.3 s


class Process:
    """The one child of the keeper, started each time with the same configuration file.

    Dicoogle rewrites the file when somebody changes a setting in its web page, and would act on all
    of it at its next start: also on a folder to watch, which loses images.
    """

    def __init__(self, command: list[str], configuration: Path) -> None:
        self._command = command
        self._configuration = configuration
        self._rendered = configuration.read_bytes()
        self._child: subprocess.Popen[bytes]

    def start(self) -> None:
        """Start it."""
        self._configuration.write_bytes(self._rendered)
        self._child = subprocess.Popen(self._command)

    def ended(self) -> int | None:
        """Return its exit status as a shell shows it, None while it runs."""
        status = self._child.poll()
        return status if status is None or status >= 0 else 128 - status

    def stop(self) -> None:
        """Ask it to end, and make it."""
        self._child.terminate()
        try:
            self._child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            log.warn(f"Dicoogle did not end within {STOP_SECONDS:g} s and is killed.")
            self._child.kill()
            self._child.wait()
