# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Facts of the index: its tasks, and what goes into it and out of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset
from support.running_archive import RunningArchive, eventually
from support.sample_images import new_image, new_study


def place(archive: RunningArchive, path: str, image: Dataset, length: int | None = None) -> Path:
    """Write a file into the folder of images behind the archive's back, whole or cut."""
    file = archive.images / path
    file.parent.mkdir(parents=True, exist_ok=True)
    image.save_as(file)
    if length is not None:
        file.write_bytes(file.read_bytes()[:length])
    return file


def offset(archive: RunningArchive, image: Dataset, element: bytes) -> int:
    """Return where an element begins in the file of an image."""
    file = place(archive, "measured.dcm", image)
    content = file.read_bytes()
    file.unlink()
    return content.index(element)


PATIENT_ID = bytes.fromhex("10002000") + b"LO"
PIXEL_DATA = bytes.fromhex("e07f1000") + b"OW"


class TestTasks:
    def test_each_stored_image_is_a_task_that_ends(self, archive: RunningArchive) -> None:
        image = new_image()
        archive.store(image)
        archive.settle()
        told = archive.ask("GET", "/index/task").json
        (task,) = (each for each in told["results"] if image.SOPInstanceUID in each["taskName"])
        assert task["taskName"] == f"[lucene]index {archive.uri_of(image)}"
        assert (task["complete"], task["nIndexed"], task["nErrors"]) == (True, 1, 0)
        assert {"taskUid", "taskProgress", "taskTimeCreated", "elapsedTime"} <= set(task)
        assert told["count"] == 0

    def test_a_task_is_told_at_once(self, archive: RunningArchive) -> None:
        told = archive.post("/management/tasks/index", uri="file:///nothere")
        (task,) = told["tasks"]
        assert task["name"] == "[lucene]index file:///nothere"
        assert set(task) == {"cancelled", "done", "name", "progress", "timeCreated", "uid"}

    def test_what_is_not_there_is_neither_indexed_nor_an_error(
        self, archive: RunningArchive
    ) -> None:
        assert archive.index_again("file:///nothere") == (0, 0)

    def test_what_is_no_dicom_is_an_error(self, archive: RunningArchive) -> None:
        file = archive.images / "text.dcm"
        file.write_text("not an image " * 100)
        assert archive.index_again(file.as_uri()) == (0, 1)
        assert archive.lines("ERROR", "Failed to produce a document for the index")

    def test_an_empty_file_is_an_error(self, archive: RunningArchive) -> None:
        file = archive.images / "empty.dcm"
        file.touch()
        assert archive.index_again(file.as_uri()) == (0, 1)
        assert archive.lines("ERROR", "ERROR Indexing:", file.as_uri())

    @pytest.mark.parametrize("uri", ["http://127.0.0.1/x", "/data/images", ""])
    def test_what_is_no_file_uri_is_no_task(self, archive: RunningArchive, uri: str) -> None:
        assert archive.post("/management/tasks/index", uri=uri) == {"tasks": []}

    def test_a_uri_is_needed(self, archive: RunningArchive) -> None:
        reply = archive.ask("POST", "/management/tasks/index")
        assert (reply.status, reply.reason) == (400, "No uri provided")
        assert archive.ask("POST", "/management/tasks/index", uri="file:///%%").status == 400

    def test_several_uris_are_several_tasks(self, archive: RunningArchive) -> None:
        files = [place(archive, f"several/{each}.dcm", new_image()) for each in range(3)]
        told = archive.post("/management/tasks/index", uri=[each.as_uri() for each in files])
        assert len(told["tasks"]) == 3
        archive.settle()
        assert len(archive.search("uri:several")) == 3

    def test_a_known_image_is_not_indexed_twice(self, archive: RunningArchive) -> None:
        image = new_image()
        archive.store(image)
        assert archive.found(image)
        assert archive.index_again(str(archive.uri_of(image))) == (0, 0)
        assert len(archive.search(f'SOPInstanceUID:"{image.SOPInstanceUID}"')) == 1

    def test_a_folder_is_one_task(self, archive: RunningArchive) -> None:
        images = [new_image() for _unused in range(4)]
        for number, image in enumerate(images):
            place(archive, f"folder/{number % 2}/{number}", image)
        assert archive.index_again((archive.images / "folder").as_uri()) == (4, 0)
        assert all(archive.uri_of(each) for each in images)

    def test_a_task_can_be_taken_from_the_list(self, archive: RunningArchive) -> None:
        told = archive.post("/management/tasks/index", uri="file:///nothere")
        archive.settle()
        fields = {"type": "close", "uid": told["tasks"][0]["uid"], "action": "delete"}
        assert archive.post("/index/task", **fields) == {"removed": True}
        assert archive.post("/index/task", **fields) == {"removed": False}
        assert archive.ask("POST", "/index/task").status in (400, 500)

    def test_finished_tasks_are_forgotten_when_there_are_many(
        self, archives: Any, archive: RunningArchive
    ) -> None:
        few = archives(options=["-Ddicoogle.tasks.softRemoveTasks=20"]).start()
        for begin in range(0, 60, 10):
            uris = [f"file:///nothere{each}" for each in range(begin, begin + 10)]
            few.post("/management/tasks/index", uri=uris)
            few.settle()
        assert len(few.ask("GET", "/index/task").json["results"]) <= 25
        few.end()


