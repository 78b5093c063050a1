# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The folders of the control node that hold an identity. Private to this collection."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from .._errors import using_files
from .content import Identity

Folders = Mapping[str, Path]


def read(folders: Folders) -> Identity:
    """Read all files and links. Raises ModuleError where one cannot be read."""
    with using_files(f"read {_named(folders)}"):
        paths = dict(_entries(folders))
        return Identity(
            files={
                name: path.read_text(errors="surrogateescape")
                for name, path in paths.items()
                if not path.is_symlink()
            },
            links={name: os.readlink(path) for name, path in paths.items() if path.is_symlink()},
        )


def write(folders: Folders, identity: Identity) -> None:
    """Make the folders hold this and nothing else; a killed run leaves none half written.

    Raises ModuleError where one cannot be written.
    """
    with using_files(f"write {_named(folders)}"):
        for name, folder in folders.items():
            _replace(folder, name, identity)


def _named(folders: Folders) -> str:
    return " and ".join(f"the folder {folder}" for folder in folders.values())


def _replace(folder: Path, name: str, identity: Identity) -> None:
    new, old = (folder.with_name(f"{folder.name}.{suffix}") for suffix in ("new", "old"))
    for rest in (new, old):
        shutil.rmtree(rest, ignore_errors=True)
    _fill(new, name, identity)
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _entries(folders: Folders) -> Iterator[tuple[str, Path]]:
    for name, folder in folders.items():
        for path in sorted(folder.rglob("*")):
            if path.is_symlink() or path.is_file():
                yield f"{name}/{path.relative_to(folder).as_posix()}", path


def _fill(folder: Path, name: str, identity: Identity) -> None:
    _make(folder)
    for path, content in _of(name, identity.files):
        _make((folder / path).parent)
        descriptor = os.open(folder / path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", errors="surrogateescape") as file:
            file.write(content)
    for path, target in _of(name, identity.links):
        _make((folder / path).parent)
        (folder / path).symlink_to(target)


def _of(name: str, entries: Mapping[str, str]) -> list[tuple[str, str]]:
    start = f"{name}/"
    return [
        (path.removeprefix(start), value)
        for path, value in entries.items()
        if path.startswith(start)
    ]


def _make(folder: Path) -> None:
    if not folder.is_dir():
        _make(folder.parent)
        folder.mkdir(mode=0o700)
