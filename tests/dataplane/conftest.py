# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An archive, a storage node and the tunnels between them, all on 127.0.0.1."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder
from dicom_archive import Archive
from support import CHECKOUT
from support.dicom_certificates import Authority
from support.dicom_fixtures import make_archive
from support.ports import await_port
from support.programs import Tunnels

__all__ = ["make_archive"]


def pytest_configure() -> None:
    """Make `ansible_collections.openpacs.dicoogle` mean this checkout."""
    _AnsibleCollectionFinder(paths=[str(CHECKOUT / ".cache" / "collections")])._install()


@pytest.fixture
def run_program() -> Iterator[Callable[..., None]]:
    """Return run(port, command, **settings), which starts a program and waits for its port."""
    processes: list[subprocess.Popen[Any]] = []

    def run(port: int, command: list[str], **settings: str) -> None:
        processes.append(
            subprocess.Popen(
                command,
                env={**os.environ, **settings},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )
        await_port(port, processes[-1])

    yield run
    for process in processes:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("pki") / "own", "Own CA")


@pytest.fixture
def tunnels(run_program: Callable[..., None], authority: Authority) -> Tunnels:
    return Tunnels(run_program, authority)


@pytest.fixture
def archive(make_archive: Callable[..., Archive]) -> Archive:
    """Return the archive itself; nobody but its tunnel is meant to reach it."""
    return make_archive(ae_title="ARCHIVE")
