# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What all modules say of AWS, and to it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._aws import (
    Answer,
    attempt,
    build_client,
    cli_options,
    dns_suffix,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._errors import ModuleError
from botocore.exceptions import ClientError
from support.odd_inputs import PAGE, OddServer

AWAY = "Something else than AWS has answered"


@pytest.fixture(autouse=True)
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file of AWS's profiles, which has one."""
    config = tmp_path / "config"
    config.write_text(
        "[profile here]\nregion = eu-west-1\naws_access_key_id = a\naws_secret_access_key = b\n"
    )
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    return config


def module(endpoint: str | None = None, **params: Any) -> Any:
    """Return what build_client needs of a module."""
    params = {"profile": "here", **params}

    def client(service: str) -> Any:
        session = boto3.session.Session(profile_name=params["profile"])
        return session.client(service, endpoint_url=endpoint)

    region = None if params["profile"] is None else "eu-west-1"
    return SimpleNamespace(params=params, region=region, client=client)


def http(status: str, body: bytes) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


@pytest.mark.parametrize("status", ["200 OK", "302 Found", "403 Forbidden", "502 Bad Gateway"])
@pytest.mark.parametrize(
    ("service", "operation"), [("sts", "get_caller_identity"), ("secretsmanager", "list_secrets")]
)
def test_a_page_is_no_answer(
    raw_server: Callable[..., int], service: str, operation: str, status: str
) -> None:
    odd = OddServer()
    odd.answer = http(status, PAGE * 100)
    client = build_client(module(f"http://127.0.0.1:{raw_server(odd.talk)}"), service)
    with pytest.raises(ModuleError, match="Failed to look") as caught, attempt("look"):
        getattr(client, operation)()
    assert AWAY in str(caught.value)
    assert len(str(caught.value)) < 1000


def test_an_answer_that_tells_nothing_is_none(raw_server: Callable[..., int]) -> None:
    odd = OddServer()
    odd.answer = http("200 OK", b"{}")
    client = build_client(module(f"http://127.0.0.1:{raw_server(odd.talk)}"), "secretsmanager")
    with pytest.raises(ModuleError, match="PutSecretValue is empty") as caught, attempt("store"):
        client.put_secret_value(SecretId="a", SecretString="b")
    assert AWAY in str(caught.value)


def test_what_an_answer_lacks_is_named_wherever_it_is_read() -> None:
    answer = Answer("DescribeStacks", {"Stacks": [{"StackName": "pacs"}]})
    assert answer["Stacks"][0]["StackName"] == "pacs"
    assert answer["Stacks"][0].get("StackId") is None
    with pytest.raises(ModuleError, match="The answer to DescribeStacks has no StackId"):
        answer["Stacks"][0]["StackId"]


def test_a_misspelt_profile_is_named() -> None:
    with pytest.raises(ModuleError, match=r"\(heer\) could not be found.*Correct the option prof"):
        build_client(module(profile="heer"), "sts")


def test_a_missing_region_is_named() -> None:
    with pytest.raises(ModuleError, match=r"^No region is known\."):
        build_client(module(profile=None), "sts")


def test_a_profile_that_asks_for_a_code_says_what_to_do() -> None:
    with pytest.raises(ModuleError, match=r"mfa_serial.*get-session-token"), attempt("look"):
        raise EOFError


def test_a_proxy_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    client = build_client(module("http://aws.example"), "sts")
    with pytest.raises(ModuleError, match=r"127\.0\.0\.1:1.*Correct HTTPS_PROXY"), attempt("look"):
        client.get_caller_identity()


def test_an_unknown_partition_is_named() -> None:
    assert dns_suffix("aws-cn") == "amazonaws.com.cn"
    with pytest.raises(ModuleError, match=r"'aws-mars' is not one of aws, .*Update botocore"):
        dns_suffix("aws-mars")


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"profile": None, "endpoint_url": None}, "--region eu-west-1"),
        ({"profile": "my ward", "endpoint_url": None}, "--region eu-west-1 --profile 'my ward'"),
        (
            {"profile": None, "endpoint_url": "http://127.0.0.1:4566"},
            "--region eu-west-1 --endpoint-url http://127.0.0.1:4566",
        ),
    ],
)
def test_commands_in_advice_go_where_the_run_went(given: dict[str, Any], text: str) -> None:
    assert cli_options("eu-west-1", given) == text


@pytest.mark.parametrize(
    ("code", "hints", "hint"),
    [
        ("AccessDenied", {}, "Allow the action TagResource."),
        ("UnauthorizedOperation", {}, "Allow the action TagResource."),
        ("AccessDenied", {"AccessDenied": "Ask the owner."}, "Ask the owner."),
        ("ExpiredToken", {}, "sign in again, for example with 'aws sso login'."),
        ("Throttling", {}, "TagResource operation: no."),
    ],
)
def test_an_error_ends_with_what_to_do(code: str, hints: dict[str, str], hint: str) -> None:
    error = ClientError({"Error": {"Code": code, "Message": "no"}}, "TagResource")
    with pytest.raises(ModuleError) as raised, attempt("tag the secret key", hints):
        raise error
    assert str(raised.value).startswith("Failed to tag the secret key: ")
    assert str(raised.value).endswith(hint)
