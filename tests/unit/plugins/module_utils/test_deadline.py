# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Bounded waits."""

from __future__ import annotations

from itertools import islice

import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._deadline import (
    LOCAL,
    REMOTE,
    Deadline,
    pauses,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._errors import ModuleError


class Clock:
    """A time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def deadline(clock: Clock, seconds: float, advice: str = "") -> Deadline:
    return Deadline(seconds, advice, clock=lambda: clock.now, sleep=clock.sleep)


def test_looks_often_at_first_and_seldom_later() -> None:
    seconds = list(islice(pauses(REMOTE), 40))
    assert seconds[0] == 0.2
    assert sum(seconds[:3]) < 1
    assert seconds[-1] == 5
    assert seconds == sorted(seconds)


def test_what_runs_on_this_machine_is_looked_at_four_times_a_second() -> None:
    seconds = list(islice(pauses(LOCAL), 40))
    assert (seconds[0], seconds[-1]) == (0.02, 0.25)


def test_polls_until_there_is_an_answer() -> None:
    clock = Clock()
    answers = iter([None, None, "done"])
    assert deadline(clock, 10).poll("it", lambda: next(answers)) == "done"
    assert clock.now < 1


def test_gives_up_at_the_deadline_and_says_what_for() -> None:
    clock = Clock()
    with pytest.raises(ModuleError, match=r"waiting for stack pacs after 60 seconds\. Run again\."):
        deadline(clock, 60, "Run again.").poll("stack pacs", lambda: None)
    assert clock.now == 60


def test_one_deadline_bounds_all_waits_of_a_run() -> None:
    clock = Clock()
    bound = deadline(clock, 5)

    def answer() -> str | None:
        return "done" if clock.now >= 4 else None

    bound.poll("one", answer)
    with pytest.raises(ModuleError):
        bound.poll("two", lambda: None)
    assert clock.now == 5
