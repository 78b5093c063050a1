# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""DICOM through real Ghostunnels: named clients pass, every other learns why not."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.echo import echo
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.errors import DicomError
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.files import read_file
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.move import Selection, move
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.peer import Peer, Tls
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.query import find
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.store import store
from dicom_archive import Archive
from pydicom import dcmread
from support.dicom_certificates import Authority, Holder
from support.dicom_fixtures import sample
from support.ports import free_port
from support.programs import ARCHIVE, CLIENT, STORAGE, Tunnels

pytestmark = pytest.mark.skipif(
    shutil.which("ghostunnel") is None, reason="ghostunnel is not in PATH"
)


@pytest.fixture
def known(authority: Authority) -> Holder:
    return authority.issue(CLIENT)


@pytest.fixture
def peer(tunnels: Tunnels, authority: Authority, archive: Archive, known: Holder) -> Peer:
    """Return the archive behind its tunnel, as the known client sees it."""
    return Peer(
        host="127.0.0.1",
        port=tunnels.server(authority.issue(ARCHIVE), archive.port, CLIENT),
        called_ae_title="ARCHIVE",
        calling_ae_title="CLIENT",
        tls=Tls(
            server_name=ARCHIVE,
            ca_certificate=str(authority.certificate),
            certificate=str(known.certificate),
            private_key=str(known.private_key),
        ),
        connect_timeout=5.0,
        dimse_timeout=10.0,
        network_timeout=5.0,
        max_pdu=131072,
    )


def as_holder(peer: Peer, holder: Holder) -> Peer:
    assert peer.tls
    files = {"certificate": str(holder.certificate), "private_key": str(holder.private_key)}
    return replace(peer, tls=replace(peer.tls, **files))


def refusal(peer: Peer) -> DicomError:
    with pytest.raises(DicomError) as caught:
        echo(peer)
    return caught.value


def test_the_known_client_gets_an_answer(peer: Peer) -> None:
    assert echo(peer)[0].text == "0x0000 Success"


def test_an_image_goes_in_is_found_and_comes_back(
    peer: Peer,
    tunnels: Tunnels,
    authority: Authority,
    archive: Archive,
    make_archive: Callable[..., Archive],
) -> None:
    storage = make_archive(ae_title="STORESCP")
    inbound = tunnels.server(authority.issue(STORAGE), storage.port, ARCHIVE)
    outbound = tunnels.client(authority.issue(ARCHIVE), inbound, STORAGE)
    archive.destinations = {"STORESCP": outbound}
    source = sample("CT_small.dcm")

    assert [outcome.stored for outcome in store(peer, [read_file(source)])] == [True]
    (study,) = find(peer, "study", {"PatientID": dcmread(source).PatientID}, None).matches
    _status, counts = move(peer, Selection(study["StudyInstanceUID"], None, None), "STORESCP")

    assert (counts.matched, counts.completed) == (1, 1)
    (returned,) = storage.files()
    assert dcmread(returned).PixelData == dcmread(source).PixelData


def test_no_certificate(peer: Peer) -> None:
    assert peer.tls
    nobody = replace(peer, tls=replace(peer.tls, certificate=None, private_key=None))
    assert refusal(nobody).reason == "certificate_missing"


def test_a_certificate_of_a_foreign_authority(peer: Peer, tmp_path: Path) -> None:
    foreign_client = Authority(tmp_path / "foreign", "Foreign CA").issue(CLIENT)
    assert refusal(as_holder(peer, foreign_client)).reason == "certificate_unknown_ca"


def test_an_expired_certificate(peer: Peer, authority: Authority) -> None:
    old = authority.issue(CLIENT, expired=True)
    assert refusal(as_holder(peer, old)).reason == "certificate_expired"


def test_the_right_authority_but_an_unlisted_name(peer: Peer, authority: Authority) -> None:
    error = refusal(as_holder(peer, authority.issue("other.example.org")))
    assert error.reason == "certificate_rejected"
    assert "CN=other.example.org" in str(error)


def test_plain_dicom(peer: Peer) -> None:
    assert refusal(replace(peer, tls=None)).reason == "tls_required"


def test_another_called_ae_title(peer: Peer) -> None:
    assert refusal(replace(peer, called_ae_title="OTHER")).reason == "rejected_called_ae"


def test_a_server_of_another_name(peer: Peer) -> None:
    assert peer.tls
    other = replace(peer, tls=replace(peer.tls, server_name="other.example.org"))
    assert refusal(other).reason == "peer_certificate_name"


def test_an_archive_that_is_down_behind_its_tunnel(
    peer: Peer, tunnels: Tunnels, authority: Authority
) -> None:
    port = tunnels.server(authority.issue(ARCHIVE), free_port(), CLIENT)
    error = refusal(replace(peer, port=port))
    assert error.reason == "closed"
    assert "the service behind it is down" in str(error)


@pytest.mark.parametrize(("version", "accepted"), [("tls1_1", False), ("tls1_2", True)])
def test_tls_versions(
    peer: Peer, authority: Authority, known: Holder, version: str, accepted: bool
) -> None:
    command = ["openssl", "s_client", f"-{version}", "-cipher", "ALL:@SECLEVEL=0"]
    files = ["-cert", str(known.certificate), "-key", str(known.private_key)]
    trust = ["-CAfile", str(authority.certificate), "-verify_return_error"]
    done = subprocess.run(
        [*command, *files, *trust, "-connect", f"127.0.0.1:{peer.port}"],
        input=b"",
        capture_output=True,
        timeout=20,
        check=False,
    )
    assert (done.returncode == 0) is accepted
    assert (b"protocol version" in done.stderr) is not accepted
