# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a DIMSE status says, by the tables of PS3.4 and PS3.7."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .errors import DicomError, Reason
from .files import text
from .packages import pynetdicom
from .peer import Peer


@dataclass(frozen=True)
class Status:
    """A status with its category, one of Success, Warning, Failure, Cancel, Pending, Unknown."""

    code: int
    category: str
    text: str

    @property
    def succeeded(self) -> bool:
        """Whether the operation was done, if with a warning."""
        return self.category in ("Success", "Warning")

    @property
    def pending(self) -> bool:
        """Whether more answers follow."""
        return self.category == "Pending"


def read_status(response: Any, table: dict[int, tuple[str, str]]) -> Status | None:
    """Return the status of a response, or None when there was none.

    `table` is one of `pynetdicom.status`: code to (category, meaning). The text ends with the
    peer's own comment, where it sent one.
    """
    if "Status" not in response:
        return None
    code = response.Status
    category = pynetdicom.status.code_to_category(code)
    meaning = table.get(code, (category, ""))[1]
    parts = [f"0x{code:04X} {category}", meaning, text(response, "ErrorComment")]
    return Status(code, category, ": ".join(part for part in parts if part))


def failure(
    peer: Peer,
    operation: str,
    status: Status,
    reason: Reason = Reason.STATUS,
    advice: str = "Look into the log of the peer.",
    **details: Any,
) -> DicomError:
    """Return the error for an answer that says that the operation was not done."""
    return DicomError(
        reason,
        f"{peer}: {operation} ended with the status {status.text}. {advice}",
        status=f"0x{status.code:04X}",
        status_text=status.text,
        **details,
    )
