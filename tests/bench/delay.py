# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Pass connections on to a port, all bytes late by some milliseconds, as many as come.

python tests/bench/delay.py LISTEN TARGET MILLISECONDS
"""

from __future__ import annotations

import asyncio
import contextlib
import sys

CHUNK = 1 << 20


async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float) -> None:
    """Write what is read, in order, each piece that many seconds after it came."""
    now = asyncio.get_running_loop().time
    under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def arrive() -> None:
        while True:
            due, piece = await under_way.get()
            await asyncio.sleep(due - now())
            if not piece:
                writer.write_eof()
                return
            writer.write(piece)
            await writer.drain()

    arriving = asyncio.create_task(arrive())
    piece = b"-"
    while piece:
        piece = await reader.read(CHUNK)
        under_way.put_nowait((now() + seconds, piece))
    await arriving


async def serve(listen: int, target: int, seconds: float) -> None:
    """Listen until this is ended."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection("127.0.0.1", target, limit=CHUNK)
        with contextlib.suppress(ConnectionError):
            await asyncio.gather(carry(reader, there[1], seconds), carry(there[0], writer, seconds))
        for each in (writer, there[1]):
            each.close()

    server = await asyncio.start_server(connected, "127.0.0.1", listen, limit=CHUNK)
    await server.serve_forever()


if __name__ == "__main__":
    port, goal, milliseconds = map(int, sys.argv[1:])
    asyncio.run(serve(port, goal, milliseconds / 1000))
