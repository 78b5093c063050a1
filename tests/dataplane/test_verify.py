# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The role verify against an archive behind real Ghostunnels, and a storage node behind its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dicom_archive import Archive
from dicoogle_web import DicoogleWeb, Reply
from pydicom import Dataset
from support import CHECKOUT
from support.dicom_certificates import Authority, Holder
from support.image_entry_points import NGINX, nginx_environment
from support.ports import free_port
from support.programs import ARCHIVE, CLIENT, STORAGE, Tunnels

pytestmark = pytest.mark.skipif(
    shutil.which("ghostunnel") is None, reason="ghostunnel is not in PATH"
)
ADMINISTRATOR = "administrator.example.org"
PLAY = """
- hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.import_role:
        name: openpacs.dicoogle.verify
    - ansible.builtin.copy:
        content: "{{ verify_result | to_json }}"
        dest: "{{ result_file }}"
        mode: "0600"
"""


class ArchiveWeb(DicoogleWeb):
    """As much of Dicoogle's web page as there is in front of an archive."""

    def reply(self, method: str, path: str, fields: dict[str, str]) -> Reply:
        self.index = {file.as_uri(): file.stem for file in self.folder.glob("*.dcm")}
        return super().reply(method, path, fields)


@pytest.fixture
def web(archive: Archive) -> Iterator[ArchiveWeb]:
    """The web page of the archive, and its keeper's."""
    page = ArchiveWeb(archive.folder)
    yield page
    page.stop()


@pytest.fixture
def administrator() -> str:
    """The common name that the management entrance lets in."""
    return ADMINISTRATOR


@pytest.fixture
def entrances(
    run_program: Callable[..., None],
    authority: Authority,
    web: ArchiveWeb,
    tmp_path: Path,
    administrator: str,
) -> tuple[int, int]:
    """Return the ports of the web page and of the management, at the image's own nginx."""
    own = authority.issue(ARCHIVE)
    page, management = free_port(), free_port()
    run = tmp_path / "nginx"
    run.mkdir()
    settings = {
        "NGINX_LISTEN_PORT": str(page),
        "NGINX_MANAGEMENT_PORT": str(management),
        "NGINX_ADMINISTRATORS": administrator,
        "NGINX_UPSTREAM": f"127.0.0.1:{web.port}",
        "NGINX_KEEPER": f"127.0.0.1:{web.port}",
        "NGINX_CERTIFICATE": own.certificate.read_text(),
        "NGINX_PRIVATE_KEY": own.private_key.read_text(),
        "NGINX_CA_BUNDLE": authority.certificate.read_text(),
    }
    run_program(management, NGINX, **nginx_environment(run, **settings))
    return page, management


@pytest.fixture
def variables(
    tunnels: Tunnels,
    authority: Authority,
    archive: Archive,
    make_archive: Callable[..., Archive],
    entrances: tuple[int, int],
) -> dict[str, Any]:
    """Return the role's variables for a whole data plane."""
    storage = make_archive(ae_title="STORESCP")
    own = authority.issue(ARCHIVE)
    inbound = tunnels.server(authority.issue(STORAGE), storage.port, ARCHIVE)
    archive.destinations = {"STORESCP": tunnels.client(own, inbound, STORAGE)}
    service = {"host": "127.0.0.1", "server_name": ARCHIVE}
    page, management = entrances
    return {
        "verify_storage": {**service, "port": tunnels.server(own, archive.port, CLIENT)},
        "verify_query": {**service, "port": tunnels.server(own, archive.port, CLIENT)},
        "verify_management": {**service, "port": management},
        "verify_web": {**service, "port": page, "ca_certificate": str(authority.certificate)},
        "verify_called_ae_title": "ARCHIVE",
        "verify_ca_certificate": str(authority.certificate),
        **pair("verify", authority.issue(CLIENT)),
        **pair("verify_administrator", authority.issue(ADMINISTRATOR)),
        "verify_destination": "STORESCP",
        "verify_received_dir": str(storage.folder),
        "verify_index_retries": 2,
    }


def pair(prefix: str, holder: Holder) -> dict[str, str]:
    """Return the variables with this prefix that name the holder's files."""
    return {
        f"{prefix}_certificate": str(holder.certificate),
        f"{prefix}_private_key": str(holder.private_key),
    }