class TestCutFiles:
    def test_a_file_that_is_cut_in_its_pixels_is_indexed_as_a_whole_one(
        self, archive: RunningArchive
    ) -> None:
        image = new_image()
        length = offset(archive, image, PIXEL_DATA) + 100
        file = place(archive, "cut/pixels.dcm", image, length)
        assert archive.index_again(file.as_uri()) == (1, 0)
        assert archive.uri_of(image) == file.as_uri()

    def test_one_that_is_cut_between_two_elements_is_indexed_with_what_it_has(
        self, archive: RunningArchive
    ) -> None:
        image = new_image()
        file = place(archive, "cut/between.dcm", image, offset(archive, image, PATIENT_ID))
        assert archive.index_again(file.as_uri()) == (1, 0)
        (found,) = archive.search(f'SOPInstanceUID:"{image.SOPInstanceUID}"')
        assert found["fields"]["PatientID"] == ""
        image.save_as(file)
        assert archive.index_again(file.as_uri()) == (0, 0)

    def test_one_that_is_cut_in_a_value_is_an_error(self, archive: RunningArchive) -> None:
        image = new_image()
        length = offset(archive, image, PATIENT_ID) + 11
        file = place(archive, "cut/value.dcm", image, length)
        assert archive.index_again(file.as_uri()) == (0, 1)
        assert archive.uri_of(image) is None


