# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""HTTP as Jetty and Restlet speak it in Dicoogle: what comes before and after a route."""

from __future__ import annotations

import html
import json
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote

RESTLET = ("/ext", "/legacy")
LONGEST_FORM = 3_325_000
LONGEST_LINE = 8192
RESTLET_NAME = "Restlet-Framework/@major-number@.@minor-number@@release-type@@release-number@"
JSON, HTML = "application/json;charset=UTF-8", "text/html;charset=ISO-8859-1"
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE")


@dataclass
class Request:
    """What a route is asked."""

    method: str
    path: str
    rest: list[str]  # the parts of the path below the route
    parameters: dict[str, list[str]]
    authorization: str | None
    host: str

    def all(self, name: str) -> list[str]:
        """Return all values of a parameter."""
        return self.parameters.get(name, [])

    def get(self, name: str) -> str | None:
        """Return the first value of a parameter."""
        return next(iter(self.all(name)), None)


@dataclass
class Reply:
    """What a route answers."""

    status: int = 200
    body: bytes = b""
    kind: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    reason: str | None = None


class ServletError(Exception):
    """An answer that Jetty writes as a page: a status and why."""

    def __init__(self, status: int, reason: str = "") -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason or HTTPStatus(status).phrase


Route = Callable[[Request], Reply]


def as_json(content: Any, status: int = 200) -> Reply:
    """Answer with JSON."""
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
    return Reply(status, text.encode(), JSON)


def error_json(status: int, message: str) -> Reply:
    """Answer with JSON that says what is wrong."""
    return as_json({"error": message}, status)


def page(status: int, path: str, reason: str) -> bytes:
    """Write Jetty's page of an error."""
    return (
        "<html>\n<head>\n"
        '<meta http-equiv="Content-Type" content="text/html;charset=ISO-8859-1"/>\n'
        f"<title>Error {status} {html.escape(reason)}</title>\n</head>\n<body>\n"
        f"<h2>HTTP ERROR: {status}</h2>\n<p>Problem accessing {html.escape(path)}. Reason:\n"
        f"<pre>    {html.escape(reason)}</pre></p>\n"
        "<hr /><i><small>Powered by Jetty://</small></i>\n</body>\n</html>\n"
    ).encode()


def status_page(status: int) -> Reply:
    """Answer with Restlet's page of an error."""
    phrase = HTTPStatus(status).phrase
    body = (
        "<html>\n<head>\n   <title>Status page</title>\n</head>\n"
        '<body style="font-family: sans-serif;">\n'
        f'<p style="font-size: 1.2em;font-weight: bold;margin: 1em 0px;">{phrase}</p>\n'
        "<p>You can get technical details <a href="
        f'"http://www.w3.org/Protocols/rfc2616/rfc2616-sec10.html#sec10.4.{status % 100 + 1}"'
        ">here</a>.<br>\nPlease continue your visit at our "
        '<a href="/">home page</a>.\n</p>\n</body>\n</html>\n'
    )
    return Reply(status, body.encode(), "text/html; charset=UTF-8")


def canonical(path: str) -> str | None:
    """Return the path that a servlet is chosen by; nothing above the root."""
    kept: list[str] = []
    for part in unquote(path.partition("?")[0]).split("/"):
        part = part.partition(";")[0]
        if part == "..":
            if len(kept) < 2:
                return None
            kept.pop()
        elif part != ".":
            kept.append(part)
    return "/".join(kept) or "/"


