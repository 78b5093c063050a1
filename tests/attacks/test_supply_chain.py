# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The attacker wants code of theirs in what is built, pushed, installed or run."""

from __future__ import annotations

import hashlib
import re
import shutil
import socket
import socketserver
import ssl
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.openpacs.dicoogle.plugins.module_utils._ecr.scan import (
    read_waivers,
    refuse,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._errors import ModuleError
from ansible_collections.openpacs.dicoogle.plugins.module_utils._images.image import read_image
from support import CHECKOUT
from support.role_runs import Runner, runner_in
from support.running_nginx import Proxy, running_nginx

IMAGES = ("dicoogle", "nginx", "ghostunnel")
DIGEST = "sha256:" + "0" * 64


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """Return a function that runs a role; build contexts are kept in folders instead of in ECR."""
    return runner_in(tmp_path_factory.mktemp("roles"), CHECKOUT / "tests/roles/modules")


@pytest.fixture
def production(tmp_path: Path) -> dict[str, Any]:
    """Return the variables of role images as for AWS, where the archive is the one expected."""
    archive = tmp_path / "dicoogle.zip"
    archive.write_text("archive")
    return {
        "dicoogle_aws": {"region": "eu-central-1"},
        "prerequisites_result": {"repositories": {name: str(tmp_path / name) for name in IMAGES}},
        "images_dicoogle_archive": archive.as_uri(),
        "images_dicoogle_sha256": hashlib.sha256(b"archive").hexdigest(),
        "images_bases": {name: f"{name}:1@{DIGEST}" for name in IMAGES},
        "images_local_dir": str(tmp_path / "local"),
    }


class TestTheArchiveIsReplacedBeforeItFirstArrives:
    def test_without_its_digest_nothing_is_downloaded(
        self, runner: Runner, production: dict[str, Any], tmp_path: Path
    ) -> None:
        run = runner("images", {**production, "images_dicoogle_sha256": ""})
        assert run.failed
        assert "images_dicoogle_sha256 is empty" in run.prose
        assert f"{production['images_dicoogle_archive']} | sha256sum" in run.prose
        assert not (tmp_path / "local").exists()

    def test_another_archive_is_not_built(
        self, runner: Runner, production: dict[str, Any], tmp_path: Path
    ) -> None:
        (tmp_path / "dicoogle.zip").write_text("malware")
        run = runner("images", production)
        assert run.failed
        assert hashlib.sha256(b"malware").hexdigest() in run.output
        assert not (tmp_path / "dicoogle").exists()

    def test_what_arrived_first_does_not_count_as_the_digest(
        self, runner: Runner, production: dict[str, Any]
    ) -> None:
        unpinned = {**production, "images_allow_unpinned": True}
        assert not runner("images", {**unpinned, "images_dicoogle_sha256": ""}).failed
        assert runner("images", {**production, "images_dicoogle_sha256": ""}).failed


class TestABaseIsReplacedUnderItsTag:
    @pytest.mark.parametrize("base", ["nginx:1.30.4", "nginx", "nginx@sha256:abc", f"x@{DIGEST}\n"])
    def test_a_base_that_its_digest_does_not_name_is_refused(
        self, runner: Runner, production: dict[str, Any], tmp_path: Path, base: str
    ) -> None:
        production["images_bases"]["nginx"] = base
        run = runner("images", production)
        assert run.failed
        assert "docker buildx imagetools inspect" in run.prose
        assert not (tmp_path / "nginx").exists()

    def test_those_of_the_dockerfiles_are_named_with_what_to_set(
        self, runner: Runner, production: dict[str, Any]
    ) -> None:
        run = runner("images", {**production, "images_bases": {}})
        assert run.failed
        for image in IMAGES:
            dockerfile = (CHECKOUT / "docker" / image / "Dockerfile").read_text()
            base = re.search(r"^ARG BASE=(\S+)", dockerfile, re.MULTILINE)
            assert base
            assert f"'{image}': '{base[1]}@sha256:...'" in run.prose

    def test_another_digest_makes_another_image(
        self, runner: Runner, production: dict[str, Any]
    ) -> None:
        before = runner("images", production).published
        production["images_bases"]["nginx"] = "nginx:1@sha256:" + "1" * 64
        after = runner("images", production).published
        assert after["nginx"] != before["nginx"]
        assert after["ghostunnel"] == before["ghostunnel"]

    @pytest.mark.parametrize("allowed", [False, True])
    def test_tags_are_taken_only_where_that_is_allowed(
        self, runner: Runner, production: dict[str, Any], allowed: bool
    ) -> None:
        del production["images_bases"]
        run = runner("images", {**production, "images_allow_unpinned": allowed})
        assert run.failed is not allowed


class TestAPackageOfTheIndexIsReplaced:
    """Every file that ships and that pip reads. ansible-builder reads meta/ee-requirements.txt, and
    knows no hashes: it merges what several collections need."""

    @pytest.mark.parametrize("file", ["requirements.txt", "embedded/requirements.txt"])
    def test_pip_installs_none_of_them(self, tmp_path: Path, file: str) -> None:
        requirements = CHECKOUT / file
        pinned = re.findall(r"^([a-z0-9-]+)==(\S+)", requirements.read_text(), re.MULTILINE)
        assert len(pinned) > 15
        for name, version in pinned:
            self.fake_wheel(tmp_path, name.replace("-", "_"), version)
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed"),
                *("--disable-pip-version-check", "--no-index", "--find-links", str(tmp_path)),
                *("-r", str(requirements)),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode != 0
        assert "DO NOT MATCH THE HASHES" in done.stderr

    @pytest.mark.parametrize("file", ["requirements.txt", "embedded/requirements.txt"])
    def test_none_of_them_lacks_its_hashes(self, file: str) -> None:
        text = (CHECKOUT / file).read_text().replace("\\\n", "")
        lines = [line for line in text.splitlines() if not line.startswith("#")]
        assert [line for line in lines if "--hash=sha256:" not in line] == []

    def test_there_are_no_others(self) -> None:
        found = subprocess.run(
            ["git", "ls-files", "*requirements*.txt", ":!tests"],
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=True,
        )
        hashed = ["embedded/requirements.txt", "requirements.txt"]
        assert sorted(found.stdout.split()) == sorted([*hashed, "meta/ee-requirements.txt"])

    @staticmethod
    def fake_wheel(folder: Path, name: str, version: str) -> None:
        info = f"{name}-{version}.dist-info"
        with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
            metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
            wheel.writestr(f"{info}/METADATA", metadata)
            wheel.writestr(
                f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            )
            wheel.writestr(f"{info}/RECORD", "")


class TestAKnownHoleIsAcceptedForGood:
    def test_each_shipped_waiver_has_a_reason_and_ends(self) -> None:
        shipped = yaml.safe_load((CHECKOUT / "docker/waivers.yml").read_text())
        waivers = read_waivers(shipped)
        assert {waiver.name for waiver in waivers} == {"CVE-2017-7657", "CVE-2017-7658"}
        day_after = max(waiver.until for waiver in waivers) + timedelta(days=1)
        with pytest.raises(ModuleError, match="dicoogle has CVE-2017-7657, whose waiver ended on"):
            refuse({"dicoogle": ["CVE-2017-7657"]}, waivers, day_after)


@pytest.fixture(scope="module")
def taken() -> Iterator[tuple[int, list[bytes]]]:
    """Return the port of a server that answers one request a connection, and what it was sent."""
    received: list[bytes] = []

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.settimeout(2)
            data = b""
            with suppress(TimeoutError):
                while not data.endswith(b"END") and (more := self.request.recv(65536)):
                    data += more
            received.append(data)
            self.request.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1], received
        server.shutdown()


