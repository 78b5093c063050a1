# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The access key of an embedded AWS, made once."""

from __future__ import annotations

import secrets
from pathlib import Path

from .layout import replace_text


def ensure(file: Path) -> None:
    """Write a new random access key into a file that only its owner can read, unless it exists."""
    if file.exists():
        return
    replace_text(
        file,
        "[default]\n"
        f"aws_access_key_id = AKIA{secrets.token_hex(8).upper()}\n"
        f"aws_secret_access_key = {secrets.token_hex(20)}\n",
    )
