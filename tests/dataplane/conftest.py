# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An archive, a storage node and the tunnels between them, all on 127.0.0.1."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder

CHECKOUT = Path(__file__).parents[2]
sys.path.insert(0, str(CHECKOUT / "tests" / "dicom"))

from dicom_archive import Archive  # noqa: E402
from dicom_certificates import Authority, Holder  # noqa: E402
from dicom_fixtures import make_archive  # noqa: E402, F401

CLIENT = "client.example.org"
ARCHIVE = "archive.example.org"
STORAGE = "storage.example.org"


def pytest_configure() -> None:
    """Make `ansible_collections.openpacs.dicoogle` mean this checkout."""
    _AnsibleCollectionFinder(paths=[str(CHECKOUT / ".cache" / "collections")])._install()


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def await_port(port: int, process: subprocess.Popen[Any]) -> None:
    """Return when something listens on the port."""
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        assert process.poll() is None, f"{process.args} ended with {process.returncode}"
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"{process.args} does not listen on {port}")


@pytest.fixture
def run_program() -> Iterator[Callable[[int, list[str]], None]]:
    """Return run(port, command), which starts a program and waits until it listens there."""
    processes: list[subprocess.Popen[Any]] = []

    def run(port: int, command: list[str]) -> None:
        processes.append(
            subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        )
        await_port(port, processes[-1])

    yield run
    for process in processes:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("pki") / "own", "Own CA")


@dataclass(frozen=True)
class Tunnels:
    """Starts the two kinds of tunnel with the flags that the service uses."""

    run: Callable[[int, list[str]], None]
    authority: Authority

    def server(self, holder: Holder, target: int, *allowed: str) -> int:
        """Return the port of a tunnel that lets in the named clients."""
        port = free_port()
        names = [flag for name in allowed for flag in ("--allow-cn", name)]
        self.run(port, self._command("server", port, f"127.0.0.1:{target}", holder, *names))
        return port

    def client(self, holder: Holder, target: int, name: str) -> int:
        """Return the plain port of a tunnel to a server that holds the name."""
        port = free_port()
        names = ["--override-server-name", name, "--verify-dns", name]
        self.run(port, self._command("client", port, f"127.0.0.1:{target}", holder, *names))
        return port

    def _command(self, mode: str, port: int, target: str, holder: Holder, *more: str) -> list[str]:
        program = shutil.which("ghostunnel") or ""
        files = ["--cert", str(holder.certificate), "--key", str(holder.private_key)]
        trust = ["--cacert", str(self.authority.certificate)]
        ends = ["--listen", f"127.0.0.1:{port}", "--target", target]
        return [program, mode, *ends, *files, *trust, "--shutdown-timeout", "1s", *more]


@pytest.fixture
def tunnels(run_program: Callable[[int, list[str]], None], authority: Authority) -> Tunnels:
    return Tunnels(run_program, authority)


@pytest.fixture
def archive(make_archive: Callable[..., Archive]) -> Archive:  # noqa: F811
    """Return the archive itself; nobody but its tunnel is meant to reach it."""
    return make_archive(ae_title="ARCHIVE")
