# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a folder of certificates holds, and what is wrong with it. Private to the collection.

A folder looks like this; C(ca/N) and C(leaves/NAME.N) are written once and never changed, so that a
run killed at any point leaves each pair whole::

    ca/1/{certificate,private_key}.pem      the CAs, the oldest first
    leaves/nginx -> nginx.2                 the pair in use
    leaves/nginx.2/{certificate,private_key}.pem
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

try:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        PublicFormat,
        load_pem_private_key,
    )
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
except ImportError as error:
    CRYPTOGRAPHY_ERROR: ImportError | None = error
else:
    CRYPTOGRAPHY_ERROR = None

CERTIFICATE = "certificate.pem"
PRIVATE_KEY = "private_key.pem"


@dataclass(frozen=True)
class Problem:
    """Why a pair cannot be used, and what the owner of an own certificate can do about it."""

    text: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.text}. {self.remedy}."


@dataclass(frozen=True)
class Profile:
    """What a holder's certificate must say. `uses` are extended key usages by their RFC names.

    `services` are what the holder may do as a client of the archive; no certificate says that.
    """

    name: str
    common_name: str
    organizational_unit: str
    names: frozenset[str]
    uses: frozenset[str]
    services: tuple[str, ...]


@dataclass(frozen=True)
class Pair:
    """The files of a certificate (the leaf first, then its intermediates) and of its key."""

    certificate: Path
    private_key: Path


@dataclass(frozen=True)
class Authority:
    """A CA of ours. It can sign only where its key still is."""

    pair: Pair
    certificate: x509.Certificate

    def outlives(self, moment: datetime) -> bool:
        """Tell whether it is still valid at `moment`."""
        return self.certificate.not_valid_after_utc > moment

    def can_sign_until(self, moment: datetime) -> bool:
        """Tell whether it can sign certificates that are valid until `moment`."""
        return self.outlives(moment) and self.pair.private_key.is_file()


# --- reading -----------------------------------------------------------------------------------


def read_certificates(path: Path) -> list[x509.Certificate]:
    """Read all certificates of a PEM file. Raises OSError, or ValueError when there are none."""
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path} is not a certificate in PEM format") from error


def read_authorities(directory: Path) -> list[Authority]:
    """Read our CAs, the oldest first. A folder without certificate is what a killed run left."""
    pairs = [pair_in(folder) for folder in numbered(directory / "ca", "").values()]
    return [
        Authority(pair, read_certificates(pair.certificate)[0])
        for pair in pairs
        if pair.certificate.is_file()
    ]


def pair_in(folder: Path) -> Pair:
    """Return the pair of files in a folder."""
    return Pair(folder / CERTIFICATE, folder / PRIVATE_KEY)


def numbered(parent: Path, prefix: str) -> dict[int, Path]:
    """Return the folders `<prefix><number>` of `parent` by number, in order."""
    if not parent.is_dir():
        return {}
    suffixes = ((entry.name.removeprefix(prefix), entry) for entry in parent.glob(f"{prefix}*"))
    return dict(sorted((int(suffix), entry) for suffix, entry in suffixes if suffix.isdecimal()))


def unused(parent: Path, prefix: str) -> Path:
    """Name the folder `<prefix><number>` that follows those of `parent`."""
    return parent / f"{prefix}{max(numbered(parent, prefix), default=0) + 1}"


# --- what certificates say ---------------------------------------------------------------------


def common_name(certificate: x509.Certificate) -> str:
    """Return the common name of the subject, '' without one."""
    return _subject(certificate, NameOID.COMMON_NAME)


def dns_names(certificate: x509.Certificate) -> frozenset[str]:
    """Return the DNS names among the subject alternative names."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return frozenset()
    return frozenset(extension.value.get_values_for_type(x509.DNSName))


def uses(certificate: x509.Certificate) -> frozenset[str] | None:
    """Return the extended key usages by name, unknown ones dotted; None when all are allowed."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        return None
    if ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in extension.value:
        return None
    known = {
        ExtendedKeyUsageOID.SERVER_AUTH: "serverAuth",
        ExtendedKeyUsageOID.CLIENT_AUTH: "clientAuth",
    }
    return frozenset(known.get(oid, oid.dotted_string) for oid in extension.value)


