# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import botocore.client
import pytest
from ansible_collections.openpacs.dicoogle.plugins.modules import vpc_endpoint_connections

HOSPITAL, FORMER = "111111111111", "222222222222"
SERVICE = "vpce-svc-0123456789abcdef0"
Run = Callable[..., dict[str, Any]]


@pytest.fixture
def rejected(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Answer as EC2 does, in two pages, and note what is rejected."""
    noted: list[list[str]] = []
    pages = {
        None: ([("vpce-1", HOSPITAL, "available"), ("vpce-2", FORMER, "available")], "more"),
        "more": ([("vpce-3", FORMER, "pendingAcceptance"), ("vpce-4", FORMER, "rejected")], None),
    }

    def call(_self: Any, operation: str, params: dict[str, Any]) -> Any:
        if operation == "RejectVpcEndpointConnections":
            assert params["ServiceId"] == SERVICE
            noted.append(params["VpcEndpointIds"])
            stays = [
                {"ResourceId": each, "Error": {"Message": "it is busy"}}
                for each in params["VpcEndpointIds"]
                if each == "vpce-1"
            ]
            return {"Unsuccessful": stays}
        assert operation == "DescribeVpcEndpointConnections"
        assert params["Filters"] == [{"Name": "service-id", "Values": [SERVICE]}]
        connections, token = pages[params.get("NextToken")]
        keys = ("VpcEndpointId", "VpcEndpointOwner", "VpcEndpointState")
        answer: dict[str, Any] = {
            "VpcEndpointConnections": [
                dict(zip(keys, values, strict=True)) for values in connections
            ]
        }
        return answer | ({"NextToken": token} if token else {})

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", call)
    return noted


def run(run_module: Run, *principals: str, check_mode: bool = False) -> dict[str, Any]:
    return run_module(
        vpc_endpoint_connections,
        check_mode=check_mode,
        region="eu-west-1",
        access_key="testing",
        secret_key="testing",
        service=f"com.amazonaws.vpce.eu-west-1.{SERVICE}",
        allowed_principals=list(principals),
    )


def test_account_that_is_allowed_no_more_is_cut_off(
    run_module: Run, rejected: list[list[str]]
) -> None:
    result = run(run_module, f"arn:aws:iam::{HOSPITAL}:role/dicom")
    assert rejected == [["vpce-2", "vpce-3"]]
    assert result["changed"]
    assert result["rejected"] == [
        {"vpc_endpoint_id": "vpce-2", "account": FORMER},
        {"vpc_endpoint_id": "vpce-3", "account": FORMER},
    ]


def test_all_stay_while_all_are_allowed(run_module: Run, rejected: list[list[str]]) -> None:
    both = (f"arn:aws:iam::{HOSPITAL}:root", f"arn:aws-cn:iam::{FORMER}:root")
    result = run(run_module, *both)
    assert (result["changed"], result["rejected"], rejected) == (False, [], [])


def test_check_mode_only_tells(run_module: Run, rejected: list[list[str]]) -> None:
    result = run(run_module, f"arn:aws:iam::{HOSPITAL}:root", check_mode=True)
    assert (result["changed"], len(result["rejected"]), rejected) == (True, 2, [])


def test_connection_that_stays_is_a_failure(run_module: Run, rejected: list[list[str]]) -> None:
    result = run(run_module, f"arn:aws:iam::{FORMER}:root")
    assert result["failed"]
    assert "vpce-1: it is busy. They are still open" in result["msg"]


def test_principal_without_account_is_refused(run_module: Run, rejected: list[list[str]]) -> None:
    result = run(run_module, f"arn:aws:iam::{HOSPITAL}:root", "*")
    assert result["msg"] == "allowed_principals has *. Give ARNs with an account."
    assert rejected == []
