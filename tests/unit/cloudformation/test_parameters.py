# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a person sees in the console and what the templates accept."""

from __future__ import annotations

import re
from ipaddress import IPv4Network
from typing import Any

import pytest
from support.cloudformation_templates import FOLDER, NESTED, ROOT, TEMPLATES, properties

ENTRY_POINTS = ["bootstrap", "root"]
SECRET = "arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:dicoogle/nginx-xxxxxx"
KEY = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
REPOSITORY = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/dicoogle/nginx"
DIGEST = "@sha256:" + "0" * 64
VALUES: dict[str, tuple[list[str], list[str]]] = {
    "EnvironmentName": (
        ["dicoogle", "a1b", "hospital-north-2"],
        ["ab", "Dicoogle", "1pacs", "pacs-", "x" * 21, "my-aws", "cognito-test", "amazon1"],
    ),
    "DomainName": (["example.org", "pacs.example.co.uk"], ["example", "example.org.", "a b.org"]),
    "PrivateDomainName": (["dicoogle.internal"], ["internal", ".internal"]),
    "KmsKeyArn": ([KEY], ["alias/dicoogle", KEY.replace("key/", "alias/"), ""]),
    "NginxSecretArn": ([SECRET], ["nginx", f"{SECRET}:certificate::", ""]),
    "DicoogleImage": (
        [f"{REPOSITORY}:1", f"{REPOSITORY}{DIGEST}", "127.0.0.1:4566/dicoogle/nginx:1"],
        ["", f"{REPOSITORY}@sha256:12", "-x", "a b"],
    ),
    "AeTitle": (["DICOOGLE-STORAGE", "A"], ["", "ABCDEFGHIJKLMNOPQ", "A B", "A\\B"]),
    "AllowedAeTitle": (["", "CT1"], ["CT1,MR_2", "CT 1", ",CT1"]),
    "SopClasses": (["", "1.2.840.10008.5.1.4.1.1.2"], ["CT", "1.2,"]),
    "AllowedPrincipals": (["", "arn:aws:iam::123456789012:root"], ["*", "123456789012"]),
    "StorageEndpointServiceName": (
        ["", "com.amazonaws.vpce.eu-central-1.vpce-svc-0a1b2c3d"],
        ["com.amazonaws.eu-central-1.s3"],
    ),
    "WebClientCidr": (["0.0.0.0/0", "203.0.113.0/24"], ["", "203.0.113.7"]),
    "PluginPaths": (
        ["", "/dicomweb", "/ext/a,/b/v1.0", "/users"],
        ["dicomweb", "/", "/a/", "/a/../b", "/a,", "/user", "/a,/management/tasks"],
    ),
    "ImportSchedule": (["rate(1 hour)", "cron(0 * * * ? *)"], ["hourly", ""]),
    "AlarmEmail": (["", "pacs@hospital.example"], ["pacs", "a@b"]),
    "ProviderVpcCidr": (
        ["10.0.0.0/16", "192.168.4.0/22", "10.20.30.128/25"],
        ["10.0.0.0", "10.0.0.0/8", "10.0.0.0/26", "fd00::/64"],
    ),
    "HostImageParameter": (
        ["/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"],
        ["ami-0abc", "/my/parameter"],
    ),
    "InstanceType": (["t3.micro", "m7i-flex.large"], ["t3", "T3.micro"]),
}


def pattern(parameter: dict[str, Any]) -> re.Pattern[str]:
    return re.compile(parameter["AllowedPattern"])


@pytest.mark.parametrize("name", VALUES)
def test_parameter_takes_what_is_right_and_refuses_what_is_wrong(name: str) -> None:
    right, wrong = VALUES[name]
    checked = pattern(ROOT["Parameters"][name])
    assert [value for value in right if not checked.fullmatch(value)] == []
    assert [value for value in wrong if checked.fullmatch(value)] == []


def test_bootstrap_takes_the_same_names_and_a_public_key() -> None:
    parameters = TEMPLATES["bootstrap"]["Parameters"]
    root = ROOT["Parameters"]["EnvironmentName"]
    assert parameters["EnvironmentName"]["AllowedPattern"] == root["AllowedPattern"]
    checked = pattern(parameters["PublicKeyMaterial"])
    assert checked.fullmatch("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE1h me@here")
    assert checked.fullmatch("")
    assert not checked.fullmatch("-----BEGIN OPENSSH PRIVATE KEY-----")


