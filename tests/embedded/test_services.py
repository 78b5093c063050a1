# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Service calls that our roles and tests make, answered as Amazon answers them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

# Key pairs


@pytest.fixture
def key_name(aws: Any) -> Iterator[str]:
    name = f"key-{uuid4().hex[:8]}"
    yield name
    aws.client("ec2").delete_key_pair(KeyName=name)


@pytest.mark.parametrize(
    ("key_type", "load", "kind"),
    [
        ("rsa", serialization.load_pem_private_key, rsa.RSAPrivateKey),
        ("ed25519", serialization.load_ssh_private_key, ed25519.Ed25519PrivateKey),
    ],
)
def test_a_created_key_pair_is_real(
    aws: Any, key_name: str, key_type: str, load: Any, kind: type
) -> None:
    ec2 = aws.client("ec2")
    created = ec2.create_key_pair(KeyName=key_name, KeyType=key_type)
    key = load(created["KeyMaterial"].encode(), password=None)
    assert isinstance(key, kind)
    (pair,) = ec2.describe_key_pairs(KeyNames=[key_name], IncludePublicKey=True)["KeyPairs"]
    assert pair["KeyType"] == key_type
    assert pair["KeyFingerprint"] == created["KeyFingerprint"]
    encoding, form = serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    assert pair["PublicKey"] == key.public_key().public_bytes(encoding, form).decode()


def public_key() -> bytes:
    key = ed25519.Ed25519PrivateKey.generate().public_key()
    return key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)


def test_an_imported_key_pair_keeps_its_tags_and_fingerprint(aws: Any, key_name: str) -> None:
    ec2, text = aws.client("ec2"), public_key()
    tags = [{"Key": "use", "Value": "test"}]
    ec2.import_key_pair(
        KeyName=key_name,
        PublicKeyMaterial=text,
        TagSpecifications=[{"ResourceType": "key-pair", "Tags": tags}],
    )
    by_tag = [{"Name": "tag:use", "Values": ["test"]}]
    (pair,) = ec2.describe_key_pairs(Filters=by_tag)["KeyPairs"]
    digest = hashlib.sha256(base64.b64decode(text.split()[1])).digest()
    assert pair["KeyName"] == key_name
    assert pair["KeyFingerprint"] == base64.b64encode(digest).decode()
    assert pair["Tags"] == tags


def test_a_name_that_is_taken_and_a_bad_key_are_refused(aws: Any, key_name: str) -> None:
    ec2 = aws.client("ec2")
    bad = {"KeyName": key_name, "PublicKeyMaterial": b"ssh-rsa nonsense"}
    assert "OpenSSH" in aws.refusal(ec2.import_key_pair, **bad)
    ec2.import_key_pair(KeyName=key_name, PublicKeyMaterial=public_key())
    assert "already exists" in aws.refusal(ec2.create_key_pair, KeyName=key_name)
    ec2.delete_key_pair(KeyName=key_name)
    assert "does not exist" in aws.refusal(ec2.describe_key_pairs, KeyNames=[key_name])


def test_a_generated_private_key_of_a_stack_is_in_parameter_store(aws: Any) -> None:
    key = {"Type": "AWS::EC2::KeyPair", "Properties": {"KeyName": "stack-key"}}
    output = {"Value": {"Fn::GetAtt": ["Key", "KeyPairId"]}}
    name = aws.deploy({"Resources": {"Key": key}, "Outputs": {"Id": output}})
    parameter = f"/ec2/keypair/{aws.outputs(name)['Id']}"
    stored = aws.client("ssm").get_parameter(Name=parameter, WithDecryption=True)["Parameter"]
    serialization.load_pem_private_key(stored["Value"].encode(), password=None)
    aws.delete(name)
    with pytest.raises(ClientError, match="ParameterNotFound"):
        aws.client("ssm").get_parameter(Name=parameter)


# Quotas, zones and prefix lists


@pytest.mark.parametrize(
    ("service", "code"), [("vpc", "L-F678F1CE"), ("vpc", "L-A4707A72"), ("ec2", "L-0263D0A3")]
)
def test_quotas_have_amazons_defaults(aws: Any, service: str, code: str) -> None:
    quotas = aws.client("service-quotas")
    quota = quotas.get_service_quota(ServiceCode=service, QuotaCode=code)["Quota"]
    assert quota["Value"] == 5
    assert quota in quotas.list_service_quotas(ServiceCode=service)["Quotas"]


