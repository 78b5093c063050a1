# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""DICOM files on disk: found, and checked before anything is sent."""

from __future__ import annotations

import io
import os
import re
import stat
import struct
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._errors import file_reason
from .errors import DicomError, Reason
from .packages import pydicom
from .peer import refuse

UID = re.compile(r"[0-9]+(\.[0-9]+)*")  # PS3.5, 9.1
UID_LENGTH = 64  # the same
_EARLY_END = re.compile("(End of file|Unexpected end of file)")  # pydicom's words for it
DICOMDIR = "1.2.840.10008.1.3.10"  # its SOP class, PS3.4, I.4
# (0002,0002) of a DICOMDIR; meta information is always encoded alike, PS3.10, 7.1
_DICOMDIR_META = b"\x02\x00\x02\x00UI\x14\x00" + DICOMDIR.encode()
DEFER = 4096  # bytes; a longer value stays on disk
_PIXEL_DATA = ("PixelData", "FloatPixelData", "DoubleFloatPixelData", "PixelDataProviderURL")


def is_uid(value: str) -> bool:
    """Return whether this is one UID, and not empty, a list or a pattern."""
    return len(value) <= UID_LENGTH and UID.fullmatch(value) is not None


def check_uid(option: str, value: str) -> str:
    """Return one UID.

    Raises DicomError: it is none.
    """
    if not is_uid(value):
        refuse(
            option,
            repr(value),
            f"A UID has 1 to {UID_LENGTH} characters: numbers with a dot between them.",
        )
    return value


@dataclass(frozen=True)
class DicomFile:
    """A file in the DICOM file format, and what negotiating and sending it takes.

    What it is stands in its meta information, and in its data set once more.
    """

    path: Path
    sop_class: str
    sop_instance_uid: str
    transfer_syntax: str
    study_instance_uid: str | None = None
    series_instance_uid: str | None = None
    inner_sop_class: str | None = None
    inner_sop_instance_uid: str | None = None


def find_files(sources: list[str]) -> list[Path]:
    """Return the files named, and those below the folders named, each once and sorted by folder.

    A DICOMDIR below a folder is left out: it is the index of a medium, not an object to store.

    Raises DicomError: a path does not exist, or a folder cannot be read.
    """
    found: dict[Path, None] = {}
    for source in map(Path, sources):
        found |= dict.fromkeys(_below(source) if _is_folder(source) else [source])
    return list(found)


def _is_folder(source: Path) -> bool:
    try:
        return stat.S_ISDIR(source.stat().st_mode)
    except FileNotFoundError as error:
        raise DicomError(Reason.INVALID_INPUT, f"src: {source} does not exist.") from error
    except (OSError, ValueError) as error:  # too long, not permitted, with a zero byte
        raise DicomError(
            Reason.INVALID_INPUT, f"src: {source} cannot be looked at: {file_reason(error)}."
        ) from error


def _below(folder: Path) -> list[Path]:
    def refuse(error: OSError) -> None:
        raise DicomError(
            Reason.UNREADABLE, f"src: {error.filename} cannot be read: {error.strerror}."
        )

    return sorted(
        Path(parent, name)
        for parent, _folders, names in os.walk(folder, onerror=refuse)
        for name in names
        if not _is_dicomdir(Path(parent, name))
    )


def _is_dicomdir(path: Path) -> bool:
    """Return whether the file is a DICOMDIR, which need not be called so."""
    if not path.is_file():
        return False
    try:
        with path.open("rb") as stream:
            return _DICOMDIR_META in stream.read(DEFER)
    except OSError:
        return False  # why it cannot be read is told when it is to be sent


def read_file(path: Path) -> DicomFile:
    """Return what sending the file takes. Pixel data stays on disk, so the size does not matter.

    Raises DicomError: it is not a whole file in the DICOM file format (PS3.10).
    """
    if path.exists() and not path.is_file():  # a pipe would be waited for
        raise DicomError(Reason.UNREADABLE, f"{path} cannot be read: it is not a regular file.")
    try:
        return _examine(path)
    except DicomError:
        raise
    except Exception as error:  # pydicom sets no limit to what a broken file raises
        raise _refusal(path, error) from error


