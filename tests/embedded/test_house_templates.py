# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Our own templates against the embedded AWS, which knows every type in them and deploys them."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

import pytest
from cfnlint.decode.cfn_yaml import load
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER
from support import CHECKOUT

VENV = CHECKOUT / ".cache" / "embedded-venv"
TEMPLATES = sorted((CHECKOUT / "cloudformation").glob("*.template"))
BEYOND_THE_SCHEMA = {  # create-only by the resource reference, not marked so in the schema
    "AWS::Route53::RecordSet": {"Name"},
}
REGISTRIES = """
import json, os, pathlib, sys
from openpacs_embedded import __main__ as server
os.environ.update(server.environment(1, pathlib.Path(sys.argv[1])))
from openpacs_embedded import subjects
subjects.install()
from ministack.services.cloudformation import drift, provisioners
print(json.dumps({
    "types": list(provisioners._RESOURCE_HANDLERS),
    "replacing": provisioners._REPLACING_PROPERTIES,
    "conditional": provisioners._CONDITIONALLY_REPLACING_PROPERTIES,
    "drift": list(drift._DRIFT_READERS),
}))
"""


def resource_types() -> list[str]:
    """Every Amazon type that one of our templates uses."""
    templates = [load(str(path)) for path in TEMPLATES]
    types = {r["Type"] for template in templates for r in template["Resources"].values()}
    return sorted(name for name in types if name.startswith("AWS::"))


