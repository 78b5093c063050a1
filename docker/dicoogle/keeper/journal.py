# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The journal: log lines of Dicoogle that say what is stored and what is indexed.

log4j2.xml decides which lines are kept. Their texts are those of Dicoogle 3.4.1 and 3.5.1 with the
plugins 3.5.0: FileStoragePlugin, LuceneIndexer and PluginController.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit


@dataclass(frozen=True)
class Assigned:
    """A file is about to be written for a C-STORE that is not answered yet."""

    time: float  # seconds since 1970
    path: str


@dataclass(frozen=True)
class NotWritten:
    """A file could not be written; log4j2.xml sees to it that its C-STORE fails."""

    path: str


@dataclass(frozen=True)
class LeadsOut:
    """The values of an image make a path with `..` in it; log4j2.xml has its C-STORE fail."""

    path: str


@dataclass(frozen=True)
class Read:
    """A task has read a file, and says how many it has put into the index so far."""

    task: str
    number: int  # of the file in the task, from 1
    path: str


@dataclass(frozen=True)
class Committed:
    """A task has ended, and with it, without errors, its files are in the index."""

    task: str
    indexed: int
    errors: int


@dataclass(frozen=True)
class Completed:
    """Dicoogle has done with a file or folder, whether it is in the index or not."""

    path: str


@dataclass(frozen=True)
class Unindexed:
    """A file or folder was taken out of the index; None: Dicoogle does not say which."""

    path: str | None


@dataclass(frozen=True)
class IndexFailed:
    """The index could not be opened."""


Event = Assigned | NotWritten | LeadsOut | Read | Committed | Completed | Unindexed | IndexFailed

_LINE = re.compile(r"(?P<time>\d{13}) [A-Z]+ (?P<logger>\w+) (?P<message>.*)")
_FORMS: list[tuple[str, re.Pattern[str], Callable[[float, re.Match[str]], Event]]] = [
    (
        "FileStoragePlugin",
        re.compile(r"Assigning new file to URI (.+)"),
        lambda time, found: Assigned(time, path_of(found[1])),
    ),
    (
        "FileStoragePlugin",
        re.compile(r"Failed to (?:store|create directories for) file (.+)"),
        lambda _time, found: NotWritten(path_of(found[1])),
    ),
    (
        "FileStoragePlugin",
        re.compile(r"Trying to store file to FS path (.+)"),
        lambda _time, found: LeadsOut(found[1]),
    ),
    (
        "LuceneIndexer",
        re.compile(r"Finished Indexing: (-?\d+),(\d+),(.+),IndexReport \["),
        lambda _time, found: Read(found[1], int(found[2]), path_of(found[3])),
    ),
    (
        "LuceneIndexer",
        re.compile(
            r"Finished Index Task: (-?\d+),IndexReport \[nIndexedFiles=(\d+), nErrors=(\d+)"
        ),
        lambda _time, found: Committed(found[1], int(found[2]), int(found[3])),
    ),
    (
        "LuceneIndexer",
        re.compile(r"Failed to open index"),
        lambda _time, _found: IndexFailed(),
    ),
    (
        "PluginController",
        re.compile(r"Task \[[^]]*\] complete on (\w+:.+)"),
        lambda _time, found: Completed(path_of(found[1])),
    ),
    (
        "PluginController",
        re.compile(r"Starting unindexing procedure for (\w+:.+)"),
        lambda _time, found: Unindexed(path_of(found[1])),
    ),
    (
        "PluginController",
        re.compile(r"\[\w+\] Starting unindexing procedure for \d+ items"),
        lambda _time, _found: Unindexed(None),
    ),
]


def path_of(uri: str) -> str:
    """Return the path that a `file:` URI names, or the same text if it is a path."""
    return unquote(urlsplit(uri).path) if uri.startswith("file:") else uri


def uri_of(path: str) -> str:
    """Return the `file:` URI of a path."""
    return Path(path).as_uri()


def parse(line: str) -> Event | None:
    """Return what a line says; None when it says nothing of use, or was torn."""
    split = _LINE.fullmatch(line)
    if split is None:
        return None
    for logger, form, event in _FORMS:
        if logger == split["logger"] and (found := form.match(split["message"])):
            return event(int(split["time"]) / 1000, found)
    return None


class Follower:
    """Reads the lines of a journal as they come, through the files that log4j2 rolls it into.

    The file that grows is `journal.log`. When it is full it becomes `journal-<number>.log`, and
    a later one gets a larger number than those that are there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stream: BinaryIO | None = None
        self._rest = b""
        self._done: set[int] = set()  # inodes of rolled files that were read to their ends

    @property
    def _current(self) -> Path:
        return self._folder / "journal.log"

    def events(self) -> Iterator[Event]:
        """Yield what has come since the last call."""
        while stream := self._stream or self._next():
            self._stream = stream
            rolled = self._is_rolled(stream)
            yield from self._read(stream)
            if not rolled:
                return
            self._done.add(os.fstat(stream.fileno()).st_ino)
            self._close()

    def sync(self) -> None:
        """Have the lines that came reach the disk, as they should survive the loss of a host."""
        if self._stream:
            os.fsync(self._stream.fileno())

    def discard_read(self) -> None:
        """Delete the rolled files that were read to their ends."""
        for path in self._rolled():
            if (inode := path.stat().st_ino) in self._done:
                path.unlink()
                self._done.discard(inode)

    def discard_all(self) -> None:
        """Delete all files. Dicoogle must not run."""
        self._close()
        self._done.clear()
        for path in [*self._rolled(), self._current]:
            path.unlink(missing_ok=True)

    def _rolled(self) -> list[Path]:
        return sorted(
            self._folder.glob("journal-*.log"), key=lambda path: int(path.stem.partition("-")[2])
        )

    def _next(self) -> BinaryIO | None:
        waiting = [path for path in self._rolled() if path.stat().st_ino not in self._done]
        with contextlib.suppress(FileNotFoundError):
            return (waiting[0] if waiting else self._current).open("rb")
        return None

    def _close(self) -> None:
        if self._stream:
            self._stream.close()
        self._stream, self._rest = None, b""

    def _is_rolled(self, stream: BinaryIO) -> bool:
        try:
            return os.fstat(stream.fileno()).st_ino != self._current.stat().st_ino
        except FileNotFoundError:
            return True

    def _read(self, stream: BinaryIO) -> Iterator[Event]:
        *lines, self._rest = (self._rest + stream.read()).split(b"\n")
        for line in lines:
            if event := parse(line.decode(errors="replace").rstrip("\r")):
                yield event
