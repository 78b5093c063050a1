# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Copies of DICOM files under new UIDs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .errors import DicomError, Reason
from .files import DicomFile
from .packages import pydicom


@dataclass(frozen=True)
class Copy:
    """A file, where its copy is to be, and the UIDs of the copy."""

    src: Path
    path: Path
    sop_instance_uid: str
    series_instance_uid: str | None
    study_instance_uid: str | None


def plan(files: list[DicomFile], folder: Path) -> list[Copy]:
    """Return the copies to make: objects of one series or study have a new one in common."""
    known: dict[str, str] = {}

    def renew(uid: str) -> str:
        return known.setdefault(uid, str(pydicom.uid.generate_uid()))

    return [
        Copy(
            src=file.path,
            path=folder / f"{renew(file.sop_instance_uid)}.dcm",
            sop_instance_uid=renew(file.sop_instance_uid),
            series_instance_uid=file.series_instance_uid and renew(file.series_instance_uid),
            study_instance_uid=file.study_instance_uid and renew(file.study_instance_uid),
        )
        for file in files
    ]


def write(copies: list[Copy]) -> None:
    """Write the copies.

    :raises DicomError: a file cannot be read or written.
    """
    for copy in copies:
        try:
            _write(copy)
        except OSError as error:
            raise DicomError(
                Reason.UNREADABLE, f"{copy.src} cannot be copied to {copy.path}: {error.strerror}."
            ) from error


def _write(copy: Copy) -> None:
    dataset = pydicom.dcmread(copy.src)
    dataset.SOPInstanceUID = copy.sop_instance_uid
    dataset.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.UID(copy.sop_instance_uid)
    if copy.series_instance_uid:
        dataset.SeriesInstanceUID = copy.series_instance_uid
    if copy.study_instance_uid:
        dataset.StudyInstanceUID = copy.study_instance_uid
    dataset.save_as(copy.path)
