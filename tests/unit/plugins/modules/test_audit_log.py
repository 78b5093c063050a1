# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import botocore.client
import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._audit import query
from ansible_collections.openpacs.dicoogle.plugins.modules import audit_log
from botocore.exceptions import ClientError

AWS = {"region": "eu-west-1", "access_key": "testing", "secret_key": "testing"}
GROUP = "radiology-Task-LogGroup"
SEEN = (
    '203.0.113.9 "GET /dic2png HTTP/1.1" 200 812 bytes 0.1 s upstream 200 person "9f8c" image "{}"'
)

Run = Callable[..., dict[str, Any]]


class Insights:
    """A log group of one line a second, searched as CloudWatch does."""

    def __init__(self) -> None:
        self.lines: dict[int, str] = {}
        self.queries: list[dict[str, Any]] = []
        self.statuses: list[str] = []
        self.error = ""

    def call(self, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        if self.error:
            raise ClientError({"Error": {"Code": self.error, "Message": "the reason"}}, operation)
        if operation == "StartQuery":
            self.queries.append(params)
            return {"queryId": str(len(self.queries) - 1)}
        if self.statuses and (status := self.statuses.pop(0)) != "Complete":
            return {"status": status, "results": []}
        return {"status": "Complete", "results": self.answer(int(params["queryId"]))}

    def answer(self, number: int) -> list[list[dict[str, str]]]:
        asked = self.queries[number]
        expression = re.search(r"like /(.*)/ \|", asked["queryString"])
        assert expression
        return [
            [
                {
                    "field": "@timestamp",
                    "value": f"{datetime.fromtimestamp(second, UTC):%F %T}.000",
                },
                {"field": "@message", "value": line},
                {"field": "@logStream", "value": "task/nginx/0f8fad5b"},
            ]
            for second, line in sorted(self.lines.items())
            if asked["startTime"] <= second <= asked["endTime"] and re.search(expression[1], line)
        ][: query.ROWS]


def stamp(second: int) -> str:
    """A time as Insights writes it."""
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%d %H:%M:%S}.000"


@pytest.fixture
def insights(monkeypatch: pytest.MonkeyPatch) -> Insights:
    log = Insights()
    monkeypatch.setattr(
        botocore.client.BaseClient,
        "_make_api_call",
        lambda _client, operation, params: log.call(operation, params),
    )
    return log


@pytest.fixture
def run(run_module: Run) -> Run:
    return lambda **options: run_module(audit_log, **{**AWS, "log_group": GROUP, **options})


def test_who_touched_an_image_is_told(run: Run, insights: Insights) -> None:
    insights.lines = {1_000: SEEN.format("1.2.3"), 1_001: SEEN.format("1.2.4")}
    result = run(images=["1.2.3"])
    assert result["events"] == [
        {
            "time": "1970-01-01T00:16:40.000+00:00",
            "who": "person 9f8c",
            "what": "GET /dic2png",
            "image": "1.2.3",
            "result": "200",
        }
    ]
    assert result["changed"] is False
    head, line = result["table"]
    assert head.split() == ["time", "who", "what", "result", "image"]
    for column, value in result["events"][0].items():
        assert line[head.index(column) :].startswith(value)


def test_a_log_that_tells_nothing_says_so(run: Run, insights: Insights) -> None:
    result = run(images=["1.2.3"])
    assert result["events"] == []
    assert result["table"] == ["The log tells of nothing that was asked for."]


def test_the_time_is_that_which_was_asked_for(run: Run, insights: Insights) -> None:
    run(since="2026-01-31", until="2026-01-31T09:00:00+01:00")
    (asked,) = insights.queries
    assert asked["logGroupName"] == GROUP
    begin = int(datetime(2026, 1, 31, tzinfo=UTC).timestamp())
    assert (asked["startTime"], asked["endTime"]) == (begin, begin + 8 * 3600)


def test_more_lines_than_a_query_returns_are_asked_for_in_parts(
    run: Run, insights: Insights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(query, "ROWS", 4)
    insights.lines = {1_000 + second: SEEN.format(f"1.2.{second}") for second in range(30)}
    result = run(client="9f8c", until="1970-01-01T01:00:00")
    assert [each["image"] for each in result["events"]] == [f"1.2.{n}" for n in range(30)]


def test_more_images_than_a_query_can_name_are_asked_for_in_parts(
    run: Run, insights: Insights
) -> None:
    images = [f"1.2.{'3' * 50}.{number}" for number in range(400)]
    insights.lines = {1_000 + n: SEEN.format(image) for n, image in enumerate(images)}
    result = run(images=images)
    assert [each["image"] for each in result["events"]] == images
    assert len(insights.queries) > 2
    assert all(len(asked["queryString"]) <= 10_000 for asked in insights.queries)


def test_a_search_that_takes_long_is_waited_for(run: Run, insights: Insights) -> None:
    insights.lines = {1_000: SEEN.format("1.2.3")}
    insights.statuses = ["Scheduled", "Running", "Complete"]
    assert len(run(images=["1.2.3"])["events"]) == 1


def test_a_search_that_fails_is_said(run: Run, insights: Insights) -> None:
    insights.statuses = ["Timeout"]
    message = run(images=["1.2.3"])["msg"]
    assert GROUP in message
    assert "Timeout" in message
    assert "since" in message


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("AccessDeniedException", "Allow logs:StartQuery and logs:GetQueryResults."),
        ("ResourceNotFoundException", "Check the name of the log group."),
    ],
)
def test_a_refused_search_says_what_to_do(
    run: Run, insights: Insights, code: str, said: str
) -> None:
    insights.error = code
    message = run()["msg"]
    assert GROUP in message
    assert message.endswith(said)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"images": ["1.2|x"]}, "images: '1.2|x' is no UID"),
        ({"images": [""]}, "images: '' is no UID"),
        ({"since": "yesterday"}, "since: yesterday is no time"),
        ({"since": "2026-02-01", "until": "2026-01-01"}, "since: 2026-02-01 is later"),
    ],
)
def test_bad_input_asks_nothing(
    run: Run, insights: Insights, options: dict[str, Any], said: str
) -> None:
    assert said in run(**options)["msg"]
    assert not insights.queries
