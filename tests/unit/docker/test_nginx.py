# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The image `nginx`: its entry point, and the real nginx with its configuration on loopback."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.image_entry_points import DOCKER, NGINX_PATH, Container, needs_nginx, nginx_settings
from support.ports import free_port
from support.running_nginx import Proxy, Upstream, an_upstream, running_nginx

CERT = "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----"
CA = CERT.replace("abc", "ca")
KEY = "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----"


class TestEntryPoint:
    @pytest.fixture
    def nginx(self, container: Callable[..., Container]) -> Container:
        made = container(
            "nginx", "nginx", NGINX_CERTIFICATE=CERT, NGINX_PRIVATE_KEY=KEY, NGINX_CA_BUNDLE=CA
        )
        run = made.root / "run"
        run.mkdir()
        made.settings |= nginx_settings(run) | {
            "NGINX_ADMINISTRATORS": "administrator.demo.internal"
        }
        return made

    def test_certificates_and_key_are_files_for_nginx_only(self, nginx: Container) -> None:
        child = nginx.start().child()
        files = [
            Path(child["cwd"]) / name
            for name in ("certificate.pem", "private_key.pem", "ca_bundle.pem")
        ]
        assert [path.read_text() for path in files] == [f"{CERT}\n", f"{KEY}\n", f"{CA}\n"]
        assert {path.stat().st_mode & 0o777 for path in files} == {0o600}

    def test_the_secrets_are_in_neither_environment_nor_arguments(self, nginx: Container) -> None:
        child = nginx.start().child()
        assert not {"NGINX_CERTIFICATE", "NGINX_PRIVATE_KEY", "NGINX_CA_BUNDLE"} & set(
            child["environ"]
        )
        assert "hunter2" not in json.dumps([child["argv"], child["environ"]])

    @pytest.mark.parametrize(
        ("setting", "value", "reason"),
        [
            ("NGINX_CERTIFICATE", "", "PEM CERTIFICATE"),
            ("NGINX_CERTIFICATE", KEY, "PEM CERTIFICATE"),
            ("NGINX_PRIVATE_KEY", "abc", "PEM PRIVATE KEY"),
            ("NGINX_CA_BUNDLE", "", "PEM CERTIFICATE"),
            ("NGINX_CA_BUNDLE", KEY, "PEM CERTIFICATE"),
            ("NGINX_LISTEN_PORT", "8443 default_server", "not a valid port"),
            ("NGINX_LISTEN_PORT", "99999", "not a valid port"),
            ("NGINX_MANAGEMENT_PORT", "https", "not a valid port"),
            ("NGINX_MANAGEMENT_PORT", "8443", "must differ from NGINX_LISTEN_PORT"),
            ("NGINX_ADMINISTRATORS", "", "at least one common name"),
            ("NGINX_ADMINISTRATORS", " , ", "at least one common name"),
            ("NGINX_ADMINISTRATORS", "ana,*", "not a valid common name"),
            ("NGINX_ADMINISTRATORS", "*.demo.internal", "not a valid common name"),
            ("NGINX_ADMINISTRATORS", 'ana" 0; default', "not a valid common name"),
            ("NGINX_ADMINISTRATORS", "a" * 65, "not a valid common name"),
            ("NGINX_UPSTREAM", "127.0.0.1", "not of the form"),
            ("NGINX_UPSTREAM", "a:1; evil", "not of the form"),
            ("NGINX_KEEPER", "8082", "not of the form"),
            ("NGINX_PLUGIN_PATHS", "dicomweb", "not of the form"),
            ("NGINX_PLUGIN_PATHS", "/a, /b?c", "not of the form"),
            ("NGINX_PLUGIN_PATHS", "/", "not of the form"),
            ("NGINX_PLUGIN_PATHS", "/a/../b", "not of the form"),
            ("NGINX_PLUGIN_PATHS", '/a" 0;', "not of the form"),
            ("NGINX_PLUGIN_PATHS", "/dicomweb, /user", "for administrators only"),
            ("NGINX_PLUGIN_PATHS", "/management/tasks/remove", "for administrators only"),
            ("NGINX_REAL_IP_FROM", "10.0.0.0/16,anywhere", "not an IPv4 network"),
        ],
    )
    def test_a_wrong_setting_is_named_with_its_reason(
        self, nginx: Container, setting: str, value: str, reason: str
    ) -> None:
        message = nginx.refusal(**{setting: value})
        assert setting in message
        assert reason in message
        assert "hunter2" not in message


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with an_upstream() as dicoogle:
        yield dicoogle


