# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The plugin that keeps images as files, under names that their senders choose."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from io import RawIOBase
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from pydicom import Dataset

from double import log
from double.documents import first_text
from double.log import Log

PIECE = 1 << 16
STORE_SECONDS = float(os.environ.get("DOUBLE_STORE_SECONDS", "0"))


def relative_path(dataset: Dataset) -> str:
    """Return INSTITUTION/MODALITY/YYYY/MM/DD/ACCESSION-or-StudyUID/SOPUID.dcm."""
    institution = first_text(dataset, "InstitutionName") or "UN_IN"
    for unwanted in " .&":
        institution = institution.replace(unwanted, "")
    date = first_text(dataset, "StudyDate")
    study = first_text(dataset, "StudyInstanceUID") or "UN_ACC"
    parts = (
        institution,
        first_text(dataset, "Modality") or "UN_MODALITY",
        f"{date[:4]}/{date[4:6]}/{date[6:8]}" if len(date) >= 8 else "UN_DATE",
        first_text(dataset, "AccessionNumber") or study,
        f"{first_text(dataset, 'SOPInstanceUID')}.dcm",
    )
    return "/".join(part.strip("/") for part in parts if part)


def to_uri(path: str) -> str:
    """Return the URI of a file as Java's Path.toUri does."""
    return "file://" + quote(path, safe="/!$&'()*+,;=:@-._~")


def to_path(uri: str) -> Path:
    """Return the path of a URI."""
    return Path(unquote(urlsplit(uri).path))


def is_file_uri(uri: str) -> bool:
    """Say whether the plugin takes care of a URI."""
    return uri.startswith("file:")


class Files:
    """The folder of images."""

    def __init__(self, root: Path, log_: Log) -> None:
        self._root = root
        self._log = log_

    def store(self, dataset: Dataset, content: bytes) -> str | None:
        """Write a file under its final name; its URI, or nothing when that failed."""
        path = f"{self._root}/{relative_path(dataset)}"
        self._log.say(log.TRYING, path)
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
        except OSError as error:
            cause = f"java.nio.file.FileSystemException: {error.filename}: {error.strerror}"
            self._log.say(log.NO_FOLDER, path, cause=cause)
            return None
        uri = to_uri(path)
        self._log.say(log.ASSIGNED, uri)
        try:
            with open(path, "wb", buffering=0) as stream:
                write(stream, content)
        except OSError as error:
            self._log.say(log.NOT_WRITTEN, uri, cause=f"java.io.IOException: {error.strerror}")
            return None
        return uri

    def remove(self, uri: str) -> None:
        """Delete a file, or an empty folder, if that is allowed."""
        path = to_path(uri)
        try:
            path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)
        except OSError as error:
            cause = f"java.nio.file.FileSystemException: {path}: {error.strerror}"
            self._log.say(log.NOT_REMOVED, path, cause=cause)


def write(stream: RawIOBase, content: bytes) -> None:
    """Write piece by piece, and wait in the middle when that is wished."""
    view = memoryview(content)
    half = len(view) // 2 if STORE_SECONDS else 0
    for part in (view[:half], view[half:]):
        for place in range(0, len(part), PIECE):
            piece = part[place : place + PIECE]
            while piece:
                piece = piece[stream.write(piece) or 0 :]
        time.sleep(STORE_SECONDS / 2)


def below(uri: str) -> Iterator[tuple[Path, str]]:
    """Give each file at a URI with its own URI: the files of a folder before its subfolders."""
    path = to_path(uri)
    if not os.access(path, os.R_OK):
        return
    if not path.is_dir():
        yield path, to_uri(str(path))
        return
    for folder, _folders, names in os.walk(path):
        for name in names:
            file = Path(folder, name)
            yield file, to_uri(str(file))
