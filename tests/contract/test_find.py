# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Facts of C-FIND."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pydicom import Dataset
from support.running_archive import PATIENT_FIND, RunningArchive
from support.sample_images import MR, new_image, new_study

# Some of the values are none, as clients send them.
pytestmark = pytest.mark.filterwarnings("ignore:Invalid value for VR")
Archives = Callable[..., RunningArchive]


@pytest.fixture(scope="module")
def study(archive: RunningArchive) -> list[Dataset]:
    """A study of three images that is in the index."""
    images = new_study(
        3, PatientName="Theodora^Xaver", StudyDate="20200115", StudyTime="101500", StudyID="S1"
    )
    archive.store(*images)
    archive.settle()
    return images


def names(matches: list[Dataset]) -> list[str]:
    """Return the names of the patients."""
    return [str(each.PatientName) for each in matches]


class TestLevels:
    @pytest.mark.parametrize("level", [None, "BOGUS"])
    def test_a_level_is_needed(self, archive: RunningArchive, level: str | None) -> None:
        ((status, match),) = archive.find(level, PatientID="")
        assert (status.Status, match) == (0xFE00, None)
        assert status.ErrorComment == "Query/Retrieve Level invalid or missing"

    def test_a_study_is_told_with_these(
        self, archive: RunningArchive, study: list[Dataset]
    ) -> None:
        keys = dict.fromkeys(
            (
                *("PatientName", "PatientID", "PatientSex", "PatientBirthDate", "StudyDate"),
                *("StudyTime", "StudyID", "AccessionNumber", "StudyDescription"),
                *("ModalitiesInStudy", "Modality", "InstitutionName"),
                *("NumberOfStudyRelatedInstances", "NumberOfStudyRelatedSeries"),
                *("ReferringPhysicianName", "RetrieveAETitle", "InstanceAvailability"),
            ),
            "",
        )
        uid = study[0].StudyInstanceUID
        (match,) = archive.matches("STUDY", StudyInstanceUID=uid, **keys)
        assert {each.keyword for each in match} == {
            *("SpecificCharacterSet", "PatientName", "PatientID", "PatientSex", "StudyInstanceUID"),
            *("PatientBirthDate", "StudyDate", "StudyTime", "StudyID", "AccessionNumber"),
            *("StudyDescription", "ModalitiesInStudy", "Modality", "InstitutionName"),
            "NumberOfStudyRelatedInstances",
        }
        assert match.NumberOfStudyRelatedInstances == 3
        assert match.SpecificCharacterSet == "ISO_IR 100"
        assert (match.StudyID, match.StudyTime) == ("S1", "101500")

    def test_a_series_is_told_with_these(
        self, archive: RunningArchive, study: list[Dataset]
    ) -> None:
        keys = dict.fromkeys(
            (
                *("SeriesInstanceUID", "SeriesNumber", "Modality", "SeriesDescription"),
                *("NumberOfSeriesRelatedInstances", "BodyPartExamined", "PatientName"),
            ),
            "",
        )
        uid = study[0].StudyInstanceUID
        (match,) = archive.matches("SERIES", StudyInstanceUID=uid, **keys)
        assert {each.keyword for each in match} == {
            *("SpecificCharacterSet", "QueryRetrieveLevel", "StudyInstanceUID", "Modality"),
            *("SeriesInstanceUID", "SeriesNumber", "SeriesDescription"),
            "NumberOfSeriesRelatedInstances",
        }
        assert match.NumberOfSeriesRelatedInstances == 3

    def test_an_image_is_told_without_its_number(
        self, archive: RunningArchive, study: list[Dataset]
    ) -> None:
        keys = dict.fromkeys(("SOPInstanceUID", "InstanceNumber", "SOPClassUID", "PatientID"), "")
        uid = study[0].StudyInstanceUID
        matches = archive.matches("IMAGE", StudyInstanceUID=uid, **keys)
        assert {each.SOPInstanceUID for each in matches} == {each.SOPInstanceUID for each in study}
        assert {each.keyword for match in matches for each in match} == {
            *("SpecificCharacterSet", "QueryRetrieveLevel", "SOPInstanceUID", "StudyInstanceUID")
        }

    def test_a_patient_is_told_once_for_each_study(self, archive: RunningArchive) -> None:
        first = new_image()
        second = new_image(PatientID=first.PatientID, PatientName=first.PatientName)
        archive.store(first, second)
        archive.settle()
        matches = archive.matches("PATIENT", PATIENT_FIND, PatientID=first.PatientID)
        assert [each.PatientID for each in matches] == [first.PatientID] * 2

    def test_of_several_modalities_a_study_tells_one(self, archive: RunningArchive) -> None:
        first = new_image()
        second = new_image(
            Modality="MR",
            SOPClassUID=MR,
            StudyInstanceUID=first.StudyInstanceUID,
            PatientID=first.PatientID,
        )
        archive.store(first, second)
        archive.settle()
        uid = first.StudyInstanceUID
        (match,) = archive.matches("STUDY", StudyInstanceUID=uid, ModalitiesInStudy="")
        assert match.ModalitiesInStudy in ("CT", "MR")