class WebServer(ThreadingHTTPServer):
    """Serves routes: by exact path, or by prefix where the name ends in /*."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], routes: dict[str, dict[str, Route]]) -> None:
        self.routes = routes
        super().__init__(address, Handler)

    def find(self, path: str) -> tuple[dict[str, Route], list[str]] | None:
        """Return the methods of the route of a path, and what follows it."""
        if path in self.routes:
            return self.routes[path], []
        for name, methods in self.routes.items():
            base = name.removesuffix("/*")
            if name.endswith("/*") and (path == base or path.startswith(f"{base}/")):
                return methods, [each for each in path[len(base) + 1 :].split("/") if each]
        return None


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: WebServer
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16

    def setup(self) -> None:
        """Send answers at once."""
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def handle_one_request(self) -> None:
        """Read one request and answer it."""
        try:
            self.raw_requestline = self.rfile.readline(LONGEST_LINE + 2)
            self.close_connection = True
            if not self.raw_requestline:
                return
            if len(self.raw_requestline) > LONGEST_LINE:
                self._send(Reply(414, reason="Request-URI Too Long"), "HTTP/1.1")
                return
            if len(self.raw_requestline.split()) < 2:
                self._send(Reply(400, reason="No URI"), "HTTP/1.1")
                return
            if self.parse_request():
                self.path = self.requestline.split()[1]  # with all its slashes
                self._answer()
            self.wfile.flush()
        except OSError:
            self.close_connection = True

    def _answer(self) -> None:
        restlet = self.path.startswith(tuple(f"{each}/" for each in RESTLET))
        host = self.headers.get("Host")
        if host is None and self.request_version == "HTTP/1.1":
            self.close_connection = True
            self._send(Reply(400, reason="No Host"), self.request_version)
            return
        if restlet and host is None:
            self._send(status_page(404), self.request_version)
            return
        try:
            reply = self._route(host or "")
        except ServletError as error:
            body = page(error.status, self.path.partition("?")[0], error.reason)
            reply = Reply(error.status, body, HTML, reason=error.reason)
        except BrokenPipeError:
            raise
        except Exception as error:  # as the real one: a page, whatever went wrong
            reason = f"java.lang.RuntimeException: {type(error).__name__}: {error}"
            reply = Reply(500, page(500, self.path, reason), HTML, reason="Server Error")
        self._send(reply, self.request_version, restlet=restlet)

    def _route(self, host: str) -> Reply:
        raw = self.path.partition("?")[0]
        restlet = raw.startswith(tuple(f"{each}/" for each in RESTLET))
        path = raw if restlet else canonical(raw)
        found = self.server.find("/" if path is None else path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if found is None:
            if restlet:
                return status_page(404)
            raise ServletError(404)
        methods, rest = found
        asked = "GET" if self.command == "HEAD" else self.command
        if asked == "OPTIONS" and not restlet:
            allowed = [each for each in METHODS if each in methods]
            names = ", ".join([*allowed, "HEAD"] if "GET" in allowed else allowed)
            return Reply(headers={"Allow": f"{names}, TRACE, OPTIONS"})
        if asked not in methods:
            if restlet:
                return status_page(405)
            if asked not in METHODS:
                raise ServletError(501, f"Method {asked} is not defined in RFC 2068")
            kind = "HTTP method" if asked in ("GET", "POST") else "Http method"
            raise ServletError(405, f"{kind} {asked} is not supported by this URL")
        parameters = parse_qs(self.path.partition("?")[2], keep_blank_values=True)
        if asked == "POST":
            if len(body) > LONGEST_FORM:
                raise ServletError(
                    500, f"java.lang.IllegalStateException: Form too large{len(body)}"
                )
            for name, values in parse_qs(body.decode(), keep_blank_values=True).items():
                parameters.setdefault(name, []).extend(values)
        token = self.headers.get("Authorization")
        return methods[asked](Request(asked, raw, rest, parameters, token, host))

    def _send(self, reply: Reply, version: str, *, restlet: bool = False) -> None:
        if version == "HTTP/0.9":
            self.wfile.write(reply.body)
            return
        reason = reply.reason or HTTPStatus(reply.status).phrase
        self.send_response_only(reply.status, reason.replace("\n", " "))
        if reply.kind:
            self.send_header("Content-Type", reply.kind)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.status != 204:
            self.send_header("Content-Length", str(len(reply.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.send_header("Server", RESTLET_NAME if restlet else "Jetty(9.0.z-SNAPSHOT)")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)
        self.wfile.flush()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what is no request, without a page."""
        self.close_connection = True
        self._send(Reply(413 if code == 431 else 400, reason=message), "HTTP/1.1")

    def log_message(self, *_: object) -> None:
        """Say nothing, as Jetty."""
