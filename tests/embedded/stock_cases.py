# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One case for each type of our templates that MiniStack itself brings."""

from __future__ import annotations

from typing import Any

from type_cases import BALANCER, NETWORK, PLAN, TAGGED, Case

NAMED = {"Fn::Sub": "${AWS::StackName}-named"}
DOCUMENT = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}],
}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "ec2.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


def one(name: str, resource_type: str, **properties: Any) -> dict[str, Any]:
    return {name: {"Type": f"AWS::{resource_type}", "Properties": properties}}


def container(image: str) -> dict[str, Any]:
    return {"Name": "pacs", "Image": image, "Memory": 64}


GROUPS = one("Logs", "Logs::LogGroup") | one("OtherLogs", "Logs::LogGroup")
TOPIC = one("Topic", "SNS::Topic")
ROLE = one("Role", "IAM::Role", AssumeRolePolicyDocument=TRUST)
FILES = one("Files", "EFS::FileSystem") | one("OtherFiles", "EFS::FileSystem")
BUCKETS = one("Bucket", "S3::Bucket") | one("OtherBucket", "S3::Bucket")
KEY = one("Key", "KMS::Key", KeyPolicy=DOCUMENT)
POOL = one("Pool", "Cognito::UserPool") | one("OtherPool", "Cognito::UserPool")
GATEWAYS = one("Gateway", "EC2::InternetGateway") | one("OtherGateway", "EC2::InternetGateway")
TABLES = one("Table", "EC2::RouteTable", VpcId={"Ref": "Vpc"}) | one(
    "OtherTable", "EC2::RouteTable", VpcId={"Ref": "Vpc"}
)
TARGETS = one(
    "Targets",
    "ElasticLoadBalancingV2::TargetGroup",
    Port=80,
    Protocol="TCP",
    VpcId={"Ref": "Vpc"},
)
OTHER_BALANCER = {"OtherBalancer": BALANCER["Balancer"]}
CLUSTERS = one("Cluster", "ECS::Cluster") | one("OtherCluster", "ECS::Cluster")
TASK = one("Task", "ECS::TaskDefinition", ContainerDefinitions=[container("pacs:1")])
ZONES = one("Zone", "Route53::HostedZone", Name="cases.test") | one(
    "OtherZone", "Route53::HostedZone", Name="cases.test"
)
FUNCTION_CODE = {"ZipFile": "def handler(event, context): pass"}
ALARM = {
    "Namespace": "n",
    "MetricName": "m",
    "ComparisonOperator": "GreaterThanThreshold",
    "EvaluationPeriods": 1,
    "Threshold": 1,
}

