# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the indexer takes from a DICOM file: the fields of a document, as texts."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from pydicom import Dataset, dcmread
from pydicom.datadict import dictionary_VR, keyword_for_tag
from pydicom.errors import InvalidDicomError

# Indexed for every image, with "" for what is missing, by the names that Dicoogle gives them.
FIELDS = {
    0x001021C0: "PregnancyStatus",
    0x00081050: "PerformingPhysicianName",
    0x00400243: "PerformedLocation",
    0x00100020: "PatientID",
    0x00080080: "InstitutionName",
    0x00080050: "AccessionNumber",
    0x00080020: "StudyDate",
    0x00102154: "PatientTelephoneNumbers",
    0x00101010: "PatientAge",
    0x00081070: "OperatorName",
    0x00200010: "StudyID",
    0x00081040: "InstitutionDepartmentName",
    0x0020000E: "SeriesInstanceUID",
    0x0020000D: "StudyInstanceUID",
    0x00100040: "PatientSex",
    0x00201208: "NumberOfStudyRelatedInstances",
    0x00100010: "PatientName",
    0x00080070: "Manufacturer",
    0x00081090: "ManufacturerModelName",
    0x00081030: "StudyDescription",
    0x00000700: "Priority",
    0x00080090: "ReferringPhysicianName",
    0x00080061: "ModalitiesInStudy",
    0x00080060: "Modality",
    0x00080030: "StudyTime",
    0x00080018: "SOPInstanceUID",
    0x00200011: "SeriesNumber",
    0x0008103E: "SeriesDescription",
    0x00100030: "PatientBirthDate",
}
# Of these modalities, everything is indexed.
WHOLE = {"XA", "CT", "US", "MG", "MR"}
WHOLE_NUMBERS = {"IS", "US", "SS"}
FRACTIONS = {"DS": "", "FL": "<f", "FD": "<d"}
BINARY = {"SS": "<h", "US": "<H", "SL": "<i", "UL": "<I", "FL": "<f", "FD": "<d"}
UNDEFINED_LENGTH = 0xFFFFFFFF
CONTROL = "".join(map(chr, range(33)))
UNWANTED = {"OB", "OW", "SQ"}
UNREADABLE = (
    *(InvalidDicomError, EOFError, struct.error, NotImplementedError, ValueError, zlib.error),
)
Fields = list[tuple[str, str | int | float]]


class NotIndexableError(Exception):
    """An image that Dicoogle fails on with a NullPointerException."""


def read_header(stream: BinaryIO) -> Dataset:
    """Read the elements before the pixels; OSError when it is no DICOM or is cut off."""
    try:
        return dcmread(stream, stop_before_pixels=True)
    except UNREADABLE as error:
        raise OSError(str(error)) from None


def read_bytes(content: bytes) -> Dataset:
    """Read the elements before the pixels of a file's content."""
    return read_header(BytesIO(content))


def first_text(dataset: Dataset, keyword: str) -> str:
    """Return the first value of an element as dcm4che does, "" when it is missing or empty."""
    value = dataset.get(keyword)
    if value is None or value == "":
        return ""
    if isinstance(value, (list, tuple)) or type(value).__name__ == "MultiValue":
        value = value[0] if len(value) else ""
    return str(value).partition("\\")[0].strip(" \0")


@cache
def representation(tag: int, given: str | None) -> str:
    """Return the value representation of an element."""
    if given and given != "UN":
        return given
    try:
        return dictionary_VR(tag)
    except KeyError:
        return "UN"


@cache
def name_of(tag: int) -> str:
    """Return what an element is called, "" when nobody knows."""
    return FIELDS.get(tag) or keyword_for_tag(tag)


def as_text(value: bytes, kind: str, order: str) -> str:
    """Return a value as the indexer does: whatever the character set, as Latin-1."""
    if kind not in BINARY:
        return value.decode("latin-1").strip(CONTROL)
    layout = order + BINARY[kind][1]
    if len(value) < struct.calcsize(layout):
        return "0"
    return str(struct.unpack_from(layout, value)[0])


def typed(text: str, kind: str) -> str | int | float:
    """Return a number where the kind of element has numbers."""
    try:
        if kind in WHOLE_NUMBERS:
            return int(text)
        if kind in FRACTIONS:
            return float(text)
    except ValueError:
        pass
    return text


def stated_length(element: Any) -> int:
    """Return how long an element says that its value is; 0 when that is not known."""
    length = getattr(element, "length", 0)
    return 0 if length == UNDEFINED_LENGTH else int(length)


def raw_values(dataset: Dataset) -> Iterator[tuple[int, str, Any]]:
    """Give tag, representation and value of each element; the bytes where they are bytes."""
    for tag in map(int, sorted(dataset.keys())):
        element: Any = dataset.get_item(tag)
        kind = representation(tag, element.VR)
        if kind == "SQ":
            yield tag, kind, dataset[tag].value
        elif isinstance(element.value, bytes) or element.value is None:
            if len(element.value or b"") < stated_length(element):
                raise OSError("the file ends in the middle of a value")
            yield tag, kind, element.value or b""
        else:
            yield tag, kind, str(element.value).encode("latin-1", "replace")


def everything(dataset: Dataset, order: str, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Give all elements of an image that have names, of sequences the first item."""
    for tag, kind, value in raw_values(dataset):
        name = name_of(tag)
        if not name:
            continue
        if kind == "SQ":
            if len(value):
                yield from everything(value[0], order, f"{prefix}{name}_")
        elif kind not in UNWANTED:
            yield prefix + name, typed(as_text(value, kind, order), kind)


def document(path: Path, uri: str) -> Fields:
    """Return the fields of the document of a file."""
    size = path.stat().st_size
    if not size:
        raise NotIndexableError("empty")
    with path.open("rb") as stream:
        dataset = read_header(stream)
    if "TransferSyntaxUID" not in dataset.file_meta:
        raise OSError("the file ends in its meta information")
    order = ">" if dataset.file_meta.get("TransferSyntaxUID") == "1.2.840.10008.1.2.2" else "<"
    if not first_text(dataset, "SOPInstanceUID"):
        raise NotIndexableError("SOPInstanceUID")
    fields: Fields = [("uri", uri)]
    values = list(raw_values(dataset))
    present = {tag: (kind, value) for tag, kind, value in values if tag in FIELDS}
    for tag, name in FIELDS.items():
        kind, value = present.get(tag, ("", b""))
        fields.append((name, typed(as_text(value, kind, order), kind)))
    modality = first_text(dataset, "Modality")
    if not modality:
        raise NotIndexableError("Modality")
    if modality in WHOLE:
        rest = list(everything(dataset, order))
        fields += rest
        fields.append(("others", " ".join(str(value) for _name, value in rest)))
    return [*fields, ("FileSize", float(size))]


def rendered(value: str | int | float) -> str:
    """Return a value as Lucene gives it back."""
    return str(value)
