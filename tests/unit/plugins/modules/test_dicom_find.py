# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from typing import Any

from ansible_collections.openpacs.dicoogle.plugins.modules import dicom_find, dicom_store
from dicom_archive import Archive
from support.dicom_fixtures import sample


def test_matches(run_module: Any, archive: Archive) -> None:
    peer = {"host": "127.0.0.1", "port": archive.port, "called_ae_title": "ARCHIVE"}
    run_module(dicom_store, **peer, src=[str(sample("CT_small.dcm"))])
    result = run_module(
        dicom_find, **peer, level="image", query={"Modality": "CT", "InstanceNumber": ""}
    )
    assert result["changed"] is False
    assert result["limited"] is False
    assert result["milliseconds"] > 0
    assert result["matches"] == [
        {
            "Modality": "CT",
            "InstanceNumber": 1,
            "SOPInstanceUID": "1.3.6.1.4.1.5962.1.1.1.1.1.20040119072730.12322",
        }
    ]


def test_an_unknown_keyword(run_module: Any, archive: Archive) -> None:
    result = run_module(
        dicom_find,
        host="127.0.0.1",
        port=archive.port,
        called_ae_title="ARCHIVE",
        query={"Patient": "x"},
    )
    assert result["reason"] == "invalid_input"
    assert archive.associations == 0
