# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""As much of Dicoogle's web API on 127.0.0.1 as the modules use, to test against.

As a program: dicoogle_web.py FOLDER [--image UID ...] [--sign-in URL]
It writes its port to FOLDER/port and serves until the folder is gone.
"""

from __future__ import annotations

import argparse
import json
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

Reply = tuple[int, dict[str, str], bytes]
JSON = {"Content-Type": "application/json"}


class DicoogleWeb:
    """Dicoogle with a folder of files and an index, which is a dictionary of URI to UID."""

    def __init__(self, folder: Path, context: ssl.SSLContext | None = None) -> None:
        self.folder = folder
        self.index: dict[str, str] = {}
        self.asked: list[str] = []
        self.replies: dict[str, Reply] = {}  # instead of its own, by path
        self.reindex: dict[str, Any] | None = None  # it goes on by a folder at each look
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        if context:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port: int = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        """Close the port."""
        self._server.shutdown()
        self._server.server_close()

    def add(self, uid: str) -> str:
        """Store and index an image; its URI."""
        path = self.folder / f"{uid}.dcm"
        path.write_bytes(bytes(128) + b"DICM")
        self.index[path.as_uri()] = uid
        return path.as_uri()

    def files(self) -> list[str]:
        """Return the names of the files of images."""
        return sorted(path.name for path in self.folder.glob("*.dcm"))

    def reply(self, method: str, path: str, fields: dict[str, str]) -> Reply:
        """Return status, headers and body, as Dicoogle 3.5 would."""
        self.asked.append(f"{method} {path}")
        if path in self.replies:
            return self.replies[path]
        match method, path:
            case "GET", "/ext/version":
                return 200, JSON, b'{"version": "3.5.1"}'
            case "GET", "/keeper/status":
                return 200, JSON, json.dumps(self.keeper()).encode()
            case "POST", "/keeper/reindex":
                return self._reindex(fields.get("path", "/data/images"))
            case "GET", "/dic2png":
                found = fields["SOPInstanceUID"] in self.index.values()
                return (200, {"Content-Type": "image/png"}, b"\x89PNG") if found else (500, {}, b"")
            case "GET", "/search":
                return 200, JSON, json.dumps(self._search(fields["query"])).encode()
            case "GET", "/legacy/file":
                return self._read(fields["uid"])
            case "POST", "/management/tasks/remove":
                _path(fields["uri"]).unlink(missing_ok=True)
                return 200, {}, b""
            case "POST", "/management/tasks/unindex":
                self.index.pop(fields["uri"], None)
                return 200, JSON, b'{"indexed": 1, "failed": 0, "notFound": 0}'
        return 404, {}, b""

    def keeper(self) -> dict[str, Any]:
        """Return what the keeper says."""
        if self.reindex and self.reindex["state"] == "running":
            self.reindex["folders_done"] += 1
            self.reindex["indexed"] += 10
            if self.reindex["folders_done"] == self.reindex["folders"]:
                self.reindex["state"] = "done"
        return {
            "not_findable": 0,
            "oldest_seconds": 0.0,
            "storage_open": True,
            "restarting": False,
            "index": "ok",
            "never_findable": [],
            "reindex": self.reindex,
        }

    def _reindex(self, path: str) -> Reply:
        if not path.startswith("/data/images"):
            error = {"error": f"{path} is no folder in /data/images."}
            return 400, JSON, json.dumps(error).encode()
        if self.reindex and self.reindex["state"] == "running":
            return (
                409,
                JSON,
                b'{"error": "A folder is being indexed again. Wait until it is done."}',
            )
        counts = {"folders": 2, "folders_done": 0, "indexed": 0, "errors": 0, "seconds": 0.1}
        self.reindex = {"path": path, "state": "running", **counts}
        return 202, JSON, json.dumps(self.keeper() | {"reindex": self.reindex}).encode()

    def _search(self, query: str) -> dict[str, Any]:
        found = [
            {"uri": uri, "fields": {"SOPInstanceUID": uid}}
            for uri, uid in self.index.items()
            if query == f'SOPInstanceUID:"{uid}"'
        ]
        return {"results": found, "elapsedTime": 1, "numResults": len(found)}

    def _read(self, uid: str) -> Reply:
        paths = [_path(uri) for uri, each in self.index.items() if each == uid]
        if paths and paths[-1].exists():
            return 200, {"Content-Type": "application/dicom"}, paths[-1].read_bytes()
        return 204, {}, b""


def _path(uri: str) -> Path:
    return Path(unquote(urlsplit(uri).path))


def _handler(dicoogle: DicoogleWeb) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            target = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            fields = parse_qs(body or target.query)
            status, headers, content = dicoogle.reply(
                self.command, target.path, {name: values[-1] for name, values in fields.items()}
            )
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _answer  # noqa: N815

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing."""

    return Handler


def main() -> None:
    """Serve as long as the folder exists."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--image", action="append", default=[], metavar="UID")
    parser.add_argument("--sign-in", metavar="URL")
    arguments = parser.parse_args()
    dicoogle = DicoogleWeb(arguments.folder)
    for uid in arguments.image:
        dicoogle.add(uid)
    if arguments.sign_in:
        to_sign_in: Reply = (302, {"Location": arguments.sign_in}, b"")
        dicoogle.replies = dict.fromkeys(("/ext/version", "/search"), to_sign_in)
    (arguments.folder / "port").write_text(str(dicoogle.port))
    while arguments.folder.exists():
        time.sleep(0.2)


if __name__ == "__main__":
    main()
