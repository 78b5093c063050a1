# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""SOP instances in Dicoogle's archive: what its index has, and how they leave it."""

from __future__ import annotations

import time
from typing import Any

from .._dicom.errors import DicomError, Reason
from .._dicom.peer import Endpoint
from .web import Answer, Request, ask, invalid, read_json, sign_in_host, unexpected

LOOK_AGAIN = 0.5  # seconds until the index is asked once more


def find(entrance: Endpoint, uid: str) -> list[str]:
    """Return the URIs of an instance in the index.

    Raises DicomError: Dicoogle does not answer, or finds something else.
    """
    query = {"query": f'SOPInstanceUID:"{uid}"', "field": "SOPInstanceUID"}
    request = Request("GET", "/search", query)
    document = read_json(entrance, request, _ask(entrance, request))
    return exact_uris(entrance, uid, document)


def exact_uris(entrance: Endpoint, uid: str, document: dict[str, Any]) -> list[str]:
    """Return the URIs that a search has found, if all are of the instance that was meant.

    Raises DicomError: one is not, or cannot be told.
    """
    try:
        found = [(each["uri"], each["fields"]["SOPInstanceUID"]) for each in document["results"]]
    except (KeyError, TypeError) as error:
        raise invalid(entrance, f"the answer to the search for {uid} is not complete") from error
    others = {str(other).strip() for _unused, other in found} - {uid}
    if others:
        raise DicomError(
            Reason.INVALID_RESPONSE,
            f"{entrance}: the search for {uid} has also found {', '.join(sorted(others))}. Only "
            "exact matches are removed. Look into the index of Dicoogle.",
        )
    return [uri for uri, _unused in found]


def remove(entrance: Endpoint, uid: str, uris: list[str]) -> None:
    """Delete the files of an instance, and then its entries in the index.

    A run that is killed in between finds the instance again.

    Raises DicomError: Dicoogle still has one of the two afterwards.
    """
    for uri in uris:
        _ask(entrance, Request("POST", "/management/tasks/remove", {"uri": uri}))
    if _has_file(entrance, uid):
        raise DicomError(
            Reason.NOT_REMOVED,
            f"{entrance}: Dicoogle has not deleted the file of {uid}, so it stays in the index. "
            "See that Dicoogle may write where its images are, and look into its log.",
        )
    for uri in uris:
        _ask(entrance, Request("POST", "/management/tasks/unindex", {"uri": uri}))
    _await_absence(entrance, uid)


def _has_file(entrance: Endpoint, uid: str) -> bool:
    # Dicoogle looks the file up in its index, and answers 204 when the file is not there.
    return bool(_ask(entrance, Request("GET", "/legacy/file", {"uid": uid}), (200, 204)).body)


def _await_absence(entrance: Endpoint, uid: str) -> None:
    deadline = time.monotonic() + entrance.connect_timeout
    while find(entrance, uid):
        if time.monotonic() > deadline:
            raise DicomError(
                Reason.NOT_REMOVED,
                f"{entrance}: the file of {uid} is deleted, but the index still has it after "
                f"{entrance.connect_timeout:g} s. Run this again, and look into Dicoogle's log.",
            )
        time.sleep(LOOK_AGAIN)


def _ask(entrance: Endpoint, request: Request, hoped_for: tuple[int, ...] = (200,)) -> Answer:
    answer = ask(entrance, request)
    host = sign_in_host(entrance, answer)
    if host:
        raise DicomError(
            Reason.SIGN_IN,
            f"{entrance}: {request} leads to the sign-in page of {host}. Use host and port of the "
            "management entrance, which asks for a certificate instead.",
        )
    if answer.status not in hoped_for:
        raise unexpected(entrance, request, answer)
    return answer
