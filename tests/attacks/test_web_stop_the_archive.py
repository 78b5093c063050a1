# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An attacker without a certificate wants the web page and its health checks to stop answering.

Everybody on the network reaches the management entrance, whose health decides nothing.
"""

from __future__ import annotations

import resource
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from support.image_entry_points import needs_nginx
from support.running_nginx import Proxy, Upstream, an_upstream, running_nginx

CONNECTIONS = 4096  # that the management entrance takes
SECONDS = 10  # for the handshake and the head of a request, 5 each
HALF_A_REQUEST = b"GET / HTTP/1.1\r\nHost: h\r\nX: "

pytestmark = needs_nginx


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with an_upstream() as dicoogle:
        yield dicoogle


@pytest.fixture
def proxy(upstream: Upstream) -> Iterator[Proxy]:
    with running_nginx(upstream.port) as nginx:
        yield nginx


@pytest.fixture
def hold(proxy: Proxy) -> Iterator[Callable[..., list[socket.socket]]]:
    """Return hold(count, sent), which holds connections to the management entrance."""
    own, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(own, min(most, 8192)), most))
    held: list[socket.socket] = []
    context = ssl._create_unverified_context()

    def hold(count: int, sent: bytes = b"") -> list[socket.socket]:
        for _unused in range(count):
            connection = socket.create_connection(("127.0.0.1", proxy.management_port), 60)
            held.append(connection)
            if sent:
                with suppress(OSError):  # taken before, and dropped as too many
                    held[-1] = context.wrap_socket(connection)
                    held[-1].sendall(sent)
        return held

    yield hold
    for connection in held:
        connection.close()


def answers(proxy: Proxy) -> list[int]:
    """What the web entrance says, each within a second."""
    said = []
    for path in ("/healthz", "/readyz", "/search?query=x"):
        asked = time.monotonic()
        said.append(proxy.status(path))
        assert time.monotonic() - asked < 1
    return said


def test_as_many_connections_to_the_management_entrance_as_it_takes_leave_the_web_page_alone(
    proxy: Proxy, hold: Callable[..., list[socket.socket]]
) -> None:
    hold(CONNECTIONS + 1000)
    assert answers(proxy) == [200, 200, 200]


@pytest.mark.parametrize(("count", "sent"), [(3000, b""), (200, HALF_A_REQUEST)])
def test_fewer_keep_no_administrator_out(
    proxy: Proxy, hold: Callable[..., list[socket.socket]], count: int, sent: bytes
) -> None:
    hold(count, sent)
    assert proxy.status("/user", managing=True) == 200
    assert answers(proxy) == [200, 200, 200]


@pytest.mark.parametrize("sent", [b"", HALF_A_REQUEST])
def test_an_attacker_is_cut_off_soon(
    proxy: Proxy, hold: Callable[..., list[socket.socket]], sent: bytes
) -> None:
    held = hold(20, sent)
    time.sleep(SECONDS + 1)
    for connection in held:
        connection.settimeout(1)
        assert not connection.recv(1 << 16).partition(b"\r\n\r\n")[2]
    assert proxy.status("/user", managing=True) == 200


def test_slow_drops_of_a_request_gain_no_time(
    proxy: Proxy, hold: Callable[..., list[socket.socket]]
) -> None:
    (connection,) = hold(1, HALF_A_REQUEST)
    started = time.monotonic()
    with suppress(OSError):  # it is cut off
        while time.monotonic() - started < 60:
            connection.sendall(b"x")
            time.sleep(0.5)
    assert time.monotonic() - started < SECONDS + 2
