# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Programs that the tests start, and who they are."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dicom_certificates import Authority, Holder

CLIENT = "client.example.org"
ARCHIVE = "archive.example.org"
STORAGE = "storage.example.org"


def dcmtk(name: str) -> str | None:
    """Return a program of DCMTK, not the one of pynetdicom that has its name in this venv."""
    own = Path(sys.executable).parent
    folders = [each for each in os.get_exec_path() if Path(each) != own]
    return shutil.which(name, path=os.pathsep.join(folders))


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
