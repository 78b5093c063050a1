# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The lines of a log group, by CloudWatch Logs Insights. Private to this collection."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .._aws import attempt
from .._deadline import Deadline
from .._errors import ModuleError
from .lines import Line

ROWS = 10_000  # the most that a query returns
EXPRESSION = 8_000  # characters; a query may have 10,000
WAIT_SECONDS = 900  # a query ends after 60 minutes; few take one
RUNNING = {"Scheduled", "Running", "Unknown"}
# What says who was there when something was done, and what may be about any image: removals, and
# images that are not spelled out.
JOINED = 'opening pipe|Association[(][0-9]+[)] accepted|removed "|image "[^"]*%'
OF_A_CLIENT = 'C-STORE-RSP|person "|certificate [A-Z]'


@dataclass(frozen=True)
class Span:
    """A time to look at, in seconds since 1970, both ends included."""

    start: int
    end: int


def expressions(images: Iterable[str], client: str) -> Iterator[str]:
    """Regular expressions that together find all lines about the images, or the client."""
    escaped = [re.escape(image).replace(r"\.", "[.]") for image in images]
    if client or not escaped:
        yield f"{JOINED}|{OF_A_CLIENT}"
        return
    some: list[str] = []
    for image in escaped:
        if some and len("|".join([*some, image])) > EXPRESSION:
            yield "|".join([JOINED, *some])
            some = []
        some.append(image)
    yield "|".join([JOINED, *some])


def _run(logs: Any, group: str, span: Span, expression: str) -> list[dict[str, str]]:
    """The rows of one query."""
    query = (
        f"fields @timestamp, @message, @logStream | filter @message like /{expression}/ "
        f"| sort @timestamp asc | limit {ROWS}"
    )
    hints = {
        "AccessDeniedException": "Allow logs:StartQuery and logs:GetQueryResults.",
        "LimitExceededException": "Too many queries run at once: run again in a minute.",
        "ResourceNotFoundException": "Check the name of the log group.",
    }
    with attempt(f"search the log group {group}", hints):
        started = logs.start_query(
            logGroupName=group, startTime=span.start, endTime=span.end, queryString=query
        )
        deadline = Deadline(WAIT_SECONDS, "Give a shorter time with since and until.")
        answer = deadline.poll(
            f"the search of the log group {group}", lambda: _results(logs, started["queryId"])
        )
    if answer["status"] != "Complete":
        raise ModuleError(
            f"The search of the log group {group} has ended as {answer['status']}. Run again, or "
            "give a shorter time with since and until."
        )
    return [{field["field"]: field["value"] for field in row} for row in answer["results"]]


def _results(logs: Any, query_id: str) -> dict[str, Any] | None:
    """The results of a query, None while it runs."""
    answer: dict[str, Any] = logs.get_query_results(queryId=query_id)
    return None if answer["status"] in RUNNING else answer


def rows(logs: Any, group: str, span: Span, expression: str) -> list[dict[str, str]]:
    """All rows, by as many queries as their number needs."""
    found = _run(logs, group, span, expression)
    if len(found) < ROWS:
        return found
    if span.start == span.end:
        raise ModuleError(
            f"The log group {group} has more than {ROWS} lines in the second that begins at "
            f"{datetime.fromtimestamp(span.start, UTC).isoformat()}, which is more than "
            "a query returns. Leave that second out with since and until."
        )
    middle = (span.start + span.end) // 2
    halves = (Span(span.start, middle), Span(middle + 1, span.end))
    return [row for half in halves for row in rows(logs, group, half, expression)]


def as_line(row: dict[str, str]) -> Line:
    """A row as a line; streams are called task/<container>/<task>."""
    stamp = datetime.fromisoformat(row["@timestamp"].removesuffix("Z"))
    _prefix, _slash, rest = row["@logStream"].partition("/")
    return Line(stamp.replace(tzinfo=UTC), rest.partition("/")[0], row["@message"].rstrip("\n"))


def lines(logs: Any, group: str, span: Span, images: Iterable[str], client: str) -> list[Line]:
    """The lines that tell of the images or of the client, each once."""
    found = [
        row
        for expression in expressions(images, client)
        for row in rows(logs, group, span, expression)
    ]
    with attempt(f"read what the log group {group} holds"):
        return list(dict.fromkeys(map(as_line, found)))
