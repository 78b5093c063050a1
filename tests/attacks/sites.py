# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Another site on this machine, and a browser that finds any name here."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest


class Site(ThreadingHTTPServer):
    """A site over TLS that shows one page at every path, but leads from /login elsewhere."""

    def __init__(self, page: str, certificate: Path, login: str = "/") -> None:
        self.asked: list[str] = []
        self.done = threading.Event()  # the page has asked for /done
        site = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                site.asked.append(self.path)
                if self.path == "/done":
                    site.done.set()
                self.send_response(302 if self.path == "/login" else 200)
                self.send_header("Location", login)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(page.encode())

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        for method in ("GET", "POST"):
            setattr(Handler, f"do_{method}", Handler.answer)
        super().__init__(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self.socket = context.wrap_socket(self.socket, server_side=True)


@contextmanager
def running(site: Site) -> Iterator[Site]:
    """Serve the site."""
    with site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        try:
            yield site
        finally:
            site.shutdown()


@contextmanager
def open_in_browser(url: str, folder: Path) -> Iterator[None]:
    """Show a page as long as needed, with the browser's files in the folder."""
    program = shutil.which("chromium")
    if not program:
        pytest.skip("chromium is not installed (Debian: apt-get install chromium)")
    command = [
        *(program, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
        *("--ignore-certificate-errors", "--host-resolver-rules=MAP * 127.0.0.1"),
        *(f"--user-data-dir={folder}", "--remote-debugging-port=0", url),
    ]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as browser:
        try:
            yield
        finally:
            browser.terminate()
