# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The image `nginx`: its entry point, and the real nginx with its configuration on loopback."""

from __future__ import annotations

import http.client
import json
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from image_entry_points import (
    DOCKER,
    NGINX,
    NGINX_PATH,
    Container,
    needs_nginx,
    nginx_environment,
    nginx_settings,
)
from ports import free_port

CERT = "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----"
CA = CERT.replace("abc", "ca")
KEY = "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----"


class TestEntryPoint:
    @pytest.fixture
    def nginx(self, container: Callable[..., Container]) -> Container:
        made = container("nginx", "nginx", NGINX_CERT=CERT, NGINX_KEY=KEY, NGINX_CACERT=CA)
        run = made.root / "run"
        run.mkdir()
        made.settings |= nginx_settings(run) | {
            "NGINX_ADMINISTRATORS": "administrator.demo.internal"
        }
        return made

    def test_certificates_and_key_are_files_for_nginx_only(self, nginx: Container) -> None:
        child = nginx.start().child()
        files = [Path(child["cwd"]) / name for name in ("certificate.pem", "key.pem", "ca.pem")]
        assert [path.read_text() for path in files] == [f"{CERT}\n", f"{KEY}\n", f"{CA}\n"]
        assert {path.stat().st_mode & 0o777 for path in files} == {0o600}

    def test_the_secrets_are_in_neither_environment_nor_arguments(self, nginx: Container) -> None:
        child = nginx.start().child()
        assert not {"NGINX_CERT", "NGINX_KEY", "NGINX_CACERT"} & set(child["environ"])
        assert "hunter2" not in json.dumps([child["argv"], child["environ"]])

    def test_nginx_takes_the_place_of_the_entry_point_and_is_told_to_stop(
        self, nginx: Container
    ) -> None:
        started = nginx.start()
        assert started.child()["pid"] == started.process.pid
        assert started.stop() == 7

    @pytest.mark.parametrize(
        ("setting", "value", "reason"),
        [
            ("NGINX_CERT", "", "PEM CERTIFICATE"),
            ("NGINX_CERT", KEY, "PEM CERTIFICATE"),
            ("NGINX_KEY", "abc", "PEM PRIVATE KEY"),
            ("NGINX_CACERT", "", "PEM CERTIFICATE"),
            ("NGINX_CACERT", KEY, "PEM CERTIFICATE"),
            ("NGINX_LISTEN_PORT", "8443 default_server", "no port"),
            ("NGINX_LISTEN_PORT", "99999", "no port"),
            ("NGINX_MANAGEMENT_PORT", "https", "no port"),
            ("NGINX_MANAGEMENT_PORT", "8443", "is NGINX_LISTEN_PORT, too"),
            ("NGINX_ADMINISTRATORS", "", "at least one common name"),
            ("NGINX_ADMINISTRATORS", " , ", "at least one common name"),
            ("NGINX_ADMINISTRATORS", "ana,*", "no common name"),
            ("NGINX_ADMINISTRATORS", "*.demo.internal", "no common name"),
            ("NGINX_ADMINISTRATORS", 'ana" 0; default', "no common name"),
            ("NGINX_ADMINISTRATORS", "a" * 65, "no common name"),
            ("NGINX_UPSTREAM", "127.0.0.1", "not of the form"),
            ("NGINX_UPSTREAM", "a:1; evil", "not of the form"),
            ("NGINX_BLOCKED_PATHS", "user", "not of the form"),
            ("NGINX_BLOCKED_PATHS", "/user,post /x", "not of the form"),
            ("NGINX_BLOCKED_PATHS", '/user" 0;', "not of the form"),
            ("NGINX_REAL_IP_FROM", "10.0.0.0/16,anywhere", "no IPv4 network"),
        ],
    )
    def test_a_wrong_setting_is_named_with_its_reason(
        self, nginx: Container, setting: str, value: str, reason: str
    ) -> None:
        message = nginx.refusal(**{setting: value})
        assert setting in message
        assert reason in message
        assert "hunter2" not in message


@dataclass
class Upstream:
    """A stand-in for Dicoogle that says what it was asked."""

    port: int
    requests: list[str] = field(default_factory=list)


