# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""DICOM files on disk: found, and checked before anything is sent."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import DicomError, Reason
from .packages import pydicom

UID = re.compile(r"[0-9]+(\.[0-9]+)*")  # PS3.5, 9.1, which also limits it to 64 characters
DEFER = 4096  # bytes; a longer value stays on disk
_PIXEL_DATA = ("PixelData", "FloatPixelData", "DoubleFloatPixelData", "PixelDataProviderURL")


@dataclass(frozen=True)
class DicomFile:
    """A file in the DICOM file format, and what negotiating and sending it takes."""

    path: Path
    sop_class: str
    sop_instance_uid: str
    transfer_syntax: str
    study_instance_uid: str | None = None
    series_instance_uid: str | None = None


def find_files(sources: list[str]) -> list[Path]:
    """Return the files named, and those below the folders named, each once and sorted by folder.

    A C(DICOMDIR) below a folder is left out: it is the index of a medium, not an object to store.

    :raises DicomError: a path does not exist, or a folder cannot be read.
    """
    found: dict[Path, None] = {}
    for source in map(Path, sources):
        if not source.exists():
            raise DicomError(Reason.INVALID_INPUT, f"src: {source} does not exist.")
        found |= dict.fromkeys(_below(source) if source.is_dir() else [source])
    return list(found)


def _below(folder: Path) -> list[Path]:
    def refuse(error: OSError) -> None:
        raise DicomError(
            Reason.UNREADABLE, f"src: {error.filename} cannot be read: {error.strerror}."
        )

    return sorted(
        Path(parent, name)
        for parent, _folders, names in os.walk(folder, onerror=refuse)
        for name in names
        if name != "DICOMDIR"
    )


def read_file(path: Path) -> DicomFile:
    """Return what sending the file takes. Pixel data stays on disk, so the size does not matter.

    :raises DicomError: it is not a whole file in the DICOM file format (PS3.10).
    """
    settings = pydicom.config.settings
    settings.reading_validation_mode = pydicom.config.RAISE  # an early end is an error
    try:
        with path.open("rb") as stream:
            dataset = pydicom.dcmread(stream, defer_size=DEFER)
            end = max(stream.tell(), *_ends(dataset))
            size = stream.seek(0, os.SEEK_END)
    except pydicom.errors.InvalidDicomError as error:
        message = f"{path} is not a file in the DICOM file format."
        raise DicomError(Reason.NOT_DICOM, message) from error
    except EOFError as error:
        raise _truncated(path) from error
    except OSError as error:
        raise DicomError(Reason.UNREADABLE, f"{path} cannot be read: {error.strerror}.") from error
    except Exception as error:  # pydicom sets no limit to what a broken file raises
        raise DicomError(Reason.NOT_DICOM, f"{path} is broken: {error}.") from error
    finally:
        settings.reading_validation_mode = pydicom.config.WARN
    file = _describe(path, dataset)
    if end > size:
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
        Reason.TRUNCATED, f"{path} is truncated: it ends before its data does. Copy it again."
    )


def _describe(path: Path, dataset: Any) -> DicomFile:
    meta = dataset.file_meta
    keywords = ("MediaStorageSOPClassUID", "MediaStorageSOPInstanceUID", "TransferSyntaxUID")
    missing = [keyword for keyword in keywords if not meta.get(keyword)]
    if missing:
        raise DicomError(
            Reason.NOT_DICOM, f"{path} lacks {', '.join(missing)} in its file meta information."
        )
    sop_class, instance, syntax = (str(meta[keyword].value) for keyword in keywords)
    study, series = dataset.get("StudyInstanceUID"), dataset.get("SeriesInstanceUID")
    return DicomFile(path, sop_class, instance, syntax, study, series)