@pytest.fixture(scope="module")
def registries(aws: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the extended MiniStack knows; `aws` makes sure that its environment exists."""
    answer = subprocess.run(
        [VENV / "bin" / "python", "-c", REGISTRIES, str(tmp_path_factory.mktemp("registries"))],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT / "embedded")},
        capture_output=True,
        check=True,
        text=True,
    )
    known: dict[str, Any] = json.loads(answer.stdout)
    return known


def schema_properties(resource_type: str, kind: str) -> set[str]:
    """The top-level properties that a resource's schema lists under `kind`."""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", resource_type).schema
    pointers = [pointer.split("/")[2:] for pointer in schema.get(kind, [])]
    return {path[0] for path in pointers if len(path) == 1}


@pytest.mark.parametrize("resource_type", resource_types())
def test_a_type_of_ours_is_known_and_replaced_as_its_schema_says(
    registries: dict[str, Any], resource_type: str
) -> None:
    assert resource_type in registries["types"]
    expected = schema_properties(resource_type, "createOnlyProperties")
    expected |= BEYOND_THE_SCHEMA.get(resource_type, set())
    assert set(registries["replacing"][resource_type]) == expected
    conditional = schema_properties(resource_type, "conditionalCreateOnlyProperties")
    assert set(registries["conditional"].get(resource_type, ())) == conditional


@pytest.mark.parametrize(
    "public_key",
    ["", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE1hZGUgdXAga2V5IG9mIDMyIGJ5dGVzLCBmb3IgYSB0"],
)
def test_the_bootstrap_template_deploys_and_goes(aws: Any, public_key: str) -> None:
    template = (CHECKOUT / "cloudformation" / "bootstrap.template").read_text()
    cloudformation = aws.client("cloudformation")
    parameters = {"EnvironmentName": "house", "PublicKeyMaterial": public_key}
    cloudformation.create_stack(
        StackName="house-bootstrap",
        TemplateBody=template,
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()],
    )
    assert aws.wait("house-bootstrap") == "CREATE_COMPLETE", aws.events("house-bootstrap")
    outputs = aws.outputs("house-bootstrap")
    assert outputs["KeyName"] == ("house" if public_key else "")
    assert outputs["NginxRepositoryUri"].endswith("/house/nginx")
    assert aws.delete("house-bootstrap") == "DELETE_COMPLETE"


ZONES = "us-east-1a,us-east-1b"
SECRETS = ("Nginx", "Ghostunnel", "Dicoogle")


@pytest.fixture(scope="module")
def root_parameters(aws: Any) -> dict[str, str]:
    """What the root needs from elsewhere: a zone, a key, secrets, images."""
    zone = aws.client("route53").create_hosted_zone(Name="example.org", CallerReference="house")
    key = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    secrets = aws.client("secretsmanager")
    arns = {
        f"{name}SecretArn": secrets.create_secret(Name=f"house/{name}", SecretString="x")["ARN"]
        for name in SECRETS
    }
    images = {f"{name}Image": f"{name.lower()}:1" for name in ("Dicoogle", "Nginx", "Ghostunnel")}
    return {
        "EnvironmentName": "house",
        "AvailabilityZones": ZONES,
        "DomainName": "example.org",
        "HostedZoneId": zone["HostedZone"]["Id"].rpartition("/")[2],
        "KmsKeyArn": key,
        "StorageClients": "client",
        "QueryClients": "client",
        "Administrators": "administrator",
        **arns,
        **images,
    }


@pytest.fixture(scope="module")
def root_url(aws: Any) -> str:
    """The root template with all it needs, uploaded as the role `artifacts` does it."""
    from ansible_collections.openpacs.dicoogle.plugins.module_utils._cloudformation import package

    aws.client("s3").create_bucket(Bucket="house-artifacts")
    destination = package.Destination("house-artifacts", "t", "us-east-1", "amazonaws.com")
    packed = package.read_package(CHECKOUT / "cloudformation" / "root.template", destination)
    package.upload_artifacts(aws.client("s3"), "house-artifacts", list(packed.artifacts), None)
    return packed.url


def failures(aws: Any, stack: str) -> list[str]:
    """Why resources of a stack and of its nested stacks failed."""
    return [
        f"{event['StackName']}/{event['LogicalResourceId']}: {event['ResourceStatusReason']}"
        for listed in aws.client("cloudformation").list_stacks()["StackSummaries"]
        if listed["StackName"].startswith(stack)
        for event in aws.events(listed["StackId"])
        if event["ResourceStatus"].endswith("_FAILED")
    ]


SUBNETS = {
    f"house-{side}-{kind}-{zone + 1}": f"10.{vpc}.{block + zone}.0/24"
    for vpc, side in enumerate(["provider", "consumer", "on-premises"])
    for kind, block in (("private", 0), ("public", 2))
    for zone in (0, 1)
    if (side, kind) != ("on-premises", "private")
}


def subnets(aws: Any) -> dict[str, str]:
    """The range of each subnet of the environment, by its name."""
    found = aws.client("ec2").describe_subnets()["Subnets"]
    named = {
        tag["Value"]: subnet["CidrBlock"]
        for subnet in found
        for tag in subnet.get("Tags", [])
        if tag["Key"] == "Name"
    }
    return {name: cidr for name, cidr in named.items() if name.startswith("house-")}


def running_hosts(aws: Any) -> dict[str, str]:
    """The type of each instance, by its id."""
    reservations = aws.client("ec2").describe_instances()["Reservations"]
    return {i["InstanceId"]: i["InstanceType"] for r in reservations for i in r["Instances"]}


@pytest.mark.parametrize("topology", ["full", "provider_only"])
def test_the_root_template_deploys_changes_and_goes(
    aws: Any, root_url: str, root_parameters: dict[str, str], topology: str
) -> None:
    cloudformation = aws.client("cloudformation")
    given = {**root_parameters, "Topology": topology}
    request = {
        "StackName": f"house-{topology.replace('_', '-')}",
        "TemplateURL": root_url,
        "Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in given.items()],
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
    }
    name = request["StackName"]
    cloudformation.create_stack(**request)
    assert aws.wait(name) == "CREATE_COMPLETE", failures(aws, name)
    refusal = aws.refusal(cloudformation.update_stack, **request)
    assert refusal == "No updates are to be performed."
    here = {n: c for n, c in SUBNETS.items() if topology == "full" or "-provider-" in n}
    assert subnets(aws) == here
    hosts = running_hosts(aws)
    assert len(hosts) == (2 if topology == "full" else 0)
    change = {"ParameterKey": "InstanceType", "ParameterValue": "t3.small"}
    cloudformation.update_stack(**{**request, "Parameters": [*request["Parameters"], change]})
    assert aws.wait(name) == "UPDATE_COMPLETE", failures(aws, name)
    assert running_hosts(aws) == dict.fromkeys(hosts, "t3.small")
    assert aws.delete(name) == "DELETE_COMPLETE", failures(aws, name)
