# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which Dicoogle answers at an entrance, or which sign-in page stands in front of it."""

from __future__ import annotations

from dataclasses import dataclass

from .._dicom.peer import Endpoint
from .web import Request, ask, invalid, read_json, sign_in_host, unexpected

VERSION = Request("GET", "/ext/version")


@dataclass(frozen=True)
class Greeting:
    """What an entrance says of itself: a version, or the host of a sign-in page."""

    status: int
    version: str | None
    sign_in: str | None


def greet(entrance: Endpoint) -> Greeting:
    """Return what the entrance says.

    Raises DicomError: it does not answer, or with something else.
    """
    answer = ask(entrance, VERSION)
    host = sign_in_host(entrance, answer)
    if host:
        return Greeting(answer.status, None, host)
    if answer.status != 200:
        raise unexpected(entrance, VERSION, answer)
    version = read_json(entrance, VERSION, answer).get("version")
    if not version:
        raise invalid(entrance, f"the answer to {VERSION} holds no version")
    return Greeting(answer.status, str(version), None)
