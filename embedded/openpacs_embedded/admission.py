# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who is let in: programs that have the access key, and no web page.

The secret never travels. A request proves it by a signature (version 4) in its headers or, for
S3, in its URL. Container engines and Ansible's lookups cannot sign: they show the password that
is derived from the secret, which opens the registry and the names only. No proof is asked for
the health, and for CloudFormation's callbacks, whose URLs are secrets by themselves.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

from ministack.app import _is_ecr_registry_path
from ministack.core.iam_actions import access_denied_response
from ministack.core.router import detect_service
from ministack.core.sigv4 import (
    decode_header_value,
    header_signature_failure,
    parse_header_signature,
    parse_query_signature,
    presigned_request_is_expired,
    request_time_failure,
)

from openpacs_embedded.access_key import AccessKey
from openpacs_embedded.access_log import HEALTH_PATHS, Application, Message, Receive, Send
from openpacs_embedded.loopback_names import PATH as NAMES_PATH

USER = "AWS"  # as ECR calls everybody
CALLBACK = re.compile(r"/_ministack/cfn-(response|signal)/[0-9a-f-]{36}")
HASH = re.compile(r"[0-9a-f]{64}")
CORS = b"access-control-"


@dataclass(frozen=True)
class Request:
    """The head of a request. Names of headers are in lower case, repeated ones are joined."""

    method: str
    path: str
    raw_path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]

    @classmethod
    def of(cls, scope: Message) -> Request:
        """Read a scope of ASGI."""
        headers: dict[str, str] = {}
        for name, value in scope["headers"]:
            key, text = name.decode("latin-1").lower(), decode_header_value(value)
            headers[key] = f"{headers[key]},{text}" if key in headers else text
        query = scope["query_string"].decode("utf-8", "replace")
        return cls(
            method=scope["method"],
            path=scope["path"],
            raw_path=scope["raw_path"].decode("latin-1"),
            query=parse_qs(query, keep_blank_values=True),
            headers=headers,
        )


def foreign(request: Request, port: int) -> str:
    """Return why a request cannot come from a program that means this server, '' if it can."""
    if "origin" in request.headers or request.headers.get("sec-fetch-site", "none") != "none":
        return "The embedded AWS answers no web pages."
    if request.headers.get("host", "").lower() not in (f"127.0.0.1:{port}", f"localhost:{port}"):
        return f"The embedded AWS is called 127.0.0.1:{port} and nothing else."
    return ""


def needs_no_proof(request: Request) -> bool:
    """Return whether anybody on this machine may ask this."""
    if request.method == "GET":
        return request.path in HEALTH_PATHS
    return request.method == "PUT" and CALLBACK.fullmatch(request.path) is not None


def takes_password(request: Request) -> bool:
    """Return whether the password opens what is asked for."""
    return request.path == NAMES_PATH or bool(_is_ecr_registry_path(request.path))


def shows_password(request: Request, key: AccessKey) -> bool:
    """Return whether a request shows the password, for something that it opens."""
    if not takes_password(request):
        return False
    right = base64.b64encode(f"{USER}:{key.password}".encode())
    shown = request.headers.get("authorization", "").removeprefix("Basic ")
    return hmac.compare_digest(shown.encode(), right)


def signature_fault(request: Request, body: bytes, key: AccessKey) -> str:
    """Return why the signature does not prove the secret, '' when it does."""
    presigned = "authorization" not in request.headers and "X-Amz-Signature" in request.query
    if not presigned and "authorization" not in request.headers:
        return "The request is not signed."
    signature = (
        parse_query_signature(request.query)
        if presigned
        else parse_header_signature(request.headers)
    )
    if isinstance(signature, tuple):
        return str(signature[1])
    if not key.is_named_by(signature.access_key_id):
        return f"There is no access key {signature.access_key_id}."
    signed = signature.signed_headers.split(";")
    if any(name.startswith("x-amz-") and name not in signed for name in request.headers):
        return "There are x-amz- headers in the request which are not signed."
    fault = _time_of_a_url_fault(request) if presigned else request_time_failure(signature)
    fault = fault or header_signature_failure(
        signature,
        key.secret,
        request.method,
        request.raw_path,
        request.query,
        request.headers,
        body,
        presigned=presigned,
    )
    if fault:
        return str(fault[1])
    declared = request.headers.get("x-amz-content-sha256", "")
    if HASH.fullmatch(declared) and declared != hashlib.sha256(body).hexdigest():
        return "The body is not the one that was signed."
    return ""


def _time_of_a_url_fault(request: Request) -> tuple[str, str] | None:
    """Why a presigned URL does not hold, or no longer."""
    if detect_service(request.method, request.path, request.headers, request.query) != "s3":
        return "AccessDenied", "A URL can be signed for S3 only."
    try:
        date, seconds = request.query["X-Amz-Date"][0], request.query["X-Amz-Expires"][0]
        if not presigned_request_is_expired(date, seconds):
            return None
    except (KeyError, ValueError):
        return "AccessDenied", "The signed URL does not say until when it holds."
    return "AccessDenied", "Request has expired"


def with_admission(app: Application, key: AccessKey, port: int) -> Application:
    """Return the ASGI application for those who are let in; no web page may read its answers."""

    async def admitted(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await app(scope, receive, send)
        elif scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await admit(scope, receive, without_cors(send))

    async def admit(scope: Message, receive: Receive, send: Send) -> None:
        request = Request.of(scope)
        if why := foreign(request, port):
            await answer(send, 403, {"content-type": "text/plain"}, why.encode())
        elif needs_no_proof(request) or shows_password(request, key):
            await app(scope, receive, send)
        else:
            body = await whole_body(receive)
            if fault := signature_fault(request, body, key):
                await answer(send, *refusal(request, fault))
            else:
                await app(scope, replayed(body, receive), send)

    return admitted


def refusal(request: Request, fault: str) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body that the caller's program can read."""
    reason = f"{fault} Use the access key in the file credentials of the embedded AWS."
    if takes_password(request):
        asked = {"content-type": "text/plain", "www-authenticate": 'Basic realm="embedded AWS"'}
        return 401, asked, reason.encode()
    service = detect_service(request.method, request.path, request.headers, request.query)
    status, headers, body = access_denied_response(
        service,
        "",
        "",
        str(uuid4()),
        error_code="AccessDenied",
        message=reason,
        headers=request.headers,
    )
    return status, headers, body


async def answer(send: Send, status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Answer without the application."""
    pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    pairs.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})


def without_cors(send: Send) -> Send:
    """Return a send that drops the headers by which web pages may read an answer."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [h for h in message.get("headers", []) if not h[0].lower().startswith(CORS)]
            message = {**message, "headers": kept}
        await send(message)

    return sent


async def whole_body(receive: Receive) -> bytes:
    """Read a request to its end, or to its sender's."""
    parts: list[bytes] = []
    more = True
    while more:
        message: dict[str, Any] = await receive()
        parts.append(message.get("body", b""))
        more = message["type"] == "http.request" and message.get("more_body", False)
    return b"".join(parts)


def replayed(body: bytes, receive: Receive) -> Receive:
    """Return a receive that gives a body which has been read already, then what comes after it."""
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def received() -> Message:
        return pending.pop() if pending else await receive()

    return received
