# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The three images as containers. In Dicoogle's place runs its double."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from support import CHECKOUT
from support.container_engine import Container, build_output, engine, inspect
from support.ports import free_port

DOCKER = CHECKOUT / "docker"
ADMINISTRATOR = "administrator.demo.internal"
HASH = "$2b$12$" + "abcdefghijklmnopqrstuv" + "ABCDEFGHIJKLMNOPQRSTUVWXYZ01234"
Run = Callable[..., Container]


@pytest.mark.parametrize(
    ("fixture", "init"),
    [("dicoogle_image", ["tini", "--"]), ("nginx_image", []), ("ghostunnel_image", [])],
)
def test_what_every_image_declares(
    fixture: str, init: list[str], request: pytest.FixtureRequest
) -> None:
    config = inspect(str(request.getfixturevalue(fixture)))["Config"]
    assert config["User"] == "1001:1001"
    assert config["Entrypoint"] == [*init, "/usr/local/bin/entrypoint"]
    assert not config["Cmd"]
    assert config["Healthcheck"]["Test"][:2] == ["CMD", "/usr/local/bin/healthcheck"]


@pytest.mark.parametrize("image", ["dicoogle", "nginx", "ghostunnel"])
def test_every_image_tells_its_base_and_its_parts(
    image: str, request: pytest.FixtureRequest
) -> None:
    name = str(request.getfixturevalue(f"{image}_image"))
    base = inspect(name)["Config"]["Labels"]["org.opencontainers.image.base.name"]
    assert base.startswith("openpacs-test/")

    def run(program: str, *arguments: str) -> str:
        return engine("run", "--rm", "--entrypoint", program, name, *arguments).stdout

    sbom = json.loads(run("cat", "/usr/share/openpacs/sbom.cdx.json"))
    assert sbom["metadata"]["component"]["name"] == image
    assert {"name": "openpacs:base", "value": base} in sbom["metadata"]["properties"]
    installed = run("dpkg-query", "-W", "-f", "${Package} ${Version}\n").splitlines()
    listed = [f"{c['name']} {c['version']}" for c in sbom["components"] if c["type"] == "library"]
    assert sorted(installed) == sorted(listed)
    jars = {c["name"] for c in sbom["components"] if c["type"] == "file"}
    assert ("dicoogle.jar" in jars) is (image == "dicoogle")


class TestBuild:
    def test_an_archive_of_another_layout_stops_the_build(
        self, dicoogle_context: Path, dicoogle_base: str, tmp_path: Path
    ) -> None:
        context = tmp_path / "context"
        shutil.copytree(dicoogle_context, context)
        with zipfile.ZipFile(context / "dicoogle.zip", "w") as archive:
            archive.writestr("dicoogle-9.0/lib/dicoogle.jar", "")
        status, said = build_output(context, "openpacs-test/refused", BASE=dicoogle_base)
        assert status != 0
        assert "is not laid out like a Dicoogle release" in said
        assert "dicoogle-9.0/lib/dicoogle.jar" in said

    def test_a_base_without_java_stops_the_build(self, dicoogle_context: Path, debian: str) -> None:
        status, said = build_output(dicoogle_context, "openpacs-test/refused", BASE=debian)
        assert status != 0
        assert "The base image has no java." in said

    def test_a_base_without_ghostunnel_stops_the_build(self, debian: str) -> None:
        context = DOCKER / "ghostunnel"
        status, said = build_output(context, "openpacs-test/refused", BASE=debian)
        assert status != 0
        assert "The base image has no ghostunnel." in said


