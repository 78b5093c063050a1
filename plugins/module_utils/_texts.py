# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Values of YAML as the texts that services take. Private to this collection."""

from __future__ import annotations

from typing import Any

from ._errors import ModuleError


def plain_text(subject: str, value: Any) -> str:
    """Return a text, a number, true or false as text.

    subject: what has the value, as in "The parameter Zones".

    Raises ModuleError for anything else.
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    kind = "empty (null)" if value is None else f"a {type(value).__name__}"
    raise ModuleError(f"{subject} is {kind}. Give a text, a number, true or false.")