@pytest.fixture(scope="module")
def start_proxy(upstream: Upstream) -> Iterator[Callable[..., Proxy]]:
    """Return start(**settings) for nginx before the stand-in."""
    with ExitStack() as started:

        def start(**settings: str) -> Proxy:
            return started.enter_context(running_nginx(upstream.port, **settings))

        yield start


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
        response, _unused = proxy.ask("/webui?moved", headers={"Host": "pacs.example.com"})
        assert response.headers["Location"] == "https://pacs.example.com/webui/module/x"

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
            assert each.stop() == 0
            assert each.log('"GET /search HTTP/1.1"')
            assert "SECRETNAME" not in "".join(each.output)


@needs_nginx
class TestLife:
    @pytest.mark.parametrize("sent", [signal.SIGQUIT, signal.SIGTERM])
    def test_both_entrances_end_when_asked(
        self, start_proxy: Callable[..., Proxy], sent: signal.Signals
    ) -> None:
        proxy = start_proxy()
        proxy.process.send_signal(sent)
        assert proxy.process.wait(timeout=60) == 0
        for managing in (False, True):
            with pytest.raises(ConnectionRefusedError):
                proxy.ask("/healthz", managing=managing)

    @pytest.mark.parametrize("name", ["web", "management"])
    def test_neither_entrance_runs_without_the_other(
        self, start_proxy: Callable[..., Proxy], name: str
    ) -> None:
        proxy = start_proxy()
        os.kill(int((proxy.run / f"{name}.pid").read_text()), signal.SIGTERM)
        assert proxy.process.wait(timeout=60) == 1


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
class TestWebEntrance:
    @pytest.mark.parametrize(
        "request_line",
        [
            *("GET /", "HEAD /", "GET /?x=1", "GET /index.html", "GET /css/theme.css"),
            *(
                "GET /bootstrap/fonts/a.woff2?v=4.7.0",
                "GET /dist/bundle.min.js",
                "HEAD /assets/a.png",
            ),
            *("GET /welcome", "POST /login", "GET /login", "POST /logout"),
            *(
                "GET /webui?slot-id=menu",
                "GET /webui/module/dicoogle-viewer",
                "GET /providers?type=query",
            ),
            *("GET /search?query=x", "GET /searchDIM?query=x&keyword=false", "GET /presets/ana"),
            *("GET /presets/J%C3%BCrgen%20M", "GET /export/list", "POST /exportFile?query=x"),
            *("GET /exportFile?UID=0f8fad5b", "GET /ext/version", "GET /dump?uid=1.2.840"),
            *("GET /dic2png?SOPInstanceUID=1.2", "HEAD /dic2png?thumbnail=true&SOPInstanceUID=1.2"),
            "GET /dic2png?SOPInstanceUID=1.2&frame=3",
        ],
    )
    def test_what_a_readers_page_needs_is_open(
        self, proxy: Proxy, upstream: Upstream, request_line: str
    ) -> None:
        method, path = request_line.split()
        assert proxy.status(path, method) == 200
        assert upstream.requests[-1] == request_line

    @pytest.mark.parametrize(
        "request_line",
        [
            *("POST /management/tasks/remove", "GET /user", "DELETE /user/admin", "GET /logger"),
            *("GET /legacy/file?uid=1", "GET /indexer?action=status", "GET /index/task"),
            *(
                "GET /management/settings/dicom",
                "POST /plugins/index/lucene/disable",
                "GET /plugins",
            ),
            *("POST /presets/ana/mine?field=PatientID", "GET /presets/ana/mine", "POST /search"),
            *(
                "GET /logout",
                "PUT /login",
                "GET /searches",
                "GET /searchDIM/",
                "GET /ext",
                "GET /nothere",
            ),
            *("M-SEARCH /search", "PROP_FIND /", "POST /index.html", "OPTIONS /login"),
            *("GET /dicomweb/studies?limit=1", "GET /keeper/status", "GET /wado?uid=1.2"),
            *("GET /dic2png?uri=file:///etc/passwd", "GET /dic2png?SOPInstanceUID=1.2&uri=x"),
            *("GET /dic2png", "GET /dump?uid=1.2&uid=1.3", "GET /dump?%75id=1.2"),
        ],
    )
    def test_everything_else_is_closed(
        self, proxy: Proxy, upstream: Upstream, request_line: str
    ) -> None:
        method, path = request_line.split()
        before = len(upstream.requests)
        assert proxy.status(path, method) == 403
        assert len(upstream.requests) == before

    @pytest.mark.parametrize(
        "path",
        [
            *(
                "//search",
                "/css//a",
                "/css/./a",
                "/css/../user",
                "/css/.hidden",
                "/search;x",
                "/css/..;/x",
            ),
            *(
                "/css/a%2fb",
                "/css/a%2F..%2Fb",
                "/css/%2e%2e/user",
                "/%2E/",
                "/css/a%5cb",
                "/css/a\\b",
            ),
            *(
                "/css/a%3bb",
                "/css/a%25b",
                "/%73earch",
                "/css/%7Ea",
                "/css/%00",
                "/css/a%u0072",
                "/css/%c0%ae",
            ),
            *("/css/a%zz", "/css/a%", "/css/%ff", "/css/a|b", '/css/a"b'),
        ],
    )
    @pytest.mark.parametrize("managing", [False, True])
    def test_a_path_that_can_be_read_in_two_ways_is_refused(
        self, proxy: Proxy, upstream: Upstream, path: str, managing: bool
    ) -> None:
        before = len(upstream.requests)
        assert proxy.status(path, managing=managing) == 400
        assert len(upstream.requests) == before

    def test_paths_of_plugins_that_are_named_are_open_with_all_below_them(
        self, start_proxy: Callable[..., Proxy]
    ) -> None:
        proxy = start_proxy(NGINX_PLUGIN_PATHS="/dicomweb/v1.0, /ext/report")
        opened = ["/dicomweb/v1.0", "/dicomweb/v1.0/studies?x=1", "/ext/report?x=1"]
        closed = ["/dicomweb", "/dicomweb/v1x0", "/dicomweb/v1.0x", "/ext/reports", "/report"]
        assert [proxy.status(path) for path in opened] == [200] * len(opened)
        assert [proxy.status(path, "POST") for path in opened] == [200] * len(opened)
        assert [proxy.status(path) for path in closed] == [403] * len(closed)


