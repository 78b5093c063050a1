# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openpacs.dicoogle.plugins.modules import dicom_copy
from pydicom import Dataset, dcmread
from pydicom.sequence import Sequence
from pydicom.uid import ImplicitVRLittleEndian
from support.dicom_fixtures import sample

UIDS = ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID")


@pytest.fixture
def dest(tmp_path: Path) -> Path:
    folder = tmp_path / "copies"
    folder.mkdir()
    return folder


def copy(run_module: Any, dest: Path, *src: Path, check_mode: bool = False) -> dict[str, Any]:
    paths = [str(path) for path in src]
    return run_module(dicom_copy, check_mode=check_mode, src=paths, dest=str(dest))


def without_uids(dataset: Dataset) -> Dataset:
    for keyword in UIDS:
        del dataset[keyword]
    return dataset


def test_a_copy_is_another_object_with_the_same_content(run_module: Any, dest: Path) -> None:
    result = copy(run_module, dest, sample("CT_small.dcm"))
    (file,) = result["files"]
    one, other = dcmread(sample("CT_small.dcm")), dcmread(file["path"])
    assert result["changed"]
    assert Path(file["path"]) == dest / f"{other.SOPInstanceUID}.dcm"
    assert other.file_meta.MediaStorageSOPInstanceUID == other.SOPInstanceUID
    assert [file["sop_instance_uid"], file["series_instance_uid"], file["study_instance_uid"]] == [
        other[keyword].value for keyword in UIDS
    ]
    assert not [keyword for keyword in UIDS if one[keyword].value == other[keyword].value]
    assert without_uids(one) == without_uids(other)


def test_each_run_makes_other_ones(run_module: Any, dest: Path) -> None:
    for _unused in range(2):
        copy(run_module, dest, sample("CT_small.dcm"))
    assert len(list(dest.iterdir())) == 2


def test_objects_of_a_series_stay_together(run_module: Any, dest: Path, tmp_path: Path) -> None:
    dataset = dcmread(sample("CT_small.dcm"))
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    dataset.save_as(tmp_path / "second.dcm")
    files = copy(run_module, dest, sample("CT_small.dcm"), tmp_path / "second.dcm")["files"]
    assert len({file["series_instance_uid"] for file in files}) == 1
    assert len({file["study_instance_uid"] for file in files}) == 1
    assert len({file["sop_instance_uid"] for file in files}) == 2


def test_check_mode_writes_nothing(run_module: Any, dest: Path) -> None:
    result = copy(run_module, dest, sample("CT_small.dcm"), check_mode=True)
    assert result["changed"]
    assert list(dest.iterdir()) == []


def test_one_broken_file_and_nothing_is_copied(run_module: Any, dest: Path, tmp_path: Path) -> None:
    half = tmp_path / "half.dcm"
    half.write_bytes(sample("CT_small.dcm").read_bytes()[:20000])
    result = copy(run_module, dest, sample("CT_small.dcm"), half)
    assert result["reason"] == "truncated"
    assert str(half) in result["msg"]
    assert list(dest.iterdir()) == []


def test_a_folder_that_is_not_there(run_module: Any, tmp_path: Path) -> None:
    result = copy(run_module, tmp_path / "missing", sample("CT_small.dcm"))
    assert result["failed"]
    assert str(tmp_path / "missing") in result["msg"]


@pytest.mark.parametrize("implicit", [False, True])
def test_references_lead_to_the_copies(
    run_module: Any, dest: Path, tmp_path: Path, implicit: bool
) -> None:
    image = dcmread(sample("CT_small.dcm"))
    state = dcmread(sample("CT_small.dcm"))
    if implicit:
        state.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    state.SOPInstanceUID = state.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    item = Dataset()
    item.ReferencedSOPInstanceUID = image.SOPInstanceUID
    item.ReferencedSOPClassUID = image.SOPClassUID
    series = Dataset()
    series.SeriesInstanceUID = image.SeriesInstanceUID
    series.ReferencedSOPSequence = Sequence([item])
    state.ReferencedSeriesSequence = Sequence([series])
    state.FailedSOPInstanceUIDList = [image.SOPInstanceUID, "1.2.99"]
    state.save_as(tmp_path / "state.dcm", implicit_vr=implicit, little_endian=True)
    result = copy(run_module, dest, sample("CT_small.dcm"), tmp_path / "state.dcm")
    new_image, new_state = (dcmread(file["path"]) for file in result["files"])
    new_series = new_state.ReferencedSeriesSequence[0]
    new_item = new_series.ReferencedSOPSequence[0]
    assert new_series.SeriesInstanceUID == new_image.SeriesInstanceUID
    assert new_item.ReferencedSOPInstanceUID == new_image.SOPInstanceUID
    assert new_item.ReferencedSOPClassUID == image.SOPClassUID
    assert new_state.FailedSOPInstanceUIDList == [new_image.SOPInstanceUID, "1.2.99"]


def test_the_copy_of_an_odd_file_can_be_sent(run_module: Any, dest: Path, tmp_path: Path) -> None:
    dataset = dcmread(sample("CT_small.dcm"))
    dataset.SOPInstanceUID = "2.25." + "1" * 60
    dataset.SeriesInstanceUID = ["1.2", "1.3"]
    dataset.file_meta.MediaStorageSOPInstanceUID = "2.25.6666"
    dataset.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    dataset.save_as(tmp_path / "odd.dcm")
    (file,) = copy(run_module, dest, tmp_path / "odd.dcm")["files"]
    other = dcmread(file["path"])
    assert other.file_meta.MediaStorageSOPClassUID == dataset.SOPClassUID == other.SOPClassUID
    assert other.file_meta.MediaStorageSOPInstanceUID == other.SOPInstanceUID
    assert other.SeriesInstanceUID == file["series_instance_uid"]


def test_what_was_copied_before_a_failure_is_told(
    run_module: Any, dest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = Dataset.save_as
    second = tmp_path / "second.dcm"
    second.write_bytes(sample("MR_small.dcm").read_bytes())

    def fail_for_mr(dataset: Dataset, path: Path) -> None:
        save(dataset, path)
        if dataset.Modality == "MR":
            raise ValueError("the library gives up")

    monkeypatch.setattr(Dataset, "save_as", fail_for_mr)
    result = copy(run_module, dest, sample("CT_small.dcm"), second)
    assert result["failed"]
    assert result["reason"] == "not_dicom"
    assert str(second) in result["msg"]
    assert [Path(file["path"]) for file in result["files"]] == list(dest.iterdir())
    assert result["changed"]
