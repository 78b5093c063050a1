# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tasks that index, four at a time, and the queue before them. Both end with the process."""

from __future__ import annotations

import json
import os
import queue
import threading
import time
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

from double import documents, files, log
from double.index import CorruptIndexError, Index
from double.log import Log

INDEX_SECONDS = float(os.environ.get("DOUBLE_INDEX_SECONDS", "0"))
THREADS = 4
NOT_INDEXED = (".nii.gz", ".jpg", ".png", ".gif", ".bmp", ".tiff", ".jpeg")
NULL_POINTER = "java.lang.NullPointerException: null"


class Task:
    """One call of the indexer for a file or a folder."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self.uid = str(uuid.uuid4())
        self.created = datetime.now()
        self.state = "running"  # then "complete" or "canceled"
        self.indexed = 0
        self.errors = 0
        self.begin = time.time_ns() // 1_000_000
        self.milliseconds = 0

    @property
    def name(self) -> str:
        """What the list of tasks calls it."""
        return f"[lucene]index {self.uri}"

    def report(self, elapsed: int | None = None) -> str:
        """Say what it has done so far; until its end, with the time of its begin."""
        time_ = self.begin if elapsed is None else elapsed
        return (
            f"IndexReport [nIndexedFiles={self.indexed}, nErrors={self.errors}, "
            f"elapsedTime={time_}]"
        )

    def entry(self) -> dict[str, Any]:
        """Return what GET /index/task says of it."""
        entry: dict[str, Any] = {
            "taskUid": self.uid,
            "taskName": self.name,
            "taskProgress": -1,
            "taskTimeCreated": self.created.isoformat(),
        }
        if self.state == "complete":
            entry |= {
                "complete": True,
                "elapsedTime": self.milliseconds,
                "nIndexed": self.indexed,
                "nErrors": self.errors,
            }
        elif self.state == "canceled":
            entry["canceled"] = True
        return entry

    def bean(self) -> dict[str, Any]:
        """Return what POST /management/tasks/index says of it."""
        now = self.created
        return {
            "cancelled": self.state == "canceled",
            "done": self.state != "running",
            "name": self.name,
            "progress": -1,
            "timeCreated": {
                "dayOfMonth": now.day,
                "dayOfWeek": now.strftime("%A").upper(),
                "dayOfYear": now.timetuple().tm_yday,
                "hour": now.hour,
                "minute": now.minute,
                "month": now.strftime("%B").upper(),
                "monthValue": now.month,
                "nano": now.microsecond * 1000,
                "second": now.second,
                "year": now.year,
            },
            "uid": self.uid,
        }


class Tasks:
    """The list of tasks, kept until it is longer than softRemoveTasks allows."""

    def __init__(self, most: int, removed_at_once: int) -> None:
        self._most = most
        self._removed_at_once = removed_at_once
        self._tasks: dict[str, Task] = {}
        self._lock = threading.Lock()
        self._look = False  # Dicoogle looks at every second task only

    def add(self, task: Task) -> None:
        """Keep a task, and forget finished ones when there are too many."""
        with self._lock:
            self._tasks[task.uid] = task
            if self._look and len(self._tasks) > self._most:
                finished = [each for each in self._tasks.values() if each.state != "running"]
                for each in finished[: self._removed_at_once]:
                    del self._tasks[each.uid]
            self._look = not self._look

    def close(self, uid: str) -> bool:
        """Forget a task."""
        with self._lock:
            return self._tasks.pop(uid, None) is not None

    def stop(self, uid: str) -> bool:
        """Cancel a task that has not ended."""
        task = self._tasks.get(uid)
        if task is None or task.state != "running":
            return False
        task.state = "canceled"
        return True

    def as_json(self) -> str:
        """Return the list and how many have not ended."""
        with self._lock:
            tasks = list(self._tasks.values())
        entries = [each.entry() for each in tasks]
        running = sum("complete" not in each and "canceled" not in each for each in entries)
        return json.dumps({"results": entries, "count": running}, separators=(",", ":"))


class Indexer:
    """Indexes files, and remembers the UID of every image that it looked at."""

    def __init__(self, index: Index, tasks: Tasks, log_: Log) -> None:
        self._index = index
        self._tasks = tasks
        self._log = log_
        self._uids: set[str] = set()
        self._transaction = threading.Lock()
        self._stored: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._dispatched: queue.SimpleQueue[Task] = queue.SimpleQueue()

    def start(self) -> None:
        """Start the threads."""
        self._thread("indexer-queue-worker", lambda: self.index(self._stored.get()))
        for number in range(1, THREADS + 1):
            self._thread(f"pool-2-thread-{number}", lambda: self._run(self._dispatched.get()))

    @staticmethod
    def _thread(name: str, work: Callable[[], object]) -> None:
        def forever() -> None:
            while True:
                work()

        threading.Thread(name=name, target=forever, daemon=True).start()

    def stored(self, uri: str) -> None:
        """Take note of a stored image, to be indexed later."""
        self._stored.put(uri)

    def index(self, uri: str) -> Task | None:
        """Start a task for a file or folder."""
        self._log.say(log.TO_BE_INDEXED, uri)
        if not files.is_file_uri(uri):
            self._log.say(log.NO_PLUGIN)
            return None
        task = Task(uri)
        self._dispatched.put(task)
        self._tasks.add(task)
        return task

    def _run(self, task: Task) -> None:
        if task.state == "canceled":
            return
        task.begin = time.time_ns() // 1_000_000
        number = id(task) & 0x7FFFFFFF
        added: list[documents.Fields] = []
        try:
            self._index.check()
            for place, (path, uri) in enumerate(self._indexable(task.uri), 1):
                if task.state == "canceled":
                    with self._transaction:
                        self._index.discard(added)
                    return
                self._index_file(task, number, place, path, uri, added)
            with self._transaction:
                self._index.commit()
        except (CorruptIndexError, OSError) as error:
            task.errors += 1
            self._log.say(log.TASK_FAILED, cause=f"java.io.IOException: {error}")
        task.milliseconds = time.time_ns() // 1_000_000 - task.begin
        self._log.say(log.TASK_INDEXED, number, task.report(task.milliseconds))
        task.state = "complete"
        self._log.say(log.TASK_COMPLETE, uuid.uuid4(), task.uri)

    @staticmethod
    def _indexable(uri: str) -> list[tuple[Any, str]]:
        return [each for each in files.below(uri) if not each[1].lower().endswith(NOT_INDEXED)]

    def _index_file(
        self, task: Task, number: int, place: int, path: Any, uri: str, added: list[Any]
    ) -> None:
        with self._transaction:
            time.sleep(INDEX_SECONDS)
            try:
                fields = documents.document(path, uri)
                uid = next(str(value) for name, value in fields if name == "SOPInstanceUID")
                if uid in self._uids or self._index.known(uid):
                    self._log.say(log.UID_KNOWN, uid)
                else:
                    self._index.add(fields)
                    added.append(fields)
                    task.indexed += 1
                self._uids.add(uid)
            except OSError as error:
                self._log.say(log.NO_DOCUMENT, cause=f"java.io.EOFException: {error}")
                task.errors += 1
            except Exception:  # whatever it is, the next file is indexed
                self._log.say(log.FILE_FAILED, number, place, uri, cause=NULL_POINTER)
                task.errors += 1
        self._log.say(log.FILE_INDEXED, number, place, uri, task.report())

    def unindex(self, uri: str) -> None:
        """Remove a file, or all files below a folder, from the index."""
        self._log.say(log.UNINDEXING, uri)
        self._remove(uri)
        self._log.say(log.UNINDEXED, uri)

    def unindex_all(self, uris: list[str]) -> None:
        """Remove several files."""
        self._log.say(log.UNINDEXING_ITEMS, len(uris))
        for uri in uris:
            self._remove(uri)
        self._log.say(log.UNINDEXING_COMPLETE, uuid.uuid4())

    def _remove(self, uri: str) -> None:
        try:
            with self._transaction:
                self._index.remove(uri)
        except (CorruptIndexError, OSError) as error:
            self._log.say(log.UNINDEX_FAILED, cause=f"java.io.IOException: {error}")
