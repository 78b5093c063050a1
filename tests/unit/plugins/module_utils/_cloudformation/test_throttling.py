# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whoever waits because AWS throttles is told so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._cloudformation import throttling
from botocore.awsrequest import AWSResponse
from botocore.config import Config

ERROR = (
    "<ErrorResponse><Error><Code>{}</Code><Message>Rate exceeded</Message></Error></ErrorResponse>"
)
EMPTY = "<DescribeStacksResponse><DescribeStacksResult/></DescribeStacksResponse>"


class Body:
    """What urllib3 gives to botocore."""

    def __init__(self, text: str) -> None:
        self.text = text

    def stream(self, **_options: Any) -> list[bytes]:
        return [self.text.encode()]


def client_for(*answers: tuple[int, str]) -> Any:
    """A client of boto3 that is answered without a network."""
    client = boto3.client(
        "cloudformation",
        region_name="eu-west-1",
        aws_access_key_id="a",
        aws_secret_access_key="b",
        config=Config(retries={"max_attempts": 3, "mode": "standard"}),
    )
    waiting = list(answers)

    def answer(request: Any, **_rest: Any) -> AWSResponse:
        status, text = waiting.pop(0)
        return AWSResponse(request.url, status, {}, Body(text))

    client.meta.events.register("before-send.cloudformation", answer)
    return client


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)


def clock(*times: float) -> Callable[[], float]:
    return iter(times).__next__


def test_each_throttled_call_shows_a_line_with_the_time_since_the_beginning() -> None:
    throttled = (400, ERROR.format("Throttling"))
    client = client_for(throttled, throttled, (200, EMPTY))
    lines: list[str] = []
    throttling.show(client, "pacs", lines.append, clock(10, 15, 75))
    client.describe_stacks()
    assert lines == [
        "00:05 pacs: AWS throttles DescribeStacks, trying again",
        "01:05 pacs: AWS throttles DescribeStacks, trying again",
    ]


def test_other_answers_show_nothing() -> None:
    client = client_for((503, ERROR.format("ServiceUnavailable")), (200, EMPTY))
    lines: list[str] = []
    throttling.show(client, "pacs", lines.append)
    client.describe_stacks()
    assert lines == []
