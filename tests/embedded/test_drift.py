# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Drift detection: what changes behind CloudFormation's back is found, and nothing else."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

PROPERTIES: dict[str, tuple[str, dict[str, Any]]] = {
    "Vpc": (
        "AWS::EC2::VPC",
        {"CidrBlock": "10.9.0.0/16", "EnableDnsHostnames": True, "EnableDnsSupport": "true"},
    ),
    "Subnet": ("AWS::EC2::Subnet", {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.9.0.0/24"}),
    "Table": ("AWS::EC2::RouteTable", {"VpcId": {"Ref": "Vpc"}}),
    "Association": (
        "AWS::EC2::SubnetRouteTableAssociation",
        {"SubnetId": {"Ref": "Subnet"}, "RouteTableId": {"Ref": "Table"}},
    ),
    "Gateway": ("AWS::EC2::InternetGateway", {}),
    "Route": (
        "AWS::EC2::Route",
        {
            "RouteTableId": {"Ref": "Table"},
            "DestinationCidrBlock": "0.0.0.0/0",
            "GatewayId": {"Ref": "Gateway"},
        },
    ),
    "Group": (
        "AWS::EC2::SecurityGroup",
        {
            "GroupDescription": "DICOM",
            "VpcId": {"Ref": "Vpc"},
            "SecurityGroupIngress": [
                {"IpProtocol": "tcp", "FromPort": 104, "ToPort": "104", "CidrIp": "10.0.0.0/8"}
            ],
        },
    ),
    "Rule": (
        "AWS::EC2::SecurityGroupIngress",
        {"GroupId": {"Ref": "Group"}, "IpProtocol": "-1", "CidrIp": "10.1.0.0/16"},
    ),
    "Host": (
        "AWS::EC2::Instance",
        {
            "ImageId": "ami-1",
            "SubnetId": {"Ref": "Subnet"},
            "SecurityGroupIds": [{"Ref": "Group"}],
            "UserData": {"Fn::Base64": "#!/bin/sh"},
        },
    ),
    "Endpoint": (
        "AWS::EC2::VPCEndpoint",
        {
            "VpcId": {"Ref": "Vpc"},
            "VpcEndpointType": "Interface",
            "ServiceName": "com.amazonaws.us-east-1.logs",
            "SubnetIds": [{"Ref": "Subnet"}],
            "SecurityGroupIds": [{"Ref": "Group"}],
            "PrivateDnsEnabled": "true",
        },
    ),
    "Balancer": (
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        {
            "Type": "network",
            "Scheme": "internal",
            "Subnets": [{"Ref": "Subnet"}],
            "LoadBalancerAttributes": [
                {"Key": "load_balancing.cross_zone.enabled", "Value": "true"}
            ],
        },
    ),
    "Targets": (
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        {"VpcId": {"Ref": "Vpc"}, "Port": 80, "Protocol": "TCP", "HealthCheckProtocol": "TCP"},
    ),
    "Listener": (
        "AWS::ElasticLoadBalancingV2::Listener",
        {
            "LoadBalancerArn": {"Ref": "Balancer"},
            "Port": 80,
            "Protocol": "TCP",
            "DefaultActions": [{"Type": "forward", "TargetGroupArn": {"Ref": "Targets"}}],
        },
    ),
    "Zone": (
        "AWS::Route53::HostedZone",
        {
            "Name": "drift.internal",
            "VPCs": [{"VPCId": {"Ref": "Vpc"}, "VPCRegion": {"Ref": "AWS::Region"}}],
        },
    ),
    "Record": (
        "AWS::Route53::RecordSet",
        {
            "HostedZoneId": {"Ref": "Zone"},
            "Name": "storage.drift.internal",
            "Type": "CNAME",
            "TTL": "60",
            "ResourceRecords": [{"Fn::GetAtt": ["Balancer", "DNSName"]}],
        },
    ),
    "Role": (
        "AWS::IAM::Role",
        {
            "AssumeRolePolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "ecs-tasks.amazonaws.com"},
                        "Action": "sts:AssumeRole",
                    }
                ],
            },
            "Policies": [
                {
                    "PolicyName": "read",
                    "PolicyDocument": {
                        "Version": "2012-10-17",
                        "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}],
                    },
                }
            ],
        },
    ),
    "Logs": ("AWS::Logs::LogGroup", {"RetentionInDays": 400}),
    "Cluster": ("AWS::ECS::Cluster", {}),
    "Definition": (
        "AWS::ECS::TaskDefinition",
        {"ContainerDefinitions": [{"Name": "pacs", "Image": "pacs:1", "Memory": 64}]},
    ),
    "Service": (
        "AWS::ECS::Service",
        {
            "Cluster": {"Ref": "Cluster"},
            "TaskDefinition": {"Ref": "Definition"},
            "DesiredCount": 0,
            "LaunchType": "FARGATE",
            "NetworkConfiguration": {
                "AwsvpcConfiguration": {
                    "AssignPublicIp": "DISABLED",
                    "Subnets": [{"Ref": "Subnet"}],
                    "SecurityGroups": [{"Ref": "Group"}],
                }
            },
        },
    ),
    "Files": (
        "AWS::EFS::FileSystem",
        {
            "Encrypted": True,
            "ThroughputMode": "elastic",
            "BackupPolicy": {"Status": "ENABLED"},
            "LifecyclePolicies": [{"TransitionToIA": "AFTER_30_DAYS"}],
            "FileSystemPolicy": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": "*",
                        "Action": "elasticfilesystem:ClientMount",
                    }
                ],
            },
        },
    ),
    "Mount": (
        "AWS::EFS::MountTarget",
        {
            "FileSystemId": {"Ref": "Files"},
            "SubnetId": {"Ref": "Subnet"},
            "SecurityGroups": [{"Ref": "Group"}],
        },
    ),
    "Key": (
        "AWS::KMS::Key",
        {
            "Description": "key",
            "EnableKeyRotation": "true",
            "KeyPolicy": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"AWS": "arn:aws:iam::000000000000:root"},
                        "Action": "kms:*",
                        "Resource": "*",
                    }
                ],
            },
        },
    ),
    "Repository": (
        "AWS::ECR::Repository",
        {
            "ImageTagMutability": "IMMUTABLE",
            "ImageScanningConfiguration": {"ScanOnPush": "true"},
            "LifecyclePolicy": {"LifecyclePolicyText": '{"rules": []}'},
        },
    ),
    "Bucket": (
        "AWS::S3::Bucket",
        {
            "BucketEncryption": {
                "ServerSideEncryptionConfiguration": [
                    {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
                ]
            },
            "LifecycleConfiguration": {
                "Rules": [{"Id": "old", "Status": "Enabled", "ExpirationInDays": 30}]
            },
            "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
            "PublicAccessBlockConfiguration": {"BlockPublicAcls": True},
            "VersioningConfiguration": {"Status": "Enabled"},
            "Tags": [{"Key": "use", "Value": "images"}],
        },
    ),
    "BucketPolicy": (
        "AWS::S3::BucketPolicy",
        {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": {"Version": "2012-10-17", "Statement": []}},
    ),
}
TEMPLATE = {
    "Resources": {
        name: {"Type": resource_type, "Properties": properties}
        for name, (resource_type, properties) in PROPERTIES.items()
    }
}


@pytest.fixture(scope="module")
def stack(aws: Any) -> Iterator[str]:
    name = aws.deploy(TEMPLATE)
    assert aws.status(name) == "CREATE_COMPLETE", aws.events(name)
    yield name
    aws.delete(name)


def detect(aws: Any, stack: str) -> dict[str, dict[str, Any]]:
    """The drift of each resource, by its logical id."""
    cloudformation = aws.client("cloudformation")
    detection = cloudformation.detect_stack_drift(StackName=stack)["StackDriftDetectionId"]
    for _unused in range(100):
        status = cloudformation.describe_stack_drift_detection_status(
            StackDriftDetectionId=detection
        )
        if status["DetectionStatus"] != "DETECTION_IN_PROGRESS":
            break
        time.sleep(0.02)
    drifts = cloudformation.describe_stack_resource_drifts(StackName=stack, MaxResults=100)
    return {drift["LogicalResourceId"]: drift for drift in drifts["StackResourceDrifts"]}


def changed_paths(drift: dict[str, Any]) -> list[str]:
    return [difference["PropertyPath"] for difference in drift["PropertyDifferences"]]


def test_nothing_has_drifted_after_a_creation(aws: Any, stack: str) -> None:
    drifts = detect(aws, stack)
    assert drifts.keys() == PROPERTIES.keys()
    drifted = {
        name: changed_paths(drift)
        for name, drift in drifts.items()
        if drift["StackResourceDriftStatus"] != "IN_SYNC"
    }
    assert drifted == {}


def authorize(aws: Any, ids: dict[str, str]) -> None:
    aws.client("ec2").authorize_security_group_ingress(
        GroupId=ids["Group"],
        IpPermissions=[
            {
                "IpProtocol": "tcp",
                "FromPort": 22,
                "ToPort": 22,
                "IpRanges": [{"CidrIp": "0.0.0.0/0"}],
            }
        ],
    )


def replace_role_policy(aws: Any, ids: dict[str, str]) -> None:
    statement = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    aws.client("iam").put_role_policy(
        RoleName=ids["Role"], PolicyName="read", PolicyDocument=document
    )


CHANGES: dict[str, tuple[Any, str]] = {
    "Vpc": (
        lambda aws, ids: aws.client("ec2").modify_vpc_attribute(
            VpcId=ids["Vpc"], EnableDnsHostnames={"Value": False}
        ),
        "/EnableDnsHostnames",
    ),
    "Group": (authorize, "/SecurityGroupIngress/1"),
    "Role": (replace_role_policy, "/Policies/0/PolicyDocument/Statement/0/Action"),
    "Service": (
        lambda aws, ids: aws.client("ecs").update_service(
            cluster=ids["Cluster"], service=ids["Service"], desiredCount=2
        ),
        "/DesiredCount",
    ),
    "Files": (
        lambda aws, ids: aws.client("efs").put_backup_policy(
            FileSystemId=ids["Files"], BackupPolicy={"Status": "DISABLED"}
        ),
        "/BackupPolicy/Status",
    ),
    "Mount": (
        lambda aws, ids: aws.client("efs").modify_mount_target_security_groups(
            MountTargetId=ids["Mount"], SecurityGroups=[]
        ),
        "/SecurityGroups/0",
    ),
    "Key": (
        lambda aws, ids: aws.client("kms").disable_key_rotation(KeyId=ids["Key"]),
        "/EnableKeyRotation",
    ),
    "Repository": (
        lambda aws, ids: aws.client("ecr").put_image_tag_mutability(
            repositoryName=ids["Repository"], imageTagMutability="MUTABLE"
        ),
        "/ImageTagMutability",
    ),
    "Bucket": (
        lambda aws, ids: aws.client("s3").delete_bucket_encryption(Bucket=ids["Bucket"]),
        "/BucketEncryption",
    ),
    "Balancer": (
        lambda aws, ids: aws.client("elbv2").modify_load_balancer_attributes(
            LoadBalancerArn=ids["Balancer"],
            Attributes=[{"Key": "load_balancing.cross_zone.enabled", "Value": "false"}],
        ),
        "/LoadBalancerAttributes/0/Value",
    ),
    "Logs": (
        lambda aws, ids: aws.client("logs").put_retention_policy(
            logGroupName=ids["Logs"], retentionInDays=1
        ),
        "/RetentionInDays",
    ),
}


@pytest.fixture(scope="module")
def drifts(aws: Any) -> Iterator[dict[str, dict[str, Any]]]:
    """The drift after each of the changes has been made, and two resources deleted."""
    name = aws.deploy(TEMPLATE)
    ids = aws.resources(name)
    for change, _path in CHANGES.values():
        change(aws, ids)
    aws.client("ec2").terminate_instances(InstanceIds=[ids["Host"]])
    aws.client("ec2").delete_route(RouteTableId=ids["Table"], DestinationCidrBlock="0.0.0.0/0")
    yield detect(aws, name)
    aws.delete(name)


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_found(drifts: dict[str, dict[str, Any]], name: str) -> None:
    assert drifts[name]["StackResourceDriftStatus"] == "MODIFIED"
    assert CHANGES[name][1] in changed_paths(drifts[name])


@pytest.mark.parametrize("name", ["Host", "Route"])
def test_a_deletion_is_found(drifts: dict[str, dict[str, Any]], name: str) -> None:
    assert drifts[name]["StackResourceDriftStatus"] == "DELETED"


def test_what_nobody_touched_is_in_sync(drifts: dict[str, dict[str, Any]]) -> None:
    touched = {*CHANGES, "Host", "Route"}
    others = {
        name: drift["StackResourceDriftStatus"]
        for name, drift in drifts.items()
        if name not in touched and drift["StackResourceDriftStatus"] != "IN_SYNC"
    }
    assert others == {}
