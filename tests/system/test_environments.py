# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Environments live side by side, go without a trace, and survive what goes wrong."""

from __future__ import annotations

import base64
import dataclasses
from pathlib import Path

import pytest
from botocore.exceptions import WaiterError
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from observed import calls, copy_of_the_checkout, physical_ids, secrets, tree_of
from support.playbook_runs import Account


def tagged(account: Account, environment: str) -> set[str]:
    """Return the ARNs of everything that carries the tag of `environment`."""
    client = account.client("resourcegroupstaggingapi")
    filters = [{"Key": "openpacs:environment", "Values": [environment]}]
    pages = client.get_paginator("get_resources").paginate(TagFilters=filters)
    return {each["ResourceARN"] for page in pages for each in page["ResourceTagMappingList"]}


def name_of(arn: str) -> str:
    """Return the name in an ARN, of a secret without the characters that AWS adds to it."""
    name = arn.rsplit(":", 1)[-1]
    return name[:-7] if ":secret:" in arn else name.rsplit("/", 1)[-1]


def test_two_environments_live_side_by_side_and_one_goes_without_the_other(
    account: Account,
) -> None:
    left_one = {"dicoogle_environment": "left", "dicoogle_topology": "provider_only"}
    account.succeed("site", **left_one)
    account.succeed("site", dicoogle_environment="right", dicoogle_topology="provider_only")
    left = physical_ids(account, "left")
    right = physical_ids(account, "right")
    assert not set(left.values()) & set(right.values())

    run = account.succeed("destroy", dicoogle_environment="right")

    assert physical_ids(account, "left") == left
    assert account.succeed("site", **left_one).changed == 0
    stacks = account.client("cloudformation").describe_stacks()["Stacks"]
    assert not [stack for stack in stacks if stack["StackName"].startswith("right")]
    assert list(secrets(account, "right")) == ["right/identity"]
    unsaid = [arn for arn in tagged(account, "right") if name_of(arn) not in run.output]
    assert not unsaid
    account.succeed("destroy", dicoogle_environment="left")


def test_a_key_pair_is_made_once_and_its_private_half_stays_here(account: Account) -> None:
    keyed = {
        "dicoogle_environment": "keyed",
        "dicoogle_topology": "provider_only",
        "prerequisites_key_pair": "true",
    }
    account.succeed("site", **keyed)
    assert account.succeed("site", **keyed).changed == 0
    private = account.folder / "keyed" / "keyed.pem"
    assert private.stat().st_mode & 0o777 == 0o400
    (pair,) = account.client("ec2").describe_key_pairs(KeyNames=["keyed"], IncludePublicKey=True)[
        "KeyPairs"
    ]
    public = private.with_name("keyed.pem.pub").read_text()
    assert pair["PublicKey"].split()[:2] == public.split()[:2]
    account.succeed("destroy", dicoogle_environment="keyed")


def test_a_plan_of_an_empty_account_works_and_leaves_it_empty(account: Account) -> None:
    run = account.succeed("plan", dicoogle_environment="empty")
    assert "empty-bootstrap/ArtifactsBucket" in run.output
    assert "The account has no environment empty yet" in run.output
    stacks = account.client("cloudformation").describe_stacks()["Stacks"]
    assert not [stack for stack in stacks if stack["StackName"].startswith("empty")]
    assert not (account.folder / "empty").exists()


def test_destroy_without_a_name_touches_nothing(account: Account) -> None:
    before = calls(account)
    run = account.run("destroy")
    assert run.failed
    assert "dicoogle_environment" in run.output
    assert calls(account) == before


def test_a_failing_nested_resource_rolls_back_and_is_named(
    account: Account, tmp_path: Path
) -> None:
    failing = {"dicoogle_environment": "failing", "dicoogle_topology": "provider_only"}
    broken = dataclasses.replace(account, checkout=copy_of_the_checkout(tmp_path))
    template = broken.checkout / "cloudformation" / "import.template"
    text = template.read_text()
    assert "VpcId: !Ref VpcId" in text
    template.write_text(text.replace("VpcId: !Ref VpcId", "VpcId: vpc-00000000000000000"))

    run = broken.run("site", **failing)

    assert run.failed
    assert "failing/Import/" in run.output
    assert "vpc-00000000000000000" in run.output
    assert tree_of(account, "failing")["failing"]["StackStatus"] == "ROLLBACK_COMPLETE"
    account.succeed("destroy", dicoogle_environment="failing")


