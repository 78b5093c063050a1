# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Bounded waits that look often at first and seldom later. Private to this collection."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from ._errors import ModuleError

Bounds = tuple[float, float]
REMOTE: Bounds = (0.2, 5.0)  # seconds of the first and the longest pause, for a service
LOCAL: Bounds = (0.02, 0.25)  # the same, for programs of this machine
GROWTH = 1.3

Answer = TypeVar("Answer")


class DeadlineError(ModuleError):
    """The time is up."""


class Deadline:
    """A bound, in seconds from now, on all the waiting of a run.

    advice: what a person does when it has passed.
    bounds: REMOTE or LOCAL.
    """

    def __init__(
        self,
        seconds: float,
        advice: str = "",
        bounds: Bounds = REMOTE,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.seconds = seconds
        self._advice = advice
        self._bounds = bounds
        self._clock = clock
        self._sleep = sleep
        self._end = clock() + seconds

    def poll(self, what: str, check: Callable[[], Answer | None]) -> Answer:
        """Call the check until it answers, and return the answer.

        what: what is waited for, as in "Gave up waiting for <what>".

        Raises DeadlineError: the time is up.
        """
        pause = pauses(self._bounds)
        while (answer := check()) is None:
            remaining = self._end - self._clock()
            if remaining <= 0:
                sentence = f"Gave up waiting for {what} after {self.seconds:g} seconds."
                raise DeadlineError(f"{sentence} {self._advice}".rstrip())
            self._sleep(min(next(pause), remaining))
        return answer


def pauses(bounds: Bounds) -> Iterator[float]:
    """Yield the seconds to pause between looks, growing, without end."""
    pause, longest = bounds
    while True:
        yield pause
        pause = min(pause * GROWTH, longest)
