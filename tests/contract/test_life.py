# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Facts of the life of the process: what it loses, what it keeps, and what it writes of it."""

from __future__ import annotations

import os
import re
import signal
import socket
import threading
import time
from collections.abc import Callable
from xml.etree import ElementTree

import pytest
from pydicom import Dataset
from support.running_archive import RunningArchive, eventually
from support.sample_images import new_image, new_study

Archives = Callable[..., RunningArchive]
SLOWLY = {"DOUBLE_INDEX_SECONDS": "0.05"}  # as a busy machine indexes


def store_at_once(archive: RunningArchive, images: list[Dataset], senders: int = 4) -> None:
    """Store images by several senders side by side; all are acknowledged."""
    statuses: list[int | None] = []

    def send(part: list[Dataset]) -> None:
        statuses.extend(archive.store(*part))

    threads = [threading.Thread(target=send, args=(images[n::senders],)) for n in range(senders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [0] * len(images)


def count(archive: RunningArchive) -> int:
    """Return how many images are in the index."""
    return int(archive.ask("GET", "/search", query="*:*", psize=0).json["numResults"])


class TestEnd:
    def test_sigterm_ends_it_soon_with_143(self, archives: Archives) -> None:
        archive = archives().start()
        begin = time.monotonic()
        assert archive.end() == 143
        assert time.monotonic() - begin < 10

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
    def test_what_waits_for_the_index_is_lost_and_a_task_finds_it(
        self, archives: Archives, number: int
    ) -> None:
        archive, images = archives().start(**SLOWLY), new_study(120)
        store_at_once(archive, images)
        archive.end(number)
        archive.start()
        archive.settle()
        assert len(list(archive.images.rglob("*.dcm"))) == 120
        found = count(archive)
        assert found < 120
        assert archive.index_again(archive.images.as_uri()) == (120 - found, 0)
        assert count(archive) == 120
        archive.end()

    def test_nothing_is_lost_when_storage_is_closed_and_nothing_waits(
        self, archives: Archives
    ) -> None:
        archive, images = archives().start(**SLOWLY), new_study(60)
        store_at_once(archive, images)
        assert archive.backlog() > 0
        archive.post("/management/dicom/storage", running="false")
        archive.settle()
        archive.end()
        archive.start()
        assert count(archive) == 60
        archive.end()


class TestIndexOnDisk:
    def test_an_index_that_is_cut_finds_nothing_while_all_looks_well(
        self, archives: Archives
    ) -> None:
        archive, images = archives().start(), new_study(5)
        archive.store(*images)
        archive.settle()
        archive.end()
        largest = max(archive.index.iterdir(), key=lambda each: each.stat().st_size)
        os.truncate(largest, largest.stat().st_size // 2)
        archive.start()
        assert archive.lines("ERROR", "LuceneIndexer", "Failed to open index")
        reply = archive.ask("GET", "/search", query="*:*")
        assert (reply.status, reply.json["numResults"]) == (200, 0)
        late = new_image()
        assert archive.store(late) == [0]
        archive.settle()
        assert archive.uri_of(late) is None
        (task,) = archive.ask("GET", "/index/task").json["results"]
        assert (task["complete"], task["nErrors"]) == (True, 1)
        assert archive.lines("ERROR", "LuceneIndexer", "ERROR in Indexing Task")
        archive.end()

    def test_without_its_list_of_segments_it_is_empty_without_a_word(
        self, archives: Archives
    ) -> None:
        archive, images = archives().start(), new_study(3)
        archive.store(*images)
        archive.settle()
        archive.end()
        for segments in archive.index.glob("segments_*"):
            segments.unlink()
        (archive.root / "console").unlink()
        archive.start()
        assert count(archive) == 0
        assert not archive.lines("ERROR")
        assert archive.index_again(archive.images.as_uri()) == (3, 0)
        archive.end()

    def test_a_lock_that_was_left_behind_stops_nothing(self, archives: Archives) -> None:
        archive, image = archives().start(), new_image()
        archive.end(signal.SIGKILL)
        (archive.index / "write.lock").touch()
        archive.start()
        archive.store(image)
        assert archive.found(image)
        archive.end()


class TestLines:
    """What the keeper reads."""

    def test_the_journal_tells_of_an_image_from_its_file_to_the_end_of_its_task(
        self, archive: RunningArchive
    ) -> None:
        image = new_image()
        archive.store(image)
        assert archive.found(image)
        uri = re.escape(str(archive.uri_of(image)))
        assert eventually(lambda: archive.journal_lines("Task [", image.SOPInstanceUID))
        text = archive.journal.read_text()
        task = r"(?P<task>\d+)"
        report = r"IndexReport \[nIndexedFiles=1, nErrors=0, elapsedTime=\d+\]\n"
        stored = rf"^\d{{13}} DEBUG FileStoragePlugin Assigning new file to URI {uri}$"
        assert re.search(stored, text, re.M)
        (done,) = re.finditer(
            rf"^\d{{13}} INFO LuceneIndexer Finished Indexing: {task},1,{uri},{report}", text, re.M
        )
        number = done["task"]
        assert re.search(
            rf"^\d{{13}} INFO LuceneIndexer Finished Index Task: {number},{report}", text, re.M
        )
        complete = rf"^\d{{13}} INFO PluginController Task \[[0-9a-f-]{{36}}\] complete on {uri}$"
        assert re.search(complete, text, re.M)

    def test_a_folder_is_told_with_the_sum_so_far(self, archive: RunningArchive) -> None:
        folder = archive.images / "summed"
        folder.mkdir()
        for number in range(3):
            new_image().save_as(folder / f"{number}.dcm")
        archive.index_again(folder.as_uri())
        complete = f"complete on {folder.as_uri()}"
        assert eventually(lambda: archive.journal_lines("Task [", complete))
        lines = archive.journal_lines("Finished Indexing:", "/summed/")
        assert [re.findall(r",(\d+),file:.*nIndexedFiles=(\d+)", each)[0] for each in lines] == [
            *(("1", "1"), ("2", "2"), ("3", "3"))
        ]

    def test_an_image_that_fails_has_an_error_in_its_line_and_is_complete(
        self, archive: RunningArchive
    ) -> None:
        image = new_image(Modality=None)
        archive.store(image)
        uid = image.SOPInstanceUID
        assert eventually(lambda: archive.journal_lines("Task [", uid))
        (line,) = archive.journal_lines("Finished Indexing:", uid)
        assert "IndexReport [nIndexedFiles=0, nErrors=1, " in line

    def test_a_known_image_is_neither_indexed_nor_an_error_and_complete(
        self, archive: RunningArchive
    ) -> None:
        image = new_image()
        archive.store(image)
        assert archive.found(image)
        archive.store(image)
        uid = image.SOPInstanceUID
        lines = eventually(lambda: archive.journal_lines("Finished Indexing:", uid)[1:])
        assert "IndexReport [nIndexedFiles=0, nErrors=0, " in lines[0]
        assert eventually(lambda: len(archive.journal_lines("Task [", uid)) == 2)
        assert archive.lines("SOPInstanceUID already exists, ignoring:", uid)

    def test_what_cannot_be_stored_is_in_the_journal(self, archive: RunningArchive) -> None:
        (archive.images / "NOFOLDER").write_text("a file where a folder is to be")
        image = new_image(InstitutionName="NOFOLDER")
        archive.store(image)
        (line,) = archive.journal_lines(image.SOPInstanceUID)
        assert re.match(
            r"\d{13} ERROR FileStoragePlugin Failed to create directories for file /", line
        )

    def test_unindexing_is_in_the_journal(self, archive: RunningArchive) -> None:
        uris = [f"file:///data/images/{each}.dcm" for each in range(3)]
        archive.post("/management/tasks/unindex", uri=uris[0])
        archive.post("/management/tasks/unindex", uri=uris[1:])
        assert archive.journal_lines(
            f" INFO PluginController Starting unindexing procedure for {uris[0]}"
        )
        assert archive.journal_lines(
            " INFO PluginController [lucene] Starting unindexing procedure for 2 items"
        )

    def test_the_console_has_time_level_and_name(self, archive: RunningArchive) -> None:
        (line,) = archive.lines("Dicoogle Web Services available at")
        time_ = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d\d:\d\d)"
        assert re.match(rf"{time_} INFO  DicoogleWeb \[[^]]+\] Dicoogle Web Services", line)

    def test_names_are_not_in_the_journal(self, archive: RunningArchive) -> None:
        image = new_image(PatientName="Hidden^Name")
        archive.store(image)
        assert archive.found(image)
        archive.find("STUDY", PatientName="Hidden*")
        assert "Hidden" not in archive.journal.read_text()

    def test_a_full_journal_is_rolled_under_the_next_number(self, archives: Archives) -> None:
        archive = archives()
        folder = archive.journal.parent
        folder.mkdir(parents=True)
        archive.journal.write_text("1795582393464 INFO X x\n" * (1 << 16))
        (folder / "journal-7.log").write_text("older\n")
        size = archive.journal.stat().st_size
        archive.start()
        image = new_image()
        archive.store(image)
        assert archive.found(image)
        assert {each.name for each in folder.iterdir()} == {
            *("journal.log", "journal-7.log", "journal-8.log")
        }
        assert (folder / "journal-8.log").stat().st_size == size
        assert image.SOPInstanceUID in archive.journal.read_text()
        archive.end()


class TestWatchFolder:
    def test_what_comes_is_indexed_and_what_is_renamed_is_lost(self, archives: Archives) -> None:
        def enable(server: ElementTree.Element) -> None:
            settings = server.find("archive")
            assert settings is not None
            for name, text in {
                "enable-watch-directory": "true",
                "watch-directory": str(archive.images / "froms3"),
            }.items():
                element = settings.find(name)
                if element is None:
                    element = ElementTree.SubElement(settings, name)
                element.text = text

        archive = archives(enable)
        folder = archive.images / "froms3"
        early, late = new_image(), new_image()
        early.save_as(folder / "early.dcm")
        archive.start(DOUBLE_WATCH_SECONDS="0.5")
        (folder / "sub").mkdir()
        late.save_as(folder / "sub" / "late")
        assert eventually(lambda: archive.uri_of(late), 60)
        assert archive.uri_of(early) is None
        assert archive.journal_lines("complete on file:/", "/froms3/sub/late")
        (folder / "sub" / "late").rename(folder / "renamed")
        assert eventually(lambda: archive.uri_of(late) is None, 60)
        archive.settle()
        assert archive.uri_of(late) is None
        archive.end()


def test_it_runs_on_when_the_web_port_is_taken(archives: Archives) -> None:
    archive = archives()
    with socket.create_server(("127.0.0.1", archive.web_port)):
        archive.launch()
        assert eventually(
            lambda: archive.lines("ERROR", "Dicoogle Web Services failed to start"), 60
        )
        assert eventually(lambda: archive.lines("Starting DICOM QueryRetrieve"))
        assert archive.echo("storage") == 0
        assert archive.process
        assert archive.process.poll() is None
    archive.end()
