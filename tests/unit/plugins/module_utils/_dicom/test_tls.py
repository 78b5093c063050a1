# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a user learns when TLS does not come about, from a real archive behind TLS."""

from __future__ import annotations

import socket
import ssl
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.echo import echo
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.errors import DicomError
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.peer import Peer, Tls
from dicom_archive import Archive
from support.dicom_certificates import Authority, Holder, server_context

SERVER = "archive.example.org"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("pki") / "own", "Own CA")


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("pki") / "foreign", "Foreign CA")


@pytest.fixture(scope="module")
def holders(authority: Authority, foreign: Authority) -> dict[str, Holder | None]:
    return {
        "good": authority.issue("client"),
        "none": None,
        "foreign": foreign.issue("foreign"),
        "expired": authority.issue("old", expired=True),
    }


@pytest.fixture(params=[ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def secured(
    request: pytest.FixtureRequest, make_archive: Callable[..., Archive], authority: Authority
) -> Archive:
    context = server_context(authority.issue(SERVER), authority)
    context.minimum_version = context.maximum_version = request.param
    return make_archive(context=context)


@pytest.fixture
def tls(authority: Authority) -> Callable[..., Tls]:
    def make(holder: Holder | None = None, **changes: Any) -> Tls:
        files = {
            "ca_certificate": str(authority.certificate),
            "certificate": str(holder.certificate) if holder else None,
            "private_key": str(holder.private_key) if holder else None,
        }
        return Tls(**{"server_name": SERVER, **files, **changes})

    return make


def refusal(peer: Peer) -> DicomError:
    with pytest.raises(DicomError) as caught:
        echo(peer)
    return caught.value


def test_a_known_client_gets_an_answer(
    secured: Archive,
    make_peer: Callable[..., Peer],
    tls: Callable[..., Tls],
    holders: dict[str, Holder],
) -> None:
    status, milliseconds = echo(make_peer(secured.port, tls=tls(holders["good"])))
    assert status.text == "0x0000 Success"
    assert 0 < milliseconds < 1000


@pytest.mark.parametrize(
    ("who", "reason", "hint"),
    [
        ("none", "certificate_missing", "Set tls.certificate"),
        ("foreign", "certificate_unknown_ca", "CN=foreign"),
        ("expired", "certificate_expired", "CN=old"),
    ],
)
def test_a_stranger_learns_why(
    secured: Archive,
    make_peer: Callable[..., Peer],
    tls: Callable[..., Tls],
    holders: dict[str, Holder | None],
    who: str,
    reason: str,
    hint: str,
) -> None:
    error = refusal(make_peer(secured.port, tls=tls(holders[who])))
    assert error.reason == reason
    assert hint in str(error)


def test_plain_dicom_to_a_tls_port(secured: Archive, make_peer: Callable[..., Peer]) -> None:
    assert refusal(make_peer(secured.port)).reason == "tls_required"


def test_tls_to_a_plain_port(
    archive: Archive, make_peer: Callable[..., Peer], tls: Callable[..., Tls]
) -> None:
    assert refusal(make_peer(archive.port, tls=tls())).reason == "tls_not_offered"


def test_the_name_of_the_peer_is_verified(
    secured: Archive,
    make_peer: Callable[..., Peer],
    tls: Callable[..., Tls],
    holders: dict[str, Holder],
) -> None:
    peer = make_peer(secured.port, tls=tls(holders["good"], server_name="other.example.org"))
    error = refusal(peer)
    assert error.reason == "peer_certificate_name"
    assert "other.example.org" in str(error)


def test_the_authority_of_the_peer_is_verified(
    secured: Archive,
    make_peer: Callable[..., Peer],
    tls: Callable[..., Tls],
    holders: dict[str, Holder],
    foreign: Authority,
) -> None:
    options = tls(holders["good"], ca_certificate=str(foreign.certificate))
    assert refusal(make_peer(secured.port, tls=options)).reason == "peer_certificate_unknown_ca"


def test_the_lifetime_of_the_peers_certificate_is_verified(
    make_archive: Callable[..., Archive],
    make_peer: Callable[..., Peer],
    tls: Callable[..., Tls],
    authority: Authority,
    tmp_path: Path,
) -> None:
    archive = make_archive(context=server_context(authority.issue(SERVER, expired=True), None))
    assert refusal(make_peer(archive.port, tls=tls())).reason == "peer_certificate_expired"


def test_a_peer_that_offers_only_tls_1_1(
    make_archive: Callable[..., Archive],
    make_peer: Callable[..., Peer],
    tls: Callable[..., Tls],
    authority: Authority,
) -> None:
    context = server_context(authority.issue(SERVER), None)
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    archive = make_archive(context=context)
    assert refusal(make_peer(archive.port, tls=tls())).reason == "tls_version"


def test_a_peer_that_hangs_up_after_the_handshake(
    raw_server: Callable[[Callable[[socket.socket], None]], int],
    make_peer: Callable[..., Peer],
    tls: Callable[..., Tls],
    authority: Authority,
    holders: dict[str, Holder],
) -> None:
    context = server_context(authority.issue(SERVER), authority)

    def shake_and_close(connection: socket.socket) -> None:
        context.wrap_socket(connection, server_side=True).close()

    error = refusal(make_peer(raw_server(shake_and_close), tls=tls(holders["good"])))
    assert error.reason == "closed"
    assert "the service behind it is down" in str(error)
    assert "CN=client" in str(error)


@pytest.mark.parametrize("option", ["ca_certificate", "certificate", "private_key"])
def test_a_file_that_is_no_pem_file(
    archive: Archive,
    make_peer: Callable[..., Peer],
    tls: Callable[..., Tls],
    holders: dict[str, Holder],
    tmp_path: Path,
    option: str,
) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("nothing")
    error = refusal(make_peer(archive.port, tls=tls(holders["good"], **{option: str(broken)})))
    assert error.reason == "invalid_input"
    assert str(broken) in str(error)


def test_an_encrypted_key_is_refused_without_asking_on_the_terminal(
    archive: Archive,
    make_peer: Callable[..., Peer],
    tls: Callable[..., Tls],
    holders: dict[str, Holder],
    tmp_path: Path,
) -> None:
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        PrivateFormat,
        load_pem_private_key,
    )

    key = load_pem_private_key(holders["good"].private_key.read_bytes(), None)
    encrypted = tmp_path / "encrypted.key"
    encrypted.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    )
    error = refusal(make_peer(archive.port, tls=tls(holders["good"], private_key=str(encrypted))))
    assert error.reason == "invalid_input"