def test_an_unknown_quota_is_refused(aws: Any) -> None:
    with pytest.raises(ClientError, match="NoSuchResourceException"):
        aws.client("service-quotas").get_service_quota(ServiceCode="vpc", QuotaCode="L-0")


def test_zones_and_prefix_lists(aws: Any) -> None:
    ec2 = aws.client("ec2")
    zones = ec2.describe_availability_zones()["AvailabilityZones"]
    assert [zone["ZoneName"] for zone in zones][:2] == ["us-east-1a", "us-east-1b"]
    names = {"Filters": [{"Name": "prefix-list-name", "Values": ["com.amazonaws.us-east-1.s3"]}]}
    assert ec2.describe_prefix_lists(**names)["PrefixLists"][0]["PrefixListId"].startswith("pl-")
    assert ec2.describe_managed_prefix_lists(**names)["PrefixLists"]


# DataSync and Application Auto Scaling


def test_datasync_tells_what_it_was_given(aws: Any) -> None:
    datasync = aws.client("datasync")
    role = {"BucketAccessRoleArn": "arn:aws:iam::000000000000:role/sync"}
    source = datasync.create_location_s3(
        S3BucketArn="arn:aws:s3:::images", Subdirectory="/in", S3Config=role
    )["LocationArn"]
    target = datasync.create_location_efs(
        EfsFilesystemArn="arn:aws:elasticfilesystem:us-east-1:000000000000:file-system/fs-1",
        Ec2Config={"SubnetArn": "arn:aws:ec2:s", "SecurityGroupArns": ["arn:aws:ec2:g"]},
    )["LocationArn"]
    task = datasync.create_task(
        SourceLocationArn=source, DestinationLocationArn=target, Name="import"
    )["TaskArn"]

    assert datasync.describe_location_s3(LocationArn=source)["LocationUri"] == "s3://images/in"
    assert datasync.describe_location_efs(LocationArn=target)["LocationUri"].endswith(".fs-1/")
    assert {"TaskArn": task, "Status": "AVAILABLE", "Name": "import", "TaskMode": "BASIC"} in (
        datasync.list_tasks()["Tasks"]
    )
    datasync.update_task(TaskArn=task, Name="bulk")
    assert datasync.describe_task(TaskArn=task)["Name"] == "bulk"
    datasync.tag_resource(ResourceArn=task, Tags=[{"Key": "a", "Value": "b"}])
    assert datasync.list_tags_for_resource(ResourceArn=task)["Tags"] == [{"Key": "a", "Value": "b"}]

    assert "in use" in aws.refusal(datasync.delete_location, LocationArn=source)
    datasync.delete_task(TaskArn=task)
    for location in (source, target):
        datasync.delete_location(LocationArn=location)
    assert "not found" in aws.refusal(datasync.describe_task, TaskArn=task)
    assert datasync.list_locations()["Locations"] == []


def test_a_scalable_target_takes_its_policies_with_it(aws: Any) -> None:
    scaling = aws.client("application-autoscaling")
    target = {
        "ServiceNamespace": "ecs",
        "ResourceId": "service/c/s",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    policy = {"PolicyName": "p", "PolicyType": "TargetTrackingScaling", **target}
    assert "No scalable target" in aws.refusal(scaling.put_scaling_policy, **policy)
    scaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=3)
    scaling.register_scalable_target(**target, MaxCapacity=4)
    (described,) = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    assert (described["MinCapacity"], described["MaxCapacity"]) == (1, 4)
    arn = scaling.put_scaling_policy(**policy)["PolicyARN"]
    assert scaling.put_scaling_policy(**policy)["PolicyARN"] == arn
    scaling.deregister_scalable_target(**target)
    assert scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"] == []


def test_an_unknown_call_says_so(aws: Any) -> None:
    refusal = aws.refusal(aws.client("datasync").list_agents)
    assert refusal == "Unknown operation: ListAgents"


# Secrets


