# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Run a module and show its progress while it waits. Private to this collection.

The module appends lines to a file, because Ansible shows what a module prints only when it has
ended. Where the module runs elsewhere or in the background, it runs without progress.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TextIO

from ansible.plugins.action.normal import ActionModule as NormalActionModule
from ansible.utils.display import Display

LOOK_EVERY = 1.0  # seconds
NAMES = 4  # of stacks in a line

display = Display()


class ActionModule(NormalActionModule):
    """Run the module as any other, with a file for its progress."""

    def run(self, tmp: str | None = None, task_vars: Any = None) -> dict[str, Any]:
        """Return the module's result."""
        arguments = self._task.args
        in_background = bool(self._task.async_val)
        if in_background or self._connection.transport != "local" or "progress_file" in arguments:
            return super().run(tmp, task_vars)
        with shown_progress() as progress_file:
            self._task.args = {**arguments, **self._added(progress_file)}
            try:
                return super().run(tmp, task_vars)
            finally:
                self._task.args = arguments

    def _added(self, progress_file: str) -> dict[str, Any]:
        """Return the options that a module of this machine gets besides those of its task."""
        return {"progress_file": progress_file}


@contextmanager
def shown_progress() -> Iterator[str]:
    """Show the lines that are appended to a file, whose path is given, until the end."""
    with TemporaryDirectory(prefix="openpacs-") as folder:
        path = Path(folder) / "progress"
        path.touch(mode=0o600)
        ended = threading.Event()
        with path.open(encoding="utf-8") as lines:
            thread = threading.Thread(target=_show, args=(lines, ended), daemon=True)
            thread.start()
            try:
                yield str(path)
            finally:
                ended.set()
                thread.join()


def merged(lines: Iterable[str]) -> list[str]:
    """Return the newest line, "time name: news", of each name, but one line for equal news."""
    newest: dict[str, tuple[str, str]] = {}
    for line in lines:
        when, _space, rest = line.rstrip().partition(" ")
        stack, _colon, status = rest.rpartition(": ")
        newest.pop(stack, None)
        newest[stack] = (when, status)
    stacks: dict[tuple[str, str], list[str]] = {}
    for stack, news in newest.items():
        stacks.setdefault(news, []).append(stack)
    return [f"{when} {_listed(names)}: {status}" for (when, status), names in stacks.items()]


def _listed(names: list[str]) -> str:
    more = len(names) - NAMES
    return ", ".join(names[:NAMES]) + (f" and {more} more" if more > 0 else "")


def _show(lines: TextIO, ended: threading.Event) -> None:
    running = True
    while running:
        running = not ended.wait(LOOK_EVERY)
        for line in merged(lines):
            display.display(f"  {line}")