@dataclass
class Proxy:
    """The real nginx, started by the entry point."""

    port: int
    upstream: Upstream
    process: subprocess.Popen[str]
    output: list[str]

    def ask(
        self, path: str, method: str = "GET", headers: dict[str, str] | None = None
    ) -> tuple[http.client.HTTPResponse, str]:
        """Response and body of one request over TLS."""
        context = ssl._create_unverified_context()
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.port, timeout=60, context=context
        )
        connection.request(method, path, headers=headers or {})
        response = connection.getresponse()
        body = response.read().decode()
        connection.close()
        return response, body

    def status(self, path: str, method: str = "GET") -> int:
        return self.ask(path, method)[0].status

    def handshake(self, *options: str) -> str:
        """What `openssl s_client` says of a handshake with these options."""
        done = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{self.port}", *options],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return f"{done.returncode} {done.stdout} {done.stderr}"


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            noted.requests.append(f"{self.command} {self.path}")
            body = json.dumps({"path": self.path, "headers": dict(self.headers)}).encode()
            moved = self.path == "/moved"
            self.send_response(302 if moved else 200)
            if moved:
                self.send_header("Location", f"http://{self.headers['Host']}/moved/")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_DELETE = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    noted = Upstream(server.server_port)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield noted
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def start_proxy(
    upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Proxy]]:
    """Start nginx by the entry point, with a fresh certificate."""
    started: list[subprocess.Popen[str]] = []
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 "
        "-subj /CN=localhost -keyout - -out -"
    )
    pem = subprocess.run(command.split(), capture_output=True, text=True, check=True).stdout

    def start(**settings: str) -> Proxy:
        run = tmp_path_factory.mktemp("run")
        port = free_port()
        process = subprocess.Popen(
            NGINX,
            env={
                **nginx_environment(run),
                "NGINX_LISTEN_PORT": str(port),
                "NGINX_MANAGEMENT_PORT": str(free_port()),
                "NGINX_ADMINISTRATORS": "administrator.demo.internal",
                "NGINX_UPSTREAM": f"127.0.0.1:{upstream.port}",
                "NGINX_CERT": pem,
                "NGINX_KEY": pem,
                "NGINX_CACERT": pem,
                **settings,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        output: list[str] = []
        threading.Thread(target=lambda: output.extend(process.stdout or ()), daemon=True).start()
        wait_for_port(port, process, output)
        return Proxy(port, upstream, process, output)

    yield start
    for process in started:
        process.terminate()
        process.wait(timeout=60)


def wait_for_port(port: int, process: subprocess.Popen[str], output: list[str]) -> None:
    for _unused in range(6000):
        assert process.poll() is None, "".join(output)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    raise AssertionError("nginx did not start")


@pytest.fixture(scope="module")
def proxy(start_proxy: Callable[..., Proxy]) -> Proxy:
    return start_proxy()


@needs_nginx
class TestTls:
    @pytest.mark.parametrize("version", ["tls1_2", "tls1_3"])
    def test_current_versions_are_spoken(self, proxy: Proxy, version: str) -> None:
        assert proxy.handshake(f"-{version}").startswith("0 ")

    @pytest.mark.parametrize("version", ["tls1", "tls1_1"])
    def test_old_versions_are_refused_by_nginx(self, proxy: Proxy, version: str) -> None:
        said = proxy.handshake(f"-{version}", "-cipher", "ALL:@SECLEVEL=0")
        assert "alert protocol version" in said

    def test_ciphers_without_authentication_of_the_data_are_refused(self, proxy: Proxy) -> None:
        said = proxy.handshake("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256:AES128-SHA")
        assert "alert handshake failure" in said

    def test_plain_http_is_refused(self, proxy: Proxy, upstream: Upstream) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=60)
        connection.request("GET", "/plain")
        assert connection.getresponse().status == 400
        connection.close()
        assert "GET /plain" not in upstream.requests


@needs_nginx
class TestProxy:
    def test_pages_pass_through_with_their_query(self, proxy: Proxy) -> None:
        response, body = proxy.ask("/search?query=PatientName:X&provider=lucene")
        assert response.status == 200
        assert json.loads(body)["path"] == "/search?query=PatientName:X&provider=lucene"

    def test_dicoogles_token_and_session_reach_it_and_the_load_balancers_do_not(
        self, proxy: Proxy
    ) -> None:
        sent = {
            "Host": "pacs.example.com",
            "Authorization": "0f8fad5b-d9cb-469f-a165-70867728950e",
            "Cookie": f"AWSELBAuthSessionCookie-0={'x' * 4000}; JSESSIONID=abc; other=1",
            "X-Amzn-Oidc-Data": "y" * 4000,
        }
        received = json.loads(proxy.ask("/", headers=sent)[1])["headers"]
        assert received["Host"] == "pacs.example.com"
        assert received["Authorization"] == sent["Authorization"]
        assert received["Cookie"] == "JSESSIONID=abc"
        assert received["X-Forwarded-Proto"] == "https"
        assert "X-Amzn-Oidc-Data" not in received

    def test_response_headers_protect_the_page(self, proxy: Proxy) -> None:
        headers = proxy.ask("/")[0].headers
        assert headers["Strict-Transport-Security"] == "max-age=31536000"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "SAMEORIGIN"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Server"] == "nginx"

    def test_redirects_stay_on_https(self, proxy: Proxy) -> None:
        response, _unused = proxy.ask("/moved", headers={"Host": "pacs.example.com"})
        assert response.headers["Location"] == "https://pacs.example.com/moved/"

    def test_the_clients_address_is_the_load_balancers_word_only_if_it_is_trusted(
        self, proxy: Proxy, start_proxy: Callable[..., Proxy]
    ) -> None:
        sent = {"X-Forwarded-For": "203.0.113.9"}
        trusting = start_proxy(NGINX_REAL_IP_FROM="127.0.0.0/8")
        addresses = [
            json.loads(each.ask("/", headers=sent)[1])["headers"]["X-Forwarded-For"]
            for each in (proxy, trusting)
        ]
        assert addresses == ["203.0.113.9, 127.0.0.1", "203.0.113.9, 203.0.113.9"]

    def test_a_patients_name_in_a_query_is_in_no_log(
        self, start_proxy: Callable[..., Proxy]
    ) -> None:
        proxy = start_proxy()
        lost = start_proxy(NGINX_UPSTREAM=f"127.0.0.1:{free_port()}")
        assert proxy.status("/search?query=SECRETNAME") == 200
        assert lost.status("/search?query=SECRETNAME") == 502
        for each in (proxy, lost):
            each.process.send_signal(signal.SIGQUIT)
            assert each.process.wait(timeout=60) == 0
            assert "GET /search HTTP/1.1" in "".join(each.output)
            assert "SECRETNAME" not in "".join(each.output)


@needs_nginx
class TestHealth:
    def test_alive_without_dicoogle_but_not_ready(self, start_proxy: Callable[..., Proxy]) -> None:
        proxy = start_proxy(NGINX_UPSTREAM=f"127.0.0.1:{free_port()}")
        assert (proxy.status("/healthz"), proxy.status("/readyz")) == (200, 502)

    def test_ready_when_dicoogle_tells_its_version(self, proxy: Proxy) -> None:
        response, body = proxy.ask("/readyz")
        assert (response.status, json.loads(body)["path"]) == (200, "/ext/version")

    @pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed here")
    def test_the_health_check_sees_whether_nginx_answers(self, proxy: Proxy) -> None:
        def check(port: int) -> int:
            return subprocess.run(
                ["/bin/sh", str(DOCKER / "nginx" / "healthcheck.sh")],
                env={"PATH": NGINX_PATH, "NGINX_LISTEN_PORT": str(port)},
                capture_output=True,
                check=False,
            ).returncode

        assert check(proxy.port) == 0
        assert check(free_port()) != 0


@needs_nginx
class TestBlockedPaths:
    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("POST", "/management/tasks/remove"),
            ("POST", "/user?username=a&password=b&admin=true"),
            ("DELETE", "/user/admin"),
            ("GET", "/logger"),
            ("GET", "/legacy/file?uid=1"),
            ("GET", "//user"),
            ("GET", "/%75ser"),
            ("GET", "/a/../user"),
            ("GET", "/a%2f..%2fuser"),
            ("GET", "/./user/"),
        ],
    )
    def test_what_dicoogle_leaves_open_is_closed(
        self, proxy: Proxy, upstream: Upstream, method: str, path: str
    ) -> None:
        before = len(upstream.requests)
        assert proxy.status(path, method) == 403
        assert len(upstream.requests) == before

    @pytest.mark.parametrize("path", ["/user;a", "/a/..;/user", "/a/..%3b/user"])
    def test_path_parameters_open_no_way_around(
        self, proxy: Proxy, upstream: Upstream, path: str
    ) -> None:
        before = len(upstream.requests)
        assert proxy.status(path) in (400, 403)
        assert len(upstream.requests) == before

    @pytest.mark.parametrize("path", ["/users", "/management/tasks/index", "/dump?uid=/user"])
    def test_similar_paths_stay_open(self, proxy: Proxy, path: str) -> None:
        assert proxy.status(path, "POST") == 200

    def test_the_list_can_be_another_one_with_methods(
        self, start_proxy: Callable[..., Proxy]
    ) -> None:
        proxy = start_proxy(NGINX_BLOCKED_PATHS="POST /management/v1.0/, /settings")
        assert proxy.status("/management/v1.0/x", "POST") == 403
        assert proxy.status("/management/v1.0/x", "GET") == 200
        assert proxy.status("/management/v1x0", "POST") == 200
        assert proxy.status("/settings", "GET") == 403
        assert proxy.status("/user", "GET") == 200

    def test_the_list_can_be_empty(self, start_proxy: Callable[..., Proxy]) -> None:
        assert start_proxy(NGINX_BLOCKED_PATHS="").status("/user") == 200