@pytest.mark.parametrize("template", ENTRY_POINTS)
def test_what_is_refused_is_explained(template: str) -> None:
    for name, parameter in TEMPLATES[template]["Parameters"].items():
        if {"AllowedPattern", "MaxValue"} & parameter.keys():
            assert re.match("must (be|have) ", parameter["ConstraintDescription"]), name


@pytest.mark.parametrize("template", ENTRY_POINTS)
def test_defaults_are_accepted(template: str) -> None:
    for name, parameter in TEMPLATES[template]["Parameters"].items():
        default = str(parameter.get("Default", ""))
        if "Default" in parameter and "AllowedPattern" in parameter:
            assert pattern(parameter).fullmatch(default), name
        if "Default" in parameter and "AllowedValues" in parameter:
            assert default in map(str, parameter["AllowedValues"]), name


def test_console_shows_every_parameter_of_the_root_once_in_a_group() -> None:
    interface = ROOT["Metadata"]["AWS::CloudFormation::Interface"]
    shown = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]
    declared = ROOT["Parameters"].keys()
    assert sorted(shown) == sorted(declared)
    assert interface["ParameterLabels"].keys() <= declared


def test_everything_that_a_person_reads_is_there() -> None:
    for name, template in TEMPLATES.items():
        assert template["Description"], name
        for section in ("Parameters", "Outputs"):
            for key, entry in template.get(section, {}).items():
                assert len(entry["Description"]) > 5, f"{name} {key}"


def blocks(parameters: dict[str, str]) -> dict[str, str]:
    """The subnets that network.template cuts out of a VPC, by logical id."""
    found = {}
    for where, subnet in properties("AWS::EC2::Subnet").items():
        index, cidr = subnet["CidrBlock"]["Fn::Select"]
        vpc, count, bits = cidr["Fn::Cidr"]
        whole = IPv4Network(parameters[vpc["Ref"]])
        cut = list(whole.subnets(new_prefix=32 - int(parameters[bits["Ref"]])))[:count]
        found[where.removeprefix("network.")] = str(cut[index])
    return found


@pytest.mark.parametrize(
    ("side", "number"), [("ProviderVpcCidr", 0), ("ConsumerVpcCidr", 1), ("OnPremisesVpcCidr", 2)]
)
def test_default_subnets_are_the_first_four_of_their_vpc(side: str, number: int) -> None:
    defaults = {name: ROOT["Parameters"][name]["Default"] for name in (side, "SubnetBits")}
    assert blocks({"VpcCidr": defaults[side], "SubnetBits": defaults["SubnetBits"]}) == {
        "PrivateSubnet1": f"10.{number}.0.0/24",
        "PrivateSubnet2": f"10.{number}.1.0/24",
        "PublicSubnet1": f"10.{number}.2.0/24",
        "PublicSubnet2": f"10.{number}.3.0/24",
    }


def test_a_small_range_holds_four_small_subnets() -> None:
    smallest = {
        "VpcCidr": "10.20.30.128/25",
        "SubnetBits": ROOT["Parameters"]["SubnetBits"]["MinValue"],
    }
    assert list(blocks(smallest).values()) == [
        "10.20.30.192/27",
        "10.20.30.224/27",
        "10.20.30.128/27",
        "10.20.30.160/27",
    ]


def test_topology_of_a_provider_alone_makes_nothing_of_a_hospital() -> None:
    of_a_hospital = {
        "ClientHost",
        "ConsumerNetwork",
        "OnPremises",
        "OnPremisesNetwork",
        "Peering",
        "StorageHost",
    }
    assert {n for n, s in NESTED.items() if s.get("Condition") == "IsFull"} == of_a_hospital
    assert "Condition" not in NESTED["ArchiveLink"]  # a hospital connects through it


def test_templates_fit_where_they_are_sent() -> None:
    assert len((FOLDER / "bootstrap.template").read_bytes()) < 51_200  # as template body
    for path in FOLDER.glob("*.template"):
        assert path.stat().st_size < 1_000_000, path.name  # from S3
