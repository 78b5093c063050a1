# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Forward TCP connections, between network namespaces too: what a load balancer does."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future

from openpacs_embedded.network_namespaces import Namespace, tcp_socket

Connect = Callable[[], Awaitable[socket.socket]]
BUFFER = 1 << 18  # bytes
BACKLOG = 128


class Forwarder:
    """A thread that moves bytes. Its methods may be called from any other thread."""

    def __init__(self) -> None:
        """Start the thread; it ends with the program."""
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="forwarder", daemon=True).start()

    def open(
        self, address: tuple[str, int], connect: Connect, namespace: Namespace | None
    ) -> OpenPort:
        """Listen at the address, in the namespace, and lead each connection to what connect opens.

        Raises OSError when the address cannot be had. A connection for which connect raises
        OSError is closed.
        """
        listener = namespace.socket() if namespace else tcp_socket()
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(BACKLOG)
        except OSError:
            listener.close()
            raise
        serving = asyncio.run_coroutine_threadsafe(_serve(listener, connect), self._loop)
        return OpenPort(serving)


class OpenPort:
    """A listening socket and the connections that came through it."""

    def __init__(self, serving: Future[None]) -> None:
        """Made by Forwarder.open."""
        self._serving = serving

    def close(self) -> None:
        """Stop listening and end the connections."""
        self._serving.cancel()


async def connect_to(address: tuple[str, int], namespace: Namespace | None) -> socket.socket:
    """Open a connection, in the namespace. Raises OSError."""
    server = namespace.socket() if namespace else tcp_socket()
    try:
        await asyncio.get_running_loop().sock_connect(server, address)
    except BaseException:
        server.close()
        raise
    return server


async def _serve(listener: socket.socket, connect: Connect) -> None:
    relays: set[asyncio.Task[None]] = set()
    try:
        while True:
            client, _unused = await asyncio.get_running_loop().sock_accept(listener)
            relay = asyncio.create_task(_relay(client, connect))
            relays.add(relay)
            relay.add_done_callback(relays.discard)
    finally:
        listener.close()
        for relay in relays:
            relay.cancel()


async def _relay(client: socket.socket, connect: Connect) -> None:
    with client:
        try:
            server = await connect()
        except OSError:
            return
        with server:
            for each in (client, server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                async with asyncio.TaskGroup() as both:
                    both.create_task(_pump(client, server))
                    both.create_task(_pump(server, client))
            except* OSError:
                pass  # one side has hung up; closing both tells the other


async def _pump(source: socket.socket, sink: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    while data := await loop.sock_recv(source, BUFFER):
        await loop.sock_sendall(sink, data)
    sink.shutdown(socket.SHUT_WR)
