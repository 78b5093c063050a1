# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Callback that tells what a run does, step by step."""

from __future__ import annotations

DOCUMENTATION = r"""
name: story
type: stdout
short_description: Tell a run in a few dozen lines
version_added: 1.0.0
author:
  - openpacs contributors (@openpacs)
description:
  - Prints a line when a step begins, and a line when it ends that tells how long it took and what
    changed.
  - A step is what stands in the play itself, or there in a block with C(always). This is a task, a
    block that has a name, or a role with everything in it.
  - Within a step it prints messages of M(ansible.builtin.debug) as plain text, warnings,
    differences, and what is tried again. Everything else that succeeds is only counted.
  - Shows in full what fails, as P(ansible.builtin.default#callback) does.
  - From C(-v) on it shows each task as well.
notes:
  - O(display_ok_hosts) and O(display_skipped_hosts) matter from C(-v) on.
  - O(show_custom_stats) has no effect.
extends_documentation_fragment:
  - ansible.builtin.default_callback
  - ansible.builtin.result_format_callback
requirements:
  - set as stdout in configuration
"""

EXAMPLES = r"""
ansible.cfg: |
  [defaults]
  stdout_callback = openpacs.dicoogle.story
"""

import textwrap
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from ansible import constants
from ansible.plugins.callback.default import CallbackModule as DefaultCallback
from ansible.utils.fqcn import add_internal_fqcns

DEBUG = add_internal_fqcns(("debug",))
INDENT = "  "
NAMES = 3  # of what changed, in the line that ends a step


@dataclass
class Step:
    """What a step has done so far."""

    name: str = ""
    begun: float = field(default_factory=time.monotonic)
    ran: int = 0
    failed: int = 0
    changed: list[str] = field(default_factory=list)
    would_change: list[str] = field(default_factory=list)

    def outcome(self, now: float) -> str:
        """Return what is to be said when the step ends."""
        if not self.ran:
            return "skipped"
        took = duration(now - self.begun)
        said = [f"ended after {took}, {self.failed} failed" if self.failed else f"done in {took}"]
        for verb, parts in (("changed", self.changed), ("would change", self.would_change)):
            if parts:
                named = [part for part in dict.fromkeys(parts) if part != self.name]
                said.append(f"{verb}: {listed(named)}" if named else verb)
        return ", ".join(said)

    @property
    def color(self) -> str:
        """The colour of Ansible's for such an outcome."""
        if self.failed:
            return constants.COLOR_ERROR
        if not self.ran:
            return constants.COLOR_SKIP
        return constants.COLOR_CHANGED if self.changed or self.would_change else constants.COLOR_OK


def duration(seconds: float) -> str:
    """Return a time in words, as exact as anyone needs it."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def listed(names: list[str]) -> str:
    """Return the first names, and how many more there are."""
    more = [f"{len(names) - NAMES} more"] if len(names) > NAMES else []
    return "; ".join(names[:NAMES] + more)


def short(name: str) -> str:
    """Return the name of a task, "role : file | Name.", without role, file and full stop."""
    return name.rpartition(" : ")[2].rpartition(" | ")[2].strip().removesuffix(".")


def place(task: Any) -> tuple[str, str]:
    """Return the names of the step that holds the task, or is it, and of its part in the step.

    They are those of the outermost two that have a name, as blocks need not, around the task. A
    block with `always` holds steps and is none.
    """
    named = [
        node
        for node in _with_parents(task)
        if (node.name or hasattr(node, "action")) and not getattr(node, "always", None)
    ]
    names = [short(node.name or node.get_name()) for node in reversed(named)]
    if role := named[-1]._role:
        names.insert(0, str(role.get_name()))
    return names[0], names[min(1, len(names) - 1)]


def _with_parents(task: Any) -> Iterator[Any]:
    node = task
    while node is not None:
        yield node
        node = node._parent


def plain_lines(message: object) -> list[str] | None:
    """Return a message that is text, or a list of it, as lines; None where it is anything else."""
    parts = message if isinstance(message, list) else [message]
    texts = [part for part in parts if isinstance(part, str)]
    if len(texts) < len(parts):
        return None
    return once([line.rstrip() for text in texts for line in text.splitlines()])


def once(lines: Iterable[str]) -> list[str]:
    """Return lines with those that repeat the one before left out, and how often it stood there."""
    counted = [(line, len(list(same))) for line, same in groupby(lines)]
    return [f"{line} ({times} times)" if times > 1 else line for line, times in counted]


def recap(host: str, summary: Mapping[str, int], seconds: float) -> str:
    """Return what happened on a host, in the words of Ansible's own recap."""
    always = {
        "ok": summary["ok"],
        "changed": summary["changed"],
        "failed": summary["failures"],
    }
    seldom = {key: summary[key] for key in ("unreachable", "rescued", "ignored") if summary[key]}
    counts = " ".join(f"{key}={count}" for key, count in (always | seldom).items())
    return f"{host} : {counts} after {duration(seconds)}"