STOCK_CASES = [
    Case(
        "AWS::EC2::VPC",
        {"CidrBlock": "10.0.0.0/16"},
        {"EnableDnsHostnames": True},
        {"CidrBlock": "10.1.0.0/16"},
        {},
        "CidrBlock",
    ),
    Case(
        "AWS::EC2::Subnet",
        {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.0.9.0/24"},
        {"MapPublicIpOnLaunch": True},
        {"CidrBlock": "10.0.10.0/24"},
        NETWORK,
        "AvailabilityZone",
    ),
    Case(
        "AWS::EC2::RouteTable",
        {"VpcId": {"Ref": "Vpc"}},
        TAGGED,
        {"VpcId": {"Ref": "OtherVpc"}},
        NETWORK,
        "RouteTableId",
    ),
    Case(
        "AWS::EC2::Route",
        {
            "RouteTableId": {"Ref": "Table"},
            "DestinationCidrBlock": "0.0.0.0/0",
            "GatewayId": {"Ref": "Gateway"},
        },
        {"GatewayId": {"Ref": "OtherGateway"}},
        {"DestinationCidrBlock": "1.0.0.0/8"},
        NETWORK | TABLES | GATEWAYS,
    ),
    Case(
        "AWS::EC2::SubnetRouteTableAssociation",
        {"RouteTableId": {"Ref": "Table"}, "SubnetId": {"Ref": "Subnet"}},
        None,
        {"RouteTableId": {"Ref": "OtherTable"}},
        NETWORK | TABLES,
        "Id",
    ),
    Case(
        "AWS::EC2::VPCGatewayAttachment",
        {"VpcId": {"Ref": "Vpc"}, "InternetGatewayId": {"Ref": "Gateway"}},
        {"InternetGatewayId": {"Ref": "OtherGateway"}},
        {"VpcId": {"Ref": "OtherVpc"}},
        NETWORK | GATEWAYS,
        "AttachmentType",
    ),
    Case("AWS::EC2::InternetGateway", {}, TAGGED, None, {}, "InternetGatewayId"),
    Case(
        "AWS::EC2::SecurityGroup",
        {"GroupDescription": "a", "VpcId": {"Ref": "Vpc"}},
        {"SecurityGroupIngress": [{"IpProtocol": "-1", "CidrIp": "10.0.0.0/8"}]},
        {"GroupDescription": "b"},
        NETWORK,
        "GroupId",
    ),
    Case(
        "AWS::EC2::VPCEndpoint",
        {"VpcId": {"Ref": "Vpc"}, "ServiceName": "com.amazonaws.us-east-1.s3"},
        {"RouteTableIds": [{"Ref": "Table"}]},
        {"ServiceName": "com.amazonaws.us-east-1.dynamodb"},
        NETWORK | TABLES,
        "Id",
    ),
    Case(
        "AWS::EC2::LaunchTemplate",
        {"LaunchTemplateData": {"InstanceType": "t3.micro"}},
        {"LaunchTemplateData": {"InstanceType": "t3.small"}},
        {"LaunchTemplateName": NAMED},
        {},
        "LatestVersionNumber",
    ),
    Case(
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        BALANCER["Balancer"]["Properties"],
        {"LoadBalancerAttributes": [{"Key": "deletion_protection.enabled", "Value": False}]},
        {"Scheme": "internet-facing"},
        NETWORK,
        "DNSName",
    ),
    Case(
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        TARGETS["Targets"]["Properties"],
        {"HealthCheckIntervalSeconds": 15},
        {"Port": 81},
        NETWORK,
        "TargetGroupFullName",
    ),
    Case(
        "AWS::ElasticLoadBalancingV2::Listener",
        {
            "LoadBalancerArn": {"Ref": "Balancer"},
            "Port": 80,
            "Protocol": "TCP",
            "DefaultActions": [{"Type": "forward", "TargetGroupArn": {"Ref": "Targets"}}],
        },
        {"Port": 81},
        {"LoadBalancerArn": {"Ref": "OtherBalancer"}},
        NETWORK | BALANCER | OTHER_BALANCER | TARGETS,
        "ListenerArn",
    ),
    Case(
        "AWS::ECS::Cluster",
        {},
        {"ClusterSettings": [{"Name": "containerInsights", "Value": "enabled"}]},
        {"ClusterName": NAMED},
        {},
        "Arn",
    ),
    Case(
        "AWS::ECS::TaskDefinition",
        {"ContainerDefinitions": [container("pacs:1")]},
        TAGGED,
        {"ContainerDefinitions": [container("pacs:2")]},
        {},
    ),
    Case(
        "AWS::ECS::Service",
        {"Cluster": {"Ref": "Cluster"}, "TaskDefinition": {"Ref": "Task"}, "DesiredCount": 0},
        {"HealthCheckGracePeriodSeconds": 30},
        {"Cluster": {"Ref": "OtherCluster"}},
        CLUSTERS | TASK,
        "Name",
    ),
    Case(
        "AWS::EFS::FileSystem",
        {"Encrypted": True},
        {"BackupPolicy": {"Status": "ENABLED"}},
        {"PerformanceMode": "maxIO"},
        {},
        "Arn",
    ),
    Case(
        "AWS::EFS::AccessPoint",
        {"FileSystemId": {"Ref": "Files"}, "RootDirectory": {"Path": "/a"}},
        {"AccessPointTags": [{"Key": "a", "Value": "b"}]},
        {"RootDirectory": {"Path": "/b"}},
        FILES,
        "Arn",
    ),
    Case(
        "AWS::EFS::MountTarget",
        {
            "FileSystemId": {"Ref": "Files"},
            "SubnetId": {"Ref": "Subnet"},
            "SecurityGroups": [{"Ref": "Group"}],
        },
        {"SecurityGroups": [{"Ref": "OtherGroup"}]},
        {"FileSystemId": {"Ref": "OtherFiles"}},
        NETWORK | FILES,
        "IpAddress",
    ),
    Case(
        "AWS::S3::Bucket",
        {},
        {"VersioningConfiguration": {"Status": "Enabled"}},
        {"BucketName": NAMED},
        {},
        "Arn",
    ),
    Case(
        "AWS::S3::BucketPolicy",
        {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": DOCUMENT},
        {"PolicyDocument": {**DOCUMENT, "Id": "changed"}},
        {"Bucket": {"Ref": "OtherBucket"}},
        BUCKETS,
    ),
    Case(
        "AWS::ECR::Repository",
        {},
        {"ImageTagMutability": "IMMUTABLE"},
        {"EncryptionConfiguration": {"EncryptionType": "KMS"}},
        {},
        "RepositoryUri",
    ),
    Case(
        "AWS::KMS::Key",
        {"KeyPolicy": DOCUMENT},
        {"EnableKeyRotation": True},
        None,
        {},
        "Arn",
    ),
    Case(
        "AWS::KMS::Alias",
        {
            "AliasName": {"Fn::Sub": "alias/${AWS::StackName}"},
            "TargetKeyId": {"Ref": "Key"},
        },
        {"TargetKeyId": {"Ref": "OtherKey"}},
        {"AliasName": {"Fn::Sub": "alias/${AWS::StackName}-named"}},
        KEY | one("OtherKey", "KMS::Key", KeyPolicy=DOCUMENT),
    ),
    Case("AWS::Logs::LogGroup", {}, {"RetentionInDays": 400}, {"LogGroupName": NAMED}, {}, "Arn"),
    Case(
        "AWS::Logs::MetricFilter",
        {
            "LogGroupName": {"Ref": "Logs"},
            "FilterPattern": "ERROR",
            "MetricTransformations": [
                {"MetricName": "m", "MetricNamespace": "n", "MetricValue": "1"}
            ],
        },
        {"FilterPattern": "FATAL"},
        {"FilterName": NAMED},
        GROUPS,
    ),
    Case(
        "AWS::Logs::ResourcePolicy",
        {"PolicyName": {"Ref": "AWS::StackName"}, "PolicyDocument": "{}"},
        {"PolicyDocument": '{"Version": "2012-10-17"}'},
        {"PolicyName": NAMED},
        {},
    ),
    Case("AWS::SNS::Topic", {}, {"DisplayName": "alarms"}, {"TopicName": NAMED}, {}, "TopicArn"),
    Case(
        "AWS::SNS::TopicPolicy",
        {"Topics": [{"Ref": "Topic"}], "PolicyDocument": DOCUMENT},
        {"PolicyDocument": {**DOCUMENT, "Id": "changed"}},
        None,
        TOPIC,
    ),
    Case(
        "AWS::SNS::Subscription",
        {"TopicArn": {"Ref": "Topic"}, "Protocol": "email", "Endpoint": "a@example.org"},
        {"FilterPolicy": {"a": ["b"]}},
        {"Endpoint": "b@example.org"},
        TOPIC,
    ),
    Case("AWS::CloudWatch::Alarm", ALARM, {"Threshold": 2}, {"AlarmName": NAMED}, {}, "Arn"),
    Case(
        "AWS::Backup::BackupPlan", PLAN["Plan"]["Properties"], None, None, {"Vault": PLAN["Vault"]}
    ),
    Case(
        "AWS::Backup::BackupVault",
        {"BackupVaultName": {"Ref": "AWS::StackName"}},
        {"BackupVaultTags": {"a": "b"}},
        {"BackupVaultName": NAMED},
        {},
        "BackupVaultArn",
    ),
    Case(
        "AWS::IAM::Role",
        {"AssumeRolePolicyDocument": TRUST},
        {"MaxSessionDuration": 7200},
        {"Path": "/other/"},
        {},
        "Arn",
    ),
    Case(
        "AWS::IAM::InstanceProfile",
        {"Roles": [{"Ref": "Role"}]},
        {"Roles": [{"Ref": "OtherRole"}]},
        {"InstanceProfileName": NAMED},
        ROLE | one("OtherRole", "IAM::Role", AssumeRolePolicyDocument=TRUST),
        "Arn",
    ),
    Case(
        "AWS::Lambda::Function",
        {
            "Code": FUNCTION_CODE,
            "Handler": "index.handler",
            "Runtime": "python3.13",
            "Role": {"Fn::GetAtt": ["Role", "Arn"]},
        },
        {"Timeout": 30},
        {"FunctionName": NAMED},
        ROLE,
        "Arn",
    ),
    Case(
        "AWS::Route53::HostedZone",
        {"Name": "case.test"},
        {"HostedZoneConfig": {"Comment": "c"}},
        {"Name": "other.test"},
        {},
        "Id",
    ),
    Case(
        "AWS::Route53::RecordSet",
        {
            "HostedZoneId": {"Ref": "Zone"},
            "Name": "a.cases.test",
            "Type": "A",
            "TTL": "60",
            "ResourceRecords": ["10.0.0.1"],
        },
        {"ResourceRecords": ["10.0.0.2"]},
        {"Name": "b.cases.test"},
        ZONES,
    ),
    Case(
        "AWS::CertificateManager::Certificate",
        {"DomainName": "a.example.org", "ValidationMethod": "DNS"},
        TAGGED,
        {"DomainName": "b.example.org"},
        {},
    ),
    Case("AWS::Cognito::UserPool", {}, {"DeletionProtection": "INACTIVE"}, None, {}, "Arn"),
    Case(
        "AWS::Cognito::UserPoolClient",
        {"UserPoolId": {"Ref": "Pool"}},
        {"CallbackURLs": ["https://example.org"]},
        {"UserPoolId": {"Ref": "OtherPool"}},
        POOL,
        "ClientId",
    ),
    Case(
        "AWS::Cognito::UserPoolDomain",
        {"UserPoolId": {"Ref": "Pool"}, "Domain": {"Ref": "AWS::StackName"}},
        None,
        {"Domain": NAMED, "UserPoolId": {"Ref": "OtherPool"}},
        POOL,
    ),
]
