# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whole files and cut ones are told apart, in every transfer syntax."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keeper.dicom_file import Examination, examine
from pydicom import Dataset, dcmread, dcmwrite
from pydicom.data import get_testdata_file
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

SAMPLES = [
    "CT_small.dcm",
    "MR_small.dcm",
    "MR_small_bigendian.dcm",
    "MR_small_implicit.dcm",
    "MR_small_RLE.dcm",
    "JPEG2000.dcm",
    "SC_rgb_jpeg_dcmtk.dcm",
    "image_dfl.dcm",
    "rtplan.dcm",
    "reportsi.dcm",
    "nested_priv_SQ.dcm",
    "UN_sequence.dcm",
    "test-SR.dcm",
    "liver_1frame.dcm",
]


def sample(name: str) -> Path:
    return Path(str(get_testdata_file(name, download=False)))


@pytest.mark.parametrize("name", SAMPLES)
def test_a_whole_file_is_whole(name: str) -> None:
    dataset = dcmread(sample(name), force=True)
    examination = examine(sample(name))
    assert examination.whole, examination
    uid = dataset.get("SOPInstanceUID") or dataset.file_meta.MediaStorageSOPInstanceUID
    assert examination.sop_instance_uid == uid


# Each with where its pixels end: what follows is padding.
@pytest.mark.parametrize(
    ("name", "end"), [("CT_small.dcm", 39068), ("MR_small_RLE.dcm", 7652), ("image_dfl.dcm", 4629)]
)
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_file_that_was_cut_off_is_not(
    name: str, end: int, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    length = data.draw(st.one_of(st.integers(0, 2000), st.integers(0, end - 1), st.just(end - 1)))
    cut = tmp_path_factory.mktemp("cut") / name
    cut.write_bytes(sample(name).read_bytes()[:length])
    if examine(cut).problem != "it ends in the middle":
        assert "Rows" not in dcmread(cut), length  # between two elements, and not yet an image


@given(content=st.binary(max_size=4000))
def test_other_bytes_are_no_dicom_and_nothing_breaks(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("other") / "file"
    path.write_bytes(content)
    assert not examine(path).whole


@given(st.data())
def test_a_damaged_file_breaks_nothing(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = bytearray(sample("rtplan.dcm").read_bytes())
    for _unused in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(132, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("damaged") / "file"
    path.write_bytes(content)
    assert isinstance(examine(path), Examination)


def test_a_file_without_modality_is_whole_and_cannot_be_indexed(tmp_path: Path) -> None:
    dataset = dcmread(sample("CT_small.dcm"))
    for value in ("", None):
        dataset.Modality = value
        dataset.save_as(tmp_path / "file")
        examination = examine(tmp_path / "file")
        assert examination.whole
        assert examination.problem == "it has no Modality (0008,0060)"
    del dataset.Modality
    dataset.save_as(tmp_path / "file")
    assert examine(tmp_path / "file").problem == "it has no Modality (0008,0060)"


def test_text_is_no_dicom(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("dear diary " * 100)
    assert "no DICOM file" in str(examine(tmp_path / "text").problem)


def small(syntax: str) -> Dataset:
    dataset = dcmread(sample("CT_small.dcm"))
    dataset.file_meta.TransferSyntaxUID = syntax
    item = Dataset()
    item.PatientID = "inner"
    item.Modality = "XX"
    dataset.ReferencedStudySequence = Sequence([item])
    return dataset


@pytest.mark.parametrize(
    ("syntax", "implicit", "little"),
    [
        (ImplicitVRLittleEndian, True, True),
        (ExplicitVRLittleEndian, False, True),
        (ExplicitVRBigEndian, False, False),
    ],
)
def test_sequences_do_not_hide_the_end(
    tmp_path: Path, syntax: str, implicit: bool, little: bool
) -> None:
    path = tmp_path / "file"
    dcmwrite(path, small(syntax), implicit_vr=implicit, little_endian=little)
    assert examine(path).problem is None
    content = path.read_bytes()
    path.write_bytes(content[:20_000])
    assert examine(path).problem == "it ends in the middle"


def test_a_deflated_file_that_would_fill_the_memory_is_taken_for_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    dataset = small(DeflatedExplicitVRLittleEndian)
    dataset.PixelData = bytes(80 * 2**20)
    dcmwrite(path, dataset, implicit_vr=False, little_endian=True)
    tracemalloc.start()
    examination = examine(path)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert examination == Examination(dataset.SOPInstanceUID, whole=True, problem=None)
    assert peak < 160 * 2**20


def test_a_deflated_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    dataset = small(DeflatedExplicitVRLittleEndian)
    dcmwrite(path, dataset, implicit_vr=False, little_endian=True)
    assert examine(path).problem is None
    path.write_bytes(path.read_bytes()[:-50])
    assert examine(path).problem == "it ends in the middle"
