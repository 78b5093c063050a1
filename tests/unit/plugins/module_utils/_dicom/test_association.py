# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a user learns when no association, or no answer, comes about."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.association import Session
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.echo import echo
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.errors import DicomError
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.peer import Peer
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.query import find
from dicom_archive import Archive
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, build_context, evt
from pynetdicom.acse import ACSE
from pynetdicom.sop_class import CTImageStorage, Verification  # type: ignore[attr-defined]

Serve = Callable[[Callable[[socket.socket], None]], int]


@pytest.fixture(autouse=True)
def _in_bounded_time() -> Iterator[None]:
    begin = time.monotonic()
    yield
    assert time.monotonic() - begin < 30


def refusal(peer: Peer) -> DicomError:
    with pytest.raises(DicomError) as caught:
        echo(peer)
    return caught.value


def test_nothing_listens(make_peer: Callable[..., Peer]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    error = refusal(make_peer(port))
    assert error.reason == "refused"
    assert "start the service, or the tunnel in front of it" in str(error)


def test_an_unknown_host(make_peer: Callable[..., Peer]) -> None:
    error = refusal(make_peer(104, host="nowhere.invalid"))
    assert error.reason == "unknown_host"
    assert "Correct host, or give its address" in str(error)


def test_another_called_ae_title(archive: Archive, make_peer: Callable[..., Peer]) -> None:
    error = refusal(make_peer(archive.port, called_ae_title="archive"))
    assert error.reason == "rejected_called_ae"
    assert "called_ae_title=archive" in str(error)


def test_an_unknown_calling_ae_title(archive: Archive, make_peer: Callable[..., Peer]) -> None:
    archive.entity.require_calling_aet = ["MODALITY"]
    error = refusal(make_peer(archive.port))
    assert error.reason == "rejected_calling_ae"
    assert "calling_ae_title=TEST" in str(error)


def test_too_many_associations(archive: Archive, make_peer: Callable[..., Peer]) -> None:
    archive.entity.maximum_associations = 1
    holder = AE("HOLDER")
    holder.add_requested_context(Verification)
    held = holder.associate("127.0.0.1", archive.port, ae_title="ARCHIVE")
    assert refusal(make_peer(archive.port)).reason == "rejected_busy"
    held.release()


def test_a_peer_that_says_nothing(raw_server: Serve, make_peer: Callable[..., Peer]) -> None:
    port = raw_server(lambda connection: time.sleep(10))
    assert refusal(make_peer(port, connect_timeout=1.0)).reason == "timeout"


def test_a_peer_that_hangs_up(raw_server: Serve, make_peer: Callable[..., Peer]) -> None:
    port = raw_server(lambda connection: connection.close())
    error = refusal(make_peer(port))
    assert error.reason == "closed"
    assert "Is this a DICOM port" in str(error)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"\x03\x00\x00\x00\x00\x04\x00\x01\x01\x07", "rejected_called_ae"),
        (b"\x07\x00\x00\x00\x00\x04\x00\x00\x00\x00", "aborted"),
        (b"", "closed"),
    ],
)
def test_a_peer_whose_answer_is_there_before_it_is_waited_for(
    raw_server: Serve,
    make_peer: Callable[..., Peer],
    monkeypatch: pytest.MonkeyPatch,
    answer: bytes,
    reason: str,
) -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(1 << 16)
        connection.sendall(answer)
        connection.close()

    def send_slowly(acse: ACSE) -> None:
        send_request(acse)
        time.sleep(0.5)

    send_request = ACSE.send_request
    monkeypatch.setattr(ACSE, "send_request", send_slowly)
    assert refusal(make_peer(raw_server(serve))).reason == reason


def test_a_peer_that_does_not_speak_dicom(
    raw_server: Serve, make_peer: Callable[..., Peer]
) -> None:
    def greet(connection: socket.socket) -> None:
        connection.sendall(b"220 mail.example.org ESMTP\r\n")
        time.sleep(1)

    assert refusal(make_peer(raw_server(greet))).reason == "closed"


@pytest.fixture
def make_verifier() -> Iterator[Callable[[Callable[[evt.Event], int]], int]]:
    """Return make(on_echo, service), which returns the port of a peer that answers that way."""
    servers = []

    def make(on_echo: Callable[[evt.Event], int], service: str = Verification) -> int:
        entity = AE("ARCHIVE")
        entity.add_supported_context(service)
        server = entity.start_server(
            ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_ECHO, on_echo)]
        )
        servers.append(server)
        return server.server_address[1]

    yield make
    for server in servers:
        server.shutdown()


def test_a_service_that_is_not_there(
    make_verifier: Callable[..., int], make_peer: Callable[..., Peer]
) -> None:
    error = refusal(make_peer(make_verifier(lambda event: 0, CTImageStorage)))
    assert error.reason == "unsupported_sop_class"
    assert "Verification" in str(error)


def test_a_refusal_that_names_another_transfer_syntax(make_peer: Callable[..., Peer]) -> None:
    refused = build_context(CTImageStorage, ImplicitVRLittleEndian)
    refused.result = 3
    association = SimpleNamespace(accepted_contexts=[], rejected_contexts=[refused])
    session = Session(make_peer(104), association, None)
    error = session.refusal(CTImageStorage, ExplicitVRLittleEndian)
    assert error is not None
    assert error.reason == "unsupported_sop_class"


def test_a_peer_that_takes_too_long(
    make_verifier: Callable[..., int], make_peer: Callable[..., Peer]
) -> None:
    def sleep(event: evt.Event) -> int:
        time.sleep(2)
        return 0

    error = refusal(make_peer(make_verifier(sleep), dimse_timeout=1.0))
    assert error.reason == "timeout"
    assert "raise dimse_timeout" in str(error)


def test_a_peer_that_aborts(
    make_verifier: Callable[..., int], make_peer: Callable[..., Peer]
) -> None:
    def abort(event: evt.Event) -> int:
        event.assoc.abort()
        return 0

    assert refusal(make_peer(make_verifier(abort))).reason == "aborted"


def test_a_peer_that_dies(
    make_verifier: Callable[..., int], make_peer: Callable[..., Peer]
) -> None:
    def die(event: evt.Event) -> int:
        event.assoc.dul.socket.socket.shutdown(socket.SHUT_RDWR)
        return 0

    assert refusal(make_peer(make_verifier(die))).reason == "closed"


def test_a_status_that_is_a_failure(
    make_verifier: Callable[..., int], make_peer: Callable[..., Peer]
) -> None:
    error = refusal(make_peer(make_verifier(lambda event: 0x0122)))
    assert error.reason == "status"
    assert error.details["status"] == "0x0122"
    assert "SOP Class Not Supported" in str(error)


def test_the_association_is_released(archive: Archive, make_peer: Callable[..., Peer]) -> None:
    find(make_peer(archive.port), "study", {}, None)
    deadline = time.monotonic() + 2
    while archive.entity.active_associations and time.monotonic() < deadline:
        time.sleep(0.01)
    assert archive.entity.active_associations == []
