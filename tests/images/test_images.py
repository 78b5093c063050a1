# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The three images as containers. In Dicoogle's place runs a stand-in (see stand_in/)."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from container_engine import Container, build_output, free_port, inspect

DOCKER = Path(__file__).parents[2] / "docker"
HASH = "$2b$12$" + "abcdefghijklmnopqrstuv" + "ABCDEFGHIJKLMNOPQRSTUVWXYZ01234"
Run = Callable[..., Container]


@pytest.mark.parametrize("fixture", ["dicoogle_image", "nginx_image", "ghostunnel_image"])
def test_what_every_image_declares(fixture: str, request: pytest.FixtureRequest) -> None:
    config = inspect(str(request.getfixturevalue(fixture)))["Config"]
    assert config["User"] == "1001:1001"
    assert config["Entrypoint"] == ["/usr/local/bin/entrypoint"]
    assert not config["Cmd"]
    assert config["Healthcheck"]["Test"][:2] == ["CMD", "/usr/local/bin/healthcheck"]


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
                f"DICOOGLE_{service}_PORT": str(free_port())
                for service in ("WEB", "STORAGE", "QUERY")
            }
            secret = {"DICOOGLE_ADMIN_PASSWORD_HASH": HASH}
            return run(dicoogle_image, volumes={"/data": volume}, **ports | secret | settings)

        return start

    def test_it_becomes_healthy_and_stops_when_asked(self, start: Run, volume: str) -> None:
        dicoogle = start(volume)
        assert dicoogle.health("healthy") == "healthy"
        assert dicoogle.stop() == 0
        assert "STAND-IN: asked to stop" in dicoogle.logs()

    def test_it_is_process_1_and_does_not_know_the_secret(self, start: Run, volume: str) -> None:
        dicoogle = start(volume)
        assert dicoogle.health("healthy") == "healthy"
        assert "/opt/dicoogle/dicoogle.jar" in dicoogle.execute("cat", "/proc/1/cmdline")
        assert "DICOOGLE_AE_TITLE=" in dicoogle.execute("cat", "/proc/1/environ")
        assert HASH not in dicoogle.execute("cat", "/proc/1/environ")
        assert dicoogle.execute("stat", "-c", "%u %a", "/data/confs/users.xml") == "1001 600\n"

    def test_it_is_unhealthy_when_a_service_does_not_listen(self, start: Run, volume: str) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.2", 0))
            dicoogle = start(volume, DICOOGLE_HOST="127.0.0.2")
            assert dicoogle.health("healthy") == "healthy"
            port = str(taken.getsockname()[1])
            check = ("env", f"DICOOGLE_QUERY_PORT={port}", "/usr/local/bin/healthcheck")
            with pytest.raises(AssertionError, match="Connection refused"):
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
        assert "DICOOGLE_AE_TITLE: 'SEVENTEEN-LETTERS' is no AE title" in dicoogle.logs()
        assert "STAND-IN" not in dicoogle.logs()

    def test_a_missing_volume_is_named(self, run: Run, dicoogle_image: str) -> None:
        dicoogle = run(dicoogle_image, DICOOGLE_ADMIN_PASSWORD_HASH=HASH)
        assert dicoogle.ended() == 64
        assert "/data/confs is no directory that user 1001 may write" in dicoogle.logs()


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


class TestNginx:
    @pytest.fixture
    def nginx(self, run: Run, nginx_image: str, tmp_path: Path) -> tuple[Container, int]:
        cert, key = certificate(tmp_path, "localhost")
        port = free_port()
        settings = {"NGINX_CERT": cert, "NGINX_KEY": key, "NGINX_LISTEN_PORT": str(port)}
        return run(nginx_image, NGINX_UPSTREAM=f"127.0.0.1:{free_port()}", **settings), port

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

    def test_it_is_process_1_and_keeps_the_key_to_itself(
        self, nginx: tuple[Container, int]
    ) -> None:
        container, _unused = nginx
        assert container.health("healthy") == "healthy"
        assert "nginx: master process" in container.execute("cat", "/proc/1/cmdline")
        assert "PRIVATE KEY" not in container.execute("cat", "/proc/1/environ")
        assert container.execute("stat", "-c", "%u %a", "/run/nginx/key.pem") == "1001 600\n"

    def test_a_missing_certificate_is_refused(self, run: Run, nginx_image: str) -> None:
        container = run(nginx_image)
        assert container.ended() == 64
        assert "NGINX_CERT must hold a PEM CERTIFICATE" in container.logs()


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
        certificate(tmp_path, "stranger", *leaf)
        port, status = free_port(), free_port()
        container = run(
            ghostunnel_image,
            *("server", "--listen", f"127.0.0.1:{port}", "--allow-cn", "ct1"),
            *("--target", f"127.0.0.1:{backend.getsockname()[1]}"),
            *("--status", f"http://127.0.0.1:{status}"),
            TLS_CERT=cert,
            TLS_KEY=key,
            TLS_CACERT=ca,
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

    def test_it_is_process_1_and_keeps_the_key_to_itself(
        self, server: tuple[Container, int, int]
    ) -> None:
        container, _unused, status = server
        assert self.healthy(container, status)
        assert container.execute("cat", "/proc/1/cmdline").startswith("ghostunnel\0server\0")
        assert "PRIVATE KEY" not in container.execute("cat", "/proc/1/environ")
        path = "/run/ghostunnel/tls.key"
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
        assert not answered("stranger")
