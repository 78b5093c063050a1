# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whatever a file is, it has an outcome: damaged samples, generated data sets, judged by DCMTK."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.copies import (
    plan,
    renew,
    write,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.errors import DicomError
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.files import read_file
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.store import check_files
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.tag import Tag
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from support.dicom_fixtures import sample

SAMPLES = [
    "DICOMDIR",
    "CT_small.dcm",
    "JPEG2000.dcm",
    "MR_small_RLE.dcm",
    "MR_small_bigendian.dcm",
    "MR_small_implicit.dcm",
    "image_dfl.dcm",
    "nested_priv_SQ.dcm",
    "priv_SQ.dcm",
    "reportsi.dcm",
    "rtplan.dcm",
    "test-SR.dcm",
]
OF_A_FILE = {
    "not_dicom",
    "truncated",
    "invalid_uid",
    "inconsistent",
    "unreadable",
    "unsupported_sop_class",
}
UNDER_HYPOTHESIS = settings(
    deadline=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
samples = st.sampled_from(SAMPLES).map(lambda name: sample(name).read_bytes())
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")


def check_outcome(path: Path) -> bool:
    """Return whether a file would be sent; see that it has a sentence and a reason if not."""
    good, bad = check_files([path])
    assert len(good) + len(bad) == 1
    for outcome in bad:
        assert outcome.error
        assert outcome.error.reason in OF_A_FILE
        assert str(path) in str(outcome.error)
    return bool(good)


def check_copy(path: Path, folder: Path) -> None:
    """Copy a file, unless it is refused; see that the copy can be sent."""
    folder.mkdir(exist_ok=True)
    try:
        files = [read_file(path)]
        new = renew(files)
        (copy,) = plan(files, folder, new)
        write(copy, new)
    except DicomError as error:
        refusal = error
    else:
        assert dcmread(copy.path).SOPInstanceUID == copy.sop_instance_uid
        copy.path.unlink()
        return
    assert refusal.reason in OF_A_FILE
    assert list(folder.iterdir()) == []


@st.composite
def flipped(draw: st.DrawFn) -> bytes:
    """Return a sample with some other bytes, most of them where the structure is."""
    content = bytearray(draw(samples))
    place = st.one_of(st.integers(0, min(len(content), 2500) - 1), st.integers(0, len(content) - 1))
    for position, byte in draw(
        st.lists(st.tuples(place, st.integers(0, 255)), min_size=1, max_size=6)
    ):
        content[position] = byte
    return bytes(content)


@UNDER_HYPOTHESIS
@given(content=flipped())
def test_a_file_with_other_bytes(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    check_outcome(path)
    check_copy(path, tmp_path / "copies")


KEYWORDS = [
    "SpecificCharacterSet",
    "SOPClassUID",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "Modality",
    "PatientName",
    "InstanceNumber",
    "PatientWeight",
    "Rows",
    "ReferencedSOPSequence",
    "FailedSOPInstanceUIDList",
    "PixelData",
]
vrs = st.sampled_from(["UI", "CS", "PN", "IS", "DS", "US", "SQ", "UN", "OB", "LO", "AT", "FD"])
uids = st.sampled_from(["1.2.840.10008.5.1.4.1.1.2", "2.25.1", "2.25.2", "", "1.x", "1" * 65])
values = st.one_of(
    st.binary(max_size=70),
    st.lists(uids, max_size=3).map(lambda each: "\\".join(each).encode()),
    st.text(max_size=20).map(str.encode),
)


@UNDER_HYPOTHESIS
@given(
    contents=st.dictionaries(st.sampled_from(KEYWORDS), st.tuples(vrs, values)),
    sop_class=values,
    instance=values,
    implicit=st.booleans(),
    nested=st.booleans(),
)
def test_a_file_of_generated_values(
    tmp_path: Path,
    contents: dict[str, tuple[str, bytes]],
    sop_class: bytes,
    instance: bytes,
    implicit: bool,
    nested: bool,
) -> None:
    body = b"".join(
        encode(keyword, *contents[keyword], implicit) for keyword in sorted(contents, key=Tag)
    )
    if nested:
        item = struct.pack("<HHL", 0xFFFE, 0xE000, len(body)) + body
        body += encode("PixelDataProviderURL", "SQ", item, implicit)
    syntax = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
    meta = [
        encode("MediaStorageSOPClassUID", "UI", sop_class),
        encode("MediaStorageSOPInstanceUID", "UI", instance),
        encode("TransferSyntaxUID", "UI", syntax.encode()),
    ]
    path = tmp_path / "file"
    path.write_bytes(bytes(128) + b"DICM" + b"".join(meta) + body)
    check_outcome(path)
    check_copy(path, tmp_path / "copies")


def encode(keyword: str, vr: str, value: bytes, implicit: bool = False) -> bytes:
    """Return a data element with any value, PS3.5, 7.1."""
    value += b"\0" * (len(value) % 2)
    tag = Tag(keyword)
    head = struct.pack("<HH", tag.group, tag.element)
    if implicit:
        return head + struct.pack("<L", len(value)) + value
    if vr in ("OB", "SQ", "UN"):
        return head + vr.encode() + struct.pack("<HL", 0, len(value)) + value
    return head + vr.encode() + struct.pack("<H", len(value)) + value


@pytest.mark.skipif(not shutil.which("dcmdump"), reason="dcmdump, of DCMTK, is the judge")
@settings(UNDER_HYPOTHESIS, max_examples=60)
@given(data=st.data())
def test_a_cut_file_is_sent_only_if_dcmtk_takes_it(tmp_path: Path, data: Any) -> None:
    content = data.draw(samples)
    path = tmp_path / "file"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    if check_outcome(path):
        subprocess.run(["dcmdump", "-q", str(path)], check=True, capture_output=True)


@pytest.mark.parametrize("tail", [b"\n", b"\r\n", b"\0", b"\0" * 7, b"A" * 8, b"\0" * 13])
def test_what_follows_the_data_and_is_no_element_is_refused(tmp_path: Path, tail: bytes) -> None:
    """DCMTK does not read such a file, so a peer may not either."""
    path = tmp_path / "file"
    path.write_bytes(sample("CT_small.dcm").read_bytes() + tail)
    (outcome,) = check_files([path])[1]
    assert outcome.error
    assert outcome.error.reason == "truncated"
    assert "something else follows its data" in str(outcome.error)


def test_a_report_that_ends_in_the_header_of_an_element(tmp_path: Path) -> None:
    """It has no pixel data that would be missed."""
    content = sample("reportsi.dcm").read_bytes()
    path = tmp_path / "file"
    for cut in range(1, 8):
        path.write_bytes(content + content[-8:-cut])
        assert not check_outcome(path)
