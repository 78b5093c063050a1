# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""With the keeper, what was acknowledged is found: whatever happens to the archive meanwhile."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import HTTPError

import pytest
from support.kept_archive import FOUND_SECONDS, KeptArchive
from support.running_archive import PROCESSING_FAILURE, eventually
from support.sample_images import new_image, new_study
from support.senders import Senders


@pytest.fixture(scope="module")
def kept_archives(
    tmp_path_factory: pytest.TempPathFactory, program: Path, java: Path
) -> Iterator[Callable[..., KeptArchive]]:
    """Return make(**settings) for archives with a keeper, which run."""
    made: list[KeptArchive] = []

    def make_archive(**settings: str) -> KeptArchive:
        made.append(KeptArchive(tmp_path_factory.mktemp("kept"), program, java, settings))
        made[-1].start()
        return made[-1]

    yield make_archive
    for archive in made:
        if archive.process and archive.process.poll() is None:
            archive.kill()


@pytest.fixture(scope="module")
def kept(kept_archives: Callable[..., KeptArchive]) -> KeptArchive:
    """An archive that tests share, each with a study of its own."""
    return kept_archives(DOUBLE_INDEX_SECONDS="0.05")


def test_all_is_found_after_a_kill(kept: KeptArchive) -> None:
    senders = Senders(kept.storage_port, new_study(120))
    senders.await_acknowledged(60)
    kept.kill()
    acknowledged = senders.join()
    kept.start()
    assert {each.SOPInstanceUID for each in acknowledged} <= kept.files()
    study = str(acknowledged[0].StudyInstanceUID)
    wanted = {str(each.SOPInstanceUID) for each in acknowledged}
    assert eventually(lambda: wanted <= set(kept.found_uids(study)), FOUND_SECONDS), kept.keeper()
    found = kept.found_uids(study)
    assert len(found) == len(set(found))
    assert eventually(lambda: kept.keeper()["not_findable"] == 0)


def test_a_planned_stop_waits_for_what_is_not_indexed(kept: KeptArchive) -> None:
    images = new_study(60)
    assert Senders(kept.storage_port, images).join()
    assert kept.end() == 0
    kept.start()
    assert sorted(kept.found_uids(str(images[0].StudyInstanceUID))) == sorted(
        str(each.SOPInstanceUID) for each in images
    )


def test_a_stop_with_nothing_to_wait_for_is_quick(kept: KeptArchive) -> None:
    kept.settle()
    begin = time.monotonic()
    assert kept.end() == 0
    seconds = time.monotonic() - begin
    kept.start()
    assert seconds < 5  # 1 to 2 s where nothing else runs


def test_a_stop_takes_no_new_image_and_ends_what_was_begun(kept: KeptArchive) -> None:
    senders = Senders(kept.storage_port, new_study(80))
    senders.await_acknowledged(20)
    assert kept.end() == 0
    acknowledged = senders.join()
    kept.start()
    study = str(acknowledged[0].StudyInstanceUID)
    wanted = {str(each.SOPInstanceUID) for each in acknowledged}
    assert wanted <= set(kept.found_uids(study))


def test_the_journal_is_small_when_all_is_indexed(kept: KeptArchive) -> None:
    kept.settle()
    kept.restart()
    assert kept.journal.stat().st_size == 0
    assert [each.name for each in kept.journal.parent.glob("journal-*")] == []


def test_a_file_that_was_cut_off_is_moved_aside_and_named(kept: KeptArchive) -> None:
    image = new_image()
    assert kept.store(image) == [0]
    assert kept.found(image)
    whole = next(kept.images.rglob(f"{image.SOPInstanceUID}.dcm"))
    kept.kill()
    uid = f"{image.SOPInstanceUID}.1"
    cut = whole.with_name(f"{uid}.dcm")
    cut.write_bytes(whole.read_bytes()[:20_000])
    os.utime(cut, (time.time() - 60,) * 2)
    with kept.journal.open("a") as journal:
        journal.write(
            f"{time.time() * 1000:.0f} DEBUG FileStoragePlugin "
            f"Assigning new file to URI {cut.as_uri()}\n"
        )
    kept.start()
    assert eventually(lambda: kept.lines("ERROR keeper", uid, "ends in the middle"))
    assert not cut.exists()
    assert list((kept.data / "index" / "set-aside").glob(f"*{uid}.dcm"))
    assert kept.search(f'SOPInstanceUID:"{uid}"') == []


