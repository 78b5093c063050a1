# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A stand-in for Dicoogle in tests of the data plane: Orthanc, run by Dicoogle's configuration.

It reads the files that the image renders for Dicoogle, listens at the three addresses in them and
keeps its images and its index where they say. Unlike Dicoogle it accepts every storage class that
it knows, whatever the configuration lists, and does not watch a directory.
"""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

VERSION = json.dumps({"version": "stand-in"}).encode()
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


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
        "KeepAlive": False,  # one connection, one request: see serve_web
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


async def serve_web(port: int, *client: Any) -> None:
    """Tell a version, as Dicoogle does, and leave every other request to Orthanc."""
    request = await client[0].readline()
    if request.startswith(b"GET /ext/version "):
        client[1].write(ANSWER + b"Content-Length: %d\r\n\r\n%s" % (len(VERSION), VERSION))
        client[1].close()
    else:
        await forward(port, *client, begin=request)


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
        "web-server": partial(serve_web, web_port),
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
