# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom import packages
from ansible_collections.openpacs.dicoogle.plugins.modules import dicom_echo
from dicom_archive import Archive


@pytest.mark.parametrize("check_mode", [False, True])
def test_an_answer(run_module: Any, archive: Archive, check_mode: bool) -> None:
    result = run_module(
        dicom_echo,
        check_mode=check_mode,
        host="127.0.0.1",
        port=archive.port,
        called_ae_title="ARCHIVE",
    )
    assert result["changed"] is False
    assert result["status"] == "0x0000"
    assert result["milliseconds"] > 0


def test_a_refusal(run_module: Any, archive: Archive) -> None:
    result = run_module(dicom_echo, host="127.0.0.1", port=archive.port, called_ae_title="OTHER")
    assert result["failed"]
    assert result["reason"] == "rejected_called_ae"
    assert "OTHER" in result["msg"]


def test_a_certificate_needs_its_key(run_module: Any, archive: Archive) -> None:
    result = run_module(
        dicom_echo,
        host="127.0.0.1",
        port=archive.port,
        called_ae_title="ARCHIVE",
        tls={"certificate": "client.pem"},
    )
    assert "private_key" in result["msg"]


def test_without_the_library(run_module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "MISSING", "ImportError: no pynetdicom")
    result = run_module(dicom_echo, host="127.0.0.1", port=104, called_ae_title="ARCHIVE")
    assert result["failed"]
    assert "pynetdicom" in result["msg"]
