# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Certificates for tests, as a hospital's own CA might issue them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

USES = {
    "serverAuth": ExtendedKeyUsageOID.SERVER_AUTH,
    "clientAuth": ExtendedKeyUsageOID.CLIENT_AUTH,
}


@dataclass(frozen=True)
class Issued:
    """A certificate, its key and the files they are in."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    path: Path
    key_path: Path

    def files(self) -> dict[str, str]:
        """Return the paths as pki_own wants them."""
        return {"certificate": str(self.path), "private_key": str(self.key_path)}


def issue(
    folder: Path,
    common_name: str,
    issuer: Issued | None = None,
    *,
    days: float = 100,
    age: float = 1,
    unit: str | None = None,
    names: Sequence[str] = (),
    uses: Sequence[str] = (),
    authority: bool = False,
) -> Issued:
    """Write a certificate that began `age` days ago and ends in `days`.

    Without issuer it signs itself.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else []
    if unit:
        attributes.append(x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit))
    subject = x509.Name(attributes)
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=age))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(authority, None), critical=True)
    )
    if names:
        dns = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        builder = builder.add_extension(dns, critical=False)
    if uses:
        extended = x509.ExtendedKeyUsage([USES[use] for use in uses])
        builder = builder.add_extension(extended, critical=False)
    certificate = builder.sign(issuer.key if issuer else key, hashes.SHA256())
    stem = common_name or "nameless"
    issued = Issued(certificate, key, folder / f"{stem}.pem", folder / f"{stem}.key")
    write(issued, issued.path, issued.key_path)
    return issued


def write(issued: Issued, certificate: Path, private_key: Path) -> None:
    """Write a pair in PEM format."""
    certificate.write_bytes(issued.certificate.public_bytes(Encoding.PEM))
    private_key.write_bytes(
        issued.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
