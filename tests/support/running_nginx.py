# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The real nginx with its configuration on loopback, and a stand-in for Dicoogle behind it."""

from __future__ import annotations

import http.client
import json
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from support.image_entry_points import NGINX, nginx_environment
from support.ports import await_port, free_port

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "M-SEARCH", "PROP_FIND")


@dataclass
class Upstream:
    """A stand-in for Dicoogle that says what it was asked, or serves a page that it is given."""

    port: int
    pages: dict[str, tuple[str, bytes]]
    requests: list[str] = field(default_factory=list)


@contextmanager
def an_upstream(pages: dict[str, tuple[str, bytes]] | None = None) -> Iterator[Upstream]:
    """Run a stand-in; its pages are type and content by path."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            noted.requests.append(f"{self.command} {self.path}")
            received = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            told = {"path": self.path, "headers": dict(self.headers), "body": received}
            content_type, body = noted.pages.get(
                self.path, ("application/json", json.dumps(told).encode())
            )
            moved = self.path == "/webui?moved"
            self.send_response(302 if moved else 200)
            if moved:
                self.send_header("Location", f"http://{self.headers['Host']}/webui/module/x")
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    for method in METHODS:
        setattr(Handler, f"do_{method}", Handler.answer)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    noted = Upstream(server.server_port, pages or {})
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield noted
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class Proxy:
    """The real nginx, started by the entry point."""

    port: int
    management_port: int
    certificate: Path
    run: Path
    process: subprocess.Popen[str]
    output: list[str]

    def ask(
        self,
        path: str,
        method: str = "GET",
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
        managing: bool = False,
        certificate: Path | None = None,
    ) -> tuple[http.client.HTTPResponse, str]:
        """Response and body of one request over TLS, at the web or the management entrance."""
        context = ssl._create_unverified_context()
        port = self.port
        if managing:
            context.load_cert_chain(certificate or self.certificate)
            port = self.management_port
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=60, context=context)
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        received = response.read().decode(errors="replace")
        connection.close()
        return response, received

    def status(
        self,
        path: str,
        method: str = "GET",
        headers: dict[str, str] | None = None,
        managing: bool = False,
    ) -> int:
        """Status of one request without a body."""
        return self.ask(path, method, headers, managing=managing)[0].status

    def handshake(self, *options: str) -> str:
        """What `openssl s_client` says of a handshake with these options."""
        done = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{self.port}", *options],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return f"{done.returncode} {done.stdout} {done.stderr}"

    def log(self, words: str) -> str:
        """The last line of the log that has these words, which may take a moment."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            lines = [line for line in list(self.output) if words in line]
            if lines:
                return lines[-1].rstrip("\n")
            time.sleep(0.01)
        raise AssertionError(f"{words!r} is not in the log: {''.join(self.output)}")

    def stop(self) -> int:
        """Ask it to end as a container engine does; its exit status, with its log complete."""
        self.process.terminate()
        return self.process.wait(timeout=60)


def self_signed(name: str = "localhost") -> str:
    """Certificate and key, PEM."""
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 "
        f"-subj /CN={name} -keyout - -out -"
    )
    return subprocess.run(command.split(), capture_output=True, text=True, check=True).stdout


def await_process_id(path: Path) -> None:
    """Return when nginx has written its process's number, after which it can be told to end."""
    deadline = time.monotonic() + 15
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < deadline, f"{path.name} is not there"
        time.sleep(0.01)


@contextmanager
def running_nginx(upstream_port: int, **settings: str) -> Iterator[Proxy]:
    """Start nginx by the entry point, with a fresh certificate that is an administrator's, too."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        run.mkdir()
        certificate = Path(folder) / "client.pem"
        certificate.write_text(self_signed())
        port, management_port = free_port(), free_port()
        process = subprocess.Popen(
            # Who runs the tests in the background of a shell has them ignore SIGQUIT.
            ["env", "--default-signal=QUIT", *NGINX],
            env={
                **nginx_environment(run),
                "NGINX_LISTEN_PORT": str(port),
                "NGINX_MANAGEMENT_PORT": str(management_port),
                "NGINX_ADMINISTRATORS": "localhost",
                "NGINX_UPSTREAM": f"127.0.0.1:{upstream_port}",
                "NGINX_CERTIFICATE": certificate.read_text(),
                "NGINX_PRIVATE_KEY": certificate.read_text(),
                "NGINX_CA_BUNDLE": certificate.read_text(),
                **settings,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        output: list[str] = []
        reader = threading.Thread(target=lambda: output.extend(process.stdout or ()), daemon=True)
        reader.start()
        try:
            for each, name in ((port, "web"), (management_port, "management")):
                await_port(each, process)
                await_process_id(run / f"{name}.pid")
            yield Proxy(port, management_port, certificate, run, process, output)
        finally:
            process.terminate()
            process.wait(timeout=60)
            reader.join(timeout=60)