class TestDicoogle:
    @pytest.fixture
    def start(self, run: Run, dicoogle_image: str) -> Run:
        def start(volume: str, **settings: str) -> Container:
            ports = {
                f"{service}_PORT": str(free_port())
                for service in ("DICOOGLE_WEB", "DICOOGLE_STORAGE", "DICOOGLE_QUERY", "KEEPER")
            }
            secret = {"DICOOGLE_ADMIN_PASSWORD_HASH": HASH}
            return run(dicoogle_image, volumes={"/data": volume}, **ports | secret | settings)

        return start

    def test_it_becomes_healthy_and_stops_when_asked(self, start: Run, volume: str) -> None:
        dicoogle = start(volume)
        assert dicoogle.health("healthy") == "healthy"
        begin = time.monotonic()
        assert dicoogle.stop() == 0
        assert time.monotonic() - begin < 10  # and not after the 20 seconds that it may take
        assert "DicoogleWeb" in dicoogle.logs()

    def test_dicoogle_does_not_know_the_secret(self, start: Run, volume: str) -> None:
        dicoogle = start(volume)
        assert dicoogle.health("healthy") == "healthy"
        # The keeper, and Dicoogle as its child, but not the shell that looks for them.
        look = "grep -l '[d]icoogle.jar' /proc/[0-9]*/cmdline | sed s/cmdline/environ/ | xargs cat"
        environments = dicoogle.execute("sh", "-c", look)
        assert environments.count("DICOOGLE_AE_TITLE=") == 2
        assert HASH not in environments
        assert dicoogle.execute("stat", "-c", "%u %a", "/data/confs/users.xml") == "1001 600\n"

    def test_it_is_unhealthy_when_a_service_does_not_listen(self, start: Run, volume: str) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.2", 0))
            dicoogle = start(volume, DICOOGLE_HOST="127.0.0.2")
            assert dicoogle.health("healthy") == "healthy"
            port = str(taken.getsockname()[1])
            check = ("env", f"DICOOGLE_QUERY_PORT={port}", "/usr/local/bin/healthcheck")
            with pytest.raises(AssertionError, match="does not listen on both"):
                dicoogle.execute(*check)

    def test_users_outlive_the_container(self, start: Run, volume: str) -> None:
        first = start(volume)
        assert first.health("healthy") == "healthy"
        added = f's|</Users>|<user username="ana" hash="{HASH}" admin="false"/></Users>|'
        first.execute("sed", "-i", added, "/data/confs/users.xml")
        first.stop()
        second = start(volume)
        assert second.health("healthy") == "healthy"
        users = second.execute("cat", "/data/confs/users.xml")
        assert [users.count(f'username="{name}"') for name in ("admin", "ana")] == [1, 1]

    def test_a_second_writer_of_the_index_is_refused(self, start: Run, volume: str) -> None:
        first = start(volume)
        assert first.health("healthy") == "healthy"
        second = start(volume)
        assert second.ended() == 64
        assert "belongs to another Dicoogle" in second.logs()
        assert first.health("healthy") == "healthy"

    def test_a_wrong_setting_is_refused(self, start: Run, volume: str) -> None:
        dicoogle = start(volume, DICOOGLE_AE_TITLE="SEVENTEEN-LETTERS")
        assert dicoogle.ended() == 64
        assert "DICOOGLE_AE_TITLE: 'SEVENTEEN-LETTERS' is not a valid AE title" in dicoogle.logs()
        assert "PluginController" not in dicoogle.logs()

    def test_a_missing_volume_is_named(self, run: Run, dicoogle_image: str) -> None:
        dicoogle = run(dicoogle_image, DICOOGLE_ADMIN_PASSWORD_HASH=HASH)
        assert dicoogle.ended() == 64
        assert "/data/confs is not a directory that user 1001 may write" in dicoogle.logs()


def certificate(directory: Path, name: str, *options: str) -> tuple[str, str]:
    """Certificate and key, PEM, made by openssl."""
    key, cert = directory / f"{name}.key", directory / f"{name}.crt"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1"
    subprocess.run(
        [*command.split(), "-keyout", key, "-out", cert, "-subj", f"/CN={name}", *options],
        check=True,
        capture_output=True,
    )
    return cert.read_text(), key.read_text()


def issue(directory: Path, subject: str) -> Path:
    """A certificate for the subject, signed by the directory's `ca`: its path without suffix."""
    signed = ("-CA", str(directory / "ca.crt"), "-CAkey", str(directory / "ca.key"))
    leaf = ("-addext", "basicConstraints=critical,CA:FALSE", "-subj", subject)
    certificate(directory, "holder", *signed, *leaf)
    return directory / "holder"


