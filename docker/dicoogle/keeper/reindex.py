# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Has Dicoogle index a folder of its images again, the newest first.

It does so by folders, as each costs one commit. Dicoogle passes over what it has in its index.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

from . import log
from .dicoogle import Dicoogle

AT_ONCE = 8  # tasks; Dicoogle has four threads, and new images wait behind these


class Reindex:
    """One run. `step` is called again and again until `done`."""

    def __init__(self, path: str, dicoogle: Dicoogle) -> None:
        self.path = path
        self.done = False
        self._dicoogle = dicoogle
        self._begin = time.monotonic()
        self._seconds = 0.0
        self._listing = units(path)
        self._units: list[str] = []
        self._next = 0
        self._running: set[str] = set()
        self._indexed = 0
        self._errors = 0

    def step(self, until: float) -> None:
        """Go on until a time of the monotonic clock, or until there is nothing to do but wait."""
        for unit in self._listing:
            if unit:
                self._units.append(unit)
            if time.monotonic() > until:
                return
        self._collect()
        while len(self._running) < AT_ONCE and self._next < len(self._units):
            self._running.update(self._dicoogle.index([self._units[self._next]]))
            self._next += 1
        self.done = not self._running and self._next == len(self._units)
        self._seconds = time.monotonic() - self._begin

    def report(self) -> dict[str, Any]:
        """Report how far it is."""
        return {
            "path": self.path,
            "state": "done" if self.done else "running",
            "folders": len(self._units),
            "folders_done": self._next - len(self._running),
            "indexed": self._indexed,
            "errors": self._errors,
            "seconds": round(self._seconds, 1),
        }

    def _collect(self) -> None:
        if not self._running:
            return
        tasks = self._dicoogle.tasks()
        for task in self._running & tasks.reports.keys():
            indexed, errors = tasks.reports[task]
            self._indexed += indexed
            self._errors += errors
        self._running &= tasks.known - tasks.reports.keys()


def units(path: str) -> Iterator[str | None]:
    """Yield what to index: folders without folders in them, and the files of all others.

    None is yielded for each folder that was looked through.
    """
    folders, files = [], []
    try:
        entries = list(os.scandir(path))
    except OSError as problem:
        log.warn(f"{path} is passed over: {problem.strerror}")
        entries = []
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            folders.append(entry.path)
        elif entry.is_file(follow_symlinks=False):
            files.append(entry.path)
    yield None
    if folders:
        yield from sorted(files, reverse=True)
        for folder in sorted(folders, reverse=True):
            yield from units(folder)
    elif files:
        yield path
