# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filters `bcrypt_hash` and `bcrypt_verifies`, for the password of Dicoogle's administrator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

try:
    import bcrypt
except ImportError as error:
    BCRYPT_ERROR: ImportError | None = error
else:
    BCRYPT_ERROR = None

# Dicoogle verifies with at.favre.lib:bcrypt, which hashes longer passwords in a way of its own.
MAX_PASSWORD_BYTES = 71


def bcrypt_hash(password: str, cost: int = 12) -> str:
    """Return a new `$2b$` hash. Raises AnsibleFilterError for an empty or too long password."""
    _require_bcrypt()
    encoded = password.encode()
    if not 0 < len(encoded) <= MAX_PASSWORD_BYTES:
        raise AnsibleFilterError(
            f"the password has {len(encoded)} bytes in UTF-8; choose one of 1 to "
            f"{MAX_PASSWORD_BYTES} bytes"
        )
    return bcrypt.hashpw(encoded, bcrypt.gensalt(cost)).decode()


def bcrypt_verifies(password: str, hashed: str) -> bool:
    """Tell whether a hash was made from the password; False for what is no hash."""
    _require_bcrypt()
    try:
        return bcrypt.checkpw(password.encode(), hashed.encode())
    except ValueError:
        return False


def _require_bcrypt() -> None:
    if BCRYPT_ERROR:
        raise AnsibleFilterError(
            "the Python library bcrypt is missing on the control node; install it with "
            "pip install bcrypt"
        ) from BCRYPT_ERROR


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"bcrypt_hash": bcrypt_hash, "bcrypt_verifies": bcrypt_verifies}