def _refusal(path: Path, error: Exception) -> DicomError:
    if isinstance(error, pydicom.errors.InvalidDicomError):
        return DicomError(Reason.NOT_DICOM, f"{path} is not a file in the DICOM file format.")
    if isinstance(error, OSError) and error.errno:
        return DicomError(Reason.UNREADABLE, f"{path} cannot be read: {error.strerror}.")
    if isinstance(error, EOFError | OSError | struct.error) or _EARLY_END.match(str(error)):
        return _truncated(path)
    return DicomError(Reason.NOT_DICOM, f"{path} is broken: {error}.")


class _Source(io.BufferedReader):
    """A file that remembers how much its last read found where less was left than asked for."""

    rest = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """Return so many bytes, or what is left."""
        found = super().read(size)
        self.rest = len(found) if size and 0 < len(found) < size else 0
        return found


def _examine(path: Path) -> DicomFile:
    with _Source(io.FileIO(str(path))) as stream, warnings.catch_warnings():
        # Sending needs no text, so a value or character set that nobody knows does not matter.
        warnings.simplefilter("ignore")
        warnings.filterwarnings("error", _EARLY_END.pattern)
        warnings.filterwarnings("error", "Expected .* VR, but found")
        dataset = pydicom.dcmread(stream, defer_size=DEFER)
        cut = stream.rest > 0  # the header of an element, as that is read last
        end = max(stream.tell(), *_ends(dataset))
        size = stream.seek(0, os.SEEK_END)
    file = _describe(path, dataset)
    if cut or end > size:
        raise _truncated(path)
    if _lacks_pixels(file, dataset):
        message = f"{path} is truncated: an image without pixel data. Copy it again."
        raise DicomError(Reason.TRUNCATED, message)
    return file


def _ends(dataset: Any) -> list[int]:
    """Return where the values of known length end in the file, by what their lengths say."""
    syntax = dataset.file_meta.get("TransferSyntaxUID")
    if syntax == pydicom.uid.DeflatedExplicitVRLittleEndian:
        return [0]  # positions are those of the inflated data, which was whole
    elements = [dataset.get_item(tag, keep_deferred=True) for tag in list(dataset.keys())]
    return [0] + [
        element.value_tell + element.length
        for element in elements
        if isinstance(element, pydicom.dataelem.RawDataElement) and element.length != 0xFFFFFFFF
    ]


def _lacks_pixels(file: DicomFile, dataset: Any) -> bool:
    """Return whether an image ends before its pixel data, which stands last."""
    image = "Rows" in dataset or "Image Storage" in pydicom.uid.UID(file.sop_class).name
    return image and not any(keyword in dataset for keyword in _PIXEL_DATA)


def _truncated(path: Path) -> DicomError:
    return DicomError(
        Reason.TRUNCATED,
        f"{path} is truncated: it ends before its data does, or something else follows its data. "
        "Copy it again.",
    )


def _describe(path: Path, dataset: Any) -> DicomFile:
    meta = dataset.file_meta
    keywords = ("MediaStorageSOPClassUID", "MediaStorageSOPInstanceUID", "TransferSyntaxUID")
    missing = [keyword for keyword in keywords if not meta.get(keyword)]
    if missing:
        raise DicomError(
            Reason.NOT_DICOM, f"{path} lacks {', '.join(missing)} in its file meta information."
        )
    sop_class, instance, syntax = (text(meta, keyword) or "" for keyword in keywords)
    return DicomFile(
        path,
        sop_class,
        instance,
        syntax,
        text(dataset, "StudyInstanceUID"),
        text(dataset, "SeriesInstanceUID"),
        text(dataset, "SOPClassUID"),
        text(dataset, "SOPInstanceUID"),
    )


def text(dataset: Any, keyword: str) -> str | None:
    """Return a value in one text, as it is encoded: several have backslashes between them."""
    value = dataset.get(keyword)
    if isinstance(value, pydicom.multival.MultiValue):
        return "\\".join(map(str, value))
    return str(value) if value else None
