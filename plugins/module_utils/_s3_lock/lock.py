# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Take a lock that is an object in S3, and release it. Private to this collection.

At most one run holds it: S3 writes it only where there is none, or over the one that was read. A
lock whose run has died is free when it expires, and at once where that death can be seen.
"""

from __future__ import annotations

import getpass
import json
import os
import platform
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from .._deadline import Deadline, DeadlineError
from .._errors import ModuleError
from . import api
from .api import Place, Stored

MOMENT = "%Y-%m-%d %H:%M:%S UTC"


@dataclass(frozen=True)
class Holder:
    """The run that holds a lock, as the object says.

    run: unlike that of any other run.
    process: the id of its process, None where nobody knows it.
    process_space: where this id means that process, "" where that cannot be told.
    duration: seconds after which the lock expires.
    """

    run: str
    user: str
    machine: str
    process: int | None
    process_space: str
    duration: int

    def __str__(self) -> str:
        process = f" in process {self.process}" if self.process else ""
        return f"{self.user} on {self.machine}{process}"


@dataclass(frozen=True)
class Held:
    """A lock that another run holds, or did."""

    holder: Holder
    stored: Stored

    def __str__(self) -> str:
        since = self.stored.since
        until = since + timedelta(seconds=self.holder.duration)
        return f"{self.holder}, since {since:{MOMENT}} and until {until:{MOMENT}} at most"


@dataclass(frozen=True)
class Taken:
    """A lock that this run holds.

    left_by: the dead run that held it before, if any.
    """

    etag: str
    left_by: Held | None = None


def this_run(process: int | None, duration: int) -> Holder:
    """Return this run as the holder of a lock."""
    return Holder(
        run=str(uuid.uuid4()),
        user=user(),
        machine=platform.node(),
        process=process,
        process_space=process_space(),
        duration=duration,
    )


def user() -> str:
    """Return who runs this, by number where a container gives no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"


def process_space() -> str:
    """Return what is the same wherever a process has the same id; Linux only, else ""."""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    return ""


def is_running(process: int) -> bool:
    """Tell whether there is a process with this id, of whatever user."""
    try:
        os.kill(process, 0)
    except OSError as error:
        return not isinstance(error, ProcessLookupError)
    return True


def is_free(held: Held, space: str, runs: Callable[[int], bool] = is_running) -> bool:
    """Tell whether the run that held a lock is dead, or has to be taken for it.

    space: the process space of this run.
    runs: tells whether a process of this space runs.
    """
    if held.stored.age > held.holder.duration:
        return True
    process = held.holder.process
    return process is not None and space == held.holder.process_space != "" and not runs(process)


def take(
    client: Any, place: Place, mine: Holder, deadline: Deadline, waits: Callable[[Held], None]
) -> Taken:
    """Take a lock, when it is free.

    waits: told of each run that is waited for.

    Raises DeadlineError: others held it all the time.
    """
    text = json.dumps(asdict(mine))
    seen: dict[str, Held] = {}

    def attempt() -> Taken | None:
        if etag := api.create(client, place, text):
            return Taken(etag)
        stored = api.read(client, place)
        if stored is None:
            return None
        held = Held(read_holder(place, stored.text), stored)
        if held.holder.run == mine.run:  # S3 had written it, and its answer was lost
            return Taken(stored.etag)
        if is_free(held, mine.process_space):
            etag = api.replace(client, place, text, stored.etag)
            return Taken(etag, held) if etag else None
        if held.holder.run not in seen:
            seen[held.holder.run] = held
            waits(held)
        return None

    try:
        return deadline.poll(f"the lock {place}", attempt)
    except DeadlineError as error:
        held_by = "".join(f" It was held by {held}." for held in list(seen.values())[-1:])
        raise DeadlineError(f"{error}{held_by}") from error


def release(client: Any, place: Place, etag: str) -> tuple[bool, Held | None]:
    """Release a lock that was taken; return whether it was there, and who else holds it now."""
    if api.delete(client, place, etag):
        return True, None
    stored = api.read(client, place)
    return False, Held(read_holder(place, stored.text), stored) if stored else None


def read_holder(place: Place, text: str) -> Holder:
    """Return the holder that a lock names.

    Raises ModuleError: the object is no lock.
    """
    try:
        return Holder(**json.loads(text))
    except (ValueError, TypeError) as error:
        message = f"The object {place} is no lock. Remove it or name another key."
        raise ModuleError(message) from error
