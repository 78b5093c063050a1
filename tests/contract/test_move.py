# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Facts of C-MOVE: success is said when images did not arrive."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pydicom import Dataset
from pynetdicom import AE
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    StudyRootQueryRetrieveInformationModelMove,
)
from support.running_archive import TITLE, Destination, RunningArchive, ports
from support.sample_images import CT, EXPLICIT, IMPLICIT, MR, in_syntax, new_image, new_study

Destinations = Callable[..., Destination]
CONTEXTS = [(CT, [IMPLICIT, EXPLICIT])]


@pytest.fixture(scope="module")
def study(archive: RunningArchive) -> list[Dataset]:
    """A study of three images that is in the index."""
    images = new_study(3, PatientName="Moved^Away")
    archive.store(*images)
    archive.settle()
    return images


def told(status: Dataset) -> tuple[int, int | None, int | None, int | None]:
    """Return status, completed, remaining and failed."""
    counts = (
        status.get(f"NumberOf{each}Suboperations") for each in ("Completed", "Remaining", "Failed")
    )
    return (status.Status, *counts)


class TestArrival:
    def test_one_answer_counts_what_has_arrived(
        self, archive: RunningArchive, study: list[Dataset], destinations: Destinations
    ) -> None:
        destination = destinations(CONTEXTS)
        (status,) = archive.move("STUDY", "DEST", StudyInstanceUID=study[0].StudyInstanceUID)
        assert told(status) == (0x0000, 3, None, None)
        arrived = {each.SOPInstanceUID: each for each in destination.received}
        assert set(arrived) == {each.SOPInstanceUID for each in study}
        assert arrived[study[0].SOPInstanceUID].PixelData == study[0].PixelData

    def test_series_and_image_can_be_named(
        self, archive: RunningArchive, study: list[Dataset], destinations: Destinations
    ) -> None:
        destinations(CONTEXTS)
        uids = {
            "StudyInstanceUID": study[0].StudyInstanceUID,
            "SeriesInstanceUID": study[0].SeriesInstanceUID,
        }
        (status,) = archive.move("SERIES", "DEST", **uids)
        assert told(status) == (0x0000, 3, None, None)
        uids["SOPInstanceUID"] = study[0].SOPInstanceUID
        for level in ("IMAGE", "STUDY", None):  # the keys decide
            (status,) = archive.move(level, "DEST", **uids)
            assert told(status) == (0x0000, 1, None, None)

    def test_the_archive_says_that_it_is_the_originator(
        self, archive: RunningArchive, study: list[Dataset], destinations: Destinations
    ) -> None:
        destination = destinations(CONTEXTS)
        archive.move("STUDY", "DEST", StudyInstanceUID=study[0].StudyInstanceUID)
        assert set(destination.callers) == {TITLE}
        for request in destination.requests:
            assert request.MoveOriginatorApplicationEntityTitle == TITLE
            assert request.MoveOriginatorMessageID == 1
            assert request.Priority == 0

    def test_each_class_is_proposed_in_implicit_and_in_what_is_stored(
        self, archive: RunningArchive, study: list[Dataset], destinations: Destinations
    ) -> None:
        destination = destinations(CONTEXTS)
        archive.move("STUDY", "DEST", StudyInstanceUID=study[0].StudyInstanceUID)
        assert sorted(destination.proposed) == [(CT, (IMPLICIT,)), (CT, (EXPLICIT,))]

    def test_what_is_stored_implicit_arrives_implicit(
        self, archive: RunningArchive, destinations: Destinations
    ) -> None:
        destination = destinations([(CT, [EXPLICIT, IMPLICIT])])
        image = in_syntax(new_image(), IMPLICIT)
        archive.store(image)
        assert archive.found(image)
        archive.move("STUDY", "DEST", StudyInstanceUID=image.StudyInstanceUID)
        (arrived,) = destination.received
        assert arrived.file_meta.TransferSyntaxUID == IMPLICIT

    def test_what_is_stored_in_any_syntax_arrives_in_the_same(
        self, archive: RunningArchive, destinations: Destinations
    ) -> None:
        lines = (archive.home / "transfer-syntaxes.txt").read_text().splitlines()
        syntaxes = [line.split()[0] for line in lines]
        destination = destinations([(CT, syntaxes)])
        images = [in_syntax(new_image(PatientID="SYNTAXES"), each) for each in syntaxes]
        assert archive.store(*images) == [0] * len(syntaxes)
        archive.settle()
        keys = {"StudyInstanceUID": "", "PatientID": "SYNTAXES"}
        (status,) = archive.move("STUDY", "DEST", **keys)
        assert told(status) == (0x0000, len(syntaxes), None, None)
        arrived = {each.file_meta.TransferSyntaxUID: each for each in destination.received}
        for image in images:
            same = arrived[image.file_meta.TransferSyntaxUID]
            assert same.SOPInstanceUID == image.SOPInstanceUID
            assert same.PixelData == image.PixelData

    def test_an_empty_study_uid_moves_whatever_else_matches(
        self, archive: RunningArchive, study: list[Dataset], destinations: Destinations
    ) -> None:
        destinations(CONTEXTS)
        keys = {"StudyInstanceUID": "", "PatientID": study[0].PatientID}
        (status,) = archive.move("STUDY", "DEST", **keys)
        assert told(status) == (0x0000, 3, None, None)

    def test_nothing_but_an_empty_study_uid_moves_the_whole_archive(
        self, archive: RunningArchive, study: list[Dataset], destinations: Destinations
    ) -> None:
        destinations(CONTEXTS)
        everything = archive.ask("GET", "/search", query="*:*", psize=0).json["numResults"]
        assert everything >= len(study)
        (status,) = archive.move("STUDY", "DEST", StudyInstanceUID="")
        completed, remaining = told(status)[1:3]
        assert (status.Status, (completed or 0) + (remaining or 0)) == (0x0000, everything)


