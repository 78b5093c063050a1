# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Facts of C-STORE: associations, and what becomes of an object."""

from __future__ import annotations

import os
import re
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from xml.etree import ElementTree

import pytest
from pydicom import dcmread
from pydicom.uid import generate_uid
from pynetdicom import _config
from pynetdicom.association import Association
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]
from support.running_archive import PROCESSING_FAILURE, RunningArchive, eventually
from support.sample_images import CT, EXPLICIT, IMPLICIT, MPEG4, MR, in_syntax, new_image

# Some of the values are none, as clients send them.
pytestmark = pytest.mark.filterwarnings("ignore:The value length")
Archives = Callable[..., RunningArchive]


def rejection(association: Association) -> tuple[int, int, int] | None:
    """Return result, source and reason, when it was rejected."""
    answer = association.acceptor.primitive
    if answer is None or answer.result == 0:
        return None
    return answer.result, answer.result_source, answer.diagnostic


class TestAssociation:
    @pytest.mark.parametrize("service", ["storage", "query"])
    def test_a_c_echo_succeeds(self, archive: RunningArchive, service: str) -> None:
        assert archive.echo(service) == 0

    @pytest.mark.parametrize("service", ["storage", "query"])
    def test_another_called_title_is_rejected(self, archive: RunningArchive, service: str) -> None:
        contexts = [(Verification, [])]
        for called in ("OTHER", "dicoogle-storage"):
            with archive.associated(service, contexts, called=called) as association:
                assert rejection(association) == (1, 1, 7)

    @pytest.mark.parametrize("service", ["storage", "query"])
    def test_the_21st_association_is_rejected(self, archive: RunningArchive, service: str) -> None:
        def reasons() -> list[tuple[int, int, int] | None]:
            """Open 21 associations: why each was rejected."""
            with ExitStack() as stack:
                opened = (
                    stack.enter_context(archive.associated(service, [(Verification, [])]))
                    for _unused in range(21)
                )
                return [rejection(each) for each in opened]

        wanted = [None] * 20 + [(2, 2, 1)]
        assert eventually(lambda: reasons() == wanted)  # when those before are all released
        assert eventually(lambda: archive.echo(service) == 0)

    def test_20_clients_that_say_nothing_keep_others_out_for_5_seconds(
        self, archive: RunningArchive
    ) -> None:
        begin = time.monotonic()
        ports = {"storage": archive.storage_port, "query": archive.query_port}
        silent = [
            socket.create_connection(("127.0.0.1", port))
            for port in ports.values()
            for _unused in range(20)
        ]

        def rejected(service: str) -> bool:
            with archive.associated(service, [(Verification, [])]) as association:
                return rejection(association) == (2, 2, 1)

        for service in ports:  # when all the silent ones have been accepted
            assert eventually(lambda each=service: rejected(each), 2)
        for client in silent:
            client.settimeout(30)
            assert client.recv(1) == b""
            client.close()
        assert 4 < time.monotonic() - begin < 8
        for service in ports:
            assert eventually(lambda each=service: archive.echo(each) == 0)

    def test_an_unknown_class_is_refused_and_others_go_on(self, archive: RunningArchive) -> None:
        contexts = [("1.2.3.4.5", [EXPLICIT]), (CT, [EXPLICIT]), (MR, ["1.2.3.4.6"])]
        with archive.associated("storage", contexts) as association:
            results = {
                each.abstract_syntax: each.result
                for each in (*association.accepted_contexts, *association.rejected_contexts)
            }
        assert results == {"1.2.3.4.5": 3, CT: 0, MR: 4}

    def test_implicit_is_preferred_in_whatever_order(self, archive: RunningArchive) -> None:
        with archive.associated("storage", [(CT, [EXPLICIT, IMPLICIT])]) as association:
            (accepted,) = association.accepted_contexts
            assert accepted.transfer_syntax == [IMPLICIT]

    def test_every_class_and_syntax_of_the_image_is_accepted(self, archive: RunningArchive) -> None:
        home = archive.home
        classes, syntaxes = (
            [line.split()[0] for line in (home / name).read_text().splitlines()]
            for name in ("sop-classes.txt", "transfer-syntaxes.txt")
        )
        for begin in range(0, len(classes), 100):
            contexts = [(each, [IMPLICIT]) for each in classes[begin : begin + 100]]
            with archive.associated("storage", contexts) as association:
                assert association.rejected_contexts == []
        with archive.associated("storage", [(CT, [each]) for each in syntaxes]) as association:
            assert association.rejected_contexts == []
            accepted = {each.transfer_syntax[0] for each in association.accepted_contexts}
        assert accepted == set(syntaxes)

    def test_a_syntax_needs_both_elements(self, archives: Archives) -> None:
        def only_ts(server: ElementTree.Element) -> None:
            dicom = server.find("dicom-services")
            assert dicom is not None
            dicom.remove(dicom.find("additional-transfer-syntaxes"))  # type: ignore[arg-type]

        def only_declared(server: ElementTree.Element) -> None:
            default = server.find("dicom-services/default-ts")
            assert default is not None
            for each in [each for each in default if each.text == MPEG4]:
                default.remove(each)

        for edit in (only_ts, only_declared):
            archive = archives(edit).start()
            contexts = [(CT, [MPEG4]), (CT, [EXPLICIT])]
            with archive.associated("storage", contexts) as association:
                accepted = [each.transfer_syntax for each in association.accepted_contexts]
                assert accepted == [[EXPLICIT]], edit
            archive.end()