NETWORK = """
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.77.0.0/24}}
  Subnet: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.77.0.0/28}}
"""
ARCHIVE = f"""{NETWORK}
  Balancer:
    Type: AWS::ElasticLoadBalancingV2::LoadBalancer
    Properties: {{Type: network, Scheme: internal, Subnets: [!Ref Subnet]}}
  Service:
    Type: AWS::EC2::VPCEndpointService
    Properties: {{NetworkLoadBalancerArns: [!Ref Balancer], AcceptanceRequired: false}}
Outputs: {{Id: {{Value: !Ref Service}}}}
"""
HOSPITAL = f"""{NETWORK}
  Endpoint:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcEndpointType: Interface
      ServiceName: !Sub com.amazonaws.vpce.${{AWS::Region}}.${{Service}}
      VpcId: !Ref Vpc
      SubnetIds: [!Ref Subnet]
Parameters: {{Service: {{Type: String}}}}
Outputs: {{Id: {{Value: !Ref Endpoint}}}}
"""


def deploy(account: Account, name: str, template: str, **parameters: str) -> str:
    """Create a stack and return the identifier that it puts out."""
    client = account.client("cloudformation")
    given = [{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()]
    client.create_stack(StackName=name, TemplateBody=template, Parameters=given)
    client.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    return str(tree_of(account, name)[name]["Outputs"][0]["OutputValue"])


def test_destroy_disconnects_hospitals_also_after_a_removal_that_failed_for_them(
    account: Account,
) -> None:
    client = account.client("cloudformation")
    service = deploy(account, "joined", ARCHIVE)  # what matters here of an environment
    endpoint = deploy(account, "hospital", HOSPITAL, Service=service)
    stack_id = tree_of(account, "joined")["joined"]["StackId"]
    client.delete_stack(StackName="joined")
    with pytest.raises(WaiterError):
        client.get_waiter("stack_delete_complete").wait(
            StackName=stack_id, WaiterConfig={"Delay": 1}
        )
    assert tree_of(account, "joined")["joined"]["StackStatus"] == "DELETE_FAILED"

    run = account.succeed("destroy", dicoogle_environment="joined")

    owner = account.client("sts").get_caller_identity()["Account"]
    assert f"{endpoint} of account {owner}" in run.output
    (gone,) = client.describe_stacks(StackName=stack_id)["Stacks"]
    assert gone["StackStatus"] == "DELETE_COMPLETE"
    client.delete_stack(StackName="hospital")


def test_a_bootstrap_that_failed_can_be_removed_and_is_replaced(
    account: Account, tmp_path: Path
) -> None:
    halted = {"dicoogle_environment": "halted", "dicoogle_topology": "provider_only"}
    broken = dataclasses.replace(account, checkout=copy_of_the_checkout(tmp_path))
    template = broken.checkout / "cloudformation" / "bootstrap.template"
    group = "Type: AWS::EC2::SecurityGroup\n    Properties: {GroupDescription: x, VpcId: vpc-0}\n"
    text = template.read_text()
    template.write_text(text.replace("\nResources:\n", f"\nResources:\n  Broken:\n    {group}", 1))

    assert "halted-bootstrap/Broken" in broken.run("site", "-t", "prerequisites", **halted).output
    account.succeed("destroy", dicoogle_environment="halted")
    assert broken.run("site", "-t", "prerequisites", **halted).failed
    account.succeed("site", "-t", "prerequisites", **halted)

    assert tree_of(account, "halted-bootstrap")["halted-bootstrap"]["StackStatus"] == (
        "CREATE_COMPLETE"
    )
    account.succeed("destroy", dicoogle_environment="halted")


def is_key(path: Path) -> bool:
    return "PRIVATE KEY" in path.read_text()


def is_public(line: str, pem: str) -> bool:
    """Whether a line holds nothing but a part of the public key, which ends an unencrypted key."""
    if "BEGIN PRIVATE KEY" not in pem:
        return False
    public = load_pem_private_key(pem.encode(), None).public_key()
    point = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.b64decode(line) in point


def test_no_secret_shows_at_the_highest_verbosity(account: Account) -> None:
    secret = {"dicoogle_environment": "secret", "dicoogle_topology": "provider_only"}
    first = account.succeed("site", "-vvv", "--diff", **secret)
    second = account.succeed("site", "-vvv", "--diff", **secret)
    outputs = account.succeed("outputs", "-vvv", **secret)
    gone = account.succeed("destroy", "-vvv", dicoogle_environment="secret")
    said = "".join(run.output for run in (first, second, outputs, gone))

    kept = [path for path in (account.folder / "secret").rglob("*") if path.is_file()]
    texts = [path.read_text() for path in kept if "pass" in path.name or is_key(path)]
    lines = {
        line
        for text in texts
        for line in text.splitlines()
        if len(line) >= 16 and "-----" not in line and not is_public(line, text)
    }
    assert len(lines) > 5
    assert not [line for line in lines if line in said]
    assert "PRIVATE KEY" not in said