@pytest.fixture
def nginx_settings(tmp_path: Path) -> dict[str, str]:
    cert, key = certificate(tmp_path, "localhost")
    ca, _unused = certificate(tmp_path, "ca")
    return {
        "NGINX_CERTIFICATE": cert,
        "NGINX_PRIVATE_KEY": key,
        "NGINX_CA_BUNDLE": ca,
        "NGINX_LISTEN_PORT": str(free_port()),
        "NGINX_MANAGEMENT_PORT": str(free_port()),
        "NGINX_UPSTREAM": f"127.0.0.1:{free_port()}",
        "NGINX_ADMINISTRATORS": f"ana, {ADMINISTRATOR}",
    }


class TestNginx:
    @pytest.fixture
    def nginx(
        self, run: Run, nginx_image: str, nginx_settings: dict[str, str]
    ) -> tuple[Container, int]:
        port = int(nginx_settings["NGINX_LISTEN_PORT"])
        return run(nginx_image, **nginx_settings), port

    def test_it_becomes_healthy_and_stops_when_asked(self, nginx: tuple[Container, int]) -> None:
        container, port = nginx
        assert container.health("healthy") == "healthy"
        context = ssl._create_unverified_context()
        page = f"https://127.0.0.1:{port}"
        assert urllib.request.urlopen(f"{page}/healthz", context=context).read() == b"ok\n"
        with pytest.raises(urllib.error.HTTPError, match="502"):
            urllib.request.urlopen(f"{page}/?q=NAME", context=context)
        assert container.stop() == 0
        assert "GET / HTTP/1.1" in container.logs()
        assert "NAME" not in container.logs()

    def test_it_keeps_the_key_to_itself(self, nginx: tuple[Container, int]) -> None:
        container, _unused = nginx
        assert container.health("healthy") == "healthy"
        assert "PRIVATE KEY" not in container.execute("cat", "/proc/1/environ")
        assert (
            container.execute("stat", "-c", "%u %a", "/run/nginx/private_key.pem") == "1001 600\n"
        )

    def test_a_missing_certificate_is_refused(self, run: Run, nginx_image: str) -> None:
        container = run(nginx_image)
        assert container.ended() == 64
        assert "NGINX_CERTIFICATE must hold a PEM CERTIFICATE" in container.logs()


