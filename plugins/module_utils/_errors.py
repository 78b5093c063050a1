# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The errors of all modules. Private to this collection."""

from __future__ import annotations

from typing import Any


class ModuleError(Exception):
    """A failure told to the user: what failed, on what, why, and what to do next.

    details: further keys of the module's result.
    """

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.details = details

    def result(self) -> dict[str, Any]:
        """Return the arguments of `fail_json`."""
        return {"msg": str(self), **self.details}