@pytest.fixture(scope="module")
def keeper() -> Iterator[Upstream]:
    with an_upstream() as keeper:
        yield keeper


@pytest.fixture(scope="module")
def managed(start_proxy: Callable[..., Proxy], keeper: Upstream) -> Proxy:
    return start_proxy(NGINX_KEEPER=f"127.0.0.1:{keeper.port}")


@needs_nginx
class TestManagement:
    def test_the_keeper_is_asked_below_its_path_and_dicoogle_everything_else(
        self, managed: Proxy, upstream: Upstream, keeper: Upstream
    ) -> None:
        for path in ("/keeper/status?x=1", "/keepers", "/dicomweb/studies", "/user"):
            assert managed.ask(path, managing=True)[0].status == 200
        assert keeper.requests[-1:] == ["GET /keeper/status?x=1"]
        assert upstream.requests[-3:] == ["GET /keepers", "GET /dicomweb/studies", "GET /user"]

    def test_a_form_reaches_the_keeper_as_it_was_sent(self, managed: Proxy) -> None:
        sent = {"Content-Type": "application/x-www-form-urlencoded"}
        form = b"path=%2Fdata%2Fimages%2Fa"
        body = managed.ask("/keeper/reindex", "POST", sent, form, managing=True)[1]
        received = json.loads(body)
        assert (received["path"], received["body"]) == ("/keeper/reindex", form.decode())
        assert received["headers"]["Content-Type"] == sent["Content-Type"]

    def test_the_keeper_can_be_silent_while_dicoogle_answers(
        self, start_proxy: Callable[..., Proxy]
    ) -> None:
        proxy = start_proxy(NGINX_KEEPER=f"127.0.0.1:{free_port()}")
        statuses = [proxy.ask(p, managing=True)[0].status for p in ("/keeper/status", "/search")]
        assert statuses == [502, 200]
