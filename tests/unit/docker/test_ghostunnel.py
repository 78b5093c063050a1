# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The entry point and the health check of the image `ghostunnel`."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from support.image_entry_points import DOCKER, Container

CERT = "-----BEGIN CERTIFICATE-----\nleaf\n-----END CERTIFICATE-----"
KEY = "-----BEGIN EC PRIVATE KEY-----\nhunter2\n-----END EC PRIVATE KEY-----"
CACERT = CERT.replace("leaf", "root")


@pytest.fixture
def ghostunnel(container: Callable[..., Container]) -> Container:
    made = container(
        "ghostunnel",
        "ghostunnel",
        GHOSTUNNEL_CERTIFICATE=CERT,
        GHOSTUNNEL_PRIVATE_KEY=KEY,
        GHOSTUNNEL_CA_BUNDLE=CACERT,
    )
    run = made.root / "run"
    run.mkdir()
    made.settings["GHOSTUNNEL_RUN"] = str(run)
    return made


class TestEntryPoint:
    def test_certificates_are_files_for_ghostunnel_only_and_it_is_told_where(
        self, ghostunnel: Container
    ) -> None:
        run = Path(ghostunnel.settings["GHOSTUNNEL_RUN"])
        environ = ghostunnel.start().child()["environ"]
        files = [Path(environ[name]) for name in ("CERT_PATH", "KEY_PATH", "CACERT_PATH")]
        assert files == [run / "certificate.pem", run / "private_key.pem", run / "ca_bundle.pem"]
        assert [path.read_text() for path in files] == [f"{CERT}\n", f"{KEY}\n", f"{CACERT}\n"]
        assert {path.stat().st_mode & 0o777 for path in files} == {0o600}

    def test_the_secrets_are_not_in_the_environment(self, ghostunnel: Container) -> None:
        environ = ghostunnel.start().child()["environ"]
        assert not {
            "GHOSTUNNEL_CERTIFICATE",
            "GHOSTUNNEL_PRIVATE_KEY",
            "GHOSTUNNEL_CA_BUNDLE",
        } & set(environ)
        assert "hunter2" not in json.dumps(environ)

    def test_the_command_arrives_as_it_was_given(self, ghostunnel: Container) -> None:
        command = ["server", "--allow-cn", "CT scanner 1", "--listen", "0.0.0.0:16666"]
        assert ghostunnel.start(*command).child()["argv"] == command

    def test_ghostunnel_takes_the_place_of_the_entry_point_and_is_told_to_stop(
        self, ghostunnel: Container
    ) -> None:
        started = ghostunnel.start("server")
        assert started.child()["pid"] == started.process.pid
        assert started.stop() == 7

    @pytest.mark.parametrize(
        "setting", ["GHOSTUNNEL_CERTIFICATE", "GHOSTUNNEL_PRIVATE_KEY", "GHOSTUNNEL_CA_BUNDLE"]
    )
    @pytest.mark.parametrize("value", ["", "not PEM"])
    def test_a_missing_or_wrong_secret_is_named_and_not_shown(
        self, ghostunnel: Container, setting: str, value: str
    ) -> None:
        message = ghostunnel.refusal(**{setting: value})
        assert f"{setting} must hold a PEM" in message
        assert "not PEM" not in message

    def test_a_volume_that_is_missing_is_named(self, ghostunnel: Container) -> None:
        assert "/nowhere is not writable" in ghostunnel.refusal(GHOSTUNNEL_RUN="/nowhere")


class TestHealthCheck:
    @pytest.fixture
    def status(self) -> Iterator[tuple[int, list[int]]]:
        """A stand-in for Ghostunnel's status port, and the answer it gives."""
        answer = [200]

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(answer[0] if self.path == "/_status" else 404)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port, answer
        server.shutdown()
        server.server_close()

    @staticmethod
    def check(port: int) -> int:
        script = str(DOCKER / "ghostunnel" / "healthcheck.sh")
        command = ["bash", script, str(port)]
        return subprocess.run(command, capture_output=True, check=False).returncode

    def test_healthy_when_the_status_page_says_so(self, status: tuple[int, list[int]]) -> None:
        assert self.check(status[0]) == 0

    def test_unhealthy_when_the_target_is_down(self, status: tuple[int, list[int]]) -> None:
        status[1][0] = 503
        assert self.check(status[0]) == 1

    def test_unhealthy_when_nobody_listens(self) -> None:
        assert self.check(1) != 0
