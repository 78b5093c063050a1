# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One case for each added resource type: what it needs, and a change of each kind."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

Properties = dict[str, Any]

NETWORK: dict[str, Properties] = {
    "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
    "OtherVpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.1.0.0/16"}},
    "Subnet": {
        "Type": "AWS::EC2::Subnet",
        "Properties": {
            "VpcId": {"Ref": "Vpc"},
            "CidrBlock": "10.0.0.0/24",
            "AvailabilityZone": "us-east-1b",
        },
    },
    "OtherSubnet": {
        "Type": "AWS::EC2::Subnet",
        "Properties": {
            "VpcId": {"Ref": "Vpc"},
            "CidrBlock": "10.0.1.0/24",
            "AvailabilityZone": "us-east-1c",
        },
    },
    "Group": {
        "Type": "AWS::EC2::SecurityGroup",
        "Properties": {"GroupDescription": "one", "VpcId": {"Ref": "Vpc"}},
    },
    "OtherGroup": {
        "Type": "AWS::EC2::SecurityGroup",
        "Properties": {"GroupDescription": "other", "VpcId": {"Ref": "Vpc"}},
    },
}
ADDRESS: dict[str, Properties] = {"Address": {"Type": "AWS::EC2::EIP", "Properties": {}}}
BALANCER: dict[str, Properties] = {
    "Balancer": {
        "Type": "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "Properties": {"Type": "network", "Scheme": "internal", "Subnets": [{"Ref": "Subnet"}]},
    }
}
SERVICE: dict[str, Properties] = {
    "Service": {
        "Type": "AWS::EC2::VPCEndpointService",
        "Properties": {
            "AcceptanceRequired": False,
            "NetworkLoadBalancerArns": [{"Ref": "Balancer"}],
        },
    },
    "OtherService": {
        "Type": "AWS::EC2::VPCEndpointService",
        "Properties": {"NetworkLoadBalancerArns": [{"Ref": "Balancer"}]},
    },
}
LOCATIONS: dict[str, Properties] = {
    "Source": {
        "Type": "AWS::DataSync::LocationS3",
        "Properties": {
            "S3BucketArn": "arn:aws:s3:::images",
            "S3Config": {"BucketAccessRoleArn": "arn:aws:iam::000000000000:role/sync"},
        },
    },
    "OtherSource": {
        "Type": "AWS::DataSync::LocationS3",
        "Properties": {
            "S3BucketArn": "arn:aws:s3:::other",
            "S3Config": {"BucketAccessRoleArn": "arn:aws:iam::000000000000:role/sync"},
        },
    },
    "Target": {
        "Type": "AWS::DataSync::LocationEFS",
        "Properties": {
            "EfsFilesystemArn": "arn:aws:elasticfilesystem:us-east-1:000000000000:file-system/fs-1",
            "Ec2Config": {"SubnetArn": "arn:subnet", "SecurityGroupArns": ["arn:group"]},
        },
    },
}
SCALED = {
    "ResourceId": "service/cluster/pacs",
    "ScalableDimension": "ecs:service:DesiredCount",
    "ServiceNamespace": "ecs",
}
SCALING_TARGET: dict[str, Properties] = {
    "Scaled": {
        "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
        "Properties": {**SCALED, "MinCapacity": 1, "MaxCapacity": 2},
    }
}
PLAN: dict[str, Properties] = {
    "Vault": {
        "Type": "AWS::Backup::BackupVault",
        "Properties": {"BackupVaultName": {"Fn::Sub": "${AWS::StackName}-vault"}},
    },
    "Plan": {
        "Type": "AWS::Backup::BackupPlan",
        "Properties": {
            "BackupPlan": {
                "BackupPlanName": "daily",
                "BackupPlanRule": [
                    {"RuleName": "daily", "TargetBackupVault": {"Ref": "Vault"}},
                ],
            }
        },
    },
}


def role_selection(*arns: str) -> Properties:
    role = "arn:aws:iam::000000000000:role/backup"
    return {"SelectionName": "all", "IamRoleArn": role, "Resources": list(arns)}


@dataclass(frozen=True)
class Case:
    """A type, what it needs, and a change of each kind (None: the type has no such property)."""

    type: str
    properties: Properties
    in_place: Properties | None
    replacing: Properties | None
    needs: dict[str, Properties]
    attribute: str | None = None


TAGGED = {"Tags": [{"Key": "colour", "Value": "red"}]}
PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFBvbmRlcm91cyBwdWJsaWMga2V5IG9mIGEgdGVzdCE="

