# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where an embedded AWS keeps what, and what it was started from."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from .._errors import ModuleError


@dataclass(frozen=True)
class Layout:
    """The files of one embedded AWS; venv may be shared by several."""

    path: Path
    venv: Path

    @classmethod
    def at(cls, path: Path) -> Layout:
        """Return the layout of an embedded AWS that has a folder of its own."""
        return cls(path=path, venv=path / "venv")

    @property
    def data(self) -> Path:
        """Folder of the state: what a reset empties."""
        return self.path / "data"

    @property
    def access_log(self) -> Path:
        """One JSON line per call; see embedded/openpacs_embedded/access_log.py."""
        return self.data / "access.log"

    @property
    def pid_file(self) -> Path:
        """Locked by a running server for as long as it lives; contains its process id."""
        return self.path / "server.pid"

    @property
    def server_log(self) -> Path:
        """What the server has printed since it was started last."""
        return self.path / "server.log"

    @property
    def endpoint(self) -> Path:
        """One line: the URL of the endpoint."""
        return self.path / "endpoint"

    @property
    def credentials(self) -> Path:
        """The access key, as a shared credentials file of SDKs."""
        return self.path / "credentials"

    @property
    def record(self) -> Path:
        """What the server was started with last, see Record."""
        return self.path / "server.json"

    @property
    def lock(self) -> Path:
        """Held by whoever starts or stops the server."""
        return self.path / "lock"

    def make_private(self) -> None:
        """Keep everybody else out of the folder. Raises ModuleError when it is not ours."""
        if self.path.stat().st_uid != os.geteuid():
            raise ModuleError(
                "the folder belongs to another user, who could read the access key in it; "
                "remove it, or give the path of another one"
            )
        self.path.chmod(0o700)

    def is_empty(self) -> bool:
        """Return whether nobody has called the API since the last reset."""
        called = self.access_log.exists() and self.access_log.stat().st_size > 0
        return not called and not (self.data / "state" / "snapshots").exists()

    def clear(self) -> None:
        """Remove the state."""
        shutil.rmtree(self.data, ignore_errors=True)


@dataclass(frozen=True)
class Record:
    """What a server was started with: its port and the digest of its source."""

    port: int
    digest: str

    @classmethod
    def read(cls, file: Path) -> Record | None:
        """Return the record of a file, None when there is none yet."""
        try:
            return cls(**json.loads(file.read_text()))
        except FileNotFoundError:
            return None

    def write(self, file: Path) -> None:
        """Write the record; a reader never sees half of it."""
        replace_text(file, json.dumps(asdict(self)))


def replace_text(file: Path, text: str) -> None:
    """Replace the content of a file at once; only its owner can read it."""
    new = file.with_name(f"{file.name}.new")
    new.unlink(missing_ok=True)
    with open(new, "x", opener=lambda path, flags: os.open(path, flags, 0o600)) as stream:
        stream.write(text)
    new.replace(file)


def source_digest(source: Path) -> str:
    """Return the SHA-256 of the programs and requirements in the source folder."""
    digest = hashlib.sha256()
    for file in sorted([*source.rglob("*.py"), source / "requirements.txt"]):
        digest.update(f"{file.relative_to(source)}\0".encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()