class TestNothing:
    @pytest.mark.parametrize("uid", ["1.2.3", r"1.2.3\1.2.4"])
    def test_success_without_any_count_when_nothing_matches(
        self, archive: RunningArchive, destinations: Destinations, uid: str
    ) -> None:
        destinations(CONTEXTS)
        (status,) = archive.move("STUDY", "DEST", StudyInstanceUID=uid)
        assert told(status) == (0x0000, None, None, None)

    def test_a_list_of_uids_moves_nothing(
        self, archive: RunningArchive, study: list[Dataset], destinations: Destinations
    ) -> None:
        destination = destinations(CONTEXTS)
        uids = "\\".join(str(each.SOPInstanceUID) for each in study[:2])
        keys = {"StudyInstanceUID": study[0].StudyInstanceUID, "SOPInstanceUID": uids}
        (status,) = archive.move("IMAGE", "DEST", **keys)
        assert told(status) == (0x0000, None, None, None)
        assert destination.received == []

    def test_without_the_study_uid_the_connection_is_closed(
        self, archive: RunningArchive, study: list[Dataset]
    ) -> None:
        answers = archive.move("STUDY", "DEST", PatientID=study[0].PatientID)
        assert [each for each in answers if "Status" in each] == []
        assert archive.echo("query") == 0


