# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a folder of certificates holds, and what is wrong with it. Private to the collection.

A folder looks like this; `ca/N` and `leaves/NAME.N` are written once and never changed, so that a
run killed at any point leaves each pair whole::

    ca/1/{certificate,private_key}.pem      the CAs, the oldest first
    issued/nginx.2.pem                      every certificate signed: no number comes twice
    leaves/nginx -> nginx.2                 the pair in use
    leaves/nginx.2/{certificate,private_key}.pem

The number of a pair is its generation. Those whom the archive lets in by name have it in their
common name, so that a new pair locks the one before it out.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

try:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
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
    USES = {
        "serverAuth": ExtendedKeyUsageOID.SERVER_AUTH,
        "clientAuth": ExtendedKeyUsageOID.CLIENT_AUTH,
    }

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import (
        CertificateIssuerPrivateKeyTypes,
        PrivateKeyTypes,
    )

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

    @classmethod
    def of(
        cls, name: str, description: Mapping[str, Any], domain: str, generation: int = 0
    ) -> Profile:
        """Complete what cert/profiles.yml says of a holder with its names.

        The archive lets the holders of services in by name, so theirs has the generation.
        """
        services = tuple(map(str, description.get("services", [])))
        common_name = f"{name}.{generation}.{domain}" if services else f"{name}.{domain}"
        others = (f"{other}.{domain}" for other in description.get("other_names", []))
        return cls(
            name=name,
            common_name=common_name,
            organizational_unit=str(description["organizational_unit"]),
            names=frozenset([common_name, *others]),
            uses=frozenset(map(str, description["uses"])),
            services=services,
        )


@dataclass(frozen=True)
class Pair:
    """The files of a certificate (the leaf first, then its intermediates) and of its key."""

    certificate: Path
    private_key: Path


@dataclass(frozen=True)
class Authority:
    """A CA of ours. It can sign only where its key still is."""

    number: int
    pair: Pair
    certificate: x509.Certificate

    def outlives(self, moment: datetime) -> bool:
        """Tell whether it is still valid at `moment`."""
        return self.certificate.not_valid_after_utc > moment

    def can_sign_until(self, moment: datetime) -> bool:
        """Tell whether it can sign certificates that are valid until `moment`."""
        return self.outlives(moment) and self.pair.private_key.is_file()


@dataclass(frozen=True)
class Signer:
    """A CA whose key is open."""

    certificate: x509.Certificate
    key: CertificateIssuerPrivateKeyTypes


# --- reading -----------------------------------------------------------------------------------


def read_certificates(path: Path) -> list[x509.Certificate]:
    """Read all certificates of a PEM file. Raises OSError, or ValueError when there are none."""
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path} is not a certificate in PEM format") from error


def read_authorities(directory: Path) -> list[Authority]:
    """Read our CAs, the oldest first. A folder without certificate is what a killed run left."""
    pairs = {number: pair_in(each) for number, each in numbered(directory / "ca", "").items()}
    return [
        Authority(number, pair, read_certificates(pair.certificate)[0])
        for number, pair in pairs.items()
        if pair.certificate.is_file()
    ]


def pair_in(folder: Path) -> Pair:
    """Return the pair of files in a folder."""
    return Pair(folder / CERTIFICATE, folder / PRIVATE_KEY)


def numbered(parent: Path, prefix: str, suffix: str = "") -> dict[int, Path]:
    """Return the entries `<prefix><number><suffix>` of `parent` by number, in order."""
    entries = parent.glob(f"{prefix}*{suffix}") if parent.is_dir() else ()
    numbers = ((entry.name.removeprefix(prefix).removesuffix(suffix), entry) for entry in entries)
    return dict(sorted((int(number), entry) for number, entry in numbers if number.isdecimal()))


def register(directory: Path, holder: str) -> dict[int, Path]:
    """Return the certificates that a holder was ever issued by generation, the oldest first."""
    return numbered(directory / "issued", f"{holder}.", ".pem")


def generation_in_use(link: Path) -> int:
    """Return the number of the pair behind a link, 0 without one."""
    number = Path(os.path.realpath(link)).name.removeprefix(f"{link.name}.")
    return int(number) if number.isdecimal() else 0


def next_number(*used: Iterable[int]) -> int:
    """Return the number that follows all that were used."""
    return max((number for numbers in used for number in numbers), default=0) + 1


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
    known = {oid: name for name, oid in USES.items()}
    return frozenset(known.get(oid, oid.dotted_string) for oid in extension.value)


