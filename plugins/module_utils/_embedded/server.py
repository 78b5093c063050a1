# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Starting and stopping the process of an embedded AWS."""

from __future__ import annotations

import http.client
import os
import signal
import socket
from pathlib import Path

from .._deadline import LOCAL, Deadline, DeadlineError
from .._errors import ModuleError
from .layout import Layout, Record, replace_text
from .locks import holder
from .processes import exit_code, spawn

HOST = "127.0.0.1"
REGION = "us-east-1"
START_TIMEOUT = 60.0  # seconds until the server answers
STOP_TIMEOUT = 90.0  # seconds to finish stack operations, to stop containers and to save
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG")


def endpoint_url(port: int) -> str:
    """Return the URL of the endpoint."""
    return f"http://{HOST}:{port}"


def start(layout: Layout, source: Path, port: int, digest: str) -> int:
    """Start the server, wait until it answers and return its process id.

    Raises ModuleError with the server's last lines when it dies or does not answer.
    """
    command = [
        str(layout.venv / "bin" / "python"),
        *("-m", "openpacs_embedded"),
        *("--port", str(port)),
        *("--data", str(layout.data)),
        *("--pid-file", str(layout.pid_file)),
        *("--credentials", str(layout.credentials)),
    ]
    pid = spawn(command, _environment(source), layout.server_log)
    _wait_until_it_answers(pid, layout, port)
    Record(port=port, digest=digest).write(layout.record)
    replace_text(layout.endpoint, endpoint_url(port) + "\n")
    return pid


def stop(layout: Layout, pid: int) -> None:
    """Let the server save its state and end. Raises ModuleError when it does not end."""
    os.kill(pid, signal.SIGTERM)
    deadline = Deadline(
        STOP_TIMEOUT, f"See {layout.server_log}, or end it with: kill -9 {pid}", LOCAL
    )
    deadline.poll(
        f"the embedded AWS (process {pid}) to end",
        lambda: True if holder(layout.pid_file) != pid else None,
    )


def is_free(port: int) -> bool:
    """Return whether a server could listen on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def choose_port(wanted: int | None, remembered: int | None) -> int:
    """Return the wanted port, else the remembered one if it is free, else any free one.

    Raises ModuleError when the wanted port is taken.
    """
    if wanted is not None:
        if is_free(wanted):
            return wanted
        raise ModuleError(
            f"port {wanted} on {HOST} is taken by another program; "
            "give another port, or none to have a free one chosen"
        )
    if remembered is not None and is_free(remembered):
        return remembered
    return free_port()


def _environment(source: Path) -> dict[str, str]:
    passed_on = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return {**passed_on, "PYTHONPATH": str(source), "PYTHONDONTWRITEBYTECODE": "1"}


def _wait_until_it_answers(pid: int, layout: Layout, port: int) -> None:
    def answer() -> bool | None:
        if _answers(port):
            return True
        if exit_code(pid) is not None:
            raise ModuleError(f"the embedded AWS ended while it started:\n{_last_lines(layout)}")
        return None

    try:
        Deadline(START_TIMEOUT, bounds=LOCAL).poll("the embedded AWS to answer", answer)
    except DeadlineError as error:
        os.kill(pid, signal.SIGTERM)
        raise ModuleError(f"{error} It printed:\n{_last_lines(layout)}") from error


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/_ministack/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _last_lines(layout: Layout) -> str:
    lines = layout.server_log.read_text(errors="replace").splitlines()
    return "\n".join(lines[-15:]) or "nothing"
