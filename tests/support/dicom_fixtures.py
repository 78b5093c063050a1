# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Fixtures for tests with a real archive; a conftest imports the names it needs."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dicom_archive import Archive
from pydicom.data import get_testdata_file


def sample(name: str) -> Path:
    """Return a file that comes with pydicom; nothing is downloaded."""
    path = get_testdata_file(name, download=False)
    assert path, name
    return Path(path)


@pytest.fixture
def make_archive(tmp_path: Path) -> Iterator[Callable[..., Archive]]:
    """Return make(ae_title=..., context=..., storage_classes=...) for running archives."""
    archives: list[Archive] = []

    def make(**options: object) -> Archive:
        folder = tmp_path / f"archive-{len(archives)}"
        folder.mkdir()
        archives.append(Archive(folder, **options))
        return archives[-1]

    yield make
    for archive in archives:
        archive.stop()


@pytest.fixture
def archive(make_archive: Callable[..., Archive]) -> Archive:
    """Return an archive without TLS."""
    return make_archive()


@pytest.fixture
def raw_server() -> Iterator[Callable[[Callable[[socket.socket], None]], int]]:
    """Return serve(talk), which returns a port where talk(connection) is called for each client."""
    listeners: list[socket.socket] = []

    def serve(talk: Callable[[socket.socket], None]) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def loop() -> None:
            while True:
                try:
                    connection = listener.accept()[0]
                except OSError:
                    return
                threading.Thread(target=talk, args=(connection,), daemon=True).start()

        threading.Thread(target=loop, daemon=True).start()
        return listener.getsockname()[1]

    yield serve
    for listener in listeners:
        listener.close()
