# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The keeper's page, on the loopback network only; nginx lets administrators through to it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import parse_qs

LONGEST_FORM = 8192  # bytes


class RefusedError(Exception):
    """What was asked for cannot be done."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


class Subject(Protocol):
    """Who the page is of."""

    def status(self) -> dict[str, Any]:
        """Return what there is to say."""

    def request_reindex(self, path: str | None) -> None:
        """Begin to index a folder again, None for all.

        Raises RefusedError: it cannot.
        """


@contextmanager
def serving(port: int, subject: Subject) -> Iterator[None]:
    """Answer while the context lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/keeper/status":
                self._answer(HTTPStatus.OK, subject.status())
            else:
                self._answer(HTTPStatus.NOT_FOUND, {"error": "There is /keeper/status only."})

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            form = parse_qs(self.rfile.read(min(length, LONGEST_FORM)).decode(errors="replace"))
            if self.path != "/keeper/reindex":
                self._answer(HTTPStatus.NOT_FOUND, {"error": "There is /keeper/reindex only."})
                return
            try:
                subject.request_reindex(form["path"][-1] if "path" in form else None)
            except RefusedError as error:
                self._answer(error.status, {"error": str(error)})
            else:
                self._answer(HTTPStatus.ACCEPTED, subject.status())

        def _answer(self, status: HTTPStatus, content: dict[str, Any]) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Leave the log to what matters."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