@pytest.fixture(scope="module")
def nginx(taken: tuple[int, list[bytes]]) -> Iterator[Proxy]:
    """Return nginx in front of that server."""
    with running_nginx(taken[0]) as proxy:
        yield proxy


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed here")
class TestARequestIsHiddenInTheBodyOfAnotherFromDicooglesOldJetty:
    """Why docker/waivers.yml accepts CVE-2017-7657 and CVE-2017-7658."""

    HIDDEN = "POST /management/tasks/remove HTTP/1.1\r\nHost: h\r\n\r\n"

    @pytest.mark.parametrize(
        "head",
        [
            "Content-Length: 0\r\nContent-Length: 60",
            "Content-Length: 60\r\nContent-Length: 0",
            "Content-Length: 60\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\nContent-Length: 60",
            "Transfer-Encoding: chunked, identity",
            "Transfer-Encoding: xchunked",
            "Transfer-Encoding : chunked",
            "Content-Length: +60",
            "Content-Length: 0x3c",
        ],
    )
    def test_two_lengths_are_refused(
        self, nginx: Proxy, taken: tuple[int, list[bytes]], head: str
    ) -> None:
        before = len(taken[1])
        answer = self.send(nginx, head, f"0\r\n\r\n{self.HIDDEN}")
        assert answer.split()[1] in (b"400", b"501")
        assert len(taken[1]) == before

    @pytest.mark.parametrize("size", ["100000000", "10000000000000000", "ffffffffffffffff", "-1"])
    def test_an_overlong_chunk_never_arrives(
        self, nginx: Proxy, taken: tuple[int, list[bytes]], size: str
    ) -> None:
        before = len(taken[1])
        self.send(nginx, "Transfer-Encoding: chunked", f"{size}\r\n{self.HIDDEN}")
        assert len(taken[1]) == before

    def test_a_chunked_body_arrives_with_one_length(
        self, nginx: Proxy, taken: tuple[int, list[bytes]]
    ) -> None:
        self.send(nginx, "Transfer-Encoding: chunked", "3\r\nEND\r\n0\r\n\r\n")
        assert b"content-length: 3\r\n" in taken[1][-1].lower()
        assert b"transfer-encoding" not in taken[1][-1].lower()

    @staticmethod
    def send(nginx: Proxy, head: str, body: str) -> bytes:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.load_cert_chain(nginx.certificate)
        address = ("127.0.0.1", nginx.management_port)
        with (
            socket.create_connection(address, timeout=60) as plain,
            context.wrap_socket(plain) as connection,
        ):
            start = "POST /management/settings/x HTTP/1.1\r\nHost: h\r\n"
            connection.sendall(f"{start}{head}\r\n\r\n{body}".encode())
            connection.settimeout(5)
            with suppress(TimeoutError):
                return connection.recv(65536)
            return b""


class TestAFileOfAnImageIsWrittenOutsideTheBuildFolder:
    @pytest.mark.parametrize(
        "path",
        ["/etc/cron.d/x", "../x", "a/../../x", "..", ".", "a/./x", "a//x", "./x", "", "link/x"],
    )
    def test_it_is_refused(self, tmp_path: Path, path: str) -> None:
        (tmp_path / "Dockerfile").write_text("FROM scratch\n")
        (tmp_path / "link").symlink_to("/tmp")
        with pytest.raises(ModuleError, match="would lie outside the build context"):
            read_image(
                {
                    "name": "nginx",
                    "repository": "nginx",
                    "context": str(tmp_path),
                    "dockerfile": "Dockerfile",
                    "build_args": {},
                    "platform": "linux/amd64",
                    "files": [{"path": path, "src": "/dev/null", "sha256": "0" * 64}],
                }
            )
