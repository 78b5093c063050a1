# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.files import (
    DicomFile,
    read_file,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.peer import Peer
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.store import (
    Outcome,
    next_batch,
    store,
)
from dicom_archive import Archive
from pydicom import dcmread
from pynetdicom import AE, evt
from pynetdicom.pdu_primitives import A_ABORT
from support.dicom_fixtures import sample

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
NAMES = ["CT_small.dcm", "MR_small_bigendian.dcm", "JPEG2000.dcm", "liver_1frame.dcm"]


@pytest.fixture
def files() -> list[DicomFile]:
    return [read_file(sample(name)) for name in NAMES]


def reasons(outcomes: list[Outcome]) -> list[str | None]:
    return [str(each.error.reason) if each.error else None for each in outcomes]


def test_files_arrive_unchanged_over_one_association(
    archive: Archive, make_peer: Callable[..., Peer], files: list[DicomFile]
) -> None:
    outcomes = store(make_peer(archive.port), files)
    assert all(outcome.stored for outcome in outcomes)
    assert archive.associations == 1
    for file in files:
        sent, kept = dcmread(file.path), dcmread(archive.folder / f"{file.sop_instance_uid}.dcm")
        assert kept.file_meta.TransferSyntaxUID == file.transfer_syntax
        assert kept.PixelData == sent.PixelData
        assert len(kept) == len(sent)


def test_only_refused_files_fail(
    archive: Archive, make_peer: Callable[..., Peer], files: list[DicomFile]
) -> None:
    archive.store_status = {
        files[0].sop_instance_uid: 0xA700,
        files[1].sop_instance_uid: 0xB000,
        files[2].sop_instance_uid: 0xC123,
    }
    outcomes = store(make_peer(archive.port), files)
    assert [outcome.stored for outcome in outcomes] == [False, True, False, True]
    assert "0xA700 Failure: Refused: Out of Resources" in str(outcomes[0].error)
    assert outcomes[1].status
    assert outcomes[1].status.text == "0xB000 Warning: Coercion of Data Elements"
    assert "0xC123 Failure: Cannot Understand" in str(outcomes[2].error)
    assert archive.associations == 1


def test_unsupported_classes_and_syntaxes_fail_by_themselves(
    make_archive: Callable[..., Archive], make_peer: Callable[..., Peer], files: list[DicomFile]
) -> None:
    archive = make_archive(storage_classes=[CT_IMAGE])
    outcomes = store(make_peer(archive.port), files)
    unsupported = "unsupported_sop_class"
    assert reasons(outcomes) == [None, unsupported, unsupported, unsupported]
    assert "MR Image Storage" in str(outcomes[1].error)


def test_a_peer_that_supports_none(
    make_archive: Callable[..., Archive], make_peer: Callable[..., Peer], files: list[DicomFile]
) -> None:
    archive = make_archive(storage_classes=["1.2.840.10008.5.1.4.1.1.1"])
    assert set(reasons(store(make_peer(archive.port), files))) == {"unsupported_sop_class"}


@pytest.fixture
def make_receiver():
    """Return make(on_store, syntaxes), which returns the port of a peer that takes CT and MR."""
    servers = []

    def make(on_store: Callable[[evt.Event], int], syntaxes: list[str] | None = None) -> int:
        entity = AE("ARCHIVE")
        for sop_class in (CT_IMAGE, "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.7"):
            for syntax in syntaxes or ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"]:
                entity.add_supported_context(sop_class, syntax)
        entity.maximum_pdu_size = 0
        handlers = [(evt.EVT_C_STORE, on_store)]
        servers.append(entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers))
        return servers[-1].server_address[1]

    yield make
    for server in servers:
        server.shutdown()


def test_unsupported_transfer_syntax(
    make_receiver: Callable[..., int], make_peer: Callable[..., Peer]
) -> None:
    port = make_receiver(lambda event: 0, ["1.2.840.10008.1.2"])
    outcomes = store(make_peer(port), [read_file(sample("CT_small.dcm"))])
    assert reasons(outcomes) == ["unsupported_transfer_syntax"]


