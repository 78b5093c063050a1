# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An attacker wants the log to say something else than what was done; a reader of the log wants
to find patients' names and passwords in it."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

import pytest
from cryptography import x509
from support.image_entry_points import needs_nginx
from support.running_nginx import Proxy, Upstream, an_upstream, running_nginx

FORM = {"Content-Type": "application/x-www-form-urlencoded"}

pytestmark = needs_nginx


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with an_upstream() as dicoogle:
        yield dicoogle


@pytest.fixture
def proxy(upstream: Upstream) -> Iterator[Proxy]:
    with running_nginx(upstream.port, NGINX_PLUGIN_PATHS="/dicomweb") as nginx:
        yield nginx


def send(proxy: Proxy, request: bytes) -> None:
    """Send these bytes to the web entrance, and read until it closes."""
    context = ssl._create_unverified_context()
    with (
        socket.create_connection(("127.0.0.1", proxy.port), 60) as connection,
        context.wrap_socket(connection) as stream,
    ):
        stream.sendall(request)
        stream.makefile("rb").read()


@pytest.mark.parametrize(
    "path", ["/management/tasks//../remove", "/%75ser", "/css/..%2fuser", "/user;x"]
)
def test_the_path_is_logged_as_it_was_sent(proxy: Proxy, path: str) -> None:
    assert proxy.status(path, "POST") == 400
    assert proxy.log("POST").startswith(f'127.0.0.1 "POST {path} HTTP/1.1" 400 ')


@pytest.mark.parametrize("forged", [b'a" 200 person "b', b"a\\", b"a\xff", b"a\tb", b"a\x7f"])
def test_nothing_that_is_sent_ends_its_place_in_the_line(proxy: Proxy, forged: bytes) -> None:
    send(
        proxy,
        b"GET /x" + forged.replace(b" ", b"+") + b" HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
        b"X-Amzn-Oidc-Identity: " + forged + b"\r\n\r\n",
    )
    line = proxy.log(" upstream ")
    assert line.count('"') == 6
    assert line.isascii()
    assert line.isprintable()


def test_an_image_cannot_be_asked_for_in_a_way_that_names_another(
    proxy: Proxy, upstream: Upstream
) -> None:
    before = list(upstream.requests)
    for query in [
        "SOPInstance%55ID=1.2&SOPInstanceUID=9.9",
        "sopinstanceuid=9.9&SOPInstanceUID=1.2",
        "SOPInstanceUID=1.2&SOPInstanceUID=9.9",
        "SOPInstanceUID=1%2E2",
        "uri=file:///data/images/1.dcm",
        "thumbnail=&SOPInstanceUID=9.9#&SOPInstanceUID=1.2",
    ]:
        assert proxy.status(f"/dic2png?{query}") == 403
    assert upstream.requests == before


@pytest.mark.parametrize(
    "path",
    [
        "/dic2png?SOPInstanceUID=1.2",
        "/legacy/file?uid=1.2",
        "/legacy/wado?requestType=WADO&studyUID=9.9&objectUID=1.2",
        "/dic2png?thumbnail=true&SOPInstanceUID=1.2&SOPInstanceUID=9.9",  # Java takes the first
        "/dic2png?SOPInstanceUID=1.2#&SOPInstanceUID=9.9",
    ],
)
def test_the_management_log_names_the_image(proxy: Proxy, path: str) -> None:
    assert proxy.status(path, managing=True) == 200
    assert proxy.log("certificate SUCCESS").endswith(' image "1.2"')


@pytest.mark.parametrize(
    "query",
    [
        "SOPInstance%55ID=1.2",
        "SOPInstanceUI%44=1.2&uid=9.9",
        "uid=9.9&SOPInstanceUID=1.2",
        "uri=file:///data/images/9.9.dcm&x=&SOPInstanceUID=1.2",
        "objectUID=9.9&uid=1.2",
    ],
)
def test_no_other_image_can_be_asked_for_than_the_log_names(
    proxy: Proxy, upstream: Upstream, query: str
) -> None:
    before = list(upstream.requests)
    for path in ("/dic2png", "/legacy/file", "/legacy/wado"):
        assert proxy.status(f"{path}?{query}", managing=True) == 400
    assert proxy.status(f"/dicomweb/wado?{query}") == 400
    assert upstream.requests == before


def test_the_management_log_names_the_certificate(proxy: Proxy) -> None:
    certificate = x509.load_pem_x509_certificate(proxy.certificate.read_bytes())
    serial = certificate.serial_number.to_bytes(20).lstrip(b"\0").hex().upper()
    assert proxy.status("/user", managing=True) == 200
    line = proxy.log('"GET /user')
    assert line.endswith(f'certificate SUCCESS "CN=localhost" serial {serial} image "-"')


@pytest.mark.parametrize("action", ["remove", "unindex"])
def test_many_images_are_removed_by_name_or_not_at_all(
    proxy: Proxy, upstream: Upstream, action: str
) -> None:
    path = f"/management/tasks/{action}"
    uris = [f"uri=file%3A%2F%2F%2Fdata%2Fimages%2F{number:080}.dcm" for number in range(1500)]
    form = "&".join(uris[:1400]).encode()
    assert proxy.ask(path, "POST", FORM, form, managing=True)[0].status == 200
    assert form.decode() in proxy.log(f"POST {path}")
    before = len(upstream.requests)
    too_much = "&".join(uris * 2).encode()
    assert proxy.ask(path, "POST", FORM, too_much, managing=True)[0].status == 413
    assert len(upstream.requests) == before


def test_no_password_and_no_patient_is_in_the_log(proxy: Proxy) -> None:
    form = b"username=ana&password=SECRET"
    for managing in (False, True):
        for path in ("/login", "/searchDIM?query=SECRET", "/user?password=SECRET"):
            proxy.ask(path, "POST", FORM, form, managing=managing)
            proxy.ask(path, "GET", managing=managing)
    assert proxy.stop() == 0
    assert proxy.log("certificate SUCCESS")
    assert "SECRET" not in "".join(proxy.output)
