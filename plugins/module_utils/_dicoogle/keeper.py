# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The keeper of Dicoogle in the collection's container image, at the management entrance."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from .._dicom.errors import DicomError, Reason
from .._dicom.peer import Endpoint
from .web import Request, ask, invalid, read_json, unexpected

STATUS = Request("GET", "/keeper/status")
LOOK_EVERY = 1.0  # seconds
TELL_EVERY = 10.0
NOT_HERE = (403, 404)  # of the web entrance, which keeps it to the administrators, and of Dicoogle
REPORT = {"state", "path", "folders", "folders_done", "indexed", "errors"}
KEYS = {
    "not_findable",
    "oldest_seconds",
    "storage_open",
    "restarting",
    "index",
    "never_findable",
    "reindex",
}


def read_status(entrance: Endpoint) -> dict[str, Any] | None:
    """Return what the keeper says, None where there is none.

    Raises DicomError: the entrance does not answer, or with something else.
    """
    answer = ask(entrance, STATUS)
    if answer.status in NOT_HERE:
        return None
    if answer.status != 200:
        raise unexpected(entrance, STATUS, answer)
    status = read_json(entrance, STATUS, answer)
    if KEYS - status.keys():
        raise invalid(entrance, f"the answer to {STATUS} is not a keeper's")
    return status


def reindex(
    entrance: Endpoint, path: str | None, seconds: float, report: Callable[[str], None]
) -> dict[str, Any]:
    """Have a folder indexed again, None for all, and wait until that is done; the last report.

    Where this folder is being indexed already, it waits for that.

    Raises DicomError: there is no keeper, it refuses, or is not done in so many seconds.
    """
    deadline = time.monotonic() + seconds
    running = begin(entrance, path)
    told = 0.0
    while running["state"] != "done":
        if time.monotonic() >= told + TELL_EVERY:
            told = time.monotonic()
            report(progress(running))
        if time.monotonic() > deadline:
            raise DicomError(
                Reason.TIMEOUT,
                f"{entrance}: {progress(running)} after {seconds:g} s. It goes on without this "
                "run; run it again to follow it, or raise wait_timeout.",
                **running,
            )
        time.sleep(LOOK_EVERY)
        running = _running(entrance)
    report(progress(running))
    return running


def begin(entrance: Endpoint, path: str | None) -> dict[str, Any]:
    """Have a folder indexed again, None for all; the first report.

    Raises DicomError: there is no keeper, or it refuses.
    """
    request = Request("POST", "/keeper/reindex", {} if path is None else {"path": path})
    answer = ask(entrance, request)
    if answer.status in NOT_HERE:
        raise _no_keeper(entrance)
    if answer.status == 409:
        running = _running(entrance)
        if path is not None and running["path"].rstrip("/") != path.rstrip("/"):
            raise DicomError(
                Reason.BUSY,
                f"{entrance}: {running['path']} is being indexed already. Run this again when it "
                "is done.",
                **running,
            )
        return running
    if answer.status != 202:
        raise unexpected(entrance, request, answer)
    return _report(entrance, request, read_json(entrance, request, answer))


def progress(running: dict[str, Any]) -> str:
    """Say how far it is, in a line."""
    return (
        f"{running['path']}: {running['folders_done']} of {running['folders']} folders done, "
        f"{running['indexed']} images indexed, {running['errors']} errors"
    )


def _running(entrance: Endpoint) -> dict[str, Any]:
    status = read_status(entrance)
    if status is None:
        raise _no_keeper(entrance)
    if status["reindex"] is None:
        raise DicomError(
            Reason.NOT_DONE,
            f"{entrance}: the archive was restarted and has not gone on yet. Run this again.",
        )
    return _report(entrance, STATUS, status)


def _report(entrance: Endpoint, request: Request, content: dict[str, Any]) -> dict[str, Any]:
    """Return the report on indexing in an answer.

    Raises DicomError: it holds none.
    """
    report = content.get("reindex")
    if not (
        isinstance(report, dict) and not REPORT - report.keys() and isinstance(report["path"], str)
    ):
        raise invalid(entrance, f"the answer to {request} holds no report on indexing")
    return report


def _no_keeper(entrance: Endpoint) -> DicomError:
    return DicomError(
        Reason.NO_KEEPER,
        f"{entrance}: this Dicoogle has no keeper. It must run in the container image of this "
        "collection, and host and port must be those of the management entrance.",
    )
