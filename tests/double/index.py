# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The index on disk: documents that were committed, and what a search finds in them.

`documents` grows by the lines of a commit, and only then `segments_1`, which is replaced at once,
says how long it is. So a process that is killed leaves the last commit; a file that was cut off is
a corrupt index, which is open to no search and to no writing; and without `segments_1` the index is
empty.
"""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from double import lucene
from double.documents import Fields, rendered


class CorruptIndexError(Exception):
    """An index that cannot be opened."""


class Index:
    """Committed documents, by number, and the words in them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.RLock()
        self._documents: dict[int, dict[str, str]] = {}
        self._words: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
        self._words_of: dict[int, list[tuple[str, str]]] = {}
        self._numbers: dict[str, set[int]] = defaultdict(set)  # of documents, by URI
        self._added: list[Fields] = []
        self._removed: set[str] = set()
        self._length = 0
        self._number = 0
        self.damage = ""
        try:
            self._open()
        except (OSError, ValueError) as error:
            self.damage = str(error) or type(error).__name__

    def _open(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / "write.lock").touch()
        segments, documents = self._folder / "segments_1", self._folder / "documents"
        if not segments.exists():
            documents.write_bytes(b"")
            self._write_segments(0)
            return
        length = int(json.loads(segments.read_text())["length"])
        content = documents.read_bytes()
        if len(content) < length:
            raise ValueError("codec footer mismatch (file truncated?)")
        for line in content[:length].splitlines():
            self._apply(json.loads(line))
        if len(content) > length:
            with documents.open("r+b") as stream:
                stream.truncate(length)
        self._length = length

    def _write_segments(self, length: int) -> None:
        pending = self._folder / "pending_segments_1"
        pending.write_text(json.dumps({"length": length}))
        pending.rename(self._folder / "segments_1")
        self._length = length

    def _apply(self, change: dict[str, Any]) -> None:
        if "uri" in change:
            for number in self._numbers.pop(change["uri"], ()):
                self._drop(number)
        else:
            self._keep(change["fields"])

    def _keep(self, fields: Fields) -> None:
        self._number += 1
        self._documents[self._number] = stored = {name: rendered(value) for name, value in fields}
        self._words_of[self._number] = words = [
            (name, word) for name, value in fields for word in searchable(value)
        ]
        for name, word in words:
            self._words[name][word].add(self._number)
        self._numbers[stored["uri"]].add(self._number)

    def _drop(self, number: int) -> None:
        del self._documents[number]
        for name, word in self._words_of.pop(number):
            self._words[name][word].discard(number)

    def add(self, fields: Fields) -> None:
        """Add a document, to be seen after the next commit."""
        with self._lock:
            self._added.append(fields)

    def discard(self, fields: list[Fields]) -> None:
        """Forget documents that were not committed."""
        with self._lock:
            self._added = [each for each in self._added if all(each is not one for one in fields)]

    def commit(self) -> None:
        """Let everyone see what was added and removed; OSError when the disk is full."""
        with self._lock:
            self.check()
            changes: list[dict[str, Any]] = [{"uri": uri} for uri in sorted(self._removed)]
            changes += [{"fields": fields} for fields in self._added]
            self._added, self._removed = [], set()
            if not changes:
                return
            lines = "".join(json.dumps(each, separators=(",", ":")) + "\n" for each in changes)
            with (self._folder / "documents").open("r+b", buffering=0) as stream:
                stream.seek(self._length)
                stream.truncate()
                content = lines.encode()
                if stream.write(content) != len(content):
                    raise OSError(28, "No space left on device")
            self._write_segments(self._length + len(content))
            for each in changes:
                self._apply(each)

    def check(self) -> None:
        """Raise when the index cannot be opened."""
        if self.damage:
            raise CorruptIndexError(self.damage)

    def remove(self, uri: str) -> None:
        """Remove the document of a file, or those of all files below a folder, and commit."""
        with self._lock:
            self.check()
            phrase = uri.replace("\\", "\\\\").replace('"', '\\"')
            for number in lucene.Query(f'uri:"{phrase}"', self).documents():
                self._removed.add(self._documents[number]["uri"])
            self.commit()

    def known(self, uid: str) -> bool:
        """Say whether an image was committed."""
        with self._lock:
            return bool(self.having("SOPInstanceUID", uid.lower()))

    def search(self, query: str) -> list[dict[str, str]]:
        """Return the fields of what matches; ParseError for a query that is no query."""
        with self._lock:
            self.check()
            for numeric in ("Float:", "Int:", "Numeric:"):
                query = query.replace(numeric, "")
            return [self._documents[n] for n in sorted(lucene.Query(query, self).documents())]

    def everything(self) -> set[int]:
        """Return all documents."""
        return set(self._documents)

    def having(self, field: str, word: str) -> set[int]:
        """Return the documents that have the word in the field."""
        return set(self._words[field].get(word, ())) if field in self._words else set()

    def matching(self, field: str, wanted: Callable[[str], bool]) -> set[int]:
        """Return the documents that have a wanted word in the field."""
        if field not in self._words:
            return set()
        return set().union(*(found for word, found in self._words[field].items() if wanted(word)))

    def text(self, document: int, field: str) -> str:
        """Return the text of a field."""
        return self._documents[document].get(field, "")


def searchable(value: str | float) -> list[str]:
    """Return the words that a value is found by: fractions by none."""
    if isinstance(value, str):
        return [word for _place, word in lucene.analyze(value)]
    return [str(value)] if isinstance(value, int) else []
