# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any

import pydicom.datadict
import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.errors import DicomError
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.files import read_file
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.move import (
    Selection,
    move,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.peer import Peer
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.query import (
    build_identifier,
    find,
    to_dict,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.store import store
from dicom_archive import Archive
from pydicom import Dataset, dcmread
from pynetdicom.dsutils import encode
from support.dicom_fixtures import sample

# a keyword of each value representation, and of the groups that no query has
ONE_OF_EACH = {
    entry[0]: entry[4] for entry in pydicom.datadict.DicomDictionary.values() if entry[4]
} | {"meta": "TransferSyntaxUID", "command": "CommandField"}
CT_STUDY = "1.3.6.1.4.1.5962.1.2.1.20040119072730.12322"
CT_SERIES = "1.3.6.1.4.1.5962.1.3.1.1.20040119072730.12322"
CT_IMAGE = "1.3.6.1.4.1.5962.1.1.1.1.1.20040119072730.12322"


@pytest.fixture
def filled(archive: Archive, make_peer: Callable[..., Peer]) -> Archive:
    files = [read_file(sample(name)) for name in ("CT_small.dcm", "MR_small_bigendian.dcm")]
    assert all(outcome.stored for outcome in store(make_peer(archive.port), files))
    return archive


def test_the_query_asks_for_the_unique_key_of_its_level() -> None:
    identifier = build_identifier("series", {"Modality": "CT", "SeriesNumber": 3, "StudyID": None})
    assert identifier.QueryRetrieveLevel == "SERIES"
    assert identifier.SeriesInstanceUID == ""
    assert identifier.Modality == "CT"
    assert identifier.SeriesNumber == 3
    assert identifier.StudyID == ""
    assert "SpecificCharacterSet" not in identifier


def test_a_list_of_uids() -> None:
    assert build_identifier("study", {"StudyInstanceUID": ["1.2", "1.3"]}).StudyInstanceUID == [
        "1.2",
        "1.3",
    ]


def test_names_in_any_script() -> None:
    assert build_identifier("study", {"PatientName": "Müller*"}).SpecificCharacterSet == (
        "ISO_IR 192"
    )


@pytest.mark.parametrize("keyword", ["PatientsName", "patientname", "RequestAttributesSequence"])
def test_a_keyword_that_cannot_be_asked_for(keyword: str) -> None:
    with pytest.raises(DicomError, match=keyword) as caught:
        build_identifier("study", {keyword: "x"})
    assert caught.value.reason == "invalid_input"


@pytest.mark.parametrize("name", ["CT_small.dcm", "reportsi.dcm", "rtplan.dcm", "liver_1frame.dcm"])
def test_any_data_set_fits_into_json(name: str) -> None:
    dataset = dcmread(sample(name))
    values = json.loads(json.dumps(to_dict(dataset), allow_nan=False))
    assert values["SOPInstanceUID"] == dataset.SOPInstanceUID
    assert "PixelData" not in values
    assert "" not in values


def test_values_keep_their_kind() -> None:
    dataset = Dataset()
    dataset.PatientName = "Doe^Jane"
    dataset.SeriesNumber = "3"
    dataset.PixelSpacing = ["0.5", "0.25"]
    dataset.ModalitiesInStudy = ["CT", "MR"]
    dataset.StudyDate = "20260101"
    item = Dataset()
    item.CodeValue = "T-1"
    dataset.AnatomicRegionSequence = [item]
    dataset.add_new(0x00091001, "LO", "private")
    assert to_dict(dataset) == {
        "PatientName": "Doe^Jane",
        "SeriesNumber": 3,
        "PixelSpacing": [0.5, 0.25],
        "ModalitiesInStudy": ["CT", "MR"],
        "StudyDate": "20260101",
        "AnatomicRegionSequence": [{"CodeValue": "T-1"}],
    }


@pytest.mark.parametrize("level", ["patient", "study", "series", "image"])
def test_find_at_each_level(filled: Archive, make_peer: Callable[..., Peer], level: str) -> None:
    found = find(make_peer(filled.port), level, {"Modality": "CT", "PatientName": ""}, None)
    assert [match["PatientName"] for match in found.matches] == ["CompressedSamples^CT1"]
    assert not found.limited


@pytest.mark.parametrize(
    ("limit", "count", "limited"), [(1, 1, True), (2, 2, False), (9, 2, False)]
)
def test_limit(
    filled: Archive, make_peer: Callable[..., Peer], limit: int, count: int, limited: bool
) -> None:
    found = find(make_peer(filled.port), "study", {}, limit)
    assert (len(found.matches), found.limited) == (count, limited)


@pytest.mark.parametrize(
    ("selection", "level"),
    [
        (Selection(CT_STUDY, None, None), "study"),
        (Selection(CT_STUDY, CT_SERIES, None), "series"),
        (Selection(CT_STUDY, CT_SERIES, CT_IMAGE), "image"),
    ],
)
def test_move_what_is_selected(
    filled: Archive,
    make_archive: Callable[..., Archive],
    make_peer: Callable[..., Peer],
    selection: Selection,
    level: str,
) -> None:
    target = make_archive(ae_title="TARGET")
    filled.destinations = {"TARGET": target.port}
    status, counts = move(make_peer(filled.port), selection, "TARGET")
    assert selection.level == level
    assert status.text == "0x0000 Success"
    assert (counts.matched, counts.completed) == (1, 1)
    assert counts.not_moved == 0
    assert [path.stem for path in target.files()] == [CT_IMAGE]
    assert dcmread(target.files()[0]).PixelData == dcmread(sample("CT_small.dcm")).PixelData


def test_nothing_to_move_is_no_failure(
    filled: Archive, make_archive: Callable[..., Archive], make_peer: Callable[..., Peer]
) -> None:
    filled.destinations = {"TARGET": make_archive(ae_title="TARGET").port}
    _status, counts = move(make_peer(filled.port), Selection("1.2.3", None, None), "TARGET")
    assert counts.matched == 0


def failed_move(peer: Peer) -> dict[str, Any]:
    with pytest.raises(DicomError) as caught:
        move(peer, Selection(CT_STUDY, None, None), "TARGET")
    return caught.value.result()


def test_an_unknown_destination(filled: Archive, make_peer: Callable[..., Peer]) -> None:
    result = failed_move(make_peer(filled.port))
    assert result["reason"] == "unknown_destination"
    assert "TARGET" in result["msg"]


def test_images_that_do_not_arrive(
    filled: Archive, make_archive: Callable[..., Archive], make_peer: Callable[..., Peer]
) -> None:
    target = make_archive(ae_title="TARGET")
    target.store_status = {CT_IMAGE: 0xA700}
    filled.destinations = {"TARGET": target.port}
    result = failed_move(make_peer(filled.port))
    assert result["reason"] == "suboperations"
    assert (result["matched"], result["not_moved"]) == (1, 1)
    assert result["not_moved_uids"] == [CT_IMAGE]


def test_a_destination_that_is_down(filled: Archive, make_peer: Callable[..., Peer]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        filled.destinations = {"TARGET": listener.getsockname()[1]}
    assert failed_move(make_peer(filled.port))["reason"] == "unknown_destination"


ODD_VALUES = ["", "*", "1-5", "a\\b", "x" * 100, "ä", "\udcff", -1, 1 << 70, 1.5, True, {"a": 1}]


@pytest.mark.parametrize("value", [*ODD_VALUES, ["", 1], []], ids=repr)
def test_what_a_keyword_takes_can_be_sent_and_the_rest_is_refused_by_name(value: Any) -> None:
    sent = 0
    for keyword in ONE_OF_EACH.values():
        query = {keyword: value}
        try:
            assert encode(build_identifier("study", query), True, True), keyword
        except DicomError:
            with pytest.raises(DicomError, match=rf"^query: .*{keyword}"):
                build_identifier("study", query)
        else:
            sent += 1
    assert sent or value == "\udcff"
