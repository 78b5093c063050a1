# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import botocore.client
import pytest
from ansible_collections.openpacs.dicoogle.plugins.modules import account_info
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError
from moto import mock_aws

AWS = {"region": "eu-west-1", "access_key": "testing", "secret_key": "testing"}

Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(run_module: Run) -> Iterator[Run]:
    with mock_aws():
        yield lambda **options: run_module(account_info, **{**AWS, **options})


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


@pytest.fixture
def fail(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Exception], None]:
    """Let one operation fail."""
    make_call = botocore.client.BaseClient._make_api_call

    def install(failing: str, error: Exception) -> None:
        def call(self: Any, operation: str, params: dict[str, Any]) -> Any:
            if operation == failing:
                raise error
            return make_call(self, operation, params)

        monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", call)

    return install


def client_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "the reason"}}, "Operation")


def create_zone(name: str, private: bool = False) -> str:
    client = boto3.client("route53", aws_access_key_id="a", aws_secret_access_key="b")
    created = client.create_hosted_zone(
        Name=name, CallerReference=name, HostedZoneConfig={"PrivateZone": private}
    )
    return created["HostedZone"]["Id"].removeprefix("/hostedzone/")


def test_account_and_zones_cost_two_calls(run: Run, calls: list[str]) -> None:
    result = run()
    assert calls == ["GetCallerIdentity", "DescribeAvailabilityZones"]
    assert {key: result[key] for key in ("account", "partition", "region", "dns_suffix")} == {
        "account": "123456789012",
        "partition": "aws",
        "region": "eu-west-1",
        "dns_suffix": "amazonaws.com",
    }
    assert result["availability_zones"] == ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
    assert (result["hosted_zone_id"], result["quotas"], result["changed"]) == (None, {}, False)


def test_china_has_its_own_suffix(run: Run) -> None:
    result = run(region="cn-north-1")
    assert (result["partition"], result["dns_suffix"]) == ("aws-cn", "amazonaws.com.cn")


def test_hosted_zone_is_looked_up_by_name(run: Run, calls: list[str]) -> None:
    zone_id = create_zone("example.org")
    calls.clear()
    assert run(hosted_zone="example.org")["hosted_zone_id"] == zone_id
    assert calls[2:] == ["ListHostedZonesByName"]


def test_unknown_hosted_zone_lists_those_that_exist(run: Run) -> None:
    create_zone("example.org")
    result = run(hosted_zone="exmaple.org")
    assert result["msg"].startswith("No hosted zone is called exmaple.org. Choose from example.org")


def test_private_hosted_zone_is_refused(run: Run) -> None:
    create_zone("example.org", private=True)
    assert "is private" in run(hosted_zone="example.org")["msg"]


def test_unknown_availability_zone_is_refused(run: Run) -> None:
    result = run(availability_zones=["eu-west-1a", "eu-west-1x"])
    assert result["msg"].startswith("No availability zone of eu-west-1 is called eu-west-1x.")


def test_quotas_are_counted(run: Run, calls: list[str]) -> None:
    result = run(quotas={"vpcs": 3, "elastic_ips": 2})
    assert result["quotas"]["vpcs"] == {"limit": 5, "used": 1, "needed": 3, "free": 4}
    assert set(result["quotas"]) == {"vpcs", "elastic_ips"}
    assert len(calls) == 6


