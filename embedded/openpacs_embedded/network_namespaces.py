# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Network namespaces of tasks: sockets that live in them, used by a process outside.

A socket belongs to the namespace of the thread that made it, for good. So a thread of its own
enters the namespace, makes the socket and ends; everybody else may use the socket. Entering needs
root (CAP_SYS_ADMIN, see setns(2)).
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")
CLONE_NEWNET = 0x40000000  # sched.h
SIOCSIFADDR = 0x8916  # sockios.h: give an interface an address


class Namespace:
    """The network namespace of a process; it exists until it is closed, even without processes."""

    def __init__(self, pid: int | str = "self") -> None:
        """Hold the namespace. Raises OSError when there is no such process here."""
        self._descriptor = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)

    def close(self) -> None:
        """Let go of the namespace."""
        os.close(self._descriptor)

    def run(self, work: Callable[[], Result]) -> Result:
        """Do something inside. Raises PermissionError for those who may not enter."""

        def inside() -> Result:
            _enter(self._descriptor)
            return work()

        with ThreadPoolExecutor(1) as thread:
            return thread.submit(inside).result()

    def socket(self) -> socket.socket:
        """Return a new TCP socket of the namespace."""
        return self.run(tcp_socket)

    def add_address(self, address: str) -> None:
        """Give the loopback interface one more address."""
        self.run(lambda: _add_address(address))


def may_enter() -> bool:
    """Return whether this process may enter network namespaces."""
    namespace = Namespace()
    try:
        namespace.run(lambda: None)
    except OSError:
        return False
    finally:
        namespace.close()
    return True


def tcp_socket() -> socket.socket:
    """Return a socket for asyncio."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setblocking(False)
    return made


def _enter(descriptor: int) -> None:
    if ctypes.CDLL(None, use_errno=True).setns(descriptor, CLONE_NEWNET) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def _add_address(address: str) -> None:
    family_and_port = struct.pack("=HH", socket.AF_INET, 0)
    request = struct.pack(
        "16s4s4s8x", b"lo:1", family_and_port, socket.inet_aton(address)
    )  # struct ifreq
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, SIOCSIFADDR, request)