class TestUnindex:
    def test_one_image_goes_and_its_file_stays(self, archive: RunningArchive) -> None:
        image = new_image()
        archive.store(image)
        assert archive.found(image)
        uri = str(archive.uri_of(image))
        told = archive.post("/management/tasks/unindex", uri=uri)
        assert told == {"indexed": 1, "failed": 0, "notFound": 0}
        assert archive.uri_of(image) is None
        assert list(archive.images.rglob(f"{image.SOPInstanceUID}.dcm"))

    def test_what_is_not_there_is_unindexed_as_well(self, archive: RunningArchive) -> None:
        told = archive.post("/management/tasks/unindex", uri="file:///nothere")
        assert told == {"indexed": 1, "failed": 0, "notFound": 0}

    def test_a_folder_takes_all_below_it_and_not_its_neighbour(
        self, archive: RunningArchive
    ) -> None:
        for path in ("bulk/1.dcm", "bulk/deep/2.dcm", "bulkbig/3.dcm"):
            place(archive, path, new_image())
        for folder in ("bulk", "bulkbig"):
            archive.index_again((archive.images / folder).as_uri())

        def found() -> list[str]:
            uris = (each["uri"] for each in archive.search("*:*"))
            return sorted(each.rpartition("/")[2] for each in uris if "/bulk" in each)

        assert found() == ["1.dcm", "2.dcm", "3.dcm"]
        begin = f"{archive.images.as_uri()}/bul"
        archive.post("/management/tasks/unindex", uri=begin)
        assert found() == ["1.dcm", "2.dcm", "3.dcm"]
        archive.post("/management/tasks/unindex", uri=f"{begin}k")
        assert found() == ["3.dcm"]

    @pytest.mark.parametrize(
        ("kind", "left"), [("SOPInstanceUID", 2), ("SeriesInstanceUID", 0), ("StudyInstanceUID", 0)]
    )
    def test_images_can_be_named_by_uid(
        self, archive: RunningArchive, kind: str, left: int
    ) -> None:
        images = new_study(3)
        archive.store(*images)
        archive.settle()
        told = archive.post("/management/tasks/unindex", **{kind: str(images[0][kind].value)})
        assert told == {"indexed": 3 - left, "failed": 0, "notFound": 0}
        assert eventually(lambda: sum(bool(archive.uri_of(each)) for each in images) == left)

    def test_one_kind_of_name_is_needed(self, archive: RunningArchive) -> None:
        for fields in ({}, {"uri": "file:///x", "SOPInstanceUID": "1.2"}):
            reply = archive.ask("POST", "/management/tasks/unindex", **fields)
            assert reply.status == 400
            assert reply.json["error"].startswith("No arguments provided")
        reply = archive.ask("POST", "/management/tasks/unindex", SOPInstanceUID="x1")
        assert reply.json == {"error": "Invalid DICOM UID"}

    def test_it_stays_out_until_it_is_indexed_after_a_restart(
        self, new_archive: RunningArchive
    ) -> None:
        archive, image = new_archive, new_image()
        archive.store(image)
        assert archive.found(image)
        uri = str(archive.uri_of(image))
        archive.post("/management/tasks/unindex", uri=uri)
        assert archive.index_again(uri) == (0, 0)
        archive.restart()
        archive.settle()
        assert archive.uri_of(image) is None
        assert archive.index_again(uri) == (1, 0)
        assert archive.found(image)


class TestRemove:
    def test_the_file_goes_and_the_entry_stays(self, archive: RunningArchive) -> None:
        image = new_image()
        archive.store(image)
        assert archive.found(image)
        uri = str(archive.uri_of(image))
        reply = archive.ask("POST", "/management/tasks/remove", uri=uri)
        assert (reply.status, reply.body) == (200, b"")
        assert not list(archive.images.rglob(f"{image.SOPInstanceUID}.dcm"))
        assert archive.uri_of(image) == uri

    @pytest.mark.parametrize("uri", ["file:///nothere", "http://x"])
    def test_whatever_is_named_is_removed_as_it_seems(
        self, archive: RunningArchive, uri: str
    ) -> None:
        reply = archive.ask("POST", "/management/tasks/remove", uri=uri)
        assert (reply.status, reply.body) == (200, b"")

    def test_a_folder_that_is_not_empty_stays(self, archive: RunningArchive) -> None:
        file = place(archive, "kept/1.dcm", new_image())
        reply = archive.ask("POST", "/management/tasks/remove", uri=file.parent.as_uri())
        assert reply.status == 200
        assert file.is_file()

    def test_a_uri_is_needed(self, archive: RunningArchive) -> None:
        reply = archive.ask("POST", "/management/tasks/remove", SOPInstanceUID="1.2")
        assert (reply.status, reply.reason) == (400, "No uri provided")
        assert archive.ask("POST", "/management/tasks/remove", uri="%%").status == 400

    def test_removed_and_stored_again_it_is_not_found_until_a_restart_and_a_task(
        self, new_archive: RunningArchive
    ) -> None:
        archive, image = new_archive, new_image()
        archive.store(image)
        assert archive.found(image)
        uri = str(archive.uri_of(image))
        archive.post("/management/tasks/remove", uri=uri)
        archive.post("/management/tasks/unindex", uri=uri)
        assert archive.store(image) == [0]
        archive.settle()
        assert archive.uri_of(image) is None
        assert archive.journal_lines("Task [", f"complete on {uri}")
        archive.restart()
        archive.settle()
        assert archive.uri_of(image) is None
        assert archive.index_again(uri) == (1, 0)
        assert archive.found(image)