def verify(
    folder: Path, variables: dict[str, Any]
) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    playbook, result = folder / "play.yml", folder / "result.json"
    playbook.write_text(PLAY)
    python = {"ansible_python_interpreter": sys.executable}
    given = json.dumps({**variables, **python, "result_file": str(result)})
    done = subprocess.run(
        ["ansible-playbook", "-i", "localhost,", "-c", "local", str(playbook), "-e", given],
        cwd=CHECKOUT,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    return done, json.loads(result.read_text()) if result.exists() else {}


def test_a_whole_data_plane(variables: dict[str, Any], archive: Archive, tmp_path: Path) -> None:
    done, result = verify(tmp_path, variables)
    assert done.returncode == 0, done.stdout
    assert [(step["step"], step["result"]) for step in result["steps"][:12]] == [
        ("C-ECHO storage", "0x0000 Success"),
        ("C-ECHO query", "0x0000 Success"),
        ("web page", "Dicoogle 3.5.1"),
        ("archive", "0 waiting for the index"),
        ("C-STORE", "2 stored"),
        ("C-FIND", "found at attempt 1"),
        ("C-FIND", "found at attempt 1"),
        ("C-FIND by name, VERIFY*", "found"),
        ("a name in UTF-8", "as sent"),
        ("picture", "image/png, 4 bytes"),
        ("C-MOVE", "1 arrived, same picture"),
        ("C-MOVE", "1 arrived, same picture"),
    ]
    assert len(result["steps"]) == 12 + 2 * 5 + 3 + 1
    assert result["steps"][-1]["result"] == "2 removed"
    assert result["left"] == []
    assert archive.files() == []


def test_images_that_are_to_stay(
    variables: dict[str, Any], archive: Archive, tmp_path: Path
) -> None:
    """Each run's are new ones: Dicoogle does not index again what it once had."""
    _done, result = verify(tmp_path, {**variables, "verify_keep": True})
    assert sorted(result["left"]) == sorted(file.stem for file in archive.files())
    done, again = verify(tmp_path, {**variables, "verify_keep": True, "verify_received_dir": ""})
    assert done.returncode == 0, done.stdout
    assert "not tried: see verify_receiver" in [step["result"] for step in again["steps"]]
    assert {file.stem for file in archive.files()} == {*result["left"], *again["left"]}
    assert len(archive.files()) == 4


def test_a_picture_that_comes_back_changed(
    variables: dict[str, Any], archive: Archive, tmp_path: Path
) -> None:
    archive.alter = blacken
    done, _result = verify(tmp_path, variables)
    assert done.returncode != 0
    assert "has other pixels when it comes back from STORESCP" in done.stdout
    assert archive.files() == []


def blacken(dataset: Dataset) -> None:
    dataset.PixelData = bytes(len(dataset.PixelData))


def keeper_says(web: ArchiveWeb, **said: Any) -> None:
    """Have the keeper say something else than that all is well."""
    body = json.dumps(web.keeper() | said).encode()
    web.replies["/keeper/status"] = (200, {"Content-Type": "application/json"}, body)


def test_images_that_are_never_found_are_listed(
    variables: dict[str, Any], web: ArchiveWeb, tmp_path: Path
) -> None:
    lost = {"sop_instance_uid": "1.2.3", "uri": "file:///x", "reason": "it has no Modality"}
    keeper_says(web, never_findable=[lost])
    done, result = verify(tmp_path, variables)
    assert done.returncode == 0, done.stdout
    assert {"step": "never found: 1.2.3", "result": "it has no Modality", "milliseconds": None} in (
        result["steps"]
    )


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"index": "lost"}, "openpacs.dicoogle.reindex"),
        ({"storage_open": False}, "the archive takes no images"),
    ],
)
def test_an_archive_that_is_not_well_is_refused(
    variables: dict[str, Any], web: ArchiveWeb, tmp_path: Path, said: dict[str, Any], told: str
) -> None:
    keeper_says(web, **said)
    done, _result = verify(tmp_path, variables)
    assert done.returncode != 0
    assert told in done.stdout


def test_dicomweb_is_tried_where_it_is(
    variables: dict[str, Any], web: ArchiveWeb, tmp_path: Path
) -> None:
    web.replies["/ext/dicomweb/studies"] = (200, {"Content-Type": "application/dicom+json"}, b"[]")
    _done, result = verify(tmp_path, {**variables, "verify_dicomweb_path": "/ext/dicomweb"})
    assert ("DICOMweb, QIDO-RS", "status 200") in [
        (step["step"], step["result"]) for step in result["steps"]
    ]


@pytest.mark.parametrize("administrator", [CLIENT])
def test_a_stranger_who_is_let_in(variables: dict[str, Any], tmp_path: Path) -> None:
    variables["verify_administrator_certificate"] = variables["verify_certificate"]
    variables["verify_administrator_private_key"] = variables["verify_private_key"]
    done, _result = verify(tmp_path, variables)
    assert done.returncode != 0
    assert "an unlisted name" in done.stdout
