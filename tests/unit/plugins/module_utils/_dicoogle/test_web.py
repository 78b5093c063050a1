# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a user learns when an entrance does not let them in, from real ones: Python's and nginx."""

from __future__ import annotations

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
from dicoogle_web import DicoogleWeb
from support.dicom_certificates import Authority, Holder, server_context
from support.image_entry_points import NGINX, needs_nginx, nginx_environment
from support.ports import await_port, free_port

SERVER = "management.example.org"


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
        "foreign": foreign.issue("foreign"),
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
    """Return the port of the management entrance, at the image's own nginx."""
    port, holder, run = free_port(), authority.issue(SERVER), tmp_path / "nginx"
    run.mkdir()
    settings = {
        "NGINX_LISTEN_PORT": str(free_port()),
        "NGINX_MANAGEMENT_PORT": str(port),
        "NGINX_ADMINISTRATORS": "administrator",
        "NGINX_UPSTREAM": f"127.0.0.1:{dicoogle.port}",
        "NGINX_CERTIFICATE": holder.certificate.read_text(),
        "NGINX_PRIVATE_KEY": holder.private_key.read_text(),
        "NGINX_CA_BUNDLE": authority.certificate.read_text(),
    }
    with subprocess.Popen(NGINX, env=nginx_environment(run, **settings)) as process:
        await_port(port, process)
        yield port
        process.terminate()


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
        ("foreign", "certificate_unknown_ca", "CN=foreign"),
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
        ("foreign", "certificate_rejected", ["CN=foreign", "The SSL certificate error"]),
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
    assert plain(free_port()).reason == "refused"


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