class TestFailure:
    def test_a_refused_image_remains_and_the_rest_is_success(
        self, archive: RunningArchive, study: list[Dataset], destinations: Destinations
    ) -> None:
        destination = destinations(CONTEXTS)
        destination.statuses[study[0].SOPInstanceUID] = 0xA700
        (status,) = archive.move("STUDY", "DEST", StudyInstanceUID=study[0].StudyInstanceUID)
        assert told(status) == (0x0000, 2, 1, None)
        words = ("ERROR", "DicoogleDcmSend", "Received RSP with Status", "A700H")
        assert archive.lines(*words, study[0].SOPInstanceUID)

    def test_all_refused_is_success_too(
        self, archive: RunningArchive, study: list[Dataset], destinations: Destinations
    ) -> None:
        destination = destinations(CONTEXTS)
        destination.statuses = {each.SOPInstanceUID: 0xA700 for each in study}
        (status,) = archive.move("STUDY", "DEST", StudyInstanceUID=study[0].StudyInstanceUID)
        assert told(status) == (0x0000, 0, 3, None)

    def test_a_class_that_the_destination_lacks_remains(
        self, archive: RunningArchive, study: list[Dataset], destinations: Destinations
    ) -> None:
        destinations([(MR, [IMPLICIT])])
        (status,) = archive.move("STUDY", "DEST", StudyInstanceUID=study[0].StudyInstanceUID)
        assert told(status) == (0x0000, 0, 3, None)
        assert archive.lines("WARN", "DicoogleDcmSend", "not supported by DEST, skip file")

    @pytest.mark.parametrize("title", ["NOBODY", "dest"])
    def test_an_unknown_destination_is_a_refused_connection(
        self,
        archive: RunningArchive,
        study: list[Dataset],
        destinations: Destinations,
        title: str,
    ) -> None:
        destinations(CONTEXTS)
        (status,) = archive.move("STUDY", title, StudyInstanceUID=study[0].StudyInstanceUID)
        assert told(status) == (0xC110, None, None, None)
        assert status.ErrorComment == "Connection refused (Connection refused)"
        assert archive.lines(
            "ERROR", "CMoveServiceSCP", f"Failed to send files to DICOM node {title}"
        )

    def test_a_destination_that_is_down_is_one_too(
        self, archive: RunningArchive, study: list[Dataset]
    ) -> None:
        path = "/management/settings/storage/dicom"
        down = {"aetitle": "DOWN", "ip": "127.0.0.1", "port": ports(1)[0]}
        archive.post(path, type="add", **down)
        (status,) = archive.move("STUDY", "DOWN", StudyInstanceUID=study[0].StudyInstanceUID)
        archive.post(path, type="remove", **down)
        assert (status.Status, status.ErrorComment) == (
            *(0xC110, "Connection refused (Connection refused)"),
        )

    @pytest.mark.filterwarnings("ignore:The value length")  # as long as Dicoogle's comment is
    def test_a_destination_with_another_title_says_so(
        self, archive: RunningArchive, study: list[Dataset], destinations: Destinations
    ) -> None:
        destinations(CONTEXTS, only="OTHER")
        (status,) = archive.move("STUDY", "DEST", StudyInstanceUID=study[0].StudyInstanceUID)
        assert status.Status == 0xC110
        assert "called-AE-title-not-recognized" in status.ErrorComment

    def test_a_destination_that_aborts_ends_it(
        self, archive: RunningArchive, study: list[Dataset], destinations: Destinations
    ) -> None:
        destination = destinations(CONTEXTS)
        destination.abort_at = 2
        (status,) = archive.move("STUDY", "DEST", StudyInstanceUID=study[0].StudyInstanceUID)
        assert told(status) == (0xC110, 1, 2, None)
        assert status.ErrorComment == "DICOM file transmission failed"

    def test_a_destination_that_aborts_at_the_last_image_is_success(
        self, archive: RunningArchive, study: list[Dataset], destinations: Destinations
    ) -> None:
        destination = destinations(CONTEXTS)
        destination.abort_at = 3
        (status,) = archive.move("STUDY", "DEST", StudyInstanceUID=study[0].StudyInstanceUID)
        assert told(status) == (0x0000, 2, 1, None)


def test_a_cancel_changes_nothing(
    archive: RunningArchive, study: list[Dataset], destinations: Destinations
) -> None:
    destinations(CONTEXTS)
    model = StudyRootQueryRetrieveInformationModelMove
    identifier = Dataset()
    identifier.QueryRetrieveLevel = "STUDY"
    identifier.StudyInstanceUID = study[0].StudyInstanceUID
    entity = AE("CONTRACT")
    entity.add_requested_context(model)
    association = entity.associate("127.0.0.1", archive.query_port, ae_title=TITLE)
    answers = association.send_c_move(identifier, "DEST", model)
    association.send_c_cancel(1, query_model=model)
    statuses = [told(status) for status, _none in answers]
    association.release()
    assert statuses == [(0x0000, 3, None, None)]