@pytest.fixture(scope="module")
def only_mod1(archives: Archives) -> RunningArchive:
    """An archive that one title may store in."""
    return archives(DICOOGLE_ALLOWED_AE_TITLES="MOD1").start()


class TestLog:
    def test_a_line_has_the_association_and_the_image_and_another_its_port(
        self, archive: RunningArchive
    ) -> None:
        image = new_image()
        archive.store(image, calling="MOD 1")
        stored = eventually(lambda: archive.lines("C-STORE-RSP[", f"iuid={image.SOPInstanceUID}"))
        (number,) = re.findall(r"\] MOD 1\((\d+)\) << 1:C-STORE-RSP\[.*\bstatus=0H", stored[0])
        (opened,) = archive.lines(f" Association({number}) accepted Socket[")
        assert re.search(rf"port=\d+,localport={archive.storage_port}\]", opened)

    def test_a_title_cannot_begin_a_line(
        self, archive: RunningArchive, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(_config.VALIDATORS, "AE", lambda _title: (True, ""))
        image = new_image()
        archive.store(image, calling="A\nERROR B")
        assert eventually(lambda: archive.lines("C-STORE-RSP[", str(image.SOPInstanceUID)))
        assert not [line for line in archive.console().splitlines() if line.startswith("ERROR B")]


class TestCallingTitle:
    def test_the_allowed_title_stores(self, only_mod1: RunningArchive) -> None:
        image = new_image()
        assert only_mod1.store(image, calling="MOD1") == [0]
        assert only_mod1.found(image)

    @pytest.mark.parametrize("calling", ["MOD2", "mod1"])
    def test_another_is_aborted_at_c_store(self, only_mod1: RunningArchive, calling: str) -> None:
        image = new_image()
        assert only_mod1.store(image, calling=calling) == [None]
        assert not list(only_mod1.images.rglob(f"{image.SOPInstanceUID}.dcm"))
        assert only_mod1.lines("WARN", "DicomStorage", f"with {calling} NOT permitted!")

    def test_another_is_aborted_at_c_move(self, only_mod1: RunningArchive) -> None:
        answers = only_mod1.move("STUDY", "DEST", calling="MOD2", StudyInstanceUID="1.2.3")
        assert [each for each in answers if "Status" in each] == []

    def test_anybody_may_ask_for_names(self, only_mod1: RunningArchive) -> None:
        image = new_image()
        only_mod1.store(image, calling="MOD1")
        assert only_mod1.found(image)
        answers = only_mod1.find("STUDY", calling="MOD2", PatientID=image.PatientID, PatientName="")
        assert [match.PatientName for _status, match in answers if match] == [image.PatientName]

    def test_of_two_allowed_titles_the_last_counts(self, archives: Archives) -> None:
        def two(server: ElementTree.Element) -> None:
            dicom = server.find("dicom-services")
            assert dicom is not None
            for place, title in enumerate(("MOD1", "MOD2")):
                element = ElementTree.Element("allowed-aetitles")
                element.text = title
                dicom.insert(1 + place, element)

        archive = archives(two).start()
        assert archive.store(new_image(), calling="MOD1") == [None]
        assert archive.store(new_image(), calling="MOD2") == [0]
        archive.end()


class TestFile:
    def test_its_place_is_told_by_its_elements(self, archive: RunningArchive) -> None:
        image = new_image(InstitutionName="St. A & B", StudyDate="20200115")
        archive.store(image)
        path = f"StAB/CT/2020/01/15/{image.StudyInstanceUID}/{image.SOPInstanceUID}.dcm"
        assert (archive.images / path).is_file()
        assert archive.found(image)
        assert archive.uri_of(image) == (archive.images / path).as_uri()

    def test_what_is_missing_has_names_of_its_own(self, archive: RunningArchive) -> None:
        image = new_image(InstitutionName=None, Modality=None, StudyDate=None)
        archive.store(image)
        path = f"UN_IN/UN_MODALITY/UN_DATE/{image.StudyInstanceUID}/{image.SOPInstanceUID}.dcm"
        assert (archive.images / path).is_file()

    def test_an_accession_number_takes_the_place_of_the_study(
        self, archive: RunningArchive
    ) -> None:
        image = new_image(AccessionNumber="A/B")
        archive.store(image)
        (file,) = archive.images.rglob(f"{image.SOPInstanceUID}.dcm")
        assert file.parts[-3:-1] == ("A", "B")
        assert archive.found(image)

    @pytest.mark.parametrize(
        "values", [{"StudyDate": None}, {"PatientID": ""}, {"PatientName": None}]
    )
    def test_an_image_without_these_is_found(
        self, archive: RunningArchive, values: dict[str, str | None]
    ) -> None:
        image = new_image(**values)
        assert archive.store(image) == [0]
        assert archive.found(image)

    @pytest.mark.parametrize("modality", ["", None])
    def test_without_a_modality_it_is_stored_and_never_indexed(
        self, archive: RunningArchive, modality: str | None
    ) -> None:
        image = new_image(Modality=modality)
        assert archive.store(image) == [0]
        assert list(archive.images.rglob(f"{image.SOPInstanceUID}.dcm"))
        failed = eventually(lambda: archive.lines("ERROR", "ERROR Indexing:", image.SOPInstanceUID))
        assert len(failed) == 1
        archive.settle()
        assert archive.uri_of(image) is None

    def test_the_same_uid_again_replaces_the_file_and_not_what_is_found(
        self, archive: RunningArchive
    ) -> None:
        image = new_image(PatientName="Old^Name")
        archive.store(image)
        assert archive.found(image)
        image.PatientName = "New^Name"
        assert archive.store(image) == [0]
        archive.settle()
        (file,) = archive.images.rglob(f"{image.SOPInstanceUID}.dcm")
        assert dcmread(file).PatientName == "New^Name"
        (found,) = archive.search(f'SOPInstanceUID:"{image.SOPInstanceUID}"')
        assert found["fields"]["PatientName"] == "Old^Name"

    def test_the_same_uid_of_another_date_is_a_second_file(self, archive: RunningArchive) -> None:
        image = new_image(StudyDate="20200101")
        archive.store(image)
        assert archive.found(image)
        image.StudyDate = "20200202"
        assert archive.store(image) == [0]
        archive.settle()
        assert len(list(archive.images.rglob(f"{image.SOPInstanceUID}.dcm"))) == 2
        assert len(archive.search(f'SOPInstanceUID:"{image.SOPInstanceUID}"')) == 1

    def test_two_patients_may_have_one_accession_number(self, archive: RunningArchive) -> None:
        images = [new_image(AccessionNumber="SAME1") for _unused in range(2)]
        archive.store(*images)
        assert all(archive.found(each) for each in images)


class TestFailure:
    """It fails as log4j2.xml has the line written to a full disk; Dicoogle would call it stored."""

    def test_a_folder_that_cannot_be_made(self, archive: RunningArchive) -> None:
        (archive.images / "BLOCKED").write_text("a file where a folder is to be")
        image = new_image(InstitutionName="BLOCKED")
        assert archive.store(image) == [PROCESSING_FAILURE]
        assert not list(archive.images.rglob(f"{image.SOPInstanceUID}.dcm"))
        words = ("ERROR", "FileStoragePlugin", "Failed to create directories for file")
        (line,) = archive.lines(*words, image.SOPInstanceUID)
        assert "[" in line

    def test_a_disk_that_is_full(self, archive: RunningArchive) -> None:
        image = new_image(InstitutionName="FULL", StudyDate="20200101")
        folder = archive.images / "FULL/CT/2020/01/01" / image.StudyInstanceUID
        folder.mkdir(parents=True)
        (folder / f"{image.SOPInstanceUID}.dcm").symlink_to("/dev/full")
        assert archive.store(image) == [PROCESSING_FAILURE]
        uri = (folder / f"{image.SOPInstanceUID}.dcm").as_uri()
        assert archive.lines("ERROR", f"Failed to store file {uri}")
        assert "No space left on device" in archive.console()
        archive.settle()
        assert archive.uri_of(image) is None

    def test_afterwards_it_stores_as_before(self, archive: RunningArchive) -> None:
        image = new_image()
        assert archive.store(image) == [0]
        assert archive.found(image)

    def test_a_journal_that_cannot_be_written_is_told_to_the_sender(
        self, archives: Archives
    ) -> None:
        archive = archives()
        archive.journal.parent.mkdir(parents=True)
        archive.journal.symlink_to("/dev/full")
        archive.start()
        image = new_image()
        assert archive.store(image) == [PROCESSING_FAILURE]
        assert archive.lines("ERROR", "DicomStorage", "DICOM storage service failure:")
        assert archive.echo("storage") == 0
        archive.end()


def test_a_connection_that_breaks_leaves_no_file(archive: RunningArchive) -> None:
    image = new_image()
    contexts = [(image.SOPClassUID, [str(image.file_meta.TransferSyntaxUID)])]
    with archive.associated("storage", contexts) as association:
        assert association.dul.socket
        connection = association.dul.socket.socket
        assert connection
        pdu = bytes.fromhex("04000000400000003fff0103") + os.urandom(20)
        connection.sendall(pdu)
        association.abort()
    assert not list(archive.images.rglob(f"{image.SOPInstanceUID}.dcm"))
    assert archive.echo("storage") == 0


@pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT])
def test_what_was_stored_is_on_disk_in_its_own_syntax(archive: RunningArchive, syntax: str) -> None:
    image = in_syntax(new_image(PatientComments=generate_uid()), syntax)
    archive.store(image)
    (file,) = archive.images.rglob(f"{image.SOPInstanceUID}.dcm")
    kept = dcmread(file)
    assert kept.file_meta.TransferSyntaxUID == syntax
    assert kept.PatientComments == image.PatientComments
    assert kept.PixelData == image.PixelData


