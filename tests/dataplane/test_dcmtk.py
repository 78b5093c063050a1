# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""DCMTK as an independent client and server: what our modules accept, it accepts."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dicom_archive import Archive
from pydicom import dcmread
from support import CHECKOUT
from support.dicom_certificates import Authority
from support.dicom_fixtures import sample
from support.ports import free_port
from support.programs import ARCHIVE, CLIENT, Tunnels, dcmtk

pytestmark = pytest.mark.skipif(
    dcmtk("storescu") is None, reason="DCMTK is not installed: apt-get install dcmtk"
)
needs_ghostunnel = pytest.mark.skipif(
    shutil.which("ghostunnel") is None, reason="ghostunnel is not in PATH"
)
PEER = ["-aet", "DCMTK", "-aec", "ARCHIVE", "127.0.0.1"]


def run(program: str, *arguments: str) -> str:
    command = [str(dcmtk(program)), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@needs_ghostunnel
def test_an_image_goes_in_is_found_and_comes_back(
    tunnels: Tunnels,
    authority: Authority,
    archive: Archive,
    make_archive: Callable[..., Archive],
) -> None:
    storage = make_archive(ae_title="STORESCP")
    archive.destinations = {"STORESCP": storage.port}
    inbound = tunnels.server(authority.issue(ARCHIVE), archive.port, CLIENT)
    port = str(tunnels.client(authority.issue(CLIENT), inbound, ARCHIVE))
    source = sample("CT_small.dcm")
    study = dcmread(source).StudyInstanceUID

    run("echoscu", *PEER, port)
    run("storescu", *PEER, port, str(source))
    query = ["-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={study}"]
    assert study in run("findscu", "-v", "-S", *query, *PEER, port)
    run("movescu", "-S", *query, "-aem", "STORESCP", *PEER, port)

    (returned,) = storage.files()
    assert dcmread(returned).PixelData == dcmread(source).PixelData


MEASURED = """
import json, resource, sys
from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder
_AnsibleCollectionFinder(paths=[sys.argv[1]])._install()
from pathlib import Path
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.files import read_file
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.peer import Peer
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.store import store
titles = {"called_ae_title": "ARCHIVE", "calling_ae_title": "TEST"}
timeouts = {"connect_timeout": 5.0, "dimse_timeout": 60.0, "network_timeout": 10.0}
where = {"host": "127.0.0.1", "port": int(sys.argv[3]), "tls": None}
peer = Peer(**where, **titles, **timeouts, max_pdu=131072)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
(outcome,) = store(peer, [read_file(Path(sys.argv[2]))])
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"stored": outcome.stored, "error": str(outcome.error), "kib": after - before}))
"""


def test_500_mb_go_through_in_little_memory(
    run_program: Callable[[int, list[str]], None], tmp_path: Path
) -> None:
    size = 500_000_000
    dataset = dcmread(sample("CT_small.dcm"))
    del dataset[0xFFFCFFFC:]
    dataset.PixelData = b""
    path = tmp_path / "huge.dcm"
    dataset.save_as(path)
    with path.open("r+b") as stream:
        stream.seek(-4, os.SEEK_END)
        stream.write(size.to_bytes(4, "little"))
        stream.truncate(stream.tell() + size)
    port = free_port()
    run_program(
        port, [str(dcmtk("storescp")), "--ignore", "-aet", "ARCHIVE", "-pdu", "131072", str(port)]
    )

    result = measure(path, port)

    assert result["stored"], result["error"]
    assert result["kib"] < 60_000


def measure(path: Path, port: int) -> dict[str, Any]:
    collections = str(CHECKOUT / ".cache" / "collections")
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, collections, str(path), str(port)],
        capture_output=True,
        text=True,
        timeout=180,
        check=True,
    )
    return json.loads(done.stdout)
