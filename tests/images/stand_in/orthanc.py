# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A stand-in for Dicoogle in tests of the data plane: Orthanc, run by Dicoogle's configuration.

It reads the files that the image renders for Dicoogle, listens at the three addresses in them and
keeps its images and its index where they say. Unlike Dicoogle it accepts every storage class that
it knows, whatever the configuration lists, and does not watch a directory.

Of Dicoogle's web API it has what tells the version and what removes images.
"""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
import sys
from collections.abc import Callable, Coroutine
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import Request, urlopen
from xml.etree import ElementTree

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Answer = tuple[HTTPStatus, bytes]


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def text(path: str, element: str) -> str:
    """Return what an element of a configuration file holds."""
    found = ElementTree.parse(path).getroot().findtext(element)
    assert found, f"{path} has no {element}"
    return found


def configuration(server: ElementTree.Element, dicom_port: int, web_port: int) -> dict[str, Any]:
    """Return Orthanc's configuration for a server.xml."""
    dicom = server.find("dicom-services")
    assert dicom is not None
    allowed = [str(each.text) for each in dicom.findall("allowed-aetitles")]
    everyone = {
        f"DicomAlwaysAllow{each}": not allowed for each in ("Echo", "Store", "Find", "Move")
    }
    destinations = {
        each.attrib["aetitle"]: [
            each.attrib["aetitle"],
            each.attrib["address"],
            int(each.attrib["port"]),
        ]
        for each in dicom.iterfind("move-destinations/move-destination")
    }
    return {
        "Name": "STAND-IN for Dicoogle",
        "DicomAet": dicom.findtext("aetitle"),
        "DicomCheckCalledAet": True,
        "DicomModalities": {title: [title, "127.0.0.1", 104] for title in allowed} | destinations,
        "DicomPort": dicom_port,
        "DicomScpTimeout": 300,
        "HttpPort": web_port,
        "IndexDirectory": text("Plugins/settings/luceneset.xml", "indexer/path"),
        "KeepAlive": False,  # one connection, one request: see Web
        "MaximumPduLength": 131072,
        "OverwriteInstances": True,
        "StorageDirectory": text("Plugins/settings/file-storage.xml", "root-dir"),
        **everyone,
    }


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on everything that is read, and then that it has ended."""
    try:
        while data := await reader.read(1 << 18):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except OSError:
        writer.close()


async def forward(port: int, *client: Any, begin: bytes = b"") -> None:
    """Join a client to Orthanc's port.

    Orthanc waits for one client after the other to say who it is, so it is not to see the silent.
    """
    begin = begin or await client[0].read(1 << 18)
    orthanc: Stream = await asyncio.open_connection("127.0.0.1", port)
    orthanc[1].write(begin)
    await asyncio.gather(copy(client[0], orthanc[1]), copy(orthanc[0], client[1]))
    orthanc[1].close()
    client[1].close()


class Web:
    """Dicoogle's web API on top of Orthanc's.

    In Orthanc an image leaves the index with its file, so entries without a file are kept here.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.without_file: set[str] = set()
        self.routes: dict[tuple[str, str], Callable[[dict[str, str]], Answer]] = {
            ("GET", "/ext/version"): lambda _fields: as_json({"version": "stand-in"}),
            ("GET", "/search"): self.search,
            ("GET", "/legacy/file"): self.file,
            ("POST", "/management/tasks/remove"): self.remove,
            ("POST", "/management/tasks/unindex"): self.unindex,
        }

    def search(self, fields: dict[str, str]) -> Answer:
        """Find an image by its UID."""
        uid = fields["query"].removeprefix("SOPInstanceUID:").strip('"')
        image = {"uri": f"file:///data/images/{uid}.dcm", "fields": {"SOPInstanceUID": uid}}
        found = [image] if uid in self.without_file or self.instances(uid) else []
        return as_json({"results": found, "elapsedTime": 0, "numResults": len(found)})

    def file(self, fields: dict[str, str]) -> Answer:
        """Return the file of an image, if it is there."""
        for instance in self.instances(fields["uid"]):
            return HTTPStatus.OK, self.orthanc("GET", f"{instance}/file")
        return HTTPStatus.NO_CONTENT, b""

    def remove(self, fields: dict[str, str]) -> Answer:
        """Delete the file of an image."""
        uid = Path(fields["uri"]).stem
        for instance in self.instances(uid):
            self.orthanc("DELETE", instance)
            self.without_file.add(uid)
        return HTTPStatus.OK, b""

    def unindex(self, fields: dict[str, str]) -> Answer:
        """Take an image out of the index."""
        self.without_file.discard(Path(fields["uri"]).stem)
        return as_json({"indexed": 1, "failed": 0, "notFound": 0})

    def instances(self, uid: str) -> list[str]:
        """Return the paths of an image in Orthanc."""
        found = json.loads(self.orthanc("POST", "/tools/lookup", uid.encode()))
        return [each["Path"] for each in found if each["Type"] == "Instance"]

    def orthanc(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """Ask Orthanc itself."""
        request = Request(f"http://127.0.0.1:{self.port}{path}", body, method=method)
        with urlopen(request) as answer:
            return bytes(answer.read())

    async def serve(self, *client: Any) -> None:
        """Answer as Dicoogle does, and leave every other request to Orthanc."""
        try:
            begin = await client[0].readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:  # somebody has only looked whether anything listens
            client[1].close()
            return
        method, target, _version = begin.partition(b"\r\n")[0].decode().split()
        url = urlsplit(target)
        route = self.routes.get((method, url.path))
        if route is None:
            await forward(self.port, *client, begin=begin)
            return
        query = url.query or (await client[0].readexactly(content_length(begin))).decode()
        fields = {name: values[-1] for name, values in parse_qs(query).items()}
        status, body = await asyncio.to_thread(route, fields)
        head = f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Length: {len(body)}\r\n"
        client[1].write(f"{head}Connection: close\r\n\r\n".encode() + body)
        client[1].close()


def as_json(content: dict[str, Any]) -> Answer:
    """Return an answer that holds an object."""
    return HTTPStatus.OK, json.dumps(content).encode()


def content_length(head: bytes) -> int:
    """Return how many bytes follow the head of a request."""
    found = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
    return int(found[1]) if found else 0


def kept(handler: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Keep the tasks of a server's connections, of which asyncio itself forgets some."""
    tasks = set()

    def accept(*client: Any) -> None:
        tasks.add(task := asyncio.create_task(handler(*client)))
        task.add_done_callback(tasks.discard)

    return accept


async def answers(port: int) -> None:
    """Return when something listens on the port."""
    while True:
        try:
            _unused, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return


async def main() -> int:
    """Run Orthanc until it ends; its exit status."""
    server = ElementTree.parse("confs/server.xml").getroot()
    dicom_port, web_port = free_port(), free_port()
    file = Path("confs", "orthanc.json").resolve()
    file.write_text(json.dumps(configuration(server, dicom_port, web_port)))
    orthanc = await asyncio.create_subprocess_exec("Orthanc", str(file))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, orthanc.terminate)
    ended = asyncio.create_task(orthanc.wait())
    ready = asyncio.gather(answers(dicom_port), answers(web_port))
    await asyncio.wait([ended, ready], return_when=asyncio.FIRST_COMPLETED)
    ready.cancel()
    for element, handler in {
        "web-server": Web(web_port).serve,
        "dicom-services/storage": partial(forward, dicom_port),
        "dicom-services/query-retrieve": partial(forward, dicom_port),
    }.items():
        address = server.find(element)
        assert address is not None
        host, port = address.get("hostname"), int(address.attrib["port"])
        await asyncio.start_server(kept(handler), host, port)
    return await ended


if __name__ == "__main__":
    print("STAND-IN: this is not Dicoogle but Orthanc in its place, for tests only", flush=True)
    status = asyncio.run(main())
    print(f"STAND-IN: Orthanc has ended with {status}", flush=True)
    sys.exit(status)
