# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What has to be done to an embedded AWS, and doing it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from . import credentials, server, venv
from .layout import Layout, Record, source_digest
from .locks import exclusive, holder

LOCK_TIMEOUT = 700.0  # seconds to wait for another run that starts or stops the same server


@dataclass(frozen=True)
class Desired:
    """What the user wants: state is started, stopped or reset."""

    state: str
    source: Path
    port: int | None = None


@dataclass(frozen=True)
class Observed:
    """What there is. port and digest are those of the last start, None before the first."""

    pid: int | None
    port: int | None
    digest: str | None
    venv_ready: bool
    empty: bool
    has_key: bool

    @property
    def running(self) -> bool:
        """Whether the server runs."""
        return self.pid is not None


@dataclass(frozen=True)
class Outcome:
    """What was done, or would be in check mode, and what there is now."""

    actions: tuple[str, ...]
    before: Observed
    after: Observed


def observe(layout: Layout, source: Path) -> Observed:
    """Look at the files and at the lock of the server."""
    record = Record.read(layout.record)
    return Observed(
        pid=holder(layout.pid_file),
        port=record.port if record else None,
        digest=record.digest if record else None,
        venv_ready=venv.is_ready(layout.venv, source / "requirements.txt"),
        empty=layout.is_empty(),
        has_key=layout.credentials.exists(),
    )


def plan(desired: Desired, observed: Observed, digest: str) -> tuple[str, ...]:
    """Return the steps to take, in order: stop, clear, install, start."""
    if desired.state == "stopped":
        return ("stop",) if observed.running else ()
    start = ("start",) if observed.venv_ready else ("install", "start")
    if desired.state == "reset":
        if observed.empty:
            return ()
        return ("stop", "clear", *start) if observed.running else ("clear",)
    if not observed.running:
        return start
    same_port = desired.port in (None, observed.port)
    if observed.digest == digest and observed.venv_ready and observed.has_key and same_port:
        return ()
    return ("stop", *start)


def reach(desired: Desired, layout: Layout, check_mode: bool = False) -> Outcome:
    """Bring the embedded AWS into the desired state. Raises ModuleError."""
    digest = source_digest(desired.source)
    if check_mode:
        before = observe(layout, desired.source)
        return Outcome(plan(desired, before, digest), before, before)
    with exclusive(layout.lock, LOCK_TIMEOUT):
        before = observe(layout, desired.source)
        actions = plan(desired, before, digest)
        for action in actions:
            _STEPS[action](desired, layout, before, digest)
        return Outcome(actions, before, observe(layout, desired.source))


def _stop(_desired: Desired, layout: Layout, before: Observed, _digest: str) -> None:
    if before.pid is not None:
        server.stop(layout, before.pid)


def _clear(_desired: Desired, layout: Layout, _before: Observed, _digest: str) -> None:
    layout.clear()


def _install(desired: Desired, layout: Layout, _before: Observed, _digest: str) -> None:
    venv.ensure(layout.venv, desired.source / "requirements.txt")


def _start(desired: Desired, layout: Layout, before: Observed, digest: str) -> None:
    layout.make_private()
    credentials.ensure(layout.credentials)
    port = server.choose_port(desired.port, before.port)
    server.start(layout, desired.source, port, digest)


_STEPS = {"stop": _stop, "clear": _clear, "install": _install, "start": _start}