def test_an_image_without_modality_is_listed_with_the_reason(kept: KeptArchive) -> None:
    image = new_image(Modality=None)
    assert kept.store(image) == [0]

    def listed() -> list[str]:
        never = kept.keeper()["never_findable"]
        return [
            each["reason"] for each in never if each["sop_instance_uid"] == image.SOPInstanceUID
        ]

    assert eventually(listed) == ["it has no Modality (0008,0060)"]
    assert kept.lines("WARN  keeper", image.SOPInstanceUID, "no Modality")
    kept.restart()
    assert listed() == ["it has no Modality (0008,0060)"]
    assert kept.keeper()["not_findable"] == 0


def test_an_image_that_was_removed_and_stored_again_is_found_again(kept: KeptArchive) -> None:
    images = new_study(3)
    assert kept.store(*images) == [0, 0, 0]
    kept.assert_found(images)
    kept.remove(images[1])
    kept.assert_found([images[0], images[2]])
    assert kept.store(images[1]) == [0]
    kept.assert_found(images)
    assert kept.lines("WARN  keeper", "restarted", "passed over 1 images")


class TestImport:
    def test_whole_files_are_found_and_others_waited_for(self, kept: KeptArchive) -> None:
        images = new_study(3)
        folder = kept.imports / "any" / "name"
        folder.mkdir(parents=True)
        for number, image in enumerate(images):
            image.save_as(folder / f"IM{number}")
        whole = (folder / "IM2").read_bytes()
        (folder / "IM2").write_bytes(whole[:9000])
        kept.assert_found(images[:2])
        (folder / "IM2").write_bytes(whole)
        kept.assert_found(images)

    def test_what_came_while_it_was_down_is_found(self, kept: KeptArchive) -> None:
        images = new_study(3)
        kept.end()
        for number, image in enumerate(images):
            image.save_as(kept.imports / f"down{number}.dcm")
        kept.start()
        kept.assert_found(images)

    def test_a_file_is_not_there_twice_when_it_was_stored_before(self, kept: KeptArchive) -> None:
        (image,) = new_study(1)
        assert kept.store(image) == [0]
        kept.assert_found([image])
        image.save_as(kept.imports / "copy.dcm")
        assert eventually(
            lambda: kept.lines("INFO  keeper", "copy.dcm", image.SOPInstanceUID), FOUND_SECONDS
        )
        kept.assert_found([image])


class TestHealth:
    def test_it_is_healthy(self, kept: KeptArchive) -> None:
        assert kept.healthy() == ""

    def test_a_service_that_does_not_listen_is_named(self, kept: KeptArchive) -> None:
        try:
            kept.post("/management/dicom/query", running="false")
            assert "does not listen on both" in kept.healthy()
        finally:
            kept.post("/management/dicom/query", running="true")
        assert eventually(lambda: kept.healthy() == "")


def test_an_image_that_does_not_fit_into_memory_is_cut_off_and_harms_nobody(
    kept_archives: Callable[..., KeptArchive],
) -> None:
    archive = kept_archives(JAVA_TOOL_OPTIONS="-Xmx128m")
    held = new_study(20)
    assert len(Senders(archive.storage_port, held).join()) == len(held)
    huge = new_image(Rows=2048, Columns=2048, NumberOfFrames=25, PixelData=bytes(200 << 20))
    assert archive.store(huge) == [None]
    assert eventually(lambda: archive.lines("ERROR keeper", "ran out of memory", "restarted"))
    assert eventually(lambda: archive.keeper()["storage_open"], FOUND_SECONDS)
    image = new_image()
    assert archive.store(image) == [0]
    archive.assert_found([image])
    archive.assert_found(held)
    assert archive.healthy() == ""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can mount a small file system")