def test_secrets_are_listed_with_their_tags(aws: Any) -> None:
    secrets = aws.client("secretsmanager")
    name = f"listed-{uuid4().hex[:8]}"
    tags = [{"Key": "openpacs:digest", "Value": "abc"}]
    secrets.create_secret(Name=name, SecretString="x", Tags=tags)
    for key, value in (("name", name), ("tag-key", "openpacs:digest"), ("tag-value", "abc")):
        filters = [{"Key": key, "Values": [value]}]
        (found,) = secrets.list_secrets(Filters=filters)["SecretList"]
        assert (found["Name"], found["Tags"]) == (name, tags)
    secrets.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)


# Secrets


def test_a_secret_that_is_not_there_can_be_deleted_for_good_but_not_scheduled(aws: Any) -> None:
    client, name = aws.client("secretsmanager"), f"gone-{uuid4().hex[:8]}"
    client.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
    assert "can't find" in aws.refusal(client.delete_secret, SecretId=name)
    client.create_secret(Name=name, SecretString="made up")
    client.delete_secret(SecretId=name)
    assert "already scheduled" in aws.refusal(client.delete_secret, SecretId=name)
    client.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)


def test_listed_secrets_name_their_key(aws: Any) -> None:
    secrets, name = aws.client("secretsmanager"), f"secret-{uuid4().hex[:8]}"
    key = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    secrets.create_secret(Name=name, SecretString="text", KmsKeyId=key)
    (listed,) = secrets.list_secrets(Filters=[{"Key": "name", "Values": [name]}])["SecretList"]
    secrets.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
    assert listed["KmsKeyId"] == key


# Conditions of S3, which a lock relies on


@pytest.fixture(params=[False, True], ids=["unversioned", "versioned"])
def bucket(aws: Any, request: Any) -> Iterator[str]:
    s3, name = aws.client("s3"), f"conditions-{uuid4().hex[:8]}"
    s3.create_bucket(Bucket=name)
    if request.param:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    yield name
    versions = s3.list_object_versions(Bucket=name)
    for each in versions.get("Versions", []) + versions.get("DeleteMarkers", []):
        s3.delete_object(Bucket=name, Key=each["Key"], VersionId=each["VersionId"])
    s3.delete_bucket(Bucket=name)


def code_of(call: Any, **request: Any) -> str:
    """Return the error code of a call, "" when it succeeds."""
    try:
        call(**request)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def test_an_object_is_written_on_the_condition_that_there_is_none(aws: Any, bucket: str) -> None:
    s3, place = aws.client("s3"), {"Bucket": bucket, "Key": "lock"}
    with ThreadPoolExecutor(8) as pool:
        tries = [
            pool.submit(code_of, s3.put_object, **place, Body=b"%d" % number, IfNoneMatch="*")
            for number in range(8)
        ]
        codes = sorted(each.result() for each in tries)
    assert codes == ["", *["PreconditionFailed"] * 7]
    s3.delete_object(**place)
    assert code_of(s3.put_object, **place, Body=b"again", IfNoneMatch="*") == ""


def test_an_object_is_replaced_and_deleted_on_the_condition_of_its_etag(
    aws: Any, bucket: str
) -> None:
    s3, place = aws.client("s3"), {"Bucket": bucket, "Key": "lock"}
    first = s3.put_object(**place, Body=b"first")["ETag"]
    second = s3.put_object(**place, Body=b"second", IfMatch=first)["ETag"]
    assert code_of(s3.put_object, **place, Body=b"late", IfMatch=first) == "PreconditionFailed"
    assert code_of(s3.delete_object, **place, IfMatch=first) == "PreconditionFailed"
    assert s3.get_object(**place)["Body"].read() == b"second"
    s3.delete_object(**place, IfMatch=second)
    assert code_of(s3.put_object, **place, Body=b"third", IfMatch=second) == "NoSuchKey"
    assert code_of(s3.delete_object, **place, IfMatch=second) == "NoSuchKey"


def test_an_answer_of_s3_says_what_time_it_is_there(aws: Any, bucket: str) -> None:
    s3, place = aws.client("s3"), {"Bucket": bucket, "Key": "lock"}
    s3.put_object(**place, Body=b"first")
    answer = s3.get_object(**place)
    now = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
    assert 0 <= (now - answer["LastModified"]).total_seconds() < 60
