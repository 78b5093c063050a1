# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Copies of DICOM files under new UIDs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

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


def renew(files: list[DicomFile]) -> dict[str, str]:
    """Return a new UID for each object, series and study."""
    uids = ((_instance(file), file.series_instance_uid, file.study_instance_uid) for file in files)
    return {uid: str(pydicom.uid.generate_uid()) for each in uids for uid in each if uid}


def plan(files: list[DicomFile], folder: Path, new: dict[str, str]) -> list[Copy]:
    """Return the copies to make: objects of one series or study have a new one in common."""
    return [
        Copy(
            src=file.path,
            path=folder / f"{new[_instance(file)]}.dcm",
            sop_instance_uid=new[_instance(file)],
            series_instance_uid=new.get(file.series_instance_uid or ""),
            study_instance_uid=new.get(file.study_instance_uid or ""),
        )
        for file in files
    ]


def _instance(file: DicomFile) -> str:
    return file.inner_sop_instance_uid or file.sop_instance_uid


def write(copy: Copy, new: dict[str, str]) -> None:
    """Write a copy, or nothing.

    Raises DicomError: a file cannot be read or written.
    """
    try:
        _write(copy, new)
    except Exception as error:  # pydicom sets no limit to what an odd file raises
        copy.path.unlink(missing_ok=True)
        reason = Reason.UNREADABLE if isinstance(error, OSError) else Reason.NOT_DICOM
        raise DicomError(reason, f"{copy.src} cannot be copied to {copy.path}: {error}.") from error


def _write(copy: Copy, new: dict[str, str]) -> None:
    dataset = pydicom.dcmread(copy.src)
    _replace_uids(dataset, new)
    dataset.SOPInstanceUID = copy.sop_instance_uid
    dataset.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.UID(copy.sop_instance_uid)
    if "SOPClassUID" in dataset:
        dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    if copy.series_instance_uid:
        dataset.SeriesInstanceUID = copy.series_instance_uid
    if copy.study_instance_uid:
        dataset.StudyInstanceUID = copy.study_instance_uid
    dataset.save_as(copy.path)


def _replace_uids(dataset: Any, new: dict[str, str]) -> None:
    """Put the new UIDs wherever the old ones stand, and leave all else as it is encoded."""
    for tag in list(dataset.keys()):
        vr = _vr(dataset, tag)
        if vr == "SQ":
            for item in dataset[tag].value:
                _replace_uids(item, new)
        elif vr == "UI":
            value = dataset[tag].value
            several = isinstance(value, pydicom.multival.MultiValue)
            uids = list(value) if several else [value]
            if any(uid in new for uid in uids):
                renewed = [new.get(uid, uid) for uid in uids]
                dataset[tag].value = renewed if several else renewed[0]


def _vr(dataset: Any, tag: Any) -> str | None:
    """Return the value representation, which implicit encoding leaves to the dictionary."""
    vr = dataset.get_item(tag, keep_deferred=True).VR
    if vr is None and pydicom.datadict.dictionary_has_tag(tag):
        vr = pydicom.datadict.dictionary_VR(tag)
    return vr