def fingerprint(certificate: x509.Certificate) -> str:
    """Return the SHA-256 of the certificate in hexadecimal."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def key_bytes(
    holder: x509.Certificate | x509.CertificateSigningRequest | PrivateKeyTypes,
) -> bytes:
    """Return the public key of a certificate, a request or a private key, to compare it."""
    return holder.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _subject(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> str:
    values = [str(attribute.value) for attribute in certificate.subject.get_attributes_for_oid(oid)]
    return values[0] if values else ""


# --- what is wrong with a pair -----------------------------------------------------------------


def pair_problems(
    pair: Pair,
    trusted: Sequence[x509.Certificate],
    now: datetime,
    renew_before: timedelta,
    csr: Path | None = None,
) -> list[Problem]:
    """Explain why a pair of files cannot be used at all, whoever it is for.

    With `csr` its key is elsewhere, and the certificate must have the key of this request.
    """
    try:
        leaf, *intermediates = read_certificates(pair.certificate)
    except OSError as error:
        return [_unreadable(pair.certificate, error)]
    except ValueError as error:
        return [Problem(str(error), "Give the leaf first, then its intermediates")]
    return [
        *(_csr_key_problems(csr, leaf) if csr else _key_problems(pair, leaf)),
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
    if key_bytes(key) == key_bytes(leaf):
        return []
    return [
        Problem(
            f"{pair.private_key} does not fit {pair.certificate}",
            "Give the key that this certificate was requested with",
        )
    ]


def _csr_key_problems(csr: Path, leaf: x509.Certificate) -> list[Problem]:
    if key_bytes(read_request(csr)) == key_bytes(leaf):
        return []
    return [Problem(f"{csr} asks for another key", "Have a new one issued")]


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


# --- what is wrong with a request ---------------------------------------------------------------


def read_request(path: Path) -> x509.CertificateSigningRequest:
    """Read a certificate signing request. Raises OSError, or ValueError when there is none."""
    return x509.load_pem_x509_csr(path.read_bytes())


def request_problems(path: Path, known: Mapping[bytes, str]) -> list[Problem]:
    """Explain why a request cannot be signed; `known`: keys it must not have, and their owners."""
    try:
        text = path.read_bytes()
        request = x509.load_pem_x509_csr(text)
        key = request.public_key()
        extensions = request.extensions
        sound = request.is_signature_valid
    except OSError as error:
        return [_unreadable(path, error)]
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension):
        convert = f"Convert it: openssl req -inform DER -in {path} -out request.pem"
        return [Problem(f"{path} is not a certificate signing request in PEM format", convert)]
    found = [
        (
            b"PRIVATE KEY" in text,
            "holds a private key",
            "Give the request alone, and leave the key where it was made",
        ),
        (
            not sound,
            "is damaged: its signature does not fit its key",
            "Copy it again from where it was made",
        ),
        (
            isinstance(request.signature_hash_algorithm, hashes.SHA1 | hashes.MD5),
            "is signed with an outdated digest",
            "Make it with SHA-256 or better",
        ),
        (
            not _is_strong(key),
            "has a key that not all of Ghostunnel, nginx and Java take, or that is too short",
            "Make an ECDSA key (P-256, P-384 or P-521), or an RSA key of 2048 to 8192 bits",
        ),
        (
            any(
                isinstance(each.value, x509.BasicConstraints) and each.value.ca
                for each in extensions
            ),
            "asks for the certificate of a CA",
            "Make it without basicConstraints",
        ),
        (
            key_bytes(request) in known,
            f"has the key of {known.get(key_bytes(request))}",
            "Make a new key for it: a key is known to one holder, and is lost with its certificate",
        ),
    ]
    return [Problem(f"{path} {what}", remedy) for wrong, what, remedy in found if wrong]


def _is_strong(key: object) -> bool:
    if isinstance(key, rsa.RSAPublicKey):
        return 2048 <= key.key_size <= 8192
    curves = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
    return isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, curves)


# --- what differs from the profile -------------------------------------------------------------


def differences(profile: Profile, leaf: x509.Certificate | None) -> list[str]:
    """List where a certificate that we issued is not what its profile asks for now."""
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
    """List what a certificate of the user's own lacks. Clients verify names only of servers."""
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


# --- what is wrong with a CA -------------------------------------------------------------------


