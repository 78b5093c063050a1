# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Somebody with a certificate that means somebody else wants to be let in at the DICOM entrances.

Ghostunnel is the one that ships. Names at the management entrance have a file of their own.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from support.certificates import USES, Issued, issue
from support.dicom_certificates import Holder
from support.ports import await_port, free_port
from support.programs import ghostunnel

CLIENT = "client.2.demo.internal"
CN, OU = NameOID.COMMON_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME
Name = list[list[tuple[x509.ObjectIdentifier, str]]]  # one list for each part, which may have two

pytestmark = pytest.mark.skipif(
    shutil.which("ghostunnel") is None, reason="ghostunnel is not in PATH"
)


@dataclass(frozen=True)
class Wanted:
    """A certificate, as its CA would be asked for it."""

    name: Name = field(default_factory=lambda: [[(CN, CLIENT)]])
    uses: tuple[str, ...] = ("clientAuth",)
    began: timedelta = timedelta(days=-1)
    lasts: timedelta = timedelta(days=9)
    alternative: str = ""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Issued:
    return issue(tmp_path_factory.mktemp("ca"), "CA", authority=True)


def signed(wanted: Wanted, issuer: Issued, path: Path) -> Path:
    """Write a certificate with its key, and the issuer's behind it."""
    key = ec.generate_private_key(ec.SECP256R1())
    began = datetime.now(UTC) + wanted.began
    parts = [
        x509.RelativeDistinguishedName([x509.NameAttribute(*each) for each in part])
        for part in wanted.name
    ]
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name(parts))
        .issuer_name(issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(began)
        .not_valid_after(began + wanted.lasts)
        .add_extension(x509.ExtendedKeyUsage([USES[each] for each in wanted.uses]), False)
    )
    if wanted.alternative:
        names = x509.SubjectAlternativeName([x509.DNSName(wanted.alternative)])
        builder = builder.add_extension(names, False)
    certificate = builder.sign(issuer.key, hashes.SHA256())
    path.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + certificate.public_bytes(Encoding.PEM)
        + issuer.certificate.public_bytes(Encoding.PEM)
    )
    return path


@pytest.fixture(scope="module")
def entrance(authority: Issued, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Run a tunnel that lets in one name, before an archive that says hello; its port."""
    archive = socket.create_server(("127.0.0.1", 0))

    def greet() -> None:
        with contextlib.suppress(OSError):  # it is closed at the end
            while True:
                caller, _address = archive.accept()
                with caller:
                    caller.sendall(b"hello")

    threading.Thread(target=greet, daemon=True).start()
    own = issue(tmp_path_factory.mktemp("own"), "archive", authority, names=["archive"])
    port = free_port()
    command = ghostunnel(
        *("server", f"127.0.0.1:{port}", f"127.0.0.1:{archive.getsockname()[1]}"),
        *(Holder("archive", own.path, own.key_path), authority.path, "--allow-cn", CLIENT),
    )
    quiet = subprocess.DEVNULL
    with archive, subprocess.Popen(command, stdout=quiet, stderr=quiet) as process:
        await_port(port, process)
        yield port
        process.terminate()


@pytest.fixture
def is_let_in(entrance: int, authority: Issued, tmp_path: Path) -> Callable[..., bool]:
    """Return is_let_in(wanted, issuer), which tells whether the archive says hello."""

    def ask(wanted: Wanted, issuer: Issued = authority) -> bool:
        context = ssl._create_unverified_context()
        context.load_cert_chain(signed(wanted, issuer, tmp_path / "pair.pem"))
        try:
            with (
                socket.create_connection(("127.0.0.1", entrance), 60) as plain,
                context.wrap_socket(plain) as stream,
            ):
                return stream.recv(5) == b"hello"
        except (ssl.SSLError, ConnectionError):
            return False

    return ask


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(),
        Wanted(uses=("clientAuth", "serverAuth")),
        Wanted(name=[[(OU, "Röntgen")], [(CN, CLIENT)]]),
        Wanted(name=[[(OU, "client"), (CN, CLIENT)]]),
    ],
    ids=str,
)
def test_a_client_gets_in(is_let_in: Callable[..., bool], wanted: Wanted) -> None:
    assert is_let_in(wanted)


@pytest.mark.parametrize(
    "name",
    [
        [[(CN, "client.1.demo.internal")]],
        [[(CN, "client.22.demo.internal")]],
        [[(CN, "client.2.demo.internal.")]],
        [[(CN, "client.2xdemo.internal")]],
        [[(CN, CLIENT.upper())]],
        [[(CN, f" {CLIENT}")]],
        [[(CN, f"{CLIENT}\n")]],
        [[(CN, f"{CLIENT}\0")]],
        [[(CN, f"{CLIENT}\0.evil")]],
        [[(CN, f"evil,CN={CLIENT}")]],
        [[(CN, CLIENT)], [(CN, "evil")]],
        [[(CN, "evil")], [(OU, f"x,CN={CLIENT}")]],
        [[(CN, "evil")], [(OU, f"x+CN={CLIENT}")]],
        [[(CN, "evil"), (OU, CLIENT)]],
        [[(OU, CLIENT)]],
        [[(CN, "*.2.demo.internal")]],
        [[(CN, "*")]],
    ],
    ids=repr,
)
def test_a_name_that_only_looks_like_it_does_not(
    is_let_in: Callable[..., bool], name: Name
) -> None:
    assert not is_let_in(Wanted(name))
    assert not is_let_in(Wanted(name, alternative=CLIENT))


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(uses=("serverAuth",)),
        Wanted(began=timedelta(days=-9), lasts=timedelta(days=8)),
        Wanted(began=timedelta(days=1)),
    ],
    ids=str,
)
def test_a_certificate_for_something_else_does_not(
    is_let_in: Callable[..., bool], wanted: Wanted
) -> None:
    assert not is_let_in(wanted)


def test_no_client_is_a_ca(
    is_let_in: Callable[..., bool], authority: Issued, tmp_path: Path
) -> None:
    client = issue(tmp_path, CLIENT, authority, uses=["clientAuth"])
    assert not is_let_in(Wanted(), client)


def test_a_ca_of_the_same_name_is_another_one(
    is_let_in: Callable[..., bool], tmp_path: Path
) -> None:
    assert not is_let_in(Wanted(), issue(tmp_path, "CA", authority=True))
