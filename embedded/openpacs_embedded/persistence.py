# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""State that survives a restart, and a kill, of the server.

A snapshot is one folder with a JSON file per service. It is written beside the current one and
becomes current by the renaming of a symbolic link, so a kill at any moment leaves a whole
snapshot. Snapshots are taken only while no stack is being changed: after a kill the server knows
every stack as it was before an operation, never half an operation.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ministack import app
from ministack.core import persistence
from ministack.services import cloudformation

from openpacs_embedded.patching import replace

INTERVAL = 1.0  # seconds between two looks whether there is something to save
logger = logging.getLogger("openpacs.persistence")
_unsaved = False


def register_store(name: str, store: Any) -> None:
    """Persist a store (AccountRegionScopedDict) of ours together with the stacks."""
    cloudformation._PERSISTED_STORES += ((lambda: store, name),)


def note_change() -> None:
    """Note that a request may have changed something."""
    global _unsaved
    _unsaved = True


def is_quiet() -> bool:
    """Whether no stack operation is running."""
    stacks = list(cloudformation._stacks._data.values())
    return not any(
        stack["StackStatus"].endswith("_IN_PROGRESS")
        and stack["StackStatus"] != "REVIEW_IN_PROGRESS"
        for stack in stacks
    )


async def save_regularly() -> None:
    """Take a snapshot whenever something has changed and no stack operation is running."""
    while True:
        await asyncio.sleep(INTERVAL)
        if _unsaved and is_quiet():
            save_all(None, app._build_persistence_save_dict())


async def wait_until_quiet(timeout: float) -> None:
    """Wait for running stack operations, at most timeout seconds."""
    deadline = asyncio.get_running_loop().time() + timeout
    while not is_quiet() and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(0.05)


def save_all(_original: Any, services: dict[str, Callable[[], Any]]) -> None:
    """Take a snapshot of the services; without one, the previous snapshot stays."""
    global _unsaved
    if not _unsaved:
        return
    if not is_quiet():
        logger.warning("a stack operation is running; its stack stays saved as it was before")
        return
    try:
        states = {name: get_state() for name, get_state in services.items()}
        _write_snapshot({name: state for name, state in states.items() if state is not None})
        _unsaved = False
    except Exception:
        logger.exception("the state could not be saved; the previous snapshot stays")


def load_state(_original: Any, service: str) -> Any:
    """Return what the current snapshot holds of a service, None when it holds nothing."""
    file = _current() / f"{service}.json"
    if not file.exists():
        return None
    return json.loads(file.read_text(), object_hook=persistence._json_object_hook)


def reset_all_state(original: Callable[[], None]) -> None:
    """Forget everything, the snapshots included."""
    original()
    shutil.rmtree(_snapshots(), ignore_errors=True)


def _snapshots() -> Path:
    return Path(persistence.STATE_DIR) / "snapshots"


def _current() -> Path:
    return _snapshots() / "current"


def _write_snapshot(states: dict[str, Any]) -> None:
    current = _current()
    previous = current.resolve() if current.exists() else None
    number = int(previous.name) + 1 if previous else 1
    folder = _snapshots() / str(number)
    shutil.rmtree(folder, ignore_errors=True)  # the rest of a snapshot cut short by a kill
    folder.mkdir(parents=True)
    for name, state in states.items():
        with (folder / f"{name}.json").open("w") as file:
            json.dump(state, file, default=persistence._json_default)
    for old in previous.iterdir() if previous else ():
        if not (folder / old.name).exists():  # of a service that nobody has called since start
            os.link(old, folder / old.name)
    link = _snapshots() / "next"
    link.unlink(missing_ok=True)
    link.symlink_to(folder.name)
    link.replace(current)
    if previous:
        shutil.rmtree(previous)


def install() -> None:
    """Save and load through snapshots."""
    replace("save_all", save_all, app)
    replace("load_state", load_state, app)
    replace("_reset_all_state", reset_all_state, app)
