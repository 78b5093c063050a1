# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import botocore.client
import pytest
from ansible_collections.openpacs.dicoogle.plugins.modules import secretsmanager_secrets
from botocore.exceptions import ClientError
from moto import mock_aws

AWS = {"region": "eu-west-1", "access_key": "testing", "secret_key": "testing"}
SECRETS = {"cert": "PEM certificate", "key": "PEM private key"}

Run = Callable[..., dict[str, Any]]


@pytest.fixture
def client() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client(
            "secretsmanager", "eu-west-1", aws_access_key_id="a", aws_secret_access_key="b"
        )


@pytest.fixture
def run(client: Any, run_module: Run) -> Run:
    def run(**options: Any) -> dict[str, Any]:
        defaults = {"prefix": "dicoogle/", "secrets": SECRETS, "tags": {"site": "north"}}
        return run_module(secretsmanager_secrets, **{**AWS, **defaults, **options})

    return run


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The operations called by the module."""
    names: list[str] = []
    make_call = botocore.client.BaseClient._make_api_call

    def note(self: Any, operation: str, params: dict[str, Any]) -> Any:
        names.append(operation)
        return make_call(self, operation, params)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", note)
    return names


def value(client: Any, name: str) -> str:
    return client.get_secret_value(SecretId=f"dicoogle/{name}")["SecretString"]


def test_check_mode_creates_nothing(run: Run, client: Any) -> None:
    result = run(check_mode=True)
    assert result["changed"] is True
    assert result["secrets"]["key"]["arn"] is None
    assert client.list_secrets()["SecretList"] == []


def test_creates_the_set_with_its_tags(run: Run, client: Any) -> None:
    result = run()
    assert {name: value(client, name) for name in SECRETS} == SECRETS
    described = client.describe_secret(SecretId=result["secrets"]["key"]["arn"])
    assert described["Name"] == "dicoogle/key"
    assert {"Key": "site", "Value": "north"} in described["Tags"]
    assert result["diff"]["after"] == "cert: created\nkey: created\n"


def test_unchanged_set_costs_one_call(run: Run, calls: list[str]) -> None:
    created = run()
    calls.clear()
    result = run()
    assert calls == ["ListSecrets"]
    assert result["changed"] is False
    assert result["secrets"]["key"]["digest"] == created["secrets"]["key"]["digest"]


def test_only_the_changed_value_is_rotated(run: Run, client: Any, calls: list[str]) -> None:
    before = run()["secrets"]
    calls.clear()
    after = run(secrets={**SECRETS, "key": "PEM new key"})["secrets"]
    assert calls == ["ListSecrets", "PutSecretValue", "TagResource"]
    assert value(client, "key") == "PEM new key"
    assert after["key"]["changes"] == ["value changed"]
    assert after["key"]["digest"] != before["key"]["digest"]
    assert after["cert"] == {**before["cert"], "changed": False, "changes": []}


def test_no_value_is_ever_read_or_shown(run: Run, calls: list[str]) -> None:
    results = [run(), run(secrets={**SECRETS, "key": "PEM new key"})]
    assert not {"GetSecretValue", "BatchGetSecretValue"} & set(calls)
    assert "PEM" not in json.dumps([{**result, "invocation": None} for result in results])
    assert "PEM" not in json.dumps(results)


def test_longer_name_with_the_same_start_is_not_mistaken(run: Run, client: Any) -> None:
    client.create_secret(Name="dicoogle/key-of-another", SecretString="x")
    assert run()["secrets"]["key"]["changes"] == ["created"]


def test_deletion_is_scheduled_then_taken_back(run: Run, client: Any) -> None:
    run()
    deleted = run(state="absent", recovery_window_in_days=7)
    assert deleted["secrets"]["key"]["changes"] == ["deleted"]
    assert run(state="absent")["changed"] is False
    restored = run(secrets={**SECRETS, "key": "PEM new key"})
    assert restored["secrets"]["cert"]["changes"] == ["restored"]
    assert restored["secrets"]["key"]["changes"] == ["restored", "value changed"]
    assert value(client, "key") == "PEM new key"


def test_check_mode_deletes_nothing(run: Run, client: Any) -> None:
    run()
    assert run(state="absent", check_mode=True)["changed"] is True
    assert value(client, "key") == SECRETS["key"]


def test_zero_days_delete_for_good(run: Run, client: Any) -> None:
    run()
    run(state="absent", recovery_window_in_days=0)
    assert client.list_secrets(IncludePlannedDeletion=True)["SecretList"] == []


def test_run_killed_before_the_digest_was_written_is_completed(run: Run, client: Any) -> None:
    run()
    client.put_secret_value(SecretId="dicoogle/key", SecretString="PEM new key")
    run(secrets={**SECRETS, "key": "PEM new key"})
    assert run(secrets={**SECRETS, "key": "PEM new key"})["changed"] is False
    assert value(client, "key") == "PEM new key"


def test_secret_missing_from_the_listing_is_updated(
    run: Run, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.create_secret(Name="dicoogle/key", SecretString="PEM old key")
    monkeypatch.setattr(secretsmanager_secrets, "list_secrets", lambda client, prefix: {})
    result = run()
    assert result["secrets"]["key"]["changes"] == ["value changed", "tags changed"]
    assert value(client, "key") == SECRETS["key"]


def test_dictionary_is_stored_as_json_whatever_the_order_of_its_keys(
    run: Run, client: Any, calls: list[str]
) -> None:
    pair = {"private_key": "PEM private key", "certificate": "PEM\ncertificate"}
    created = run(secrets={"nginx": pair})
    assert json.loads(value(client, "nginx")) == pair
    calls.clear()
    again = run(secrets={"nginx": dict(reversed(pair.items()))})
    assert calls == ["ListSecrets"]
    assert "PEM" not in json.dumps([created, again])


@pytest.mark.parametrize("wrong", [12, "", {"a": 1}, {"a": ""}, {}, None])
def test_value_that_is_not_text_is_refused_before_anything_is_touched(
    run: Run, calls: list[str], wrong: Any
) -> None:
    result = run(secrets={**SECRETS, "key": wrong})
    assert "The value of the secret key must be text" in result["msg"]
    assert calls == []


def test_value_not_known_yet_counts_as_changed_in_check_mode(run: Run) -> None:
    run()
    result = run(secrets={"cert": "PEM certificate", "key": "", "new": ""}, check_mode=True)
    changes = {name: secret["changes"] for name, secret in result["secrets"].items()}
    assert changes == {"cert": [], "key": ["value changed"], "new": ["created"]}


def test_dictionary_with_a_text_not_known_yet_counts_as_changed_in_check_mode(run: Run) -> None:
    run(secrets={"nginx": {"certificate": "PEM", "private_key": "PEM"}})
    unknown = {"certificate": "PEM", "private_key": ""}
    result = run(secrets={"nginx": unknown}, check_mode=True)
    assert result["secrets"]["nginx"]["changes"] == ["value changed"]


def test_refusal_names_secret_and_reason(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        error = {"Code": "AccessDeniedException", "Message": "not authorized"}
        raise ClientError({"Error": error}, "ListSecrets")

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", refuse)
    result = run()
    assert result["msg"].startswith("Failed to list the secrets that start with dicoogle/: ")
    assert "not authorized" in result["msg"]


def test_a_deletion_whose_answer_was_lost_has_happened(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run()
    make_call = botocore.client.BaseClient._make_api_call

    def twice(self: Any, operation: str, params: dict[str, Any]) -> Any:
        if operation == "DeleteSecret":
            make_call(self, operation, params)
        return make_call(self, operation, params)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", twice)
    result = run(state="absent")
    assert result["secrets"]["key"]["changes"] == ["deleted"]
