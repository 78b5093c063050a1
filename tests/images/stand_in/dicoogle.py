# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A stand-in for Dicoogle in tests of its image: it listens where server.xml says, and no more."""

from __future__ import annotations

import json
import signal
import socketserver
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.etree import ElementTree


class Web(BaseHTTPRequestHandler):
    """Tells a version, as Dicoogle does at /ext/version."""

    def do_GET(self) -> None:
        """Answer with the version."""
        self.send_response(200 if self.path == "/ext/version" else 404)
        self.end_headers()
        self.wfile.write(json.dumps({"version": "stand-in"}).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def listen(path: str, handler: type[socketserver.BaseRequestHandler]) -> None:
    """Serve at the address of the element of server.xml."""
    element = ElementTree.parse("confs/server.xml").getroot().find(path)
    assert element is not None
    address = (element.get("hostname", "0.0.0.0"), int(element.get("port", "0")))
    server: socketserver.TCPServer
    if handler is Web:
        server = ThreadingHTTPServer(address, handler)
    else:
        server = socketserver.ThreadingTCPServer(address, handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def stop(*_: object) -> None:
    """Leave as Java does when it is asked to."""
    print("STAND-IN: asked to stop", flush=True)
    sys.exit(0)


print("STAND-IN: this is not Dicoogle, it only listens where Dicoogle would", flush=True)
signal.signal(signal.SIGTERM, stop)
listen("web-server", Web)
listen("dicom-services/storage", socketserver.BaseRequestHandler)
listen("dicom-services/query-retrieve", socketserver.BaseRequestHandler)
while True:
    signal.pause()
