# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The loop that ties it together: follow the journal, and see to what is missing."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any

from . import log, metrics, probe, status
from .dicom_file import examine
from .dicoogle import Dicoogle, NoAnswerError
from .imports import ImportFolder
from .journal import Follower, IndexFailed, LeadsOut, NotWritten, uri_of
from .ledger import Ledger
from .process import Process
from .reindex import Reindex
from .settings import Settings

TICK = 0.2  # seconds between two looks at the journal
SLICE = 0.2  # seconds that looking through folders may take in a tick
DISK_PAUSE = 5.0  # seconds between two probes of the disk
SAVE_PAUSE = 10.0
MINUTE = 60.0
DRAIN = 100.0  # seconds; ECS allows 120 from SIGTERM to SIGKILL
DRAIN_STEP = 0.2
CALM = 3  # steps of a drain without anything under way
QUIET = 15.0  # seconds without C-STORE before the keeper restarts Dicoogle
RESTART_PAUSE = 300.0  # seconds between two of these restarts
RESTART_LASTS = 180.0  # seconds that one may take and the container still be called healthy
TRIES = 3  # to have an image indexed that Dicoogle has passed over
STILL = 10.0  # seconds that a file must not have changed before it is called cut
SENT_AT_ONCE = 200  # images handed to Dicoogle in a tick
LOOKED_UP_AT_ONCE = 50  # images