def test_small_quota_is_refused(run: Run) -> None:
    result = run(quotas={"vpcs": 6})
    assert "6 more VPCs are needed, but 1 of 5 are in use" in result["msg"]


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What operations answer in the place of moto, an error in the place of an answer is raised."""
    missing = {"Code": "ValidationError", "Message": "Stack with id pacs does not exist"}
    given: dict[str, Any] = {
        "DescribeStacks": ClientError({"Error": missing}, "DescribeStacks"),
        "DescribeVpcEndpointServices": {
            "ServiceDetails": [
                {
                    "ServiceName": "com.amazonaws.eu-west-1.ecr.api",
                    "AvailabilityZones": ["eu-west-1b", "eu-west-1c"],
                }
            ]
        },
    }
    make_call = botocore.client.BaseClient._make_api_call

    def call(self: Any, operation: str, params: dict[str, Any]) -> Any:
        answer = given.get(operation)
        if isinstance(answer, Exception):
            raise answer
        return answer or make_call(self, operation, params)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", call)
    return given


def deployed(*zones: str) -> dict[str, Any]:
    """The answer of DescribeStacks for an environment in these zones."""
    parameters = [{"ParameterKey": "AvailabilityZones", "ParameterValue": ",".join(zones)}]
    return {"Stacks": [{"StackName": "pacs", "Parameters": parameters}]}


def test_quotas_count_until_the_stack_is_there(run: Run, answers: dict[str, Any]) -> None:
    wanted = {"quotas": {"vpcs": 6}, "environment": "pacs"}
    assert "6 more VPCs are needed" in run(**wanted)["msg"]
    answers["DescribeStacks"] = deployed("eu-west-1a", "eu-west-1b")
    result = run(**wanted)
    assert (result["quotas"], result["deployed"]) == ({}, True)


def test_a_new_environment_gets_zones_that_offer_what_it_needs(
    run: Run, answers: dict[str, Any]
) -> None:
    result = run(environment="pacs", zone_services=["ecr.api"])
    assert (result["availability_zones"], result["deployed"]) == (
        ["eu-west-1b", "eu-west-1c"],
        False,
    )


def test_an_environment_keeps_its_zones(run: Run, answers: dict[str, Any]) -> None:
    answers["DescribeStacks"] = deployed("eu-west-1c", "eu-west-1a")
    del answers["DescribeVpcEndpointServices"]  # is not asked for
    result = run(environment="pacs", zone_services=["ecr.api"])
    assert result["availability_zones"] == ["eu-west-1c", "eu-west-1a", "eu-west-1b"]


def test_zones_that_do_not_offer_what_is_needed_are_refused(
    run: Run, answers: dict[str, Any]
) -> None:
    chosen = ["eu-west-1a", "eu-west-1b"]
    result = run(environment="pacs", zone_services=["ecr.api"], availability_zones=chosen)
    assert "eu-west-1a has no ecr.api. Choose from eu-west-1b, eu-west-1c." in result["msg"]


@pytest.mark.parametrize(("environment", "fits"), [("a" * 17, True), ("a" * 18, False)])
def test_the_name_of_the_web_page_fits_into_a_certificate(
    run: Run, answers: dict[str, Any], environment: str, fits: bool
) -> None:
    domain = f"{'x' * 28}.example"
    create_zone(domain)
    result = run(environment=environment, hosted_zone=domain)
    assert result.get("failed", False) is not fits
    if not fits:
        assert "which has 65 characters" in result["msg"]
        assert "shorten dicoogle_environment or dicoogle_domain_name by 1." in result["msg"]


@pytest.mark.parametrize(
    ("servers", "refused"),
    [({"ns.elsewhere.example"}, True), (set(), True), (None, False)],
)
def test_a_domain_that_leads_elsewhere_is_refused(
    run: Run,
    answers: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    servers: set[str] | None,
    refused: bool,
) -> None:
    monkeypatch.setattr(account_info.delegation, "public_name_servers", lambda domain: servers)
    create_zone("example.org")
    wanted = {"environment": "pacs", "hosted_zone": "example.org", "check_delegation": True}
    result = run(**wanted)
    assert result.get("failed", False) is refused
    if refused:
        assert "example.org is not delegated to its hosted zone" in result["msg"]
        assert (
            "Enter the name servers of the zone where the domain is registered: ns-"
            in (result["msg"])
        )
        answers["DescribeStacks"] = deployed()
        assert "failed" not in run(**wanted)


def test_unreadable_quota_is_a_warning(run: Run, fail: Any) -> None:
    fail("GetServiceQuota", client_error("AccessDeniedException"))
    result = run(quotas={"vpcs": 600})
    assert result["quotas"]["vpcs"] == {"limit": None, "used": 1, "needed": 600, "free": None}
    assert "The quota is not checked." in str(result["warnings"])


@pytest.mark.parametrize(
    ("operation", "error", "hint"),
    [
        ("GetCallerIdentity", NoCredentialsError(), "Set the option profile, or access_key and"),
        ("GetCallerIdentity", client_error("ExpiredToken"), "sign in again"),
        ("GetCallerIdentity", client_error("InvalidClientTokenId"), "enable the region eu-west-1"),
        (
            "GetCallerIdentity",
            EndpointConnectionError(endpoint_url="https://sts.eu-nowhere-1.amazonaws.com"),
            "Check the region's name",
        ),
        ("DescribeAvailabilityZones", client_error("AuthFailure"), "Enable the region eu-west-1"),
        ("DescribeAvailabilityZones", client_error("UnauthorizedOperation"), "Allow ec2:Describe"),
    ],
)
def test_refusal_says_what_to_change(
    run: Run, fail: Any, operation: str, error: Exception, hint: str
) -> None:
    fail(operation, error)
    result = run()
    assert result["failed"] is True
    assert hint in result["msg"]


def test_missing_region_is_a_sentence(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    assert run(region=None)["msg"].startswith("No region is known.")