class TestDisk:
    """The images lie on a small file system of their own."""

    @pytest.fixture
    def small(self, kept_archives: Callable[..., KeptArchive]) -> Iterator[KeptArchive]:
        archive = kept_archives()
        archive.end()
        mount(archive.images, "-t", "tmpfs", "-o", "size=3m", "tmpfs")
        archive.imports.mkdir()
        try:
            archive.start()
            yield archive
        finally:
            archive.kill()
            subprocess.run(["umount", "--lazy", str(archive.images)], check=True)

    def test_what_a_full_disk_cannot_take_is_refused_until_there_is_room(
        self, small: KeptArchive
    ) -> None:
        filler = small.images / "filler"
        filler.write_bytes(bytes(2 << 20))
        big = new_image(Rows=1024, Columns=1024, PixelData=os.urandom(1024 * 1024 * 2))
        assert small.store(big) == [PROCESSING_FAILURE]
        assert eventually(
            lambda: small.lines("ERROR keeper", big.SOPInstanceUID, "could not be written")
        )
        assert eventually(lambda: not small.keeper()["storage_open"])
        assert "No space left on device" in small.healthy()
        filler.unlink()
        assert eventually(lambda: small.keeper()["storage_open"])
        assert small.store(big) == [0]
        small.assert_found([big])
        assert small.healthy() == ""

    def test_a_name_that_cannot_be_written_is_refused_and_harms_nobody(
        self, small: KeptArchive
    ) -> None:
        odd, image = new_image(AccessionNumber="A" * 300), new_image()
        assert small.store(odd) == [PROCESSING_FAILURE]
        assert small.store(image) == [0]
        small.assert_found([image])

    def test_a_disk_that_cannot_be_written_takes_no_image_and_has_its_images_found(
        self, small: KeptArchive
    ) -> None:
        image = new_image()
        assert small.store(image) == [0]
        small.assert_found([image])
        mount(small.images, "-o", "remount,ro")
        assert small.store(new_image()) == [PROCESSING_FAILURE]
        assert eventually(lambda: not small.keeper()["storage_open"])
        assert "Read-only file system" in small.healthy()
        with small.associated("storage", [(image.SOPClassUID, [])]) as association:
            assert not association.is_established
        small.assert_found([image])
        mount(small.images, "-o", "remount,rw")
        assert eventually(lambda: small.keeper()["storage_open"])
        assert small.healthy() == ""


def mount(folder: Path, *arguments: str) -> None:
    subprocess.run(["mount", *arguments, str(folder)], check=True)


class TestLostIndex:
    @pytest.mark.parametrize("damage", ["truncate", "delete"])
    def test_it_is_noticed_and_a_new_one_is_filled(
        self, kept_archives: Callable[..., KeptArchive], damage: str
    ) -> None:
        archive = kept_archives()
        images = new_study(5)
        assert archive.store(*images) == [0] * 5
        archive.assert_found(images)
        archive.end()
        for path in sorted(archive.index.iterdir()):
            if damage == "delete":
                path.unlink()
            elif path.stat().st_size > 200:
                os.truncate(path, 100)
        archive.start()
        assert eventually(lambda: archive.keeper()["index"] == "lost", 60)
        assert archive.lines("ERROR keeper", "index is damaged or empty")
        assert eventually(lambda: not archive.keeper()["restarting"], 60)
        later = new_image()
        assert eventually(lambda: archive.store(later) == [0])
        archive.assert_found([later])
        report = archive.reindex()
        archive.assert_found(images)
        assert (report["indexed"], report["errors"]) == (5, 0)
        assert eventually(lambda: archive.keeper()["index"] == "ok")

    def test_images_that_come_without_an_index_are_noticed(
        self, kept_archives: Callable[..., KeptArchive]
    ) -> None:
        archive = kept_archives()
        image = new_image()
        assert archive.store(image) == [0]
        archive.assert_found([image])
        archive.end()
        shutil.rmtree(archive.index)
        shutil.rmtree(archive.journal.parent)
        archive.start()
        assert eventually(lambda: archive.keeper()["index"] == "lost")
        assert archive.reindex()["indexed"] == 1
        archive.assert_found([image])


class TestReindex:
    def test_what_is_indexed_is_not_indexed_twice(self, kept: KeptArchive) -> None:
        images = new_study(4)
        kept.store(*images)
        kept.assert_found(images)
        folder = next(kept.images.rglob(f"{images[0].SOPInstanceUID}.dcm")).parent
        report = kept.reindex(folder)
        assert (report["folders"], report["indexed"], report["errors"]) == (1, 0, 0)
        kept.assert_found(images)

    @pytest.mark.parametrize("path", ["/etc", "images", "/data/images/../../etc"])
    def test_a_folder_elsewhere_is_refused(self, kept: KeptArchive, path: str) -> None:
        with pytest.raises(HTTPError, match="400"):
            kept.reindex(Path(path))


def test_each_minute_has_its_line_of_metrics(kept: KeptArchive) -> None:
    (line, *_more) = kept.lines("CloudWatchMetrics", "openpacs/test")
    assert json.loads(line)["ImagesNotFindable"] >= 0


def test_a_dicoogle_that_ends_by_itself_ends_the_container(
    kept_archives: Callable[..., KeptArchive],
) -> None:
    archive = kept_archives()
    assert archive.process
    dicoogle = subprocess.run(
        ["pgrep", "--parent", str(archive.process.pid)], capture_output=True, text=True, check=True
    )
    os.kill(int(dicoogle.stdout), signal.SIGKILL)
    assert archive.ended() == 128 + signal.SIGKILL
    assert archive.lines("ERROR keeper", "ended by itself")
