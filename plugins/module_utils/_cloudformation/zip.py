# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Zip archives that depend on nothing but names and contents. Private to this collection."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

from .._errors import ModuleError

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip archive can hold
MODE = 0o100644  # regular file, readable by the user that Lambda runs functions as
UNIX = 3


def zip_folder(folder: Path) -> bytes:
    """Return the archive of a function's folder, the same bytes on any machine.

    Entries are stored, not deflated: compressed bytes differ between versions of zlib.
    Byte code is left out. Raises ModuleError for a folder that is empty or holds links.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        files = {path.relative_to(folder).as_posix(): path for path in _files(folder)}
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.create_system = UNIX
            entry.external_attr = MODE << 16
            archive.writestr(entry, files[name].read_bytes())
    if not files:
        raise ModuleError(f"The folder {folder} holds no file, but a function needs its code.")
    return buffer.getvalue()


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.is_symlink():
            raise ModuleError(f"{path} is a symbolic link; put the file itself into {folder}.")
        if path.is_file() and path.parent.name != "__pycache__":
            yield path
