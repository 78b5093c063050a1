# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which files of the import folder are taken, and when."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest
from keeper.imports import PATIENCE, STABLE, Found, ImportFolder
from pydicom.data import get_testdata_file

IMAGE = Path(str(get_testdata_file("CT_small.dcm", download=False)))


@pytest.fixture
def now() -> float:
    return time.time()


def look(folder: ImportFolder, now: float) -> list[Found]:
    return [found for found in folder.look(now) if found]


def names(found: list[Found]) -> list[str]:
    return sorted(Path(each.path).name for each in found)


def test_a_file_is_taken_once_when_it_has_stopped_changing(tmp_path: Path, now: float) -> None:
    folder = ImportFolder(tmp_path, 0.0)
    (tmp_path / "deep" / "er").mkdir(parents=True)
    shutil.copy(IMAGE, tmp_path / "deep" / "er" / "without-ending")
    assert look(folder, now) == []
    assert look(folder, now + STABLE / 2) == []
    (found,) = look(folder, now + STABLE)
    assert (Path(found.path).name, found.problem) == ("without-ending", None)
    assert look(folder, now + 2 * STABLE) == []


def test_what_came_while_nobody_looked_is_taken(tmp_path: Path, now: float) -> None:
    shutil.copy(IMAGE, tmp_path / "a")
    folder = ImportFolder(tmp_path, now - 3600)
    look(folder, now)
    assert names(look(folder, now + STABLE)) == ["a"]


def test_what_is_known_is_not_taken_again(tmp_path: Path, now: float) -> None:
    shutil.copy(IMAGE, tmp_path / "a")
    folder = ImportFolder(tmp_path, now + 3600)
    look(folder, now)
    assert look(folder, now + STABLE) == []


def test_old_files_in_a_folder_that_was_moved_in_are_taken(tmp_path: Path, now: float) -> None:
    later = now + 3600
    into = tmp_path / "imports"
    (into / "study").mkdir(parents=True)
    folder = ImportFolder(into, later)
    look(folder, later)
    (tmp_path / "elsewhere" / "deep").mkdir(parents=True)
    shutil.copy(IMAGE, tmp_path / "elsewhere" / "deep" / "a")
    (tmp_path / "elsewhere").rename(into / "study" / "b")
    look(folder, later)
    assert names(look(folder, later + STABLE)) == ["a"]
    look(folder, later + 2 * STABLE)
    assert look(folder, later + 3 * STABLE) == []


def test_a_folder_that_was_moved_in_while_nobody_looked_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keeper.imports.SLACK", 0.0)
    into = tmp_path / "imports"
    for where in (into / "known", tmp_path / "elsewhere"):
        where.mkdir(parents=True)
        shutil.copy(IMAGE, where / f"in-{where.name}")
    time.sleep(0.1)
    known_until = time.time()
    time.sleep(0.1)  # the clock of file systems is a few milliseconds behind
    (tmp_path / "elsewhere").rename(into / "moved")
    folder = ImportFolder(into, known_until)
    look(folder, time.time())
    assert names(look(folder, time.time() + STABLE)) == ["in-elsewhere"]


def test_a_copy_under_way_is_waited_for(tmp_path: Path, now: float) -> None:
    folder, content = ImportFolder(tmp_path, 0.0), IMAGE.read_bytes()
    (tmp_path / "a").write_bytes(content[:9000])
    look(folder, now)
    assert look(folder, now + PATIENCE - 1) == []
    assert folder.known_until == now  # it is still new for whoever starts after a kill
    (tmp_path / "a").write_bytes(content)
    assert look(folder, now + PATIENCE) == []
    assert names(look(folder, now + PATIENCE + STABLE)) == ["a"]
    assert folder.known_until == now + PATIENCE + STABLE


def test_a_file_that_is_no_image_is_reported_once(tmp_path: Path, now: float) -> None:
    folder = ImportFolder(tmp_path, 0.0)
    (tmp_path / "readme.txt").write_text("hello " * 100)
    look(folder, now)
    (found,) = look(folder, now + PATIENCE)
    assert "no DICOM file" in str(found.problem)
    assert look(folder, now + 2 * PATIENCE) == []


def test_hidden_files_and_links_are_left_alone(tmp_path: Path, now: float) -> None:
    folder = ImportFolder(tmp_path / "in", 0.0)
    (tmp_path / "in").mkdir()
    shutil.copy(IMAGE, tmp_path / "in" / ".aws-datasync-temporary")
    shutil.copy(IMAGE, tmp_path / "elsewhere")
    (tmp_path / "in" / "link").symlink_to(tmp_path / "elsewhere")
    look(folder, now)
    assert look(folder, now + STABLE) == []
    os.rename(tmp_path / "in" / ".aws-datasync-temporary", tmp_path / "in" / "final")
    look(folder, now + STABLE)
    assert names(look(folder, now + 2 * STABLE)) == ["final"]


def test_a_file_that_vanishes_is_forgotten(tmp_path: Path, now: float) -> None:
    folder = ImportFolder(tmp_path, 0.0)
    shutil.copy(IMAGE, tmp_path / "a")
    look(folder, now)
    (tmp_path / "a").unlink()
    assert look(folder, now + STABLE) == []


def test_a_folder_that_is_not_there_yet_holds_nothing(tmp_path: Path, now: float) -> None:
    assert look(ImportFolder(tmp_path / "none", 0.0), now) == []
