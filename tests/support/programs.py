# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Programs that the tests start, and who they are."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from support.dicom_certificates import Authority, Holder
from support.ports import free_port

CLIENT = "client.example.org"
ARCHIVE = "archive.example.org"
STORAGE = "storage.example.org"


def dcmtk(name: str) -> str | None:
    """Return a program of DCMTK, not the one of pynetdicom that has its name in this venv."""
    own = Path(sys.executable).parent
    folders = [each for each in os.get_exec_path() if Path(each) != own]
    return shutil.which(name, path=os.pathsep.join(folders))


def ghostunnel(
    mode: str, listen: str, target: str, holder: Holder, ca_bundle: Path, *more: str
) -> list[str]:
    """Return the command of a tunnel with the certificate of a holder."""
    program = shutil.which("ghostunnel") or ""
    files = ["--cert", str(holder.certificate), "--key", str(holder.private_key)]
    ends = ["--listen", listen, "--target", target, "--cacert", str(ca_bundle)]
    return [program, mode, *ends, *files, "--shutdown-timeout", "1s", *more]


@dataclass(frozen=True)
class Tunnels:
    """Starts the two kinds of tunnel with the flags that the service uses."""

    run: Callable[[int, list[str]], None]
    authority: Authority

    def server(self, holder: Holder, target: int, *allowed: str) -> int:
        """Return the port of a tunnel that lets in the named clients."""
        port = free_port()
        names = [flag for name in allowed for flag in ("--allow-cn", name)]
        self.run(port, self._command("server", port, target, holder, *names))
        return port

    def client(self, holder: Holder, target: int, name: str) -> int:
        """Return the plain port of a tunnel to a server that holds the name."""
        port = free_port()
        names = ["--override-server-name", name, "--verify-dns", name]
        self.run(port, self._command("client", port, target, holder, *names))
        return port

    def _command(self, mode: str, port: int, target: int, holder: Holder, *more: str) -> list[str]:
        ends = (f"127.0.0.1:{port}", f"127.0.0.1:{target}")
        return ghostunnel(mode, *ends, holder, self.authority.certificate, *more)
