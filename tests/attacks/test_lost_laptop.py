# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whoever has a lost laptop wants its certificate to go on opening the archive.

The certificates are those of role pki and the Ghostunnel is real. That a new list is a new task is
shown in tests/dataplane/deployed.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from dicom_archive import Archive
from support import CHECKOUT
from support.cloudformation_templates import TEMPLATES
from support.dicom_certificates import Holder
from support.dicom_fixtures import make_archive
from support.ports import await_port, free_port
from support.programs import ghostunnel
from support.role_runs import Run, Runner, runner_in

__all__ = ["make_archive"]
DOMAIN = "dicoogle.internal"
Entrance = Callable[..., contextlib.AbstractContextManager[int]]
pytestmark = pytest.mark.skipif(
    shutil.which("ghostunnel") is None, reason="ghostunnel is not in PATH"
)


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    return runner_in(tmp_path_factory.mktemp("roles"), CHECKOUT / "tests" / "roles" / "modules")


@dataclass(frozen=True)
class Loss:
    """The certificates before and after a loss: who was let in, and who is."""

    folder: Path
    before: list[str]
    after: list[str]


def pair(folder: Path) -> Holder:
    return Holder(folder.name, folder / "certificate.pem", folder / "private_key.pem")


@pytest.fixture(scope="module", params=["pki_revoked", "removed by hand"])
def loss(
    request: pytest.FixtureRequest, runner: Runner, tmp_path_factory: pytest.TempPathFactory
) -> Loss:
    """Lose the client's pair, and issue a new one in either way."""
    folder = tmp_path_factory.mktemp("pki") / "pki"

    def issue(**variables: object) -> Run:
        run = runner("pki", {"pki_dir": str(folder), **variables})
        assert not run.failed, run.output
        return run

    before = issue().published["storage_clients"]
    shutil.copytree(folder / "leaves/client", folder / "lost")
    if request.param == "pki_revoked":
        after = issue(pki_revoked=["client.1"])
    else:
        (folder / "leaves/client").unlink()
        shutil.rmtree(folder / "leaves/client.1")
        after = issue()
    return Loss(folder, before, after.published["storage_clients"])


@pytest.fixture
def entrance(loss: Loss, make_archive: Callable[..., Archive]) -> Entrance:
    """Return a function that runs the archive's tunnel for these names, as one task does."""
    archive = make_archive()

    @contextlib.contextmanager
    def run(names: list[str], *more: str) -> Iterator[int]:
        port = free_port()
        ends = (f"127.0.0.1:{port}", f"127.0.0.1:{archive.port}")
        holder, bundle = pair(loss.folder / "leaves/ghostunnel"), loss.folder / "ca-bundle.pem"
        allowed = [option for name in names for option in ("--allow-cn", name)]
        command = ghostunnel("server", *ends, holder, bundle, *allowed, *more)
        quiet = subprocess.DEVNULL
        with subprocess.Popen(command, stdout=quiet, stderr=quiet) as process:
            await_port(port, process)
            yield port
            process.terminate()

    return run


class Visitor:
    """Whoever has a pair. A session can be resumed by the visitor who has begun it."""

    def __init__(self, holder: Holder, ca_bundle: Path, version: ssl.TLSVersion) -> None:
        self._context = ssl.create_default_context(cafile=ca_bundle)
        self._context.load_cert_chain(holder.certificate, holder.private_key)
        self._context.maximum_version = version

    def connect(self, port: int, session: ssl.SSLSession | None = None) -> ssl.SSLSocket:
        """Return a connection."""
        plain = socket.create_connection(("127.0.0.1", port), timeout=10)
        name = f"storage-in.{DOMAIN}"
        return self._context.wrap_socket(plain, server_hostname=name, session=session)

    def visit(self, port: int, session: ssl.SSLSession | None = None) -> ssl.SSLSession | None:
        """Get an answer from the archive, and return the session."""
        with self.connect(port, session) as secured:
            secured.sendall(b"\x04\x00\x00\x00\x00\x04????")  # P-DATA without an association
            assert secured.recv(1) == b"\x07"  # A-ABORT
            return secured.session


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_lost_pair_opens_nothing_and_the_new_one_does(
    loss: Loss,
    entrance: Entrance,
    version: ssl.TLSVersion,
) -> None:
    bundle = loss.folder / "ca-bundle.pem"
    thief = Visitor(pair(loss.folder / "lost"), bundle, version)
    client = Visitor(pair(loss.folder / "leaves/client"), bundle, version)
    with entrance(loss.before) as port:
        session = thief.visit(port)
    with entrance(loss.after) as port:
        for resumed in (None, session):
            with pytest.raises((ssl.SSLError, ConnectionError)):
                thief.visit(port, resumed)
        client.visit(port)


def stays_open(connection: ssl.SSLSocket, seconds: float) -> bool:
    """Tell whether nothing ends a connection for so long."""
    connection.settimeout(seconds)
    try:
        assert connection.recv(1) == b""
    except TimeoutError:
        return True
    except OSError:
        return False
    return False


def test_open_connection_ends_with_the_task(loss: Loss, entrance: Entrance) -> None:
    bundle = loss.folder / "ca-bundle.pem"
    thief = Visitor(pair(loss.folder / "lost"), bundle, ssl.TLSVersion.TLSv1_3)
    with entrance(loss.before) as port:
        connection = thief.connect(port)
        assert stays_open(connection, 1)
    with connection:
        assert not stays_open(connection, 5)


def test_no_connection_outlives_its_time(loss: Loss, entrance: Entrance) -> None:
    bundle = loss.folder / "ca-bundle.pem"
    client = Visitor(pair(loss.folder / "leaves/client"), bundle, ssl.TLSVersion.TLSv1_3)
    with (
        entrance(loss.after, "--max-conn-lifetime=2s") as port,
        client.connect(port) as connection,
    ):
        assert stays_open(connection, 1)
        assert not stays_open(connection, 5)


@pytest.mark.parametrize("name", ["ghostunnel-storage", "ghostunnel-query"])
def test_the_task_gives_a_connection_a_day(name: str) -> None:
    containers = TEMPLATES["task"]["Resources"]["TaskDefinition"]["Properties"][
        "ContainerDefinitions"
    ]
    (tunnel,) = [each for each in containers if each["Name"] == name]
    options = tunnel["Command"]["Fn::Split"][1]["Fn::Sub"][0].split()
    assert "--max-conn-lifetime=24h" in options
