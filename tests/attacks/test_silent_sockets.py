# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whoever reaches the DICOM entrances wants to keep those out who have a certificate.

The Ghostunnel is real and has the options and the memory of the task.
"""

from __future__ import annotations

import json
import os
import resource
import selectors
import shutil
import socket
import ssl
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.files import read_file
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.peer import Peer, Tls
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.store import store
from dicom_archive import Archive
from pynetdicom import AE
from pynetdicom.sop_class import Verification
from support.cloudformation_templates import TEMPLATES
from support.dicom_certificates import Authority
from support.dicom_fixtures import make_archive, sample
from support.ports import await_port, free_port
from support.programs import ARCHIVE, CLIENT, ghostunnel

__all__ = ["make_archive"]
pytestmark = pytest.mark.skipif(
    shutil.which("ghostunnel") is None, reason="ghostunnel is not in PATH"
)

CONTAINER = next(
    each
    for each in TEMPLATES["task"]["Resources"]["TaskDefinition"]["Properties"][
        "ContainerDefinitions"
    ]
    if each["Name"] == "ghostunnel-storage"
)
LIMITS = [
    option
    for option in CONTAINER["Command"]["Fn::Split"][1]["Fn::Sub"][0].split()
    if option.startswith(("--max-", "--connect-", "--close-"))
]
ENVIRONMENT = {each["Name"]: each["Value"] for each in CONTAINER["Environment"]}


@dataclass(frozen=True)
class Entrance:
    """A storage tunnel as the task runs it, with the archive behind it, and its one client."""

    process: subprocess.Popen[bytes]
    port: int
    status_port: int
    client: Peer

    def healthy(self) -> bool:
        """Tell what the health check of the container asks."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.status_port}/_status") as answer:
            return json.load(answer)["ok"] is True

    def most_memory(self) -> int:
        """Return the most that it ever held, in MiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) // 1024


@pytest.fixture
def many_files() -> Iterator[None]:
    """Allow this process and the tunnel more than a thousand sockets."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def entrance(
    many_files: None, tmp_path: Path, make_archive: Callable[..., Archive]
) -> Iterator[Entrance]:
    authority = Authority(tmp_path / "pki", "Own CA")
    archive, holder, known = make_archive(), authority.issue(ARCHIVE), authority.issue(CLIENT)
    port, status_port = free_port(), free_port()
    ends = (f"127.0.0.1:{port}", f"127.0.0.1:{archive.port}")
    more = ["--allow-cn", CLIENT, "--status", f"http://127.0.0.1:{status_port}", *LIMITS]
    command = ghostunnel("server", *ends, holder, authority.certificate, *more)
    tls = Tls(ARCHIVE, str(authority.certificate), str(known.certificate), str(known.private_key))
    client = Peer(
        host="127.0.0.1",
        port=port,
        called_ae_title="ARCHIVE",
        calling_ae_title="CLIENT",
        tls=tls,
        connect_timeout=15.0,
        dimse_timeout=15.0,
        network_timeout=15.0,
        max_pdu=131072,
    )
    quiet = subprocess.DEVNULL
    environment = {**os.environ, **ENVIRONMENT}
    with subprocess.Popen(command, stdout=quiet, stderr=quiet, env=environment) as process:
        await_port(port, process)
        yield Entrance(process, port, status_port, client)
        process.terminate()


class Crowd:
    """Sockets that say these bytes and no more, and come back whenever they are shown out."""

    def __init__(self, port: int, size: int, first: bytes) -> None:
        self._port, self._first = port, first
        self._selector = selectors.DefaultSelector()
        self._gone = False
        for _unused in range(size):
            self._come()
        self._thread = threading.Thread(target=self._stay)
        self._thread.start()

    def _come(self) -> None:
        client = socket.create_connection(("127.0.0.1", self._port), timeout=15)
        client.sendall(self._first)
        self._selector.register(client, selectors.EVENT_READ)

    def _stay(self) -> None:
        while not self._gone:
            for key, _events in self._selector.select(0.1):
                self._selector.unregister(key.fileobj)
                key.fileobj.close()  # type: ignore[union-attr]
                self._come()

    def leave(self) -> None:
        """Close all sockets."""
        self._gone = True
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]


@pytest.mark.parametrize("first", [b"", b"\x16\x03\x01\x40\x00"], ids=["silent", "half"])
def test_callers_without_certificate_keep_no_client_out(entrance: Entrance, first: bytes) -> None:
    crowd = Crowd(entrance.port, 1000, first)  # twice what the tunnel takes at a time
    seconds = []
    try:
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            begin = time.monotonic()
            (outcome,) = store(entrance.client, [read_file(sample("CT_small.dcm"))])
            assert outcome.stored, outcome.error
            seconds.append(time.monotonic() - begin)
            time.sleep(0.5)
        assert entrance.healthy()
    finally:
        crowd.leave()
    assert max(seconds) < 10
    print(f"{len(seconds)} stored, the slowest in {max(seconds):.1f} s")


def test_half_handshakes_do_not_fill_the_memory(entrance: Entrance, tmp_path: Path) -> None:
    foreign_client = Authority(tmp_path / "foreign", "Foreign CA").issue("unauthorized.example.org")
    chain = tmp_path / "chain.pem"
    one = foreign_client.certificate.read_text()
    size = len(ssl.PEM_cert_to_DER_cert(one)) + 5
    chain.write_text(one * (250_000 // size))  # Go takes 256 KiB at most
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.load_cert_chain(chain, foreign_client.private_key)
    callers = [half_handshake(entrance.port, context) for _unused in range(600)]
    assert entrance.most_memory() < 0.8 * CONTAINER["Memory"]
    assert entrance.healthy()
    for caller in callers:
        caller.close()


def half_handshake(port: int, context: ssl.SSLContext) -> socket.socket:
    """Return a connection that has sent all of its certificates but the last bytes."""
    caller = socket.create_connection(("127.0.0.1", port), timeout=15)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = context.wrap_bio(incoming, outgoing)
    while True:
        try:
            session.do_handshake()
        except ssl.SSLWantReadError:
            caller.sendall(outgoing.read())
            incoming.write(caller.recv(65536))
        else:
            caller.sendall(outgoing.read()[:-2000])
            return caller


def test_a_client_that_is_idle_for_longer_than_a_handshake_may_take_stays(
    entrance: Entrance,
) -> None:
    assert entrance.client.tls
    tls = entrance.client.tls
    context = ssl.create_default_context(cafile=tls.ca_certificate)
    context.load_cert_chain(str(tls.certificate), tls.private_key)
    modality = AE()
    modality.add_requested_context(Verification)
    association = modality.associate(
        "127.0.0.1",
        entrance.port,
        ae_title=entrance.client.called_ae_title,
        tls_args=(context, ARCHIVE),
    )
    assert association.is_established
    time.sleep(8)
    assert association.send_c_echo().Status == 0
    association.release()
