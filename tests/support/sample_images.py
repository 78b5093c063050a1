# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Images to store, each with UIDs of its own unless a test says otherwise."""

from __future__ import annotations

import secrets
from typing import Any

from pydicom import Dataset, dcmread
from pydicom.encaps import encapsulate
from pydicom.uid import UID, generate_uid

from support.dicom_fixtures import sample

CT = "1.2.840.10008.5.1.4.1.1.2"
MR = "1.2.840.10008.5.1.4.1.1.4"
EXPLICIT = "1.2.840.10008.1.2.1"
IMPLICIT = "1.2.840.10008.1.2"
MPEG4 = "1.2.840.10008.1.2.4.102"


def new_image(**values: Any) -> Dataset:
    """Return a CT slice with these values; an element that is None is left out."""
    image = dcmread(sample("CT_small.dcm"))
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        setattr(image, keyword, generate_uid())
    image.PatientID = image.PatientName = f"Z{secrets.token_hex(6)}"
    image.AccessionNumber = ""
    for keyword, value in values.items():
        if value is None:
            delattr(image, keyword)
        else:
            setattr(image, keyword, value)
    image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID
    image.file_meta.MediaStorageSOPClassUID = image.SOPClassUID
    return image


def new_study(count: int, **values: Any) -> list[Dataset]:
    """Return images of one study and series of one patient, numbered from 1."""
    first = new_image(InstanceNumber="1", **values)
    shared = {
        keyword: getattr(first, keyword)
        for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "PatientID", "PatientName")
    }
    rest = range(2, count + 1)
    return [first, *(new_image(**values | shared, InstanceNumber=str(each)) for each in rest)]


def in_syntax(image: Dataset, syntax: str) -> Dataset:
    """Return the image, to be encoded in another syntax; its pixels are not compressed for it."""
    encoded = Dataset()
    encoded.update(image)
    encoded.file_meta = image.file_meta
    encoded.file_meta.TransferSyntaxUID = UID(syntax)
    if encoded.file_meta.TransferSyntaxUID.is_encapsulated:
        encoded.PixelData = encapsulate([image.PixelData])
        encoded["PixelData"].VR = "OB"
        encoded["PixelData"].is_undefined_length = True
    return encoded
