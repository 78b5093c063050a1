# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a user learns when an entrance does not let them in, from real ones: Python's and nginx."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.errors import DicomError
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.peer import Endpoint, Tls
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicoogle.version import greet
from dicom_certificates import Authority, Holder, server_context
from dicoogle_web import DicoogleWeb

SERVER = "management.example.org"
PATH = f"{os.environ['PATH']}:/usr/sbin"
NGINX = """
daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr crit;
events {{ worker_connections 64; }}
http {{
  access_log off;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {certificate};
    ssl_certificate_key {private_key};
    ssl_client_certificate {ca};
    ssl_verify_client on;
    if ($ssl_client_s_dn != "CN=administrator") {{ return 403; }}
    location / {{ proxy_pass http://127.0.0.1:{upstream}; }}
  }}
}}
"""
needs_nginx = pytest.mark.skipif(
    shutil.which("nginx", path=PATH) is None,
    reason="nginx is not installed here (Debian: apt-get install nginx-light)",
)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("pki") / "own", "Own CA")


@pytest.fixture(scope="module")
def holders(
    authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Holder | None]:
    foreign = Authority(tmp_path_factory.mktemp("pki") / "foreign", "Foreign CA")
    return {
        "administrator": authority.issue("administrator"),
        "none": None,
        "unlisted": authority.issue("nurse"),
        "foreign": foreign.issue("stranger"),
        "expired": authority.issue("old", expired=True),
    }


@pytest.fixture
def enter(authority: Authority, holders: dict[str, Holder | None]) -> Callable[..., Any]:
    """Return enter(port, who), which greets Dicoogle over TLS."""

    def enter(port: int, who: str = "administrator", **changes: str) -> Any:
        holder = holders[who]
        files = (
            {"certificate": str(holder.certificate), "private_key": str(holder.private_key)}
            if holder
            else {}
        )
        options = {"server_name": SERVER, "ca_certificate": str(authority.certificate)}
        return greet(Endpoint("127.0.0.1", port, Tls(**(options | files | changes)), 2.0))

    return enter


@pytest.fixture
def secured(make_dicoogle: Callable[..., DicoogleWeb], authority: Authority) -> DicoogleWeb:
    return make_dicoogle(context=server_context(authority.issue(SERVER), authority))


@pytest.fixture
def nginx(dicoogle: DicoogleWeb, authority: Authority, tmp_path: Path) -> Iterator[int]:
    """Return the port of an nginx in front of Dicoogle that wants a certificate."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    holder = authority.issue(SERVER)
    (tmp_path / "nginx.conf").write_text(
        NGINX.format(
            port=port,
            certificate=holder.certificate,
            private_key=holder.private_key,
            ca=authority.certificate,
            upstream=dicoogle.port,
        )
    )
    nginx = subprocess.Popen(
        ["nginx", "-e", "stderr", "-p", f"{tmp_path}/", "-c", "nginx.conf"],
        env={**os.environ, "PATH": PATH},
    )
    for _unused in range(100):
        if not socket.socket().connect_ex(("127.0.0.1", port)):
            break
        time.sleep(0.05)
    yield port
    nginx.terminate()
    nginx.wait(10)


def refusal(enter: Callable[..., Any], *arguments: Any, **changes: str) -> DicomError:
    with pytest.raises(DicomError) as caught:
        enter(*arguments, **changes)
    return caught.value


def test_an_administrator_gets_in_by_address_with_the_name_verified(
    secured: DicoogleWeb, enter: Callable[..., Any]
) -> None:
    assert enter(secured.port).version == "3.5.1"


@needs_nginx
def test_an_administrator_gets_through_nginx(nginx: int, enter: Callable[..., Any]) -> None:
    assert enter(nginx).version == "3.5.1"


@pytest.mark.parametrize(
    ("who", "reason", "hint"),
    [
        ("none", "certificate_missing", "Set tls.certificate"),
        ("foreign", "certificate_unknown_ca", "CN=stranger"),
        ("expired", "certificate_expired", "CN=old"),
    ],
)
def test_a_stranger_learns_why_from_tls(
    secured: DicoogleWeb, enter: Callable[..., Any], who: str, reason: str, hint: str
) -> None:
    error = refusal(enter, secured.port, who)
    assert error.reason == reason
    assert hint in str(error)


@needs_nginx
@pytest.mark.parametrize(
    ("who", "reason", "hints"),
    [
        ("none", "certificate_missing", ["Set tls.certificate", "No required SSL certificate"]),
        ("foreign", "certificate_rejected", ["CN=stranger", "The SSL certificate error"]),
        ("expired", "certificate_rejected", ["CN=old", "The SSL certificate error"]),
        ("unlisted", "certificate_rejected", ["CN=nurse", "403 Forbidden", "whose name it allows"]),
    ],
)
def test_a_stranger_learns_why_from_nginx(
    nginx: int, enter: Callable[..., Any], who: str, reason: str, hints: list[str]
) -> None:
    error = refusal(enter, nginx, who)
    assert error.reason == reason
    assert [hint for hint in hints if hint not in str(error)] == []


def test_the_name_of_the_entrance_is_verified(
    secured: DicoogleWeb, enter: Callable[..., Any]
) -> None:
    error = refusal(enter, secured.port, server_name="other.example.org")
    assert error.reason == "peer_certificate_name"
    assert "other.example.org" in str(error)


def test_tls_to_a_plain_port(dicoogle: DicoogleWeb, enter: Callable[..., Any]) -> None:
    assert refusal(enter, dicoogle.port).reason == "tls_not_offered"


def plain(port: int) -> DicomError:
    return refusal(greet, Endpoint("127.0.0.1", port, None, 0.5))


def test_plain_http_to_a_tls_port(secured: DicoogleWeb) -> None:
    assert plain(secured.port).reason == "tls_required"


@needs_nginx
def test_plain_http_to_nginx(nginx: int) -> None:
    error = plain(nginx)
    assert error.reason == "tls_required"
    assert "Set tls" in str(error)


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    assert plain(port).reason == "refused"


@pytest.mark.parametrize(
    ("said", "reason"),
    [(None, "timeout"), (b"", "closed"), (b"220 mail\r\n", "invalid_response")],
)
def test_something_else_listens(
    raw_server: Callable[[Callable[[socket.socket], None]], int], said: bytes | None, reason: str
) -> None:
    def talk(connection: socket.socket) -> None:
        if said is None:
            time.sleep(2)
        else:
            connection.recv(1024)
            connection.sendall(said)
        connection.close()

    error = plain(raw_server(talk))
    assert error.reason == reason
    assert "GET /ext/version" in str(error)


def test_what_the_host_is_called_in_the_request(
    raw_server: Callable[[Callable[[socket.socket], None]], int],
    enter: Callable[..., Any],
    authority: Authority,
) -> None:
    asked: list[bytes] = []
    context = server_context(authority.issue(SERVER), authority)

    def talk(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as client:
            asked.append(client.recv(4096))
            client.sendall(b'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{"version": "1"}')

    port = raw_server(talk)
    assert enter(port).version == "1"
    assert f"Host: {SERVER}:{port}\r\n".encode() in asked[0]
