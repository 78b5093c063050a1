# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openpacs.dicoogle.plugins.modules import dicom_store
from dicom_archive import Archive
from pydicom import Dataset, dcmread
from pynetdicom.association import Association
from support.dicom_fixtures import sample


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two whole files, one truncated, one that is no DICOM file."""
    source = tmp_path / "source"
    source.mkdir()
    for name in ("CT_small.dcm", "JPEG2000.dcm"):
        (source / name).write_bytes(sample(name).read_bytes())
    (source / "half.dcm").write_bytes(sample("CT_small.dcm").read_bytes()[:20000])
    (source / "notes.txt").write_text("not an image")
    return source


def run(run_module: Any, archive: Archive, *src: Path, check_mode: bool = False) -> dict[str, Any]:
    return run_module(
        dicom_store,
        check_mode=check_mode,
        host="127.0.0.1",
        port=archive.port,
        called_ae_title="ARCHIVE",
        src=[str(path) for path in src],
    )


def test_good_files_are_stored_and_bad_ones_named(
    run_module: Any, archive: Archive, folder: Path
) -> None:
    result = run(run_module, archive, folder)
    assert result["failed"]
    assert result["changed"]
    assert (result["stored"], result["not_stored"]) == (2, 2)
    assert {Path(file["path"]).name: file["reason"] for file in result["files"]} == {
        "CT_small.dcm": None,
        "JPEG2000.dcm": None,
        "half.dcm": "truncated",
        "notes.txt": "not_dicom",
    }
    assert result["msg"].startswith("2 of 4 files not stored.")
    assert "And 1 more" in result["msg"]
    assert len(archive.files()) == 2


def test_success(run_module: Any, archive: Archive, folder: Path) -> None:
    result = run(run_module, archive, folder / "CT_small.dcm")
    assert "failed" not in result
    assert result["changed"]
    (file,) = result["files"]
    assert file["status_text"] == "0x0000 Success"
    assert file["sop_instance_uid"] == archive.files()[0].stem
    assert file["study_instance_uid"] == "1.3.6.1.4.1.5962.1.2.1.20040119072730.12322"
    assert file["series_instance_uid"] == "1.3.6.1.4.1.5962.1.3.1.1.20040119072730.12322"
    assert result["milliseconds"] > 0


def test_check_mode_sends_nothing(run_module: Any, archive: Archive, folder: Path) -> None:
    result = run(run_module, archive, folder / "CT_small.dcm", check_mode=True)
    assert result["changed"]
    assert result["stored"] == 1
    assert result["diff"]["after"] == f"{folder / 'CT_small.dcm'}\n"
    assert archive.associations == 0


def test_check_mode_checks_the_files(run_module: Any, archive: Archive, folder: Path) -> None:
    result = run(run_module, archive, folder, check_mode=True)
    assert result["failed"]
    assert (result["stored"], result["not_stored"]) == (2, 2)
    assert archive.associations == 0


def test_an_empty_folder_is_no_change(run_module: Any, archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = run(run_module, archive, tmp_path / "empty")
    assert not result["changed"]
    assert result["files"] == []


def test_a_missing_source(run_module: Any, archive: Archive, tmp_path: Path) -> None:
    result = run(run_module, archive, tmp_path / "missing")
    assert result["reason"] == "invalid_input"


def set_uids(instance: str) -> Callable[[Dataset], None]:
    def alter(dataset: Dataset) -> None:
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = instance

    return alter


def set_class(sop_class: str) -> Callable[[Dataset], None]:
    def alter(dataset: Dataset) -> None:
        dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = sop_class

    return alter


def set_meta(keyword: str, value: str) -> Callable[[Dataset], None]:
    return lambda dataset: setattr(dataset.file_meta, keyword, value)


def remove(keyword: str) -> Callable[[Dataset], None]:
    return lambda dataset: delattr(dataset, keyword)


ODD = {
    "an instance of 65 characters": (set_uids("2.25." + "1" * 60), "invalid_uid"),
    "an instance of letters": (set_uids("1.2.x"), "invalid_uid"),
    "two instances": (set_uids("1.2.3\\1.2.4"), "invalid_uid"),
    "an empty component": (set_uids("1.2..3"), "invalid_uid"),
    "a class of 68 characters": (set_class("1." + "2" * 66), "invalid_uid"),
    "a class of words": (set_class("CT Image Storage"), "invalid_uid"),
    "another instance in meta": (
        set_meta("MediaStorageSOPInstanceUID", "2.25.6666"),
        "inconsistent",
    ),
    "another class in meta": (
        set_meta("MediaStorageSOPClassUID", "1.2.840.10008.5.1.4.1.1.7"),
        "inconsistent",
    ),
    "no instance in the data set": (remove("SOPInstanceUID"), "inconsistent"),
    "no class in the data set": (remove("SOPClassUID"), "inconsistent"),
}


@pytest.mark.parametrize(("alter", "reason"), ODD.values(), ids=ODD)
@pytest.mark.parametrize("check_mode", [False, True])
def test_what_one_file_is_costs_no_other(
    run_module: Any,
    archive: Archive,
    tmp_path: Path,
    alter: Callable[[Dataset], None],
    reason: str,
    check_mode: bool,
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for name, uid in (("a", "1.2.3.1"), ("b", "1.2.3.2"), ("c", "1.2.3.3")):
        dataset = dcmread(sample("CT_small.dcm"))
        (alter if name == "b" else set_uids(uid))(dataset)
        dataset.save_as(source / name)
    result = run(run_module, archive, source, check_mode=check_mode)
    assert [file["reason"] for file in result["files"]] == [None, reason, None]
    assert (result["changed"], result["stored"], result["not_stored"]) == (True, 2, 1)
    assert str(source / "b") in result["msg"]
    assert len(archive.files()) == (0 if check_mode else 2)


def test_a_dicomdir_that_is_named_is_refused(run_module: Any, archive: Archive) -> None:
    result = run(run_module, archive, sample("DICOMDIR"), sample("CT_small.dcm"))
    reasons = {Path(file["path"]).name: file["reason"] for file in result["files"]}
    assert reasons == {"DICOMDIR": "unsupported_sop_class", "CT_small.dcm": None}
    assert "Name the folder" in result["msg"]


def test_whatever_sending_one_file_raises_costs_no_other(
    run_module: Any, archive: Archive, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = Association.send_c_store

    def fail_once(association: Association, path: Path) -> Dataset:
        if Path(path).name == "CT_small.dcm":
            raise RuntimeError("the library gives up")
        return send(association, path)

    monkeypatch.setattr(Association, "send_c_store", fail_once)
    result = run(run_module, archive, folder / "CT_small.dcm", folder / "JPEG2000.dcm")
    assert [file["reason"] for file in result["files"]] == ["not_sent", None]
    assert "the library gives up" in result["msg"]


def test_the_name_of_a_file_need_not_be_utf_8(
    run_module: Any, archive: Archive, tmp_path: Path
) -> None:
    folder = tmp_path / "source"
    folder.mkdir()
    for name in (b"r\xf6ntgen.dcm", b"r\xf6ntgen.txt"):
        content = sample("CT_small.dcm").read_bytes() if name.endswith(b"dcm") else b"text"
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_bytes(content)
    result = run(run_module, archive, folder)
    image, text = result["files"]
    assert (image["reason"], text["reason"]) == (None, "not_dicom")
    assert image["path"] == f"{folder}/r\\udcf6ntgen.dcm"
    assert text["path"] in result["msg"]
