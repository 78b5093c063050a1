# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Files that come from elsewhere into the import folder, and stay there.

What is older than a time that is remembered is known. Newer files are indexed when they have
stopped changing and are whole: a copy under way is neither, whatever its name is meanwhile. In a
folder that was moved in, all files are new: moving it changes the time of none of them.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .dicom_file import examine

STABLE = 5.0  # seconds that a file must not have changed
PATIENCE = 600.0  # seconds after which a file that is still not whole is reported
PAUSE = 5.0  # seconds between two passes over the folder, at the least
PAUSE_FACTOR = 10  # a pause lasts at least so many times as long as the pass before it
SLACK = 120.0  # seconds by which clocks may differ, and a pass over the folder may take

Signature = tuple[int, int]  # size, time of change


@dataclass
class Candidate:
    """A file that is new."""

    seen: float
    changed: float
    signature: Signature


@dataclass(frozen=True)
class Found:
    """A file that can be indexed, or the reason why it never will be."""

    path: str
    uid: str
    problem: str | None


class ImportFolder:
    """Looks through the folder again and again; all times are seconds since 1970."""

    def __init__(self, folder: Path, known_until: float) -> None:
        self._folder = folder
        self._candidates: dict[str, Candidate] = {}
        self._handled: dict[str, Signature] = {}
        self._folders: set[int] = set()  # inodes of those that were looked through
        self.known_until = known_until
        self._pass: Iterator[Found | None] | None = None
        self._pass_began = self._next_pass = 0.0  # by the monotonic clock

    def step(self, seconds: float) -> Iterator[Found]:
        """Yield what is found in about so many seconds. The next step goes on from there."""
        now = time.monotonic()
        if self._pass is None:
            if now < self._next_pass:
                return
            self._pass, self._pass_began = self.look(time.time()), now
        for found in self._pass:
            if found:
                yield found
            if time.monotonic() > now + seconds:
                return
        taken = time.monotonic() - self._pass_began
        self._next_pass = time.monotonic() + max(PAUSE, PAUSE_FACTOR * taken)
        self._pass = None

    def look(self, now: float) -> Iterator[Found | None]:
        """Go through the folder once, and yield None between folders, so that others get a turn."""
        for path, status in self._recent_files():
            if status is None:
                yield None
                continue
            signature = (status.st_size, status.st_mtime_ns)
            if self._handled.get(path) != signature and path not in self._candidates:
                self._candidates[path] = Candidate(now, now, signature)
        for path in list(self._candidates):
            if found := self._judge(path, now):
                yield found
        self.known_until = min([now, *(each.seen for each in self._candidates.values())])
        self._forget_old()

    def _recent_files(self) -> Iterator[tuple[str, os.stat_result | None]]:
        is_first_pass = not self._folders
        folders = [(str(self._folder), False)]
        while folders:
            folder, moved_in = folders.pop()
            with contextlib.suppress(OSError):
                status = os.stat(folder)
                if status.st_ino not in self._folders:
                    self._folders.add(status.st_ino)
                    moved_in |= not is_first_pass or self._was_moved(status)
                has_new = moved_in or self._is_recent(status.st_mtime)
                for entry in os.scandir(folder):
                    if entry.name.startswith("."):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        folders.append((entry.path, moved_in))
                    elif has_new and entry.is_file(follow_symlinks=False):
                        status = entry.stat(follow_symlinks=False)
                        if moved_in or self._is_recent(status.st_ctime):
                            yield entry.path, status
            yield folder, None

    def _was_moved(self, folder: os.stat_result) -> bool:
        # An entry that comes or goes changes both times; a new name changes the first only.
        return self._is_recent(folder.st_ctime) and folder.st_ctime_ns > folder.st_mtime_ns

    def _is_recent(self, changed: float) -> bool:
        return changed >= self.known_until - SLACK

    def _judge(self, path: str, now: float) -> Found | None:
        candidate = self._candidates[path]
        try:
            status = os.stat(path)
            signature = (status.st_size, status.st_mtime_ns)
            if signature != candidate.signature:
                candidate.signature, candidate.changed = signature, now
            unchanged = now - candidate.changed
            if unchanged < STABLE:
                return None
            examination = examine(Path(path))
        except OSError:
            del self._candidates[path]  # it has another name now, or is gone
            return None
        if not examination.whole and unchanged < PATIENCE:
            return None
        del self._candidates[path]
        self._handled[path] = signature
        return Found(path, examination.sop_instance_uid, examination.problem)

    def _forget_old(self) -> None:
        for path in list(self._handled):
            try:
                old = not self._is_recent(os.stat(path).st_ctime)
            except OSError:
                old = True
            if old:
                del self._handled[path]
