# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Somebody with another certificate of the same CA wants to pass for an administrator."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from support.certificates import Issued, issue
from support.image_entry_points import needs_nginx
from support.running_nginx import Proxy, an_upstream, running_nginx

ADMINISTRATOR = "administrator.demo.internal"
CN, OU = NameOID.COMMON_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME
Subject = list[tuple[x509.ObjectIdentifier, str]]

pytestmark = needs_nginx


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Issued:
    return issue(tmp_path_factory.mktemp("ca"), "CA", authority=True)


@pytest.fixture(scope="module")
def proxy(authority: Issued) -> Iterator[Proxy]:
    settings = {
        "NGINX_CA_BUNDLE": authority.path.read_text(),
        "NGINX_ADMINISTRATORS": ADMINISTRATOR,
    }
    with an_upstream() as dicoogle, running_nginx(dicoogle.port, **settings) as nginx:
        yield nginx


@pytest.fixture
def enter(proxy: Proxy, authority: Issued, tmp_path: Path) -> Callable[[Subject], int]:
    """Return enter(subject), which asks with a certificate for it: the status of the answer."""

    def enter(subject: Subject) -> int:
        key = ec.generate_private_key(ec.SECP256R1())
        began = datetime.now(UTC) - timedelta(days=1)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(*each) for each in subject]))
            .issuer_name(authority.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(began)
            .not_valid_after(began + timedelta(days=9))
            .sign(authority.key, hashes.SHA256())
        )
        pem = tmp_path / "pair.pem"
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        pem.write_bytes(certificate.public_bytes(Encoding.PEM) + private)
        return proxy.ask("/user", managing=True, certificate=pem)[0].status

    return enter


@pytest.mark.parametrize(
    "subject",
    [
        [(CN, ADMINISTRATOR)],
        [(CN, ADMINISTRATOR), (OU, "administrator")],
        [(OU, "Hospital, X-ray"), (CN, ADMINISTRATOR)],
        [(OU, "ends in a backslash\\"), (CN, ADMINISTRATOR), (OU, "+")],
        [(OU, "CN=ct1.demo.internal"), (CN, ADMINISTRATOR)],
        [(OU, "Röntgen"), (CN, ADMINISTRATOR)],
    ],
    ids=str,
)
def test_an_administrator_gets_in(enter: Callable[[Subject], int], subject: Subject) -> None:
    assert enter(subject) == 200


@pytest.mark.parametrize(
    "subject",
    [
        [(CN, ADMINISTRATOR), (CN, "ct1.demo.internal")],
        [(CN, "ct1.demo.internal"), (CN, ADMINISTRATOR)],
        [(CN, ADMINISTRATOR), (CN, ADMINISTRATOR)],
        [(CN, ADMINISTRATOR), (CN, "evil"), (OU, "a\\")],
        [(OU, "a\\"), (CN, ADMINISTRATOR), (OU, "x"), (CN, "evil")],
        [(CN, "evil"), (OU, f"x,CN={ADMINISTRATOR}")],
        [(CN, "evil"), (OU, f"a\\,CN={ADMINISTRATOR}")],
        [(CN, "evil"), (OU, f"+CN={ADMINISTRATOR}")],
        [(CN, f"{ADMINISTRATOR},CN=evil")],
        [(CN, f"evil,CN={ADMINISTRATOR}")],
        [(CN, f"{ADMINISTRATOR}\n")],
        [(CN, f"{ADMINISTRATOR} ")],
        [(CN, ADMINISTRATOR.upper())],
        [(CN, ADMINISTRATOR.replace(".", "-"))],
        [(OU, ADMINISTRATOR)],
        [(OU, f"CN={ADMINISTRATOR}")],
    ],
    ids=str,
)
def test_nobody_else_does(enter: Callable[[Subject], int], subject: Subject) -> None:
    assert enter(subject) == 403


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("managing", [False, True])
def test_no_session_is_taken_up_at_the_management_entrance(
    proxy: Proxy, version: ssl.TLSVersion, managing: bool
) -> None:
    context = ssl._create_unverified_context()
    context.minimum_version = context.maximum_version = version

    def connect(port: int, session: ssl.SSLSession | None) -> tuple[ssl.SSLSession | None, bool]:
        with (
            socket.create_connection(("127.0.0.1", port), 60) as connection,
            context.wrap_socket(connection, session=session) as stream,
        ):
            stream.sendall(b"GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            stream.makefile("rb").read()
            return stream.session, bool(stream.session_reused)

    session, _unused = connect(proxy.management_port if managing else proxy.port, None)
    assert connect(proxy.management_port, session)[1] is False
    assert managing or connect(proxy.port, session)[1] is True