def test_after_an_abort_the_others_are_sent(
    make_receiver: Callable[..., int], make_peer: Callable[..., Peer]
) -> None:
    files = [read_file(sample(n)) for n in ("CT_small.dcm", "MR_small_bigendian.dcm")]
    stored = []

    def abort_on_ct(event: evt.Event) -> int:
        if event.request.AffectedSOPClassUID == CT_IMAGE:
            event.assoc.abort()
        else:
            stored.append(event.request.AffectedSOPInstanceUID)
        return 0

    outcomes = store(make_peer(make_receiver(abort_on_ct)), files)
    assert reasons(outcomes) == ["aborted", None]
    assert stored == [files[1].sop_instance_uid]


def test_a_peer_that_does_not_answer_is_given_up(
    make_receiver: Callable[..., int], make_peer: Callable[..., Peer]
) -> None:
    files = [read_file(sample(n)) for n in ("CT_small.dcm", "MR_small_bigendian.dcm")]

    def sleep(event: evt.Event) -> int:
        time.sleep(3)
        return 0

    begin = time.monotonic()
    outcomes = store(make_peer(make_receiver(sleep), dimse_timeout=1.0), files)
    assert reasons(outcomes) == ["timeout", "not_sent"]
    assert time.monotonic() - begin < 3


def test_a_peer_that_stops_reading_is_given_up(
    make_peer: Callable[..., Peer], tmp_path: Path
) -> None:
    from test_files import huge_file

    entity = AE("ARCHIVE")
    entity.add_supported_context(CT_IMAGE, "1.2.840.10008.1.2.1")

    def freeze(event: evt.Event) -> None:
        time.sleep(5)

    server = entity.start_server(
        ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_PDU_RECV, freeze)]
    )
    file = read_file(huge_file(tmp_path, 50_000_000))
    begin = time.monotonic()
    outcomes = store(make_peer(server.server_address[1], network_timeout=1.0), [file])
    server.shutdown()
    assert reasons(outcomes) == ["timeout"]
    assert "took no more data" in str(outcomes[0].error)
    assert time.monotonic() - begin < 12


def test_a_peer_that_is_gone(make_peer: Callable[..., Peer], files: list[DicomFile]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert reasons(store(make_peer(port), files)) == ["refused"] * len(files)


def test_a_file_that_vanishes_is_not_taken_for_stored(
    archive: Archive, make_peer: Callable[..., Peer], tmp_path: Path
) -> None:
    path = tmp_path / "file.dcm"
    path.write_bytes(sample("CT_small.dcm").read_bytes())
    files = [read_file(path), read_file(sample("MR_small_bigendian.dcm"))]
    path.unlink()
    assert reasons(store(make_peer(archive.port), files)) == ["unreadable", None]


def test_more_contexts_than_one_association_has(
    archive: Archive, make_peer: Callable[..., Peer], files: list[DicomFile]
) -> None:
    many = [
        DicomFile(Path(f"{n}.dcm"), f"1.2.3.{n}", f"1.2.{n}", "1.2.840.10008.1.2")
        for n in range(130)
    ]
    assert next_batch(many) == many[:128]
    assert next_batch(many[128:]) == many[128:]
    assert next_batch([*many[:128], many[0], many[1]]) == [*many[:128], many[0], many[1]]
    outcomes = store(make_peer(archive.port), [*many, files[0]])
    assert reasons(outcomes) == ["unsupported_sop_class"] * 130 + [None]


def test_sending_is_aborted_with_an_abort_of_the_peer_in_between(
    make_receiver: Callable[..., int], make_peer: Callable[..., Peer]
) -> None:
    def abort_as_provider(event: evt.Event) -> int:
        primitive = A_ABORT()
        primitive.abort_source = 0x00
        event.assoc.dul.send_pdu(primitive)
        time.sleep(0.3)
        return 0

    outcomes = store(make_peer(make_receiver(abort_as_provider)), [read_file(sample(NAMES[0]))])
    assert reasons(outcomes) == ["aborted"]