def fingerprint(certificate: x509.Certificate) -> str:
    """Return the SHA-256 of the certificate in hexadecimal."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def _subject(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> str:
    values = [str(attribute.value) for attribute in certificate.subject.get_attributes_for_oid(oid)]
    return values[0] if values else ""


# --- what is wrong with a pair -----------------------------------------------------------------


def pair_problems(
    pair: Pair, trusted: Sequence[x509.Certificate], now: datetime, renew_before: timedelta
) -> list[Problem]:
    """Say why a pair of files cannot be used at all, whoever it is for."""
    try:
        leaf, *intermediates = read_certificates(pair.certificate)
    except OSError as error:
        return [_unreadable(pair.certificate, error)]
    except ValueError as error:
        return [Problem(str(error), "Give the leaf first, then its intermediates")]
    return [
        *_key_problems(pair, leaf),
        *_issuer_problems(pair, leaf, intermediates, trusted, now),
        *_validity_problems(pair, leaf, now, renew_before),
    ]


def _key_problems(pair: Pair, leaf: x509.Certificate) -> list[Problem]:
    try:
        key = load_pem_private_key(pair.private_key.read_bytes(), password=None)
    except OSError as error:
        return [_unreadable(pair.private_key, error)]
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return [
            Problem(
                f"{pair.private_key} is not a private key in PEM format without passphrase",
                "Convert it: the containers start without a person who could type one",
            )
        ]
    encoding = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if key.public_key().public_bytes(*encoding) == leaf.public_key().public_bytes(*encoding):
        return []
    return [
        Problem(
            f"{pair.private_key} does not fit {pair.certificate}",
            "Give the key that this certificate was requested with",
        )
    ]


def _issuer_problems(
    pair: Pair,
    leaf: x509.Certificate,
    intermediates: Sequence[x509.Certificate],
    trusted: Sequence[x509.Certificate],
    now: datetime,
) -> list[Problem]:
    valid = [ca for ca in trusted if ca.not_valid_after_utc > now]
    if chains_to(leaf, intermediates, valid):
        return []
    return [
        Problem(
            f"{pair.certificate} is not signed by a CA that is trusted and valid",
            f'Its issuer is "{leaf.issuer.rfc4514_string()}": put the certificate of the root into '
            "pki_own_ca_bundle, and those of intermediates behind the leaf",
        )
    ]


def _validity_problems(
    pair: Pair, leaf: x509.Certificate, now: datetime, renew_before: timedelta
) -> list[Problem]:
    begin, end = leaf.not_valid_before_utc, leaf.not_valid_after_utc
    renew = "Have a new one issued"
    if end <= now:
        return [Problem(f"{pair.certificate} expired on {end:%Y-%m-%d}", renew)]
    if end - now < renew_before:
        left = f"{end:%Y-%m-%d}, in {(end - now).days} days"
        return [Problem(f"{pair.certificate} expires on {left}", renew)]
    if begin > now:
        return [
            Problem(f"{pair.certificate} is not valid before {begin:%Y-%m-%d %H:%M} UTC", renew)
        ]
    return []


def _unreadable(path: Path, error: OSError) -> Problem:
    return Problem(f"{path} cannot be read ({error.strerror})", "Correct the path or its mode")


def chains_to(
    certificate: x509.Certificate,
    intermediates: Sequence[x509.Certificate],
    trusted: Iterable[x509.Certificate],
) -> bool:
    """Tell whether signatures lead from a certificate to a trusted one."""
    if any(_signed_by(certificate, ca) for ca in trusted):
        return True
    return any(
        _signed_by(certificate, intermediate)
        and chains_to(intermediate, intermediates[position + 1 :], trusted)
        for position, intermediate in enumerate(intermediates)
    )


def _signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True


# --- what differs from the profile -------------------------------------------------------------


def differences(profile: Profile, leaf: x509.Certificate | None) -> list[str]:
    """Say where a certificate that we issued is not what its profile asks for now."""
    if leaf is None:
        return []
    unit = _subject(leaf, NameOID.ORGANIZATIONAL_UNIT_NAME)
    compared = [
        ("common name", common_name(leaf), profile.common_name),
        ("organizational unit", unit, profile.organizational_unit),
        ("names", _listed(dns_names(leaf)), _listed(profile.names)),
        ("uses", _listed(uses(leaf) or ()), _listed(profile.uses)),
    ]
    return [
        f"its {what} should be {wanted}, not {found}"
        for what, found, wanted in compared
        if found != wanted
    ]


def shortfalls(profile: Profile, leaf: x509.Certificate, path: Path) -> list[Problem]:
    """Say what a certificate of the user's own lacks. Clients verify names only of servers."""
    problems = []
    allowed = uses(leaf)
    lacking = profile.uses - allowed if allowed is not None else frozenset()
    if lacking:
        problems.append(
            Problem(
                f"{path} is not for {_listed(lacking)}, only for {_listed(allowed or ())}",
                f"Have it issued with the extended key usages {_listed(profile.uses)}",
            )
        )
    unnamed = profile.names - covered(profile.names, dns_names(leaf))
    if "serverAuth" in profile.uses and unnamed:
        problems.append(
            Problem(
                f"{path} does not name {_listed(unnamed)}",
                "Have it issued with these subject alternative names, or set "
                "pki_private_domain_name to the domain it was issued for",
            )
        )
    if not common_name(leaf):
        problems.append(
            Problem(f"{path} has no common name", "Have it issued with one: it identifies callers")
        )
    return problems


def covered(wanted: frozenset[str], offered: frozenset[str]) -> frozenset[str]:
    """Return those of the wanted names that are offered, as such or by a wildcard."""
    return frozenset(
        name for name in wanted if name in offered or f"*.{name.partition('.')[2]}" in offered
    )


def _listed(values: Iterable[str]) -> str:
    return ", ".join(sorted(values))


# --- the whole ---------------------------------------------------------------------------------


def bundle(certificates: Iterable[x509.Certificate], now: datetime) -> str:
    """Return the valid ones as one PEM text, each once."""
    valid = (cert for cert in certificates if cert.not_valid_after_utc > now)
    return "".join(dict.fromkeys(cert.public_bytes(Encoding.PEM).decode() for cert in valid))


def signer(authorities: Sequence[Authority], until: datetime) -> Authority | None:
    """Choose the oldest CA that outlives a new leaf: everybody trusts it already."""
    return next((ca for ca in authorities if ca.can_sign_until(until)), None)


def authority_problem(authorities: Sequence[Authority], until: datetime) -> str:
    """Say why a new CA is due, '' when one of those at hand can sign until `until`."""
    if not authorities:
        return "there is none yet"
    if any(ca.can_sign_until(until) for ca in authorities):
        return ""
    last = authorities[-1]
    if not last.pair.private_key.is_file():
        return f"{last.pair.private_key} is missing"
    return f"the last one expires on {last.certificate.not_valid_after_utc:%Y-%m-%d}"


def replaced_by(link: Path) -> list[Path]:
    """List the folders that a new pair behind `link` makes superfluous."""
    return list(numbered(link.parent, f"{link.name}.").values())


def expand(path: str) -> Path:
    """Return the absolute path, `~` replaced, links kept."""
    return Path(os.path.abspath(os.path.expanduser(path)))
