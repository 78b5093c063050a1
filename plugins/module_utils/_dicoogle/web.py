# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""HTTP towards Dicoogle's web page, and what the answers in front of it mean."""

from __future__ import annotations

import http.client
import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from .._dicom.errors import DicomError, Reason
from .._dicom.peer import Endpoint, build_endpoint, endpoint_argument_spec, refuse
from .._dicom.tls import connect, diagnose, explain, refusal

LONGEST_BODY = 1 << 24  # bytes; the list of 50,000 index tasks, Dicoogle's longest, has as many
REDIRECTS = (302, 303)
_PATH = re.compile("/[!-~]*")
HTTPS_PORT = 443

# What nginx writes under a status of 400.
_PAGES = {
    "No required SSL certificate was sent": Reason.CERTIFICATE_MISSING,
    "The SSL certificate error": Reason.CERTIFICATE_REJECTED,
    "The plain HTTP request was sent to HTTPS port": Reason.TLS_REQUIRED,
}


@dataclass(frozen=True)
class Request:
    """What is asked. The fields go into the query of a GET, and into the body of a POST."""

    method: str
    path: str
    fields: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Answer:
    """What came back, whatever it is."""

    status: int
    phrase: str
    location: str
    content_type: str
    body: bytes

    def __str__(self) -> str:
        return ": ".join(filter(None, (f"{self.status} {self.phrase}", self.words)))

    @property
    def words(self) -> str:
        """What Dicoogle or nginx says beside the status; empty when it says nothing."""
        page = self.body.decode(errors="replace")
        try:
            return str(json.loads(page)["error"])
        except (ValueError, RecursionError, TypeError, KeyError):
            return next((text for text in _PAGES if text in page), "")


def entrance_argument_spec() -> dict[str, Any]:
    """Return the options of the documentation fragments `endpoint` and `dicoogle`."""
    return {**endpoint_argument_spec(), "timeout": {"type": "float", "default": 10.0}}


def build_entrance(params: dict[str, Any]) -> Endpoint:
    """Return the entrance that the module's options describe.

    Raises DicomError: an option has no usable value.
    """
    return build_endpoint(params, "timeout")


def ask(entrance: Endpoint, request: Request) -> Answer:
    """Return the answer, unless it says that the connection will not do.

    Raises DicomError: there is no answer, or the certificate is not accepted.
    """
    answer = _exchange(entrance, request)
    reason = rejection(entrance, answer)
    if reason:
        raise refusal(entrance, reason, f"{request} was answered with {answer}")
    return answer


def read_page(entrance: Endpoint, request: Request, content_type: str | None) -> Answer:
    """Return a page of the wanted type, of any for None.

    Raises DicomError: there is no answer, or no such page.
    """
    if not _PATH.fullmatch(request.path):
        refuse(
            "path",
            repr(request.path),
            "Begin it with a slash, and percent-encode blanks and what is not ASCII.",
        )
    answer = ask(entrance, request)
    if answer.status not in (200, 204):
        raise unexpected(entrance, request, answer)
    if content_type and answer.content_type.partition(";")[0].strip() != content_type:
        raise invalid(entrance, f"{request} is no {content_type} but {answer.content_type or None}")
    return answer


def rejection(entrance: Endpoint, answer: Answer) -> Reason | None:
    """Return what an answer says about the connection: None unless the entrance rejects it."""
    if answer.status == 400:
        return _PAGES.get(answer.words)
    if answer.status == 403 and entrance.tls and entrance.tls.certificate:
        return Reason.CERTIFICATE_REJECTED
    return None


def sign_in_host(entrance: Endpoint, answer: Answer) -> str | None:
    """Return the host of the sign-in page that an answer leads to, or None."""
    if answer.status not in REDIRECTS:
        return None
    try:
        host = urlsplit(answer.location).hostname
    except ValueError:
        return None
    return None if host == _name(entrance).lower() else host


def unexpected(entrance: Endpoint, request: Request, answer: Answer) -> DicomError:
    """Return the error for an answer of another status than the one that was hoped for."""
    return DicomError(
        Reason.STATUS,
        f"{entrance}: {request} was answered with {answer}. See that this is the right "
        "entrance to Dicoogle, and look into its log.",
        status=answer.status,
    )


def read_json(entrance: Endpoint, request: Request, answer: Answer) -> dict[str, Any]:
    """Return the object that an answer holds.

    Raises DicomError: it holds none.
    """
    try:
        content = json.loads(answer.body)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise invalid(entrance, f"the answer to {request} is no JSON object")
    return content


def invalid(entrance: Endpoint, sentence: str) -> DicomError:
    """Return the error for an answer that cannot be Dicoogle's."""
    return DicomError(
        Reason.INVALID_RESPONSE, f"{entrance}: {sentence}. See that Dicoogle listens there."
    )


def _exchange(entrance: Endpoint, request: Request) -> Answer:
    try:
        fields = urlencode(request.fields)
    except UnicodeEncodeError as error:
        raise DicomError(
            Reason.INVALID_INPUT,
            f"{request} cannot be asked: path or query holds what is no character.",
        ) from error
    connection = http.client.HTTPConnection(_name(entrance), entrance.port)
    connection.default_port = HTTPS_PORT if entrance.tls else http.client.HTTP_PORT
    try:
        connection.sock = connect(entrance)
    except OSError as error:
        raise explain(entrance, error) from error
    try:
        return _talk(connection, request, fields)
    except TimeoutError as error:
        raise DicomError(
            Reason.TIMEOUT,
            f"{entrance}: {request} was not answered within {entrance.connect_timeout:g} s. "
            "If it only needs longer, raise timeout.",
        ) from error
    except (OSError, http.client.HTTPException) as error:
        raise diagnose(entrance) or _no_answer(entrance, request, error) from error
    finally:
        connection.close()


def _talk(connection: http.client.HTTPConnection, request: Request, fields: str) -> Answer:
    if request.method == "POST":
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", request.path, fields, headers)
    else:
        connection.request(request.method, f"{request.path}?{fields}" if fields else request.path)
    response = connection.getresponse()
    body = response.read(LONGEST_BODY + 1)
    if len(body) > LONGEST_BODY:
        raise http.client.HTTPException(f"the answer is longer than {LONGEST_BODY >> 20} MiB")
    return Answer(
        response.status,
        response.reason,
        response.getheader("Location", ""),
        response.getheader("Content-Type", ""),
        body,
    )


def _no_answer(entrance: Endpoint, request: Request, error: Exception) -> DicomError:
    reason = Reason.CLOSED if isinstance(error, OSError) else Reason.INVALID_RESPONSE
    said = str(error).strip()
    return DicomError(
        reason, f"{entrance}: {request} was not answered: {said}. See that Dicoogle listens there."
    )


def _name(entrance: Endpoint) -> str:
    return entrance.tls.server_name if entrance.tls else entrance.host