class TestStatus:
    def test_a_key_that_is_not_told_makes_a_warning(
        self, archive: RunningArchive, study: list[Dataset]
    ) -> None:
        uid = study[0].StudyInstanceUID
        answers = archive.find("STUDY", StudyInstanceUID=uid)
        assert [status.Status for status, _match in answers] == [0xFF01, 0x0000]
        answers = archive.find("SERIES", StudyInstanceUID=uid)
        assert [status.Status for status, _match in answers] == [0xFF00, 0x0000]

    def test_nothing_found_is_success(self, archive: RunningArchive) -> None:
        answers = archive.find("STUDY", PatientID="NOBODY")
        assert [status.Status for status, _match in answers] == [0x0000]


class TestNames:
    @pytest.mark.parametrize(
        "name",
        [
            *("Theodora", "theodora", "THEODORA", "Theo*", "Th?odora", "Xaver", "*aver", "*", ""),
            *("Theodora Xaver", '"Theodora"', "Theodora,Xaver", r"Theodora\^Xaver", "Theodora-x"),
        ],
    )
    def test_these_find_it(self, archive: RunningArchive, study: list[Dataset], name: str) -> None:
        patient = study[0].PatientID
        matches = archive.matches("STUDY", PatientID=patient, PatientName=name)
        assert names(matches) == ["Theodora^Xaver"]

    @pytest.mark.parametrize(
        "name",
        [
            *("Theodora^Xaver", "Theodora^*", "Theodora^X*", "Theo*^*", "Theodora?Xaver"),
            *("Theodora*Xaver", "Th*r", "Theo", "(", "[x", "Theodora AND", "!", "a:b", "a/b"),
        ],
    )
    def test_these_find_nothing_and_say_success(
        self, archive: RunningArchive, study: list[Dataset], name: str
    ) -> None:
        answers = archive.find("STUDY", PatientID=study[0].PatientID, PatientName=name)
        assert [status.Status for status, _match in answers] == [0x0000]

    def test_a_latin_1_name_is_told_right(self, archive: RunningArchive) -> None:
        image = new_image(SpecificCharacterSet="ISO_IR 100", PatientName="Müller^Zoë")
        archive.store(image)
        assert archive.found(image)
        (match,) = archive.matches("STUDY", PatientID=image.PatientID, PatientName="")
        assert match.PatientName == "Müller^Zoë"

    def test_a_latin_1_name_is_found_only_when_asked_for_in_utf_8(
        self, archive: RunningArchive
    ) -> None:
        image = new_image(SpecificCharacterSet="ISO_IR 100", PatientName="Bärbel^Ä")
        archive.store(image)
        assert archive.found(image)
        keys = {"PatientID": image.PatientID, "PatientName": "Bärbel*"}
        assert archive.matches("STUDY", SpecificCharacterSet="ISO_IR 100", **keys) == []
        assert len(archive.matches("STUDY", SpecificCharacterSet="ISO_IR 192", **keys)) == 1
        keys["PatientName"] = "B?rbel*"
        assert len(archive.matches("STUDY", SpecificCharacterSet="ISO_IR 100", **keys)) == 1

    def test_a_utf_8_name_is_told_wrong(self, archive: RunningArchive) -> None:
        image = new_image(SpecificCharacterSet="ISO_IR 192")
        image.PatientName = "Żółć^Łucja"
        archive.store(image)
        assert archive.found(image)
        (match,) = archive.matches("STUDY", PatientID=image.PatientID, PatientName="")
        assert match.SpecificCharacterSet == "ISO_IR 100"
        assert match.PatientName == "Żółć^Łucja".encode().decode("latin-1")


