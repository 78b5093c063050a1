# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Say that a run waits because AWS throttles its calls. Private to this collection."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from . import events

CODES = ("RequestLimitExceeded", "Throttling", "ThrottlingException", "TooManyRequestsException")


def show(
    client: Any,
    name: str,
    report: Callable[[str], None],
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Report a line for every throttled call of a client, whoever repeats it.

    name: of the stack that the client is for.
    """
    begin = clock()

    def look(response: Any, operation: Any, **_rest: Any) -> None:
        code = response[1].get("Error", {}).get("Code") if response else None
        if code in CODES:
            news = f"AWS throttles {operation.name}, trying again"
            report(events.line(clock() - begin, name, news))

    client.meta.events.register("needs-retry.cloudformation", look)
