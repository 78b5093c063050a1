# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One JSON line per call to the API, for tests and benchmarks to count.

Members of a line: time (seconds since 1970), method, service (signing name), action (as the API
reference spells it), caller (access key id), user_agent, status, duration (seconds) and internal
(true for calls which no client made: by Lambda functions, by CloudFormation's own callbacks).
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from openpacs_embedded.operations import operation_of
from openpacs_embedded.persistence import note_change

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

HEALTH_PATHS = ("/_ministack/health", "/_ministack/ready")
READING = ("BatchGet", "Describe", "Get", "Head", "List", "Validate")  # actions, by their beginning
BODY_PREFIX = 4096  # bytes; the Action of a form comes first
CREDENTIAL = re.compile(r"Credential=([^/,]+)/\d{8}/[^/]+/([^/]+)/aws4_request")


def with_access_log(app: Application, file: Path) -> Application:
    """Return the ASGI application with a log of the HTTP requests it has answered."""
    log = file.open("a", buffering=1)

    async def logged(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in HEALTH_PATHS:
            await app(scope, receive, send)
            return
        started = time.time()
        body, status = b"", 0

        async def watched_receive() -> Message:
            nonlocal body
            message = await receive()
            if message["type"] == "http.request" and len(body) < BODY_PREFIX:
                body += message.get("body", b"")[:BODY_PREFIX]
            return message

        async def watched_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await app(scope, watched_receive, watched_send)
        finally:
            call = describe(scope, body)
            if not call["action"].startswith(READING):
                note_change()
            entry = {
                "time": round(started, 3),
                **call,
                "status": status,
                "duration": round(time.time() - started, 4),
            }
            log.write(json.dumps(entry) + "\n")

    return logged


def describe(scope: Message, body: bytes) -> dict[str, Any]:
    """Return method, service, action, caller, user_agent and internal of a request."""
    headers = {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
    }
    query = scope["query_string"].decode()
    signed = CREDENTIAL.search(headers.get("authorization", ""))
    caller, service = signed.groups() if signed else ("", "")
    agent = headers.get("user-agent", "")
    return {
        "method": scope["method"],
        "service": service,
        "action": operation_of(service, scope["method"], scope["path"], query, headers, body),
        "caller": caller,
        "user_agent": agent,
        "internal": scope["path"].startswith("/_ministack/") or "exec-env/AWS_Lambda" in agent,
    }