class TestKeys:
    def test_a_list_of_uids_finds_nothing(
        self, archive: RunningArchive, study: list[Dataset]
    ) -> None:
        uids = "\\".join(str(each.SOPInstanceUID) for each in study[:2])
        study_uid = study[0].StudyInstanceUID
        assert archive.matches("IMAGE", StudyInstanceUID=study_uid, SOPInstanceUID=uids) == []
        assert archive.matches("STUDY", StudyInstanceUID=f"{study_uid}\\{study_uid}") == []

    def test_some_keys_are_ignored(self, archive: RunningArchive, study: list[Dataset]) -> None:
        uid = study[0].StudyInstanceUID
        matches = archive.matches(
            "IMAGE", StudyInstanceUID=uid, InstanceNumber="2", BodyPartExamined="BOGUS"
        )
        assert len(matches) == 3

    def test_a_number_of_images_is_no_key(
        self, archive: RunningArchive, study: list[Dataset]
    ) -> None:
        uid = study[0].StudyInstanceUID
        found = archive.matches("STUDY", StudyInstanceUID=uid, NumberOfStudyRelatedInstances="3")
        assert found == []

    @pytest.mark.parametrize(
        ("date", "count"),
        [
            *(("20200115", 1), ("20200101-20200131", 1), ("20200101-", 1), ("*", 1)),
            *(("-20200131", 0), ("2020*", 0), (r"20200115\20200116", 0), ("20200116", 0)),
        ],
    )
    def test_dates(
        self, archive: RunningArchive, study: list[Dataset], date: str, count: int
    ) -> None:
        patient = study[0].PatientID
        assert len(archive.matches("STUDY", PatientID=patient, StudyDate=date)) == count

    @pytest.mark.parametrize(("time", "count"), [("100000-110000", 1), ("1000-", 0)])
    def test_times(
        self, archive: RunningArchive, study: list[Dataset], time: str, count: int
    ) -> None:
        patient = study[0].PatientID
        assert len(archive.matches("STUDY", PatientID=patient, StudyTime=time)) == count

    @pytest.mark.parametrize(
        ("modalities", "count"), [("CT", 1), ("ct", 1), (r"MR\CT", 1), ("*", 1), ("MR", 0)]
    )
    def test_modalities_are_joined_by_or(
        self, archive: RunningArchive, study: list[Dataset], modalities: str, count: int
    ) -> None:
        patient = study[0].PatientID
        found = archive.matches("STUDY", PatientID=patient, ModalitiesInStudy=modalities)
        assert len(found) == count

    def test_two_keys_are_joined_by_and(
        self, archive: RunningArchive, study: list[Dataset]
    ) -> None:
        patient = study[0].PatientID
        assert archive.matches("STUDY", PatientID=patient, StudyDate="19990101") == []


def test_names_stay_out_of_the_console(archive: RunningArchive, study: list[Dataset]) -> None:
    archive.find("STUDY", PatientName="Secretname", PatientID=study[0].PatientID)
    archive.find("STUDY", PatientName="Secretname^X")
    archive.search("PatientName:Secretname^Y")
    assert "Secretname" not in archive.console()
    assert "Theodora" not in archive.console()