class CallbackModule(DefaultCallback):
    """Tells of steps; leaves to Ansible's own callback what fails and, from -v on, every task."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "openpacs.dicoogle.story"

    def __init__(self) -> None:
        super().__init__()
        self._begun = time.monotonic()
        self._step = Step()
        self._tried_again = ""  # the task
        self._item_tried = False  # whether the last item of a loop ran in check mode

    def set_options(
        self, task_keys: Any = None, var_options: Any = None, direct: Any = None
    ) -> None:
        """Read the options; show no tasks without -v."""
        super().set_options(task_keys=task_keys, var_options=var_options, direct=direct)
        if not self._display.verbosity:
            self.set_option("display_ok_hosts", False)
            self.set_option("display_skipped_hosts", False)

    def v2_playbook_on_play_start(self, play: Any) -> None:
        """End the step before."""
        self._end_step()
        super().v2_playbook_on_play_start(play)

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        """Begin a step where the task is the first of one."""
        self._begin_step_of(task)
        super().v2_playbook_on_task_start(task, is_conditional)

    def v2_playbook_on_handler_task_start(self, task: Any) -> None:
        """Begin a step where the handler is the first of one."""
        self._begin_step_of(task)
        super().v2_playbook_on_handler_task_start(task)

    def v2_playbook_on_include(self, included_file: Any) -> None:
        """Print nothing: the tasks tell."""
        if self._display.verbosity:
            super().v2_playbook_on_include(included_file)

    def v2_runner_on_ok(self, result: Any) -> None:
        """Count it, and show its message."""
        self._step.ran += 1
        if result.is_changed():
            tried = result._task_fields.get("check_mode")
            if isinstance(tried, str):  # a loop has a value of its own for each item only
                tried = self._item_tried
            changed = self._step.would_change if tried else self._step.changed
            changed.append(place(result._task)[1])
        if self._display.verbosity:
            super().v2_runner_on_ok(result)
        else:
            self._tell(result)

    def v2_runner_item_on_ok(self, result: Any) -> None:
        """Show its message."""
        self._item_tried = bool(result._task_fields.get("check_mode"))
        if self._display.verbosity:
            super().v2_runner_item_on_ok(result)
        else:
            self._tell(result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """Count it, and show it in full."""
        self._count_failure(ignore_errors)
        super().v2_runner_on_failed(result, ignore_errors)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """Count it, and show it in full."""
        self._count_failure(result._task.ignore_unreachable)
        super().v2_runner_on_unreachable(result)

    def v2_runner_retry(self, result: Any) -> None:
        """Print once that a task is tried again."""
        if self._display.verbosity:
            super().v2_runner_retry(result)
        elif self._tried_again != result._task._uuid:
            self._tried_again = result._task._uuid
            left = result._result["retries"] - result._result["attempts"]
            line = f"trying again, up to {left} times: {short(result.task_name)}"
            self._display.display(INDENT + line, color=constants.COLOR_DEBUG)

    def v2_playbook_on_no_hosts_remaining(self) -> None:
        """End the step that failed everywhere."""
        self._end_step()
        super().v2_playbook_on_no_hosts_remaining()

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """End the last step, and say how all ended."""
        self._end_step()
        self._display.display("")
        for host in sorted(stats.processed):
            summary = stats.summarize(host)
            bad = summary["failures"] or summary["unreachable"]
            color = constants.COLOR_CHANGED if summary["changed"] else constants.COLOR_OK
            line = recap(host, summary, time.monotonic() - self._begun)
            self._display.display(line, color=constants.COLOR_ERROR if bad else color)

    def _begin_step_of(self, task: Any) -> None:
        name, _part = place(task)
        if self._step.name != name:
            self._end_step()
            self._step = Step(name)
            self._display.display(name)

    def _end_step(self) -> None:
        if self._step.name:
            outcome = self._step.outcome(time.monotonic())
            self._display.display(INDENT + outcome, color=self._step.color)
        self._step = Step()

    def _count_failure(self, ignored: bool) -> None:
        self._step.ran += 1
        self._step.failed += not ignored

    def _tell(self, result: Any) -> None:
        """Show the warnings of a task or an item, and what it is to say."""
        self._handle_warnings(result._result)
        of_items = result._task.loop and "results" in result._result
        if result._task.action not in DEBUG or of_items:
            return
        self._clean_results(result._result, result._task.action)
        lines = plain_lines(result._result.get("msg"))
        if lines is None:
            lines = self._dump_results(result._result).splitlines()
        host = self.host_label(result)
        prefix = INDENT if host == "localhost" else f"{INDENT}[{host}] "
        self._display.display(textwrap.indent("\n".join(lines), prefix))
