# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.errors import DicomError
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.files import (
    find_files,
    read_file,
)
from pydicom import dcmread
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag
from support.dicom_fixtures import sample

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
WHOLE = [
    "CT_small.dcm",
    "JPEG2000.dcm",
    "MR_small_bigendian.dcm",
    "MR_small_implicit.dcm",
    "MR_small_RLE.dcm",
    "image_dfl.dcm",
    "reportsi.dcm",
    "rtplan.dcm",
]


def refusal(path: Path) -> DicomError:
    with pytest.raises(DicomError) as caught:
        read_file(path)
    assert str(path) in str(caught.value)
    return caught.value


def test_what_sending_a_file_takes() -> None:
    file = read_file(sample("CT_small.dcm"))
    assert file.sop_class == CT_IMAGE
    assert file.sop_instance_uid == "1.3.6.1.4.1.5962.1.1.1.1.1.20040119072730.12322"
    assert file.transfer_syntax == "1.2.840.10008.1.2.1"


@pytest.mark.parametrize("name", WHOLE)
def test_whole_files_of_all_encodings_are_taken(name: str) -> None:
    assert read_file(sample(name)).sop_class == dcmread(sample(name)).SOPClassUID


@pytest.mark.parametrize("content", [b"", b"hello", b"\0" * 128 + b"DICX", b"\0" * 5000])
def test_not_dicom(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    assert refusal(path).reason == "not_dicom"


def test_a_data_set_without_meta_information() -> None:
    assert refusal(sample("no_meta.dcm")).reason == "not_dicom"
    assert "TransferSyntaxUID" in str(refusal(sample("meta_missing_tsyntax.dcm")))


@pytest.mark.parametrize(
    "name", ["CT_small.dcm", "JPEG2000.dcm", "MR_small_bigendian.dcm", "MR_small_implicit.dcm"]
)
@pytest.mark.parametrize("part", [0.2, 0.5, 0.9, 0.999])
def test_truncated(tmp_path: Path, name: str, part: float) -> None:
    content = sample(name).read_bytes()
    path = tmp_path / name
    path.write_bytes(content[: int(len(content) * part)])
    assert refusal(path).reason == "truncated"


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_a_truncated_deflated_file(tmp_path: Path, part: float) -> None:
    content = sample("image_dfl.dcm").read_bytes()
    path = tmp_path / "file.dcm"
    path.write_bytes(content[: 400 + int((len(content) - 400) * part)])
    assert refusal(path).reason in ("truncated", "not_dicom")


def test_unreadable(tmp_path: Path) -> None:
    path = tmp_path / "file.dcm"
    path.mkdir()
    assert refusal(path).reason == "unreadable"


def test_checking_a_huge_file_takes_little_memory(tmp_path: Path) -> None:
    path = huge_file(tmp_path, 500_000_000)
    tracemalloc.start()
    file = read_file(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert file.sop_class == CT_IMAGE
    assert peak < 2_000_000


def huge_file(folder: Path, size: int) -> Path:
    """Return a CT image with pixel data of that many bytes, most of them a hole on disk."""
    dataset = dcmread(sample("CT_small.dcm"))
    dataset.Rows = dataset.Columns = 64
    del dataset[0xFFFCFFFC:]
    dataset.PixelData = b""
    path = folder / "huge.dcm"
    dataset.save_as(path)
    with path.open("r+b") as stream:
        stream.seek(-4, os.SEEK_END)  # the length of the pixel data, the last element
        stream.write(size.to_bytes(4, "little"))
        stream.truncate(stream.tell() + size)
    return path


def test_files_and_folders_in_order_each_once(tmp_path: Path) -> None:
    for name in ["b/2.dcm", "b/1.dcm", "b/c/3.dcm", "a.dcm"]:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.touch()
    sources = [str(tmp_path / "b"), str(tmp_path / "a.dcm"), str(tmp_path / "b" / "1.dcm")]
    found = [str(path.relative_to(tmp_path)) for path in find_files(sources)]
    assert found == ["b/1.dcm", "b/2.dcm", "b/c/3.dcm", "a.dcm"]


@pytest.mark.parametrize("name", ["DICOMDIR", "dicomdir", "Dicomdir", "dicomdir.;1", "index.dcm"])
def test_the_index_of_a_medium_is_left_out_whatever_it_is_called(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(sample("DICOMDIR").read_bytes())
    (tmp_path / "image").write_bytes(sample("CT_small.dcm").read_bytes())
    assert find_files([str(tmp_path)]) == [tmp_path / "image"]


def test_an_image_called_dicomdir_is_no_index(tmp_path: Path) -> None:
    (tmp_path / "DICOMDIR").write_bytes(sample("CT_small.dcm").read_bytes())
    assert find_files([str(tmp_path)]) == [tmp_path / "DICOMDIR"]


def test_a_source_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(DicomError, match="missing does not exist") as caught:
        find_files([str(tmp_path / "missing")])
    assert caught.value.reason == "invalid_input"


@pytest.mark.parametrize("name", ["a" * 300, "with\0zero"])
def test_a_source_that_cannot_be_looked_at(tmp_path: Path, name: str) -> None:
    with pytest.raises(DicomError, match="cannot be looked at") as caught:
        find_files([str(tmp_path / name)])
    assert caught.value.reason == "invalid_input"


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert find_files([str(tmp_path)]) == [tmp_path / "pipe"]
    assert refusal(tmp_path / "pipe").reason == "unreadable"


def test_a_link_that_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "missing")
    assert find_files([str(tmp_path)]) == [tmp_path / "link"]
    assert refusal(tmp_path / "link").reason == "unreadable"


@pytest.mark.parametrize(
    "character_set",
    [b"ISO_IR 999", b"XXX XXXX", b"\\ISO 2022 IR 999 ", b"x\xe4yz", b"a" * 64, b"latin-42"],
)
def test_an_unknown_character_set_is_not_minded(tmp_path: Path, character_set: bytes) -> None:
    path = with_character_set(tmp_path, "CT_small.dcm", character_set)
    assert read_file(path).sop_class == CT_IMAGE


def test_a_cut_file_with_an_unknown_character_set(tmp_path: Path) -> None:
    path = with_character_set(tmp_path, "JPEG2000.dcm", b"XXX XXXX")
    path.write_bytes(path.read_bytes()[:-100])
    assert refusal(path).reason == "truncated"


def with_character_set(folder: Path, name: str, value: bytes) -> Path:
    """Return a copy of a sample with a value that pydicom would not write."""
    dataset = dcmread(sample(name))
    tag = Tag("SpecificCharacterSet")
    dataset[tag] = RawDataElement(tag, "CS", len(value), value, 0, False, True)
    dataset.save_as(folder / name)
    return folder / name


@pytest.mark.parametrize("keyword", ["StudyInstanceUID", "SeriesInstanceUID"])
@pytest.mark.parametrize("value", ["1.2\\3.4", "1" * 65, "", "a.b"])
def test_uids_that_sending_does_not_need_are_told_as_they_stand(
    tmp_path: Path, keyword: str, value: str
) -> None:
    dataset = dcmread(sample("CT_small.dcm"))
    setattr(dataset, keyword, value)
    dataset.save_as(tmp_path / "file.dcm")
    file = read_file(tmp_path / "file.dcm")
    uids = {
        "StudyInstanceUID": file.study_instance_uid,
        "SeriesInstanceUID": file.series_instance_uid,
    }
    assert uids[keyword] == (value or None)
