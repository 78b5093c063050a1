# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from pathlib import Path

import pytest
from ansible.errors import AnsibleLookupError
from ansible_collections.openpacs.dicoogle.plugins.lookup.dicom_pixels import digest
from pydicom import dcmread
from support.dicom_fixtures import sample


def test_only_the_pixels_count(tmp_path: Path) -> None:
    dataset = dcmread(sample("CT_small.dcm"))
    dataset.PatientName = "Somebody^Else"
    dataset.save_as(tmp_path / "renamed.dcm")
    assert digest(str(tmp_path / "renamed.dcm")) == digest(str(sample("CT_small.dcm")))


def test_one_pixel_counts(tmp_path: Path) -> None:
    dataset = dcmread(sample("CT_small.dcm"))
    dataset.PixelData = dataset.PixelData[:-1] + bytes([dataset.PixelData[-1] ^ 1])
    dataset.save_as(tmp_path / "changed.dcm")
    assert digest(str(tmp_path / "changed.dcm")) != digest(str(sample("CT_small.dcm")))


def test_what_has_no_pixels(tmp_path: Path) -> None:
    with pytest.raises(AnsibleLookupError, match="no pixel data"):
        digest(str(sample("rtplan.dcm")))
    (tmp_path / "text").write_text("text")
    with pytest.raises(AnsibleLookupError, match="cannot be read as DICOM"):
        digest(str(tmp_path / "text"))


def test_pixels_of_another_kind(tmp_path: Path) -> None:
    dataset = dcmread(sample("CT_small.dcm"))
    dataset.add_new("PixelData", "LO", ["a", "b"])
    dataset.save_as(tmp_path / "file")
    with pytest.raises(AnsibleLookupError, match="cannot be read as DICOM"):
        digest(str(tmp_path / "file"))
