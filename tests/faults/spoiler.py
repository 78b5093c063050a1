# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An addon of mitmproxy that spoils calls to AWS, as a file tells it.

The option `order` names the file, {"fault": ..., "operations": [...], "first": n}: the first n
calls of each of the operations are spoiled, all operations when none is named, all calls when n is
0. A new order counts from the beginning. What was spoiled is appended to the file's neighbour,
`.log`.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from mitmproxy import ctx, http

REST_OPERATIONS = {
    ("s3", "PUT"): "PutObject",
    ("s3", "GET"): "GetObject",
    ("s3", "HEAD"): "HeadObject",
    ("s3", "DELETE"): "DeleteObject",
    ("route53", "GET"): "ListHostedZonesByName",
}
DELAY = 2.0  # seconds
# Status, code and message, with the codes of services that have their own.
ERRORS: dict[str, tuple[int, str, str]] = {
    "throttled": (400, "Throttling", "Rate exceeded"),
    "unavailable": (503, "ServiceUnavailable", "Service is unable to handle request."),
    "broken": (500, "InternalFailure", "An internal error has occurred."),
    "expired": (403, "ExpiredToken", "The security token included in the request is expired"),
    "denied": (403, "AccessDenied", "The caller is not authorized to perform this operation"),
}
OWN_CODES: dict[tuple[str, str], tuple[int, str]] = {
    ("s3", "throttled"): (503, "SlowDown"),
    ("ec2", "throttled"): (503, "RequestLimitExceeded"),
    ("ec2", "denied"): (403, "UnauthorizedOperation"),
    ("ec2", "expired"): (400, "RequestExpired"),
    ("secretsmanager", "throttled"): (400, "ThrottlingException"),
    ("secretsmanager", "denied"): (400, "AccessDeniedException"),
    ("secretsmanager", "expired"): (400, "ExpiredTokenException"),
}


def service_of(request: http.Request) -> str:
    """Return the service that a call is signed for."""
    found = re.search(r"Credential=[^/]+/\d+/[^/]+/(\w[\w-]*)/", request.headers["authorization"])
    return found[1] if found else ""


def operation_of(request: http.Request) -> str:
    """Return the operation that a call asks for."""
    if target := request.headers.get("x-amz-target"):
        return target.rpartition(".")[2]
    if action := parse_qs(request.get_text() or "").get("Action"):
        return action[0]
    return REST_OPERATIONS[service_of(request), request.method]


def refusal(request: http.Request, fault: str) -> http.Response:
    """Return an error as the service words it."""
    service = service_of(request)
    status, code, message = ERRORS[fault]
    status, code = OWN_CODES.get((service, fault), (status, code))
    if "x-amz-target" in request.headers:
        body = json.dumps({"__type": code, "message": message})
        return http.Response.make(status, body, {"Content-Type": "application/x-amz-json-1.1"})
    error = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    if service == "ec2":
        error = f"<Response><Errors>{error}</Errors><RequestID>1</RequestID></Response>"
    elif service != "s3":
        error = f"<ErrorResponse>{error}<RequestId>1</RequestId></ErrorResponse>"
    return http.Response.make(status, error, {"Content-Type": "text/xml"})


class Spoiler:
    """Spoils calls before they reach AWS, or their answers."""

    def __init__(self) -> None:
        self._text = ""
        self._order: dict[str, Any] = {}
        self._seen: Counter[str] = Counter()

    def load(self, loader: Any) -> None:
        """Add the option."""
        loader.add_option("order", str, "", "The file that says what to spoil")

    async def request(self, flow: http.HTTPFlow) -> None:
        """Spoil a call, or leave it for its answer."""
        fault = self._fault(operation_of(flow.request))
        if fault == "lost call":
            flow.kill()
        elif fault == "slow":
            await asyncio.sleep(DELAY)
        elif fault in ERRORS:
            flow.response = refusal(flow.request, fault)
        flow.metadata["fault"] = fault

    def response(self, flow: http.HTTPFlow) -> None:
        """Lose an answer."""
        if flow.metadata.get("fault") == "lost answer":
            flow.kill()

    def _fault(self, operation: str) -> str:
        file = Path(ctx.options.order)
        if (text := file.read_text(encoding="utf-8")) != self._text:
            self._text, self._order = text, json.loads(text)
            self._seen.clear()
        order = self._order
        if not order["fault"] or (order["operations"] and operation not in order["operations"]):
            return ""
        self._seen[operation] += 1
        if 0 < order["first"] < self._seen[operation]:
            return ""
        with file.with_suffix(".log").open("a", encoding="utf-8") as log:
            log.write(f"{operation}\n")
        return str(order["fault"])


addons = [Spoiler()]