class TestSettings:
    def test_an_unknown_element_stops_it(self, archives: Archives) -> None:
        def add(server: ElementTree.Element) -> None:
            ElementTree.SubElement(server.find("archive"), "bogus")  # type: ignore[arg-type]

        archive = archives(add)
        archive.launch()
        assert archive.ended() == 255
        words = ("ERROR", "Main", "A critical error occurred: cannot initialize server settings.")
        assert archive.lines(*words)
        assert "UnrecognizedPropertyException" in archive.console()

    def test_without_additional_classes_only_the_known_ones_are_accepted(
        self, archives: Archives
    ) -> None:
        def remove(server: ElementTree.Element) -> None:
            dicom = server.find("dicom-services")
            assert dicom is not None
            dicom.remove(dicom.find("additional-sop-classes"))  # type: ignore[arg-type]

        archive = archives(remove).start()
        stl, segmentation = "1.2.840.10008.5.1.4.1.1.104.3", "1.2.840.10008.5.1.4.1.1.66.4"
        contexts = [(each, [EXPLICIT]) for each in (CT, MR, stl, segmentation)]
        with archive.associated("storage", contexts) as association:
            assert {each.abstract_syntax for each in association.accepted_contexts} == {CT, MR}
            assert {each.result for each in association.rejected_contexts} == {3}
        archive.end()

    def test_a_storage_port_that_is_taken_stops_nothing(self, archives: Archives) -> None:
        archive = archives()
        with socket.create_server(("127.0.0.1", archive.storage_port)):
            archive.start()
            words = ("ERROR", "ControlServices", "Failed to start the DICOM storage service")
            assert archive.lines(*words)
            assert archive.ask("GET", "/management/dicom/storage").json["isRunning"] is True
            assert archive.echo("query") == 0
        archive.end()
