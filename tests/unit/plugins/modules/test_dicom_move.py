# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openpacs.dicoogle.plugins.modules import dicom_move, dicom_store
from dicom_archive import Archive
from pydicom import dcmread
from support.dicom_fixtures import sample

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


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def test_what_is_moved_here_arrives_as_it_was(
    run_module: Any, peer: dict[str, Any], archive: Archive, tmp_path: Path, port: int
) -> None:
    archive.destinations = {"HERE": port}
    result = run_module(
        dicom_move,
        **peer,
        study_instance_uid=STUDY,
        destination="HERE",
        receive={"port": port, "path": str(tmp_path)},
    )
    (path,) = result["received"]
    assert Path(path).parent == tmp_path
    sent, came = dcmread(sample("CT_small.dcm")), dcmread(path)
    assert Path(path).name == f"{sent.SOPInstanceUID}.dcm"
    assert came.PixelData == sent.PixelData
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_a_port_that_is_taken(
    run_module: Any, peer: dict[str, Any], target: Archive, tmp_path: Path
) -> None:
    result = run_module(
        dicom_move,
        **peer,
        study_instance_uid=STUDY,
        destination="HERE",
        receive={"port": target.port, "path": str(tmp_path)},
    )
    assert result["reason"] == "invalid_input"
    assert f"receive.port: cannot listen on 127.0.0.1:{target.port}" in result["msg"]


def test_a_folder_that_is_not_there(
    run_module: Any, peer: dict[str, Any], tmp_path: Path, port: int
) -> None:
    result = run_module(
        dicom_move,
        **peer,
        study_instance_uid=STUDY,
        destination="HERE",
        receive={"port": port, "path": str(tmp_path / "missing")},
    )
    assert result["reason"] == "invalid_input"
    assert str(tmp_path / "missing") in result["msg"]


@pytest.mark.parametrize(
    "option", ["study_instance_uid", "series_instance_uid", "sop_instance_uid"]
)
@pytest.mark.parametrize("uid", ["", " ", "*", "1.2.?", "1.2\\1.3", "1.2, 1.3"])
def test_what_is_not_one_uid_is_refused_before_anything_is_asked(
    run_module: Any, peer: dict[str, Any], archive: Archive, option: str, uid: str
) -> None:
    """Dicoogle moves its whole archive for an empty one."""
    before = archive.associations
    selection = {"study_instance_uid": STUDY, "series_instance_uid": "1.2", option: uid}
    result = run_module(dicom_move, **peer, **selection, destination="TARGET")
    assert result["reason"] == "invalid_input"
    assert f"{option}={uid!r}" in result["msg"]
    assert archive.associations == before
