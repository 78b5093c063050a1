# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Measure C-STORE through the tunnels, as a ratio to native DICOM TLS, and to neither.

DCMTK sends to an archive, Orthanc, which keeps and indexes: what a hospital waits for. Native TLS
is what one would use instead of tunnels: both programs speak it themselves, with a certificate on
either side. Without delay, and with 40 ms of round trip where the network would be: between sender
and archive, or between the tunnels. All share the cores of one machine. The three ways take turns,
each first in turn, and a ratio is the median of those of the rounds. Every image must be found by
C-FIND afterwards.

    PYTHONPATH=tests python tests/bench/dicom.py
"""

from __future__ import annotations

import json
import shutil
import socket
import ssl
import statistics
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from storing import PDU, Peer, Study, make_study, program
from support.dicom_certificates import Authority, Holder
from support.ports import free_port
from support.programs import ARCHIVE, CLIENT, Tunnels, dcmtk

ROUND_TRIP = 40  # ms
SENDERS = (1, 4, 8)
IMAGES = 240
IMAGES_OF_ONE_FAR_SENDER = 120  # each waits for the round trip
ROUNDS = 7
GOAL = 0.95  # of native TLS
DELAY = Path(__file__).with_name("delay.py")


@dataclass(frozen=True)
class Archive:
    """Orthanc with its state in a folder; `tls` are settings for it to speak TLS only."""

    folder: Path
    peer: Peer
    web_port: int
    tls: dict[str, Any] = field(default_factory=dict)

    def command(self) -> list[str]:
        """Return the command that runs it."""
        configuration = {
            "DicomAet": self.peer.title,
            "DicomPort": self.peer.port,
            "DicomAlwaysAllowFind": True,
            "DicomAlwaysAllowStore": True,
            "MaximumPduLength": PDU,
            "HttpPort": self.web_port,
            "RemoteAccessAllowed": False,
            "StorageDirectory": str(self.folder),
        }
        self.folder.mkdir()
        file = self.folder / "orthanc.json"
        file.write_text(json.dumps(configuration | self.tls))
        return ["Orthanc", str(file)]

    def clear(self) -> None:
        """Remove all images."""
        studies = f"http://127.0.0.1:{self.web_port}/studies"
        with urllib.request.urlopen(studies) as answer:
            for study in json.load(answer):
                request = urllib.request.Request(f"{studies}/{study}", method="DELETE")
                urllib.request.urlopen(request).close()


@dataclass(frozen=True)
class Way:
    """A way to an archive, from without."""

    peer: Peer
    archive: Archive

    def rate(self, study: Study, senders: int) -> float:
        """Return images a second. Ends the run when an image is missing."""
        seconds = self.peer.store(study, senders)
        found = self.archive.peer.found(study)
        if found != len(study):
            sys.exit(f"{len(study)} images were stored, {found} are found")
        self.archive.clear()
        return len(study) / seconds


@dataclass(frozen=True)
class Result:
    """Images a second by each way, in rounds."""

    senders: int
    delay: int
    rounds: list[dict[str, float]]

    def rate(self, way: str) -> float:
        """Return the median of images a second by a way."""
        return statistics.median(each[way] for each in self.rounds)

    def ratio(self, way: str) -> float:
        """Return what the tunnels reach of another way."""
        return statistics.median(each["tunnels"] / each[way] for each in self.rounds)

    def __str__(self) -> str:
        return (
            f"{self.senders} senders, {self.delay:2} ms: tunnels {self.rate('tunnels'):5.1f}, "
            f"native TLS {self.rate('tls'):5.1f}, plain {self.rate('plain'):5.1f} images/s; "
            f"{self.ratio('tls'):.2f} of native TLS, {self.ratio('plain'):.2f} of plain"
        )


def measure(ways: dict[str, Way], study: Study, senders: int, first: int) -> dict[str, float]:
    """Return the rates of the ways, measured in turn from the one with that number."""
    names = list(ways)
    first %= len(names)
    return {name: ways[name].rate(study, senders) for name in names[first:] + names[:first]}


class Bench:
    """Archives, tunnels and networks, which run until the stack is closed."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self._stack = stack
        authority = Authority(folder / "pki", "Bench CA")
        self._client, server = authority.issue(CLIENT), authority.issue(ARCHIVE)
        keys = (str(self._client.private_key), str(self._client.certificate))
        options = ("+tls", *keys, "+cf", str(authority.certificate))
        settings = {
            "DicomTlsEnabled": True,
            "DicomTlsCertificate": str(server.certificate),
            "DicomTlsPrivateKey": str(server.private_key),
            "DicomTlsTrustedCertificates": str(authority.certificate),
            "DicomTlsRemoteCertificateRequired": True,
        }
        self._plain = Archive(folder / "plain", Peer("ARCHIVE", free_port()), free_port())
        self._tls = Archive(
            folder / "tls", Peer("ARCHIVE", free_port(), options), free_port(), settings
        )
        for archive in (self._plain, self._tls):
            self._run(archive.peer.port, archive.command())
        self._tunnels = Tunnels(self._run, authority)
        self._inbound = self._tunnels.server(server, self._plain.peer.port, CLIENT)

    def ways(self, delay: int) -> dict[str, Way]:
        """Return the ways through a network with that round trip in milliseconds."""

        def far(port: int) -> int:
            return self._delayed(port, delay // 2) if delay else port

        plain, tls = self._plain.peer, self._tls.peer
        outbound = self._tunnels.client(self._client, far(self._inbound), ARCHIVE)
        return {
            "plain": Way(replace(plain, port=far(plain.port)), self._plain),
            "tls": Way(replace(tls, port=far(tls.port)), self._tls),
            "tunnels": Way(replace(plain, port=outbound), self._plain),
        }

    def spoken(self) -> str:
        """Return which TLS is spoken."""
        tls, tunnels = (
            negotiated(port, self._client) for port in (self._tls.peer.port, self._inbound)
        )
        return f"TLS: {tunnels} in the tunnels, {tls} natively"

    def _delayed(self, target: int, milliseconds: int) -> int:
        port = free_port()
        command = [sys.executable, str(DELAY), str(port), str(target), str(milliseconds)]
        self._run(port, command)
        return port

    def _run(self, port: int, command: list[str]) -> None:
        self._stack.enter_context(program(port, command))


def negotiated(port: int, client: Holder) -> str:
    """Return the version and cipher that a server agrees to."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.load_cert_chain(client.certificate, client.private_key)
    with (
        socket.create_connection(("127.0.0.1", port)) as connection,
        context.wrap_socket(connection) as secured,
    ):
        cipher = secured.cipher()
        return f"{secured.version()} with {cipher[0] if cipher else 'nothing'}"


def run() -> Iterator[Result]:
    """Start everything, and measure case by case."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bench = Bench(stack, folder)
        print(bench.spoken(), flush=True)
        study = make_study(folder / "study", IMAGES)
        few = Study(study.uid, study.files[:IMAGES_OF_ONE_FAR_SENDER])
        for delay in (0, ROUND_TRIP):
            ways = bench.ways(delay)
            for senders in SENDERS:
                sent = few if delay and senders == 1 else study
                rounds = [measure(ways, sent, senders, number) for number in range(ROUNDS)]
                yield Result(senders, delay, rounds)


def missing_programs() -> list[str]:
    """Return what the measurement needs and the machine has not."""
    found = {
        "DCMTK (apt-get install dcmtk)": dcmtk("storescu"),
        "Orthanc (apt-get install orthanc)": shutil.which("Orthanc"),
        "ghostunnel (tests/tools/ghostunnel)": shutil.which("ghostunnel"),
    }
    return [name for name, path in found.items() if path is None]


def main() -> Any:
    """Print the results; fail below the goal."""
    if missing := missing_programs():
        return f"not on PATH: {', '.join(missing)}"
    missed = 0
    for result in run():
        print(result, flush=True)
        missed += result.ratio("tls") < GOAL
    return f"{missed} below {GOAL} of native TLS" if missed else 0


if __name__ == "__main__":
    sys.exit(main())
