# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The attacker wants to open or remove an image without being named.

The lines are those that nginx and Ghostunnel really write, read as the audit reads them.
"""

from __future__ import annotations

import re
import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._audit.lines import Line
from ansible_collections.openpacs.dicoogle.plugins.module_utils._audit.query import expressions
from ansible_collections.openpacs.dicoogle.plugins.module_utils._audit.trail import (
    events,
    selected,
)
from pydicom import Dataset
from pynetdicom.ae import ApplicationEntity
from support.dicom_certificates import Authority, Holder
from support.image_entry_points import needs_nginx
from support.ports import await_port, free_port
from support.programs import ARCHIVE, ghostunnel
from support.running_archive import TITLE, RunningArchive
from support.running_nginx import Proxy, an_upstream, running_nginx
from support.sample_images import new_image

IMAGE = "1.2.840.113619.2.1"


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    """Both entrances."""
    with an_upstream() as dicoogle, running_nginx(dicoogle.port) as started:
        yield started


def who(line: str) -> list[tuple[str, str, str]]:
    """Who did what with the image, and how it ended."""
    found = events([Line(datetime.now(UTC), "nginx", line)])
    return [(each.who, each.what, each.result) for each in selected(found, [IMAGE], "")]


@needs_nginx
def test_a_person_who_opens_a_picture_is_told(proxy: Proxy) -> None:
    path = f"/dic2png?SOPInstanceUID={IMAGE}"
    assert proxy.ask(path, headers={"X-Amzn-Oidc-Identity": "9f8c-1"})[0].status == 200
    assert who(proxy.log('person "9f8c-1"')) == [("person 9f8c-1", "GET /dic2png", "200")]


@needs_nginx
def test_an_identity_cannot_be_made_to_look_like_the_rest_of_a_line(proxy: Proxy) -> None:
    forged = f'x" image "9.9" person "dr-other" image "{IMAGE}'
    proxy.ask("/dump?uid=1.2", headers={"X-Amzn-Oidc-Identity": forged})
    line = proxy.log("GET /dump")
    assert who(line) == []
    (event,) = events([Line(datetime.now(UTC), "nginx", line)])
    assert event.image == "1.2"
    assert event.who != "person dr-other"


@needs_nginx
@pytest.mark.parametrize("form", ["uri=file%3A%2F%2F%2Fdata%2F{}.dcm", "SOPInstanceUID={}"])
@pytest.mark.parametrize("action", ["remove", "unindex"])
def test_an_administrator_who_removes_an_image_is_told(
    proxy: Proxy, action: str, form: str
) -> None:
    path = f"/management/tasks/{action}"
    body = form.format(IMAGE).encode()
    assert proxy.ask(path, "POST", body=body, managing=True)[0].status == 200
    ((name, what, result),) = who(proxy.log(f"tasks/{action}"))
    assert name.startswith("localhost, certificate ")
    assert (what, result) == (f"POST {path}", "200")


@needs_nginx
@pytest.mark.parametrize(
    "body",
    [
        "uri=file:///data/images/A/{}.dcm",
        "uri=file:///data/images/A",
        "StudyInstanceUID=1.2.840.113619.2",
    ],
)
def test_a_removal_is_found_however_its_image_is_spelled(proxy: Proxy, body: str) -> None:
    path = "/management/tasks/unindex"
    spelled = body.format("".join(f"%{ord(each):02x}" for each in IMAGE))
    assert proxy.ask(path, "POST", body=spelled.encode(), managing=True)[0].status == 200
    line = proxy.log(f'removed "-" "{spelled}"')
    assert any(re.search(each, line) for each in expressions([IMAGE], ""))
    ((name, what, _result),) = who(line)
    assert name.startswith("localhost, certificate ")
    assert what == f"POST {path}"


class Tunnel:
    """The storage tunnel of an archive, and what it has logged, with the time of each line."""

    def __init__(self, archive: RunningArchive, folder: Path, *clients: str) -> None:
        self.authority = Authority(folder / "pki", "Own CA")
        self.port, self.lines = free_port(), list[Line]()
        ends = (f"127.0.0.1:{self.port}", f"127.0.0.1:{archive.storage_port}")
        allowed = [f"--allow-cn={client}" for client in clients]
        own, ca = self.authority.issue(ARCHIVE), self.authority.certificate
        self._process = subprocess.Popen(
            ghostunnel("server", *ends, own, ca, *allowed),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._read, daemon=True).start()
        await_port(self.port, self._process)

    def _read(self) -> None:
        for text in self._process.stdout or ():
            self.lines.append(Line(datetime.now(UTC), "ghostunnel-storage", text.rstrip()))

    def store(self, image: Dataset, holder: Holder, calling: str) -> None:
        """Store an image as the holder of a certificate."""
        context = ssl.create_default_context(cafile=str(self.authority.certificate))
        context.load_cert_chain(holder.certificate, holder.private_key)
        entity = ApplicationEntity(calling)
        entity.add_requested_context(image.SOPClassUID, image.file_meta.TransferSyntaxUID)
        association = entity.associate(
            "127.0.0.1", self.port, ae_title=TITLE, tls_args=(context, ARCHIVE)
        )
        assert association.send_c_store(image).Status == 0
        association.release()

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(timeout=60)


def console(archive: RunningArchive) -> list[Line]:
    """The console of an archive, as CloudWatch has it."""
    found = []
    for text in archive.console().splitlines():
        stamp, _blank, rest = text.partition(" ")
        if rest and stamp[:4].isdecimal():
            found.append(Line(datetime.fromisoformat(stamp), "dicoogle", text))
    return found


@pytest.mark.skipif(shutil.which("ghostunnel") is None, reason="ghostunnel is not in PATH")
def test_a_client_that_borrows_a_title_is_told_by_its_certificate(
    archive: RunningArchive, tmp_path: Path
) -> None:
    names = ("ct-1.example.org", "intruder.example.org")
    tunnel = Tunnel(archive, tmp_path, *names)
    images = [new_image(), new_image()]
    for name, image in zip(names, images, strict=True):
        tunnel.store(image, tunnel.authority.issue(name), calling="CT-1")
        time.sleep(2.5)  # who comes in the same second is named, too
    tunnel.stop()
    found = events([*tunnel.lines, *console(archive)])
    told = [selected(found, [str(image.SOPInstanceUID)], "") for image in images]
    assert [[(each.who, each.what) for each in some] for some in told] == [
        [(f"{name}, as CT-1", "stored")] for name in names
    ]
