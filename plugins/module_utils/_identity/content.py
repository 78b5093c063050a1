# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What identifies an environment, as one value of a secret. Private to this collection."""

from __future__ import annotations

import hashlib
import json
import lzma
import re
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import PurePosixPath

LARGEST_VALUE = 65536  # bytes, of a secret
AUTHORITY = re.compile(r"pki/ca/\d+/certificate\.pem")


@dataclass(frozen=True)
class Identity:
    """The files of some folders by path, such as pki/ca/1/certificate.pem.

    files: path -> content.
    links: path -> target.
    """

    files: Mapping[str, str] = field(repr=False)
    links: Mapping[str, str]

    @property
    def text(self) -> str:
        """One text for the same files, whatever their order."""
        return json.dumps({"files": self.files, "links": self.links}, sort_keys=True)

    @property
    def authorities(self) -> dict[str, str]:
        """The CAs: path of the certificate -> its SHA-256. A damaged one is none."""
        found = {}
        for path, content in self.files.items():
            if AUTHORITY.fullmatch(path):
                with suppress(ValueError):
                    found[path] = hashlib.sha256(ssl.PEM_cert_to_DER_cert(content)).hexdigest()
        return found


def pack(identity: Identity) -> bytes:
    """Return the value of the secret."""
    return lzma.compress(identity.text.encode())


def unpack(value: bytes) -> Identity:
    """Return what `pack` was given. Raises ValueError for a value that it did not make."""
    try:
        content = json.loads(lzma.decompress(value))
        identity = Identity(content["files"], content["links"])
    except (lzma.LZMAError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"it cannot be unpacked ({error})") from error
    entries = [*identity.files, *identity.links]
    targets = [str(PurePosixPath(path).parent / to) for path, to in identity.links.items()]
    outside = [path for path in [*entries, *targets] if not _is_inside(path)]
    if outside:
        raise ValueError(f"{outside[0]} would be outside its folder")
    return identity


def _is_inside(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return bool(parts) and ".." not in parts and parts[0] != "/"


def contradictions(ours: Identity, theirs: Identity) -> dict[str, tuple[str, str | None]]:
    """Return the CAs of ours that theirs does not have: path -> SHA-256 here and there."""
    known = theirs.authorities
    return {
        path: (here, known.get(path))
        for path, here in ours.authorities.items()
        if known.get(path) != here
    }


def continues(ours: Identity, theirs: Identity) -> bool:
    """Tell whether ours still has every CA and every certificate on record of theirs."""
    lasting = {
        path: content
        for path, content in theirs.files.items()
        if AUTHORITY.fullmatch(path) or path.startswith("pki/issued/")
    }
    return lasting.items() <= ours.files.items()