def authority_defects(authority: Authority, passphrase: str, now: datetime) -> list[Problem]:
    """Explain why a CA that has its key cannot sign. An empty passphrase is a lost one."""
    key = authority.pair.private_key
    begin = authority.certificate.not_valid_before_utc
    renew = (
        f"or set pki_signing_ca to {authority.number + 1}: a new CA is made, and certificates of "
        "this one stay trusted"
    )
    if begin > now:
        wrong = f"the clock of this machine says {now:%Y-%m-%d %H:%M} UTC"
        made = f"{authority.pair.certificate} is valid from {begin:%Y-%m-%d %H:%M} UTC on, and"
        return [Problem(f"{made} {wrong}", "Set the clock")]
    if not passphrase:
        lost = f"The passphrase of {key} is lost"
        return [Problem(lost, f"Restore ca-passphrase or set pki_ca_passphrase, {renew}")]
    try:
        signer = unlock(authority.pair, passphrase)
    except OSError as error:
        return [_unreadable(key, error)]
    except ValueError as error:
        return [Problem(f"{error}", f"Give the right passphrase or restore the file, {renew}")]
    if key_bytes(signer.key) != key_bytes(authority.certificate):
        other = f"{key} is not the key of {authority.pair.certificate}"
        return [Problem(other, f"Restore the file, {renew}")]
    return []


def seen_by_others(directory: Path) -> list[Problem]:
    """Name the keys and the passphrase in a folder that others on this machine can read."""
    secrets = [directory / "ca-passphrase", *sorted(directory.rglob(PRIVATE_KEY))]
    return [
        Problem(
            f"{path} can be read by others on this machine (mode {path.stat().st_mode & 0o777:o})",
            f"Run 'chmod -R go= {directory}'. If somebody may have read it, replace it as "
            "docs/lost-laptop.md says",
        )
        for path in secrets
        if path.is_file() and path.stat().st_mode & 0o077
    ]


# --- signing -----------------------------------------------------------------------------------


def unlock(pair: Pair, passphrase: str) -> Signer:
    """Return a CA ready to sign. Raises ValueError when the passphrase is not that of its key."""
    try:
        key = load_pem_private_key(pair.private_key.read_bytes(), passphrase.encode())
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ValueError(
            f"the passphrase does not open {pair.private_key}, or the file is damaged"
        ) from error
    return Signer(
        read_certificates(pair.certificate)[0], cast("CertificateIssuerPrivateKeyTypes", key)
    )


def sign(
    csr: str, profile: Mapping[str, Any], signer: Signer, begin: datetime, end: datetime
) -> str:
    """Return a certificate in PEM format for the key of a request, all else by the profile.

    Raises ValueError for what is no request, or was not signed with its key.
    """
    request = x509.load_pem_x509_csr(csr.encode())
    if not request.is_signature_valid:
        raise ValueError("the signature of the request does not fit its key")
    key = request.public_key()
    subject = [
        x509.NameAttribute(NameOID.COMMON_NAME, profile["common_name"]),
        x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, profile["organizational_unit"]),
    ]
    signatures_only = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (signatures_only, True),
        (x509.ExtendedKeyUsage([USES[use] for use in profile["uses"]]), False),
        (x509.SubjectAlternativeName(map(x509.DNSName, profile["names"])), False),
        (x509.SubjectKeyIdentifier.from_public_key(key), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.public_key()), False),
    ]
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name(subject))
        .issuer_name(signer.certificate.subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(signer.key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


# --- the whole ---------------------------------------------------------------------------------


def bundle(certificates: Iterable[x509.Certificate], now: datetime) -> str:
    """Return the valid ones as one PEM text, each once."""
    valid = (cert for cert in certificates if cert.not_valid_after_utc > now)
    return "".join(dict.fromkeys(cert.public_bytes(Encoding.PEM).decode() for cert in valid))


def signer(authorities: Sequence[Authority], until: datetime) -> Authority | None:
    """Choose the oldest CA that outlives a new leaf: everybody trusts it already."""
    return next((ca for ca in authorities if ca.can_sign_until(until)), None)


def authority_problem(
    authorities: Sequence[Authority], until: datetime, wanted: str = "there is none yet"
) -> str:
    """Explain why a new CA is due, '' when one of those at hand can sign until `until`.

    wanted: what to say where there is none at hand.
    """
    if not authorities:
        return wanted
    if any(ca.can_sign_until(until) for ca in authorities):
        return ""
    last = authorities[-1]
    if not last.pair.private_key.is_file():
        return f"{last.pair.private_key} is missing"
    return f"the last one expires on {last.certificate.not_valid_after_utc:%Y-%m-%d}"


def replaced_for_its_age(
    certificate: x509.Certificate, since: datetime, renew_before: timedelta
) -> bool:
    """Tell whether a certificate was near its end when another took its place."""
    return certificate.not_valid_after_utc - since <= renew_before


def replaced_by(link: Path) -> list[Path]:
    """List the folders that a new pair behind `link` makes superfluous."""
    return list(numbered(link.parent, f"{link.name}.").values())


def expand(path: str) -> Path:
    """Return the absolute path, `~` replaced, links kept."""
    return Path(os.path.abspath(os.path.expanduser(path)))
