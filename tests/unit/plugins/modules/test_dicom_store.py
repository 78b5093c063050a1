# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openpacs.dicoogle.plugins.modules import dicom_store
from dicom_archive import Archive
from dicom_fixtures import sample


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
