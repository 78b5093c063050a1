# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import botocore.client
import pytest
from ansible_collections.openpacs.dicoogle.plugins.modules import iam_service_linked_role
from botocore.exceptions import ClientError

ROLE = {"Arn": "arn:aws:iam::123456789012:role/aws-service-role/ecs.amazonaws.com/ForECS"}
Run = Callable[..., dict[str, Any]]


class Iam:
    """Answers as IAM does.

    roles: what it lists, call by call.
    refusal: error code of the creation, None when it succeeds.
    """

    def __init__(self, *roles: list[dict[str, str]], refusal: str | None = None) -> None:
        self._roles = list(roles)
        self._refusal = refusal
        self.created: list[str] = []

    def __call__(self, operation: str, params: dict[str, Any]) -> Any:
        if operation == "ListRoles":
            assert params == {"PathPrefix": "/aws-service-role/ecs.amazonaws.com/"}
            return {"Roles": self._roles.pop(0)}
        assert operation == "CreateServiceLinkedRole"
        if self._refusal:
            raise ClientError({"Error": {"Code": self._refusal, "Message": "no"}}, operation)
        self.created.append(params["AWSServiceName"])
        return {"Role": ROLE}


@pytest.fixture
def run(run_module: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    def look(iam: Iam, check_mode: bool = False) -> dict[str, Any]:
        monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", iam)
        return run_module(
            iam_service_linked_role,
            check_mode=check_mode,
            region="eu-west-1",
            access_key="testing",
            secret_key="testing",
            service="ecs.amazonaws.com",
        )

    return look


def test_a_missing_role_is_created(run: Run) -> None:
    iam = Iam([])
    result = run(iam)
    assert (result["changed"], result["arn"]) == (True, ROLE["Arn"])
    assert iam.created == ["ecs.amazonaws.com"]


def test_a_role_that_exists_stays(run: Run) -> None:
    iam = Iam([ROLE])
    assert run(iam)["changed"] is False
    assert iam.created == []


def test_check_mode_creates_nothing(run: Run) -> None:
    iam = Iam([])
    result = run(iam, check_mode=True)
    assert (result["changed"], result["arn"]) == (True, "")
    assert iam.created == []


def test_a_role_that_another_run_creates_meanwhile_will_do(run: Run) -> None:
    assert run(Iam([], [ROLE], refusal="InvalidInput"))["arn"] == ROLE["Arn"]


@pytest.mark.parametrize("refusal", ["AccessDenied", "InvalidInput"])
def test_a_refusal_names_the_service(run: Run, refusal: str) -> None:
    result = run(Iam([], [], refusal=refusal))
    assert "Failed to create the service-linked role of ecs.amazonaws.com" in result["msg"]


def test_a_missing_permission_is_named(run: Run) -> None:
    assert "Allow iam:CreateServiceLinkedRole" in run(Iam([], refusal="AccessDenied"))["msg"]