class Keeper:
    """Keeps one Dicoogle, from start to end."""

    def __init__(self, settings: Settings, process: Process) -> None:
        self._settings = settings
        self._process = process
        self._dicoogle = Dicoogle(settings)
        self._follower = Follower(settings.journal)
        self._state = settings.journal / "keeper.json"
        self._ledger = Ledger()
        self._is_first_start = False
        self._imports: ImportFolder | None = None
        self._reindex: Reindex | None = None
        self._asked_to_reindex: str | None = None
        self._to_send: deque[str] = deque()
        self._passed_over: set[str] = set()  # to be sent after a restart
        self._lacks_memory = False
        self._ready = False
        self._restarting_since: float | None = None
        self._last_restart: float | None = None
        self._disk_problem: str | None = None
        self._storage_open = True
        self._index_suspected = False
        self._due: dict[str, float] = {}
        self._end = threading.Event()
        self._said = self._describe()

    # ---- What others call ----

    def end(self) -> None:
        """Have `run` come to its end in good order. A signal handler may call it."""
        self._end.set()

    def note_lack_of_memory(self) -> None:
        """Note that Java has run out of memory. A signal handler may call it."""
        self._lacks_memory = True

    def status(self) -> dict[str, Any]:
        """Return what the keeper's page and the metrics say. Any thread may call it."""
        reindex = self._reindex
        return {
            **self._said,
            "restarting": self._is_restarting(),
            "reindex": reindex.report() if reindex else None,
        }

    def request_reindex(self, path: str | None) -> None:
        """Begin to index a folder again, None for all.

        Raises status.RefusedError: one is under way, or the path is no folder of images.
        """
        folder = Path(path) if path else self._settings.images
        inside = folder.resolve().is_relative_to(self._settings.images.resolve())
        if not (folder.is_absolute() and inside and folder.is_dir()):
            raise status.RefusedError(
                HTTPStatus.BAD_REQUEST, f"{path} is no folder in {self._settings.images}."
            )
        if self._asked_to_reindex or (self._reindex and not self._reindex.done):
            raise status.RefusedError(
                HTTPStatus.CONFLICT, "A folder is being indexed again. Wait until it is done."
            )
        self._asked_to_reindex = str(folder)
        self._reindex = Reindex(str(folder), self._dicoogle)

    def run(self) -> int:
        """Run Dicoogle until it ends, or until this is to end; the exit status."""
        self._prepare()
        self._process.start()
        with status.serving(self._settings.keeper_port, self):
            while not self._end.wait(TICK):
                ended = self._process.ended()
                if ended is not None:
                    log.error(f"Dicoogle has ended by itself with {ended}. See its last lines.")
                    return ended or 1
                try:
                    self._tick()
                except (NoAnswerError, OSError) as problem:
                    self._complain(str(problem))
                self._said = self._describe()
            return self._finish()

    # ---- Begin and end ----

    def _prepare(self) -> None:
        """Read what the last task has left, to which nothing is added now."""
        self._settings.journal.mkdir(exist_ok=True)
        for folder in (self._settings.images, self._settings.journal):
            probe.remove_leftovers(folder)
        try:
            self._ledger = Ledger.load(self._state)
        except FileNotFoundError:
            self._is_first_start = True
        except ValueError as problem:
            self._is_first_start = True
            log.error(f"{problem}. It is begun anew from the journal.")
        self._follow()
        self._ledger.index_failed = False
        self._compact()
        self._to_send.extend(self._ledger.missing)
        if self._to_send:
            log.info(f"{len(self._to_send)} images are stored and not indexed yet.")
        if self._settings.import_folder:
            self._imports = ImportFolder(self._settings.import_folder, self._ledger.imported_until)
        if self._ledger.reindexing:
            self._reindex = Reindex(self._ledger.reindexing, self._dicoogle)

    def _finish(self) -> int:
        """Let Dicoogle index what it has, and end it."""
        begin = time.monotonic()
        if self._ready:
            self._drain(DRAIN)
        self._process.stop()
        self._follow()
        self._compact()
        left = len(self._ledger.missing)
        log.info(
            f"Ended {time.monotonic() - begin:.1f} s after being told to; "
            f"{left} stored images are left to be indexed at the next start."
        )
        return 0

    def _drain(self, seconds: float) -> None:
        """Take no new associations, and wait until nothing is under way."""
        deadline = time.monotonic() + seconds
        try:
            self._dicoogle.close_storage()
            calm = 0
            while calm < CALM and time.monotonic() < deadline:
                time.sleep(DRAIN_STEP)
                self._follow()
                calm = 0 if self._is_busy() else calm + 1
        except NoAnswerError as problem:
            log.warn(f"{problem}. What is not indexed will be at the next start.")

    def _is_busy(self) -> bool:
        under_way = set(self._ledger.waiting).difference(self._to_send)
        storing = time.time() - self._ledger.last_stored < 2 * DRAIN_STEP
        return bool(under_way) or storing or self._dicoogle.tasks().running > 0

    # ---- A tick ----

    def _describe(self) -> dict[str, Any]:
        ledger = self._ledger
        return {
            "not_findable": len(ledger.missing),
            "oldest_seconds": round(ledger.oldest(time.time()), 1),
            "storage_open": self._ready and self._storage_open,
            "index": "lost" if ledger.index_lost else "ok",
            "never_findable": [
                {
                    "sop_instance_uid": each.sop_instance_uid,
                    "uri": uri_of(path),
                    "reason": each.reason,
                }
                for path, each in ledger.never_findable.items()
            ],
        }

    def _complain(self, problem: str) -> None:
        self._every(MINUTE, lambda: log.warn(f"{problem}. It is tried again."), "complain")

    def _tick(self) -> None:
        self._follow()
        self._every(DISK_PAUSE, self._watch_disk)
        self._every(MINUTE, self._report)
        self._every(SAVE_PAUSE, self._save)
        if not self._ready:
            self._ready = self._dicoogle.answers()
            if not self._ready:
                return
            self._welcome()
        self._obey_disk()
        self._send()
        self._look_up()
        self._import()
        self._go_on_reindexing()
        self._every(MINUTE, self._check_index)
        self._restart_if_wanted()

    def _every(self, pause: float, action: Callable[[], None], name: str = "") -> None:
        name = name or action.__name__
        now = time.monotonic()
        if now >= self._due.get(name, 0):
            self._due[name] = now + pause
            action()

    def _follow(self) -> None:
        events = list(self._follower.events())
        for event in events:
            self._ledger.apply(event)
            if isinstance(event, NotWritten):
                log.error(f"{event.path} could not be written. Its sender was told so.")
                self._due.pop(self._watch_disk.__name__, None)
            elif isinstance(event, LeadsOut):
                log.error(
                    f"{event.path} leads out of the folder of its study: the image was refused. "
                    "The line C-STORE-RQ with its UID names the sender."
                )
            elif isinstance(event, IndexFailed):
                self._due.pop(self._check_index.__name__, None)
        if events:
            self._follower.sync()

    def _save(self) -> None:
        if self._imports:
            self._ledger.imported_until = self._imports.known_until
        self._ledger.save(self._state)
        self._follower.discard_read()

    def _compact(self) -> None:
        """Keep the journal as what it means. Dicoogle must not run."""
        self._ledger.forget_tasks()
        self._save()
        self._follower.discard_all()

    def _report(self) -> None:
        if self._settings.metrics_namespace:
            line = metrics.line(self._settings.metrics_namespace, self.status(), time.time())
            print(line, flush=True)

    # ---- Disks ----

    def _watch_disk(self) -> None:
        before = self._disk_problem
        self._disk_problem = probe.problem([self._settings.images, self._settings.journal])
        if self._disk_problem and self._disk_problem != before:
            log.error(f"{self._disk_problem}. No more images are taken until it can be.")
        elif before and not self._disk_problem:
            log.info("Images, index and journal can be written again.")

    def _obey_disk(self) -> None:
        wanted = self._disk_problem is None
        if wanted != self._storage_open:
            (self._dicoogle.open_storage if wanted else self._dicoogle.close_storage)()
            self._storage_open = wanted

    # ---- Missing images ----

    def _welcome(self) -> None:
        """Dicoogle answers for the first time since it was started."""
        self._storage_open = True
        self._restarting_since = None
        if self._is_first_start:
            self._is_first_start = False
            self._check_that_images_are_indexed()

    def _send(self) -> None:
        """Hand images to Dicoogle that it does not know of."""
        taken = [
            self._to_send.popleft() for _unused in range(min(len(self._to_send), SENT_AT_ONCE))
        ]
        paths = [path for path in taken if path in self._ledger.missing and self._can_index(path)]
        for path in paths:
            self._ledger.missing[path].doubtful = False
        try:
            self._dicoogle.index(paths)
        except NoAnswerError:
            self._to_send.extendleft(reversed(paths))
            raise

    def _can_index(self, path: str) -> bool:
        """Whether Dicoogle can index a file. What it never can is dealt with."""
        try:
            examination = examine(Path(path))
            still = time.time() - Path(path).stat().st_mtime > STILL
        except FileNotFoundError:
            log.info(f"{path} is gone: it was removed, or never received as a whole.")
            self._ledger.drop(path)
            return False
        if examination.problem is None:
            return True
        if examination.whole:
            self._give_up(path, examination.sop_instance_uid, examination.problem)
        elif still:
            self._set_aside(path, examination.problem)
        else:
            self._ledger.missing[path].doubtful = True  # it is looked at again
        return False

    def _set_aside(self, path: str, problem: str) -> None:
        """Move a file that is no whole image to where nothing takes it for one."""
        place = self._settings.set_aside / f"{time.time():.0f}-{Path(path).name}"
        place.parent.mkdir(exist_ok=True)
        shutil.move(path, place)
        self._ledger.drop(path)
        log.error(f"{path}: {problem}. It was moved to {place}. Have the image sent again.")

    def _give_up(self, path: str, uid: str, problem: str) -> None:
        self._ledger.give_up(path, uid, problem)
        log.warn(f"{uid or 'An image without UID'} in {path} will never be found: {problem}.")

    def _look_up(self) -> None:
        """Find out what became of the images that Dicoogle has done with without saying so."""
        waiting = self._passed_over.union(self._to_send)
        paths = [path for path in self._ledger.doubtful if path not in waiting]
        images = {}
        for path in paths[:LOOKED_UP_AT_ONCE]:
            if self._can_index(path):
                images[path] = examine(Path(path)).sop_instance_uid
        if not images:
            return
        found = self._dicoogle.find(list(images.values()))
        for path, uid in images.items():
            self._judge(path, uid, found.get(uid, []))

    def _judge(self, path: str, uid: str, found: list[str]) -> None:
        if path in found:
            self._ledger.settle(path)
            return
        for other in found:
            if Path(other).exists():
                log.info(f"{path} holds {uid}, which is in the index from {other}.")
                self._ledger.drop(path)
                return
            self._dicoogle.unindex(other)  # the file was renamed
        image = self._ledger.missing[path]
        if image.tries < TRIES:
            self._passed_over.add(path)
        else:
            self._give_up(path, uid, f"Dicoogle did not index it in {TRIES} tries; see its log")

    # ---- The import folder ----

    def _import(self) -> None:
        for found in self._imports.step(SLICE) if self._imports else ():
            if found.problem:
                self._give_up(found.path, found.uid, found.problem)
            else:
                self._ledger.expect(found.path, time.time(), named_after_uid=False)
                self._to_send.append(found.path)

    # ---- Indexing again ----

    def _go_on_reindexing(self) -> None:
        if self._asked_to_reindex:
            self._ledger.reindexing, self._asked_to_reindex = self._asked_to_reindex, None
            log.info(f"{self._ledger.reindexing} is being indexed again.")
        if not self._reindex or self._reindex.done:
            return
        self._reindex.step(time.monotonic() + SLICE)
        if self._reindex.done:
            self._ledger.reindexing = None
            if Path(self._reindex.path) == self._settings.images:
                self._ledger.index_lost = False
            log.info(f"Indexed again: {self._reindex.report()}")

    # ---- A lost index ----

    def _check_that_images_are_indexed(self) -> None:
        """Where nothing is remembered, images without an index tell that both were lost."""
        for folder, _folders, files in os.walk(self._settings.images):
            for name in files:
                path = Path(folder, name)
                uid = examine(path).sop_instance_uid
                if uid and str(path) not in self._ledger.missing:
                    self._ledger.index_lost = not self._dicoogle.find([uid])
                    if self._ledger.index_lost:
                        log.error(_LOST)
                    return

    def _check_index(self) -> None:
        """Look for images that were found before, as an index that is lost says nothing."""
        ledger = self._ledger
        found = self._dicoogle.find(list(ledger.sample.values())) if ledger.sample else {}
        gone = {path: uid for path, uid in ledger.sample.items() if uid not in found}
        none_found = len(gone) == len(ledger.sample)
        lost = any(_is_there(path, uid) for path, uid in gone.items()) and ledger.sample_is_sure
        if none_found and (lost or ledger.index_failed):
            self._suspect_index()
            return
        for path in gone:
            del ledger.sample[path]
        ledger.sample_is_sure = True
        self._index_suspected = ledger.index_failed = False

    def _suspect_index(self) -> None:
        if not self._index_suspected:
            self._index_suspected = True  # look again first
            self._due.pop(self._check_index.__name__, None)
            return
        self._index_suspected = False
        if self._disk_problem:
            return
        log.error(_LOST)
        self._ledger.index_lost = True
        self._ledger.index_failed = False
        self._ledger.sample.clear()
        self._restart(self._replace_index)

    def _replace_index(self) -> None:
        index = self._settings.lucene
        kept = index.with_name("indexed-lost")
        shutil.rmtree(kept, ignore_errors=True)
        if index.exists():
            index.rename(kept)

    # ---- Restarts ----

    def _restart_if_wanted(self) -> None:
        paused = self._last_restart is None or time.time() - self._last_restart > RESTART_PAUSE
        if not paused or self._disk_problem:
            return
        if self._lacks_memory:
            log.error(
                "Dicoogle ran out of memory, as an image is too large for it: its sender was cut "
                "off. A larger TaskSize in stack_parameters gives it more. It is restarted, which "
                "takes some seconds."
            )
            self._restart(lambda: None)
        elif self._passed_over and self._is_quiet():
            log.warn(
                f"Dicoogle is restarted, as it has passed over {len(self._passed_over)} images "
                "that it once had, and forgets that only by this. It takes some seconds."
            )
            self._restart(lambda: None)

    def _is_quiet(self) -> bool:
        busy = self._to_send or (self._reindex and not self._reindex.done)
        return time.time() - self._ledger.last_stored > QUIET and not busy

    def _restart(self, between: Callable[[], None]) -> None:
        self._last_restart = time.time()
        self._restarting_since = time.time()
        self._drain(DRAIN)
        self._process.stop()
        self._ready = self._lacks_memory = False
        self._follow()
        self._compact()
        between()
        if self._ledger.reindexing:
            self._reindex = Reindex(self._ledger.reindexing, self._dicoogle)
        self._send_passed_over()
        self._process.start()

    def _send_passed_over(self) -> None:
        for path in self._passed_over & self._ledger.missing.keys():
            self._ledger.missing[path].tries += 1
            self._to_send.append(path)
        self._to_send.extend(set(self._ledger.waiting).difference(self._to_send))
        self._passed_over.clear()

    def _is_restarting(self) -> bool:
        since = self._restarting_since
        return since is not None and time.time() - since < RESTART_LASTS


_LOST = (
    "Images that were indexed cannot be found any more: the index is damaged or empty. Run the "
    "playbook reindex, which fills it from the images."
)


def _is_there(path: str, uid: str) -> bool:
    try:
        examination = examine(Path(path))
    except OSError:
        return False
    return examination.whole and examination.sop_instance_uid == uid