CASES = [
    Case("AWS::EC2::EIP", {}, TAGGED, {"NetworkBorderGroup": "b"}, {}, "AllocationId"),
    Case(
        "AWS::EC2::NatGateway",
        {
            "SubnetId": {"Ref": "Subnet"},
            "AllocationId": {"Fn::GetAtt": ["Address", "AllocationId"]},
        },
        TAGGED,
        {"SubnetId": {"Ref": "OtherSubnet"}},
        NETWORK | ADDRESS,
        "NatGatewayId",
    ),
    Case(
        "AWS::EC2::Instance",
        {"ImageId": "ami-1", "InstanceType": "t3.micro", "SubnetId": {"Ref": "Subnet"}},
        {"InstanceType": "t3.small"},
        {"ImageId": "ami-2"},
        NETWORK,
        "PrivateIp",
    ),
    Case(
        "AWS::EC2::SecurityGroupIngress",
        {
            "GroupId": {"Ref": "Group"},
            "IpProtocol": "tcp",
            "FromPort": 11112,
            "ToPort": 11112,
            "SourceSecurityGroupId": {"Ref": "OtherGroup"},
        },
        {"Description": "DICOM"},
        {"FromPort": 11113, "ToPort": 11113},
        NETWORK,
        "Id",
    ),
    Case(
        "AWS::EC2::SecurityGroupEgress",
        {"GroupId": {"Ref": "Group"}, "IpProtocol": "tcp", "CidrIp": "10.0.0.0/8", "ToPort": 1},
        {"Description": "out"},
        {"CidrIp": "10.0.0.0/16"},
        NETWORK,
        "Id",
    ),
    Case(
        "AWS::EC2::FlowLog",
        {
            "ResourceId": {"Ref": "Vpc"},
            "ResourceType": "VPC",
            "TrafficType": "ALL",
            "LogGroupName": "flows",
        },
        TAGGED,
        {"TrafficType": "REJECT"},
        NETWORK,
        "Id",
    ),
    Case(
        "AWS::EC2::VPCPeeringConnection",
        {"VpcId": {"Ref": "Vpc"}, "PeerVpcId": {"Ref": "OtherVpc"}},
        TAGGED,
        {"VpcId": {"Ref": "OtherVpc"}, "PeerVpcId": {"Ref": "Vpc"}},
        NETWORK,
        "Id",
    ),
    Case(
        "AWS::EC2::VPCEndpointService",
        {"NetworkLoadBalancerArns": [{"Ref": "Balancer"}]},
        {"AcceptanceRequired": False},
        None,
        NETWORK | BALANCER,
        "ServiceId",
    ),
    Case(
        "AWS::EC2::VPCEndpointServicePermissions",
        {"ServiceId": {"Ref": "Service"}, "AllowedPrincipals": ["*"]},
        {"AllowedPrincipals": ["arn:aws:iam::000000000000:root"]},
        {"ServiceId": {"Ref": "OtherService"}},
        NETWORK | BALANCER | SERVICE,
    ),
    Case("AWS::EC2::KeyPair", {"KeyName": "a"}, None, {"KeyName": "b"}, {}, "KeyPairId"),
    Case(
        "AWS::DataSync::LocationS3",
        LOCATIONS["Source"]["Properties"],
        {"Subdirectory": "in"},
        {"S3BucketArn": "arn:aws:s3:::another"},
        {},
        "LocationUri",
    ),
    Case(
        "AWS::DataSync::LocationEFS",
        LOCATIONS["Target"]["Properties"],
        {"Subdirectory": "/in"},
        {"Ec2Config": {"SubnetArn": "arn:subnet/2", "SecurityGroupArns": ["arn:group"]}},
        {},
        "LocationArn",
    ),
    Case(
        "AWS::DataSync::Task",
        {"SourceLocationArn": {"Ref": "Source"}, "DestinationLocationArn": {"Ref": "Target"}},
        {"Name": "import"},
        {"SourceLocationArn": {"Ref": "OtherSource"}},
        LOCATIONS,
        "TaskArn",
    ),
    Case(
        "AWS::ApplicationAutoScaling::ScalableTarget",
        {**SCALED, "MinCapacity": 1, "MaxCapacity": 2},
        {"MaxCapacity": 5},
        {"ResourceId": "service/cluster/other"},
        {},
        "Id",
    ),
    Case(
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        {
            "PolicyName": "cpu",
            "PolicyType": "TargetTrackingScaling",
            "ScalingTargetId": {"Ref": "Scaled"},
            "TargetTrackingScalingPolicyConfiguration": {
                "TargetValue": 50,
                "PredefinedMetricSpecification": {
                    "PredefinedMetricType": "ECSServiceAverageCPUUtilization"
                },
            },
        },
        {"TargetTrackingScalingPolicyConfiguration": {"TargetValue": 60}},
        {"PolicyName": "processor"},
        SCALING_TARGET,
        "Arn",
    ),
    Case(
        "AWS::Backup::BackupSelection",
        {"BackupPlanId": {"Ref": "Plan"}, "BackupSelection": role_selection("arn:a")},
        None,
        {"BackupSelection": role_selection("arn:b")},
        PLAN,
        "SelectionId",
    ),
    Case(
        "AWS::WAFv2::WebACLAssociation",
        {
            "ResourceArn": {"Ref": "Balancer"},
            "WebACLArn": {"Fn::GetAtt": ["Acl", "Arn"]},
        },
        None,
        {"WebACLArn": {"Fn::GetAtt": ["OtherAcl", "Arn"]}},
        NETWORK
        | BALANCER
        | {
            name: {
                "Type": "AWS::WAFv2::WebACL",
                "Properties": {
                    "Scope": "REGIONAL",
                    "DefaultAction": {"Allow": {}},
                    "VisibilityConfig": {
                        "MetricName": "m",
                        "SampledRequestsEnabled": True,
                        "CloudWatchMetricsEnabled": True,
                    },
                },
            }
            for name in ("Acl", "OtherAcl")
        },
    ),
]
REFUSED: dict[str, Properties] = {  # fails on creation, after everything else
    "Refused": {
        "Type": "AWS::EC2::Subnet",
        "Properties": {"VpcId": "vpc-nope", "CidrBlock": "10.0.0.0/24"},
        "DependsOn": "Subject",
    }
}


def template(
    case: Case, change: Properties | None = None, extra: Properties | None = None
) -> Properties:
    """The stack of a case; its output shows what Ref and Fn::GetAtt give."""
    subject = {"Type": case.type, "Properties": {**case.properties, **(change or {})}}
    outputs = {"Ref": {"Value": {"Ref": "Subject"}}}
    if case.attribute:
        outputs["Attribute"] = {"Value": {"Fn::GetAtt": ["Subject", case.attribute]}}
    resources = copy.deepcopy(case.needs) | {"Subject": subject} | (extra or {})
    return {"Resources": resources, "Outputs": outputs}
