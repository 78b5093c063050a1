# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The role verify against an archive behind real Ghostunnels, and a storage node behind its own."""

from __future__ import annotations

import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dicom_archive import Archive
from dicom_certificates import Authority, Holder, server_context
from programs import ARCHIVE, CLIENT, STORAGE, Tunnels
from pydicom import Dataset

pytestmark = pytest.mark.skipif(
    shutil.which("ghostunnel") is None, reason="ghostunnel is not in PATH"
)
CHECKOUT = Path(__file__).parents[2]
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


class Page(http.server.BaseHTTPRequestHandler):
    """Answers the two health pages."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path in ("/healthz", "/readyz") else 404)
        self.end_headers()

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""


@pytest.fixture
def web_url(authority: Authority) -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    context = server_context(authority.issue("localhost"), None)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://localhost:{server.server_port}"
    server.shutdown()


@pytest.fixture
def variables(
    tunnels: Tunnels,
    authority: Authority,
    archive: Archive,
    make_archive: Callable[..., Archive],
    web_url: str,
) -> dict[str, Any]:
    """Return the role's variables for a whole data plane."""
    storage = make_archive(ae_title="STORESCP")
    own, client = authority.issue(ARCHIVE), authority.issue(CLIENT)
    unlisted = authority.issue("other.example.org")
    inbound = tunnels.server(authority.issue(STORAGE), storage.port, ARCHIVE)
    archive.destinations = {"STORESCP": tunnels.client(own, inbound, STORAGE)}
    service = {"host": "127.0.0.1", "server_name": ARCHIVE}
    return {
        "verify_storage": {**service, "port": tunnels.server(own, archive.port, CLIENT)},
        "verify_query": {**service, "port": tunnels.server(own, archive.port, CLIENT)},
        "verify_called_ae_title": "ARCHIVE",
        "pki_result": {
            "private_domain_name": "example.org",
            "ca_bundle": str(authority.certificate),
            "leaves": {"client": leaf(client), "ghostunnel": leaf(unlisted)},
        },
        "verify_destination": "STORESCP",
        "verify_received_dir": str(storage.folder),
        "verify_web_url": web_url,
        "verify_index_retries": 2,
    }


def leaf(holder: Holder) -> dict[str, str]:
    return {"certificate": str(holder.certificate), "private_key": str(holder.private_key)}


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
    assert [(step["step"], step["result"]) for step in result["steps"][:7]] == [
        ("C-ECHO storage", "0x0000 Success"),
        ("C-ECHO query", "0x0000 Success"),
        ("C-STORE", "1 stored"),
        ("C-FIND", "found at attempt 1"),
        ("C-MOVE", "1 arrived, same picture"),
        ("GET /healthz", "HTTP 200"),
        ("GET /readyz", "HTTP 200"),
    ]
    assert len(result["steps"]) == 7 + 2 * 5
    assert result["left"] == [archive.files()[0].stem]

    _done, again = verify(tmp_path, variables)
    assert again["left"] == []
    assert len(archive.files()) == 1


def test_a_picture_that_comes_back_changed(
    variables: dict[str, Any], archive: Archive, tmp_path: Path
) -> None:
    archive.alter = blacken
    done, _result = verify(tmp_path, variables)
    assert done.returncode != 0
    assert "has other pixels when it comes back from STORESCP" in done.stdout


def blacken(dataset: Dataset) -> None:
    dataset.PixelData = bytes(len(dataset.PixelData))


def test_a_stranger_who_is_let_in(variables: dict[str, Any], tmp_path: Path) -> None:
    leaves = variables["pki_result"]["leaves"]
    leaves["ghostunnel"] = leaves["client"]
    done, _result = verify(tmp_path, variables)
    assert done.returncode != 0
    assert "an unlisted name" in done.stdout
