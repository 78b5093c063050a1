# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The archive that the facts are about: the double, or a real one (DICOOGLE_ARCHIVE, JAVA)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from support.releases import given_release, unpack
from support.running_archive import Destination, RunningArchive


@pytest.fixture(scope="session")
def java() -> Path:
    """What runs the archive."""
    return given_release()[1]


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The release, unpacked as in our image."""
    return unpack(given_release()[0], tmp_path_factory.mktemp("release"))


@pytest.fixture(scope="module")
def archives(
    tmp_path_factory: pytest.TempPathFactory, program: Path, java: Path
) -> Iterator[Callable[..., RunningArchive]]:
    """Return make(edit, options, **settings) for archives that are not started yet."""
    made: list[RunningArchive] = []

    def make_archive(
        edit: Callable[[ElementTree.Element], None] | None = None,
        options: list[str] | None = None,
        **settings: str,
    ) -> RunningArchive:
        root = tmp_path_factory.mktemp("archive")
        made.append(RunningArchive(root, program, java, settings, edit, options or []))
        return made[-1]

    yield make_archive
    for archive in made:
        if archive.process and archive.process.poll() is None:
            archive.process.kill()
            archive.process.wait()


@pytest.fixture(scope="module")
def archive(archives: Callable[..., RunningArchive]) -> RunningArchive:
    """An archive that the facts of a module share, as none leaves it in another state."""
    return archives().start()


@pytest.fixture
def new_archive(archives: Callable[..., RunningArchive]) -> RunningArchive:
    """An archive of a fact's own."""
    return archives().start()


@pytest.fixture
def destinations(archive: RunningArchive) -> Iterator[Callable[..., Destination]]:
    """Return make(contexts, title, only=...) for destinations that the archive knows."""
    made: list[Destination] = []

    def make_destination(*given: object, **more: str) -> Destination:
        made.append(Destination(*given, **more))  # type: ignore[arg-type]
        known = {"aetitle": made[-1].title, "ip": "127.0.0.1", "port": made[-1].port}
        archive.post("/management/settings/storage/dicom", type="add", **known)
        return made[-1]

    yield make_destination
    for each in made:
        each.stop()
        known = {"aetitle": each.title, "port": each.port}
        archive.post("/management/settings/storage/dicom", type="remove", **known)