class TestManagementEntrance:
    @pytest.fixture
    def dicoogle(self) -> Iterator[HTTPServer]:
        """Stands in for Dicoogle: it says what it was asked."""

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(self.requestline.encode())

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        with HTTPServer(("127.0.0.1", 0), Handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield server
            server.shutdown()

    @pytest.fixture
    def nginx(
        self, run: Run, nginx_image: str, nginx_settings: dict[str, str], dicoogle: HTTPServer
    ) -> Container:
        nginx_settings["NGINX_UPSTREAM"] = f"127.0.0.1:{dicoogle.server_port}"
        nginx_settings["NGINX_REAL_IP_FROM"] = "127.0.0.0/8"
        container = run(nginx_image, **nginx_settings)
        assert container.health("healthy") == "healthy"
        return container

    @pytest.fixture
    def remove(
        self, nginx: Container, nginx_settings: dict[str, str]
    ) -> Callable[..., tuple[int, str]]:
        """Ask for the removal of an image, with a certificate or without: status and page."""

        def remove(
            holder: Path | None, entrance: str = "MANAGEMENT", **headers: str
        ) -> tuple[int, str]:
            context = ssl._create_unverified_context()
            if holder:
                context.load_cert_chain(f"{holder}.crt", f"{holder}.key")
            port = int(nginx_settings[f"NGINX_{entrance}_PORT"])
            connection = http.client.HTTPSConnection("127.0.0.1", port, context=context)
            sent = {"X-Forwarded-For": "127.0.0.9", **headers}
            connection.request("POST", "/management/tasks/remove?uri=x.dcm", headers=sent)
            response = connection.getresponse()
            page = response.read().decode()
            connection.close()
            return response.status, page

        return remove

    @pytest.mark.parametrize(
        "subject",
        [f"/CN={ADMINISTRATOR}/OU=administrator", f"/O=Hospital, X-ray/CN={ADMINISTRATOR}"],
    )
    def test_an_administrator_may_do_what_is_blocked_at_the_web_entrance(
        self, remove: Callable[..., tuple[int, str]], tmp_path: Path, subject: str
    ) -> None:
        administrator = issue(tmp_path, subject)
        asked = "POST /management/tasks/remove?uri=x.dcm HTTP/1.1"
        assert remove(administrator) == (200, asked)
        assert remove(administrator, "LISTEN")[0] == 403

    def test_a_page_of_another_site_cannot_use_the_certificate_of_a_browser(
        self, remove: Callable[..., tuple[int, str]], tmp_path: Path
    ) -> None:
        administrator = issue(tmp_path, f"/CN={ADMINISTRATOR}")
        assert remove(administrator, **{"Sec-Fetch-Site": "same-origin"})[0] == 200
        assert remove(administrator, **{"Sec-Fetch-Site": "cross-site"})[0] == 403

    def test_without_a_valid_certificate_the_reason_is_told(
        self, remove: Callable[..., tuple[int, str]], nginx: Container, tmp_path: Path
    ) -> None:
        status, page = remove(None)
        assert (status, "No required SSL certificate was sent" in page) == (400, True)
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        certificate(elsewhere, "ca")
        foreign = issue(elsewhere, f"/CN={ADMINISTRATOR}")
        certificate(tmp_path, "expired", "-subj", f"/CN={ADMINISTRATOR}")
        sign = "openssl x509 -in expired.crt -CA ca.crt -CAkey ca.key -days -1 -out expired.crt"
        subprocess.run(sign.split(), cwd=tmp_path, check=True)
        for holder in (foreign, tmp_path / "expired"):
            status, page = remove(holder)
            assert (status, "The SSL certificate error" in page) == (400, True)
        verdicts = [line.partition(" certificate ")[2] for line in nginx.logs().splitlines()]
        assert verdicts[0].startswith('NONE "-" serial - ')
        assert verdicts[1].startswith("FAILED:")
        assert verdicts[2].startswith(f'FAILED:certificate has expired "CN={ADMINISTRATOR}" ')

    def test_any_other_common_name_is_refused(
        self, remove: Callable[..., tuple[int, str]], tmp_path: Path
    ) -> None:
        subjects = [
            "/CN=ct1.demo.internal",
            f"/CN=x.{ADMINISTRATOR}",
            f"/CN={ADMINISTRATOR}.x",
            f"/CN={ADMINISTRATOR.upper()}",
            f"/CN={ADMINISTRATOR.replace('.', '-')}",
            f"/CN={ADMINISTRATOR},x",
            f"/CN={ADMINISTRATOR}/CN=ct1.demo.internal",
            f"/CN=ct1.demo.internal/CN={ADMINISTRATOR}",
            f"/OU={ADMINISTRATOR}",
            f"/CN=ct1.demo.internal/OU=x,CN={ADMINISTRATOR}",
            f"/CN=ct1.demo.internal/OU=,CN={ADMINISTRATOR}",
            f"/CN=ct1.demo.internal/OU=x\\+CN={ADMINISTRATOR}",
            f"/CN=ct1.demo.internal/OU=x\\\\,CN={ADMINISTRATOR}",
        ]
        answers = {subject: remove(issue(tmp_path, subject))[0] for subject in subjects}
        assert answers == dict.fromkeys(subjects, 403)

    def test_old_versions_of_tls_are_refused(
        self, nginx: Container, nginx_settings: dict[str, str]
    ) -> None:
        address = f"127.0.0.1:{nginx_settings['NGINX_MANAGEMENT_PORT']}"
        command = f"openssl s_client -connect {address} -tls1_1 -cipher ALL:@SECLEVEL=0"
        done = subprocess.run(
            command.split(), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        assert "alert protocol version" in done.stderr

    def test_the_log_tells_who_removed_what(
        self, remove: Callable[..., tuple[int, str]], nginx: Container, tmp_path: Path
    ) -> None:
        remove(issue(tmp_path, f"/CN={ADMINISTRATOR}/OU=administrator"))
        assert nginx.stop() == 0
        line = next(line for line in nginx.logs().splitlines() if "POST" in line)
        assert line.startswith('127.0.0.1 "POST /management/tasks/remove HTTP/1.1" 200 ')
        assert f'certificate SUCCESS "OU=administrator,CN={ADMINISTRATOR}" serial ' in line
        assert line.endswith('removed "uri=x.dcm" ""')

    @pytest.mark.parametrize(
        ("setting", "reason"),
        [
            ("NGINX_ADMINISTRATORS", "at least one common name"),
            ("NGINX_CA_BUNDLE", "PEM CERTIFICATE"),
        ],
    )
    def test_a_missing_setting_is_refused(
        self,
        run: Run,
        nginx_image: str,
        nginx_settings: dict[str, str],
        setting: str,
        reason: str,
    ) -> None:
        del nginx_settings[setting]
        container = run(nginx_image, **nginx_settings)
        assert container.ended() == 64
        assert f"{setting} must hold" in container.logs()
        assert reason in container.logs()


class TestGhostunnel:
    @pytest.fixture
    def backend(self) -> Iterator[socket.socket]:
        """Stands in for a DICOM service: it is there to be connected to."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            yield server

    @pytest.fixture
    def server(
        self, run: Run, ghostunnel_image: str, backend: socket.socket, tmp_path: Path
    ) -> tuple[Container, int, int]:
        ca, _unused = certificate(tmp_path, "ca")
        signed = ("-CA", str(tmp_path / "ca.crt"), "-CAkey", str(tmp_path / "ca.key"))
        leaf = (*signed, "-addext", "basicConstraints=critical,CA:FALSE")
        cert, key = certificate(tmp_path, "storage", *leaf)
        certificate(tmp_path, "ct1", *leaf)
        certificate(tmp_path, "unauthorized", *leaf)
        port, status = free_port(), free_port()
        container = run(
            ghostunnel_image,
            *("server", "--listen", f"127.0.0.1:{port}", "--allow-cn", "ct1"),
            *("--target", f"127.0.0.1:{backend.getsockname()[1]}"),
            *("--status", f"http://127.0.0.1:{status}"),
            GHOSTUNNEL_CERTIFICATE=cert,
            GHOSTUNNEL_PRIVATE_KEY=key,
            GHOSTUNNEL_CA_BUNDLE=ca,
        )
        return container, port, status

    @staticmethod
    def healthy(container: Container, status: int) -> bool:
        for _unused in range(20):
            try:
                container.execute("/usr/local/bin/healthcheck", str(status))
            except AssertionError:
                continue
            return True
        return False

    def test_it_is_healthy_while_its_target_is_there_and_stops_when_asked(
        self, server: tuple[Container, int, int], backend: socket.socket
    ) -> None:
        container, _unused, status = server
        assert self.healthy(container, status)
        backend.close()
        with pytest.raises(AssertionError, match="503"):
            container.execute("/usr/local/bin/healthcheck", str(status))
        assert container.stop() == 0

    def test_it_keeps_the_key_to_itself(self, server: tuple[Container, int, int]) -> None:
        container, _unused, status = server
        assert self.healthy(container, status)
        assert container.execute("cat", "/proc/1/cmdline").startswith("ghostunnel\0server\0")
        assert "PRIVATE KEY" not in container.execute("cat", "/proc/1/environ")
        path = "/run/ghostunnel/private_key.pem"
        assert container.execute("stat", "-c", "%u %a", path) == "1001 600\n"

    def test_only_the_named_client_gets_through(
        self, server: tuple[Container, int, int], backend: socket.socket, tmp_path: Path
    ) -> None:
        container, port, status = server
        assert self.healthy(container, status)

        def answered(name: str) -> bool:
            context = ssl.create_default_context(cafile=str(tmp_path / "ca.crt"))
            context.check_hostname = False
            context.load_cert_chain(tmp_path / f"{name}.crt", tmp_path / f"{name}.key")
            with (
                socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
                context.wrap_socket(plain) as client,
            ):
                try:
                    client.sendall(b"A-ASSOCIATE-RQ")
                    client.settimeout(1)
                    return client.recv(1) != b""
                except TimeoutError:
                    return True
                except OSError:
                    return False

        assert answered("ct1")
        assert not answered("unauthorized")
