# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.openpacs.dicoogle.plugins.modules import dicom_move, dicom_store
from dicom_archive import Archive
from dicom_fixtures import sample

STUDY = "1.3.6.1.4.1.5962.1.2.1.20040119072730.12322"


@pytest.fixture
def target(make_archive: Callable[..., Archive]) -> Archive:
    return make_archive(ae_title="TARGET")


@pytest.fixture
def peer(run_module: Any, archive: Archive, target: Archive) -> dict[str, Any]:
    """Return the options for an archive that has a study and knows TARGET."""
    archive.destinations = {"TARGET": target.port}
    options = {"host": "127.0.0.1", "port": archive.port, "called_ae_title": "ARCHIVE"}
    run_module(dicom_store, **options, src=[str(sample("CT_small.dcm"))])
    return options


def test_a_study_arrives(run_module: Any, peer: dict[str, Any], target: Archive) -> None:
    result = run_module(dicom_move, **peer, study_instance_uid=STUDY, destination="TARGET")
    assert result["changed"]
    assert result["level"] == "study"
    assert (result["matched"], result["completed"], result["not_moved"]) == (1, 1, 0)
    assert result["milliseconds"] > 0
    assert len(target.files()) == 1


def test_nothing_matches(run_module: Any, peer: dict[str, Any]) -> None:
    result = run_module(dicom_move, **peer, study_instance_uid="1.2.3", destination="TARGET")
    assert "failed" not in result
    assert not result["changed"]
    assert result["matched"] == 0


def test_an_unknown_destination(run_module: Any, peer: dict[str, Any]) -> None:
    result = run_module(dicom_move, **peer, study_instance_uid=STUDY, destination="NOWHERE")
    assert result["failed"]
    assert result["reason"] == "unknown_destination"
    assert "NOWHERE" in result["msg"]


def test_check_mode_moves_nothing(run_module: Any, peer: dict[str, Any], target: Archive) -> None:
    result = run_module(
        dicom_move, check_mode=True, **peer, study_instance_uid=STUDY, destination="TARGET"
    )
    assert result["changed"]
    assert target.files() == []


def test_an_image_needs_its_series(run_module: Any, peer: dict[str, Any]) -> None:
    result = run_module(
        dicom_move,
        **peer,
        study_instance_uid=STUDY,
        sop_instance_uid="1.2.3",
        destination="TARGET",
    )
    assert "series_instance_uid" in result["msg"]
