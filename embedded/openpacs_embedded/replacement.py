# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which properties replace a resource, for types where MiniStack has not written it down.

Without a row a change set says `Conditional` for every change. The rows are the create-only
properties of Amazon's resource schemas (a test compares them with those that cfn-lint carries).
"""

from __future__ import annotations

from ministack.services.cloudformation import provisioners

from openpacs_embedded.patching import add

REPLACING: dict[str, tuple[str, ...]] = {
    "AWS::Backup::BackupPlan": (),
    "AWS::CloudFormation::Stack": (),
    "AWS::CloudWatch::Alarm": ("AlarmName",),
    "AWS::CloudWatch::Dashboard": ("DashboardName",),
    "AWS::Cognito::UserPoolClient": ("GenerateSecret", "UserPoolId"),
    "AWS::EC2::InternetGateway": (),
    "AWS::EC2::LaunchTemplate": ("LaunchTemplateName",),
    "AWS::EC2::Route": (
        "DestinationCidrBlock",
        "DestinationIpv6CidrBlock",
        "DestinationPrefixListId",
        "RouteTableId",
    ),
    "AWS::EC2::RouteTable": ("VpcId",),
    "AWS::EC2::SecurityGroup": ("GroupDescription", "GroupName", "VpcId"),
    "AWS::EC2::Subnet": (
        "AvailabilityZone",
        "AvailabilityZoneId",
        "CidrBlock",
        "Ipv4IpamPoolId",
        "Ipv4NetmaskLength",
        "Ipv6IpamPoolId",
        "Ipv6Native",
        "Ipv6NetmaskLength",
        "OutpostArn",
        "VpcId",
    ),
    "AWS::EC2::SubnetRouteTableAssociation": ("RouteTableId", "SubnetId"),
    "AWS::EC2::VPC": ("CidrBlock", "Ipv4IpamPoolId", "Ipv4NetmaskLength", "VpcEncryptionControl"),
    "AWS::EC2::VPCEndpoint": (
        "ResourceConfigurationArn",
        "ServiceName",
        "ServiceNetworkArn",
        "ServiceRegion",
        "VpcEndpointType",
        "VpcId",
    ),
    "AWS::EC2::VPCGatewayAttachment": ("VpcId",),
    "AWS::ECS::Cluster": ("ClusterName",),
    "AWS::ECS::Service": ("Cluster", "Role", "SchedulingStrategy", "ServiceName"),
    "AWS::ECS::TaskDefinition": (
        "ContainerDefinitions",
        "Cpu",
        "EnableFaultInjection",
        "EphemeralStorage",
        "ExecutionRoleArn",
        "Family",
        "InferenceAccelerators",
        "IpcMode",
        "Memory",
        "NetworkMode",
        "PidMode",
        "PlacementConstraints",
        "ProxyConfiguration",
        "RequiresCompatibilities",
        "RuntimePlatform",
        "TaskRoleArn",
        "Volumes",
    ),
    "AWS::ElasticLoadBalancingV2::Listener": ("LoadBalancerArn",),
    "AWS::ElasticLoadBalancingV2::ListenerRule": ("ListenerArn",),
    "AWS::Events::Rule": ("Name",),
    "AWS::IAM::Policy": (),
    "AWS::KMS::Alias": ("AliasName",),
    "AWS::KMS::Key": (),
    "AWS::Lambda::Permission": (
        "Action",
        "EventSourceToken",
        "FunctionName",
        "FunctionUrlAuthType",
        "InvokedViaFunctionUrl",
        "Principal",
        "PrincipalOrgID",
        "SourceAccount",
        "SourceArn",
    ),
    "AWS::Logs::LogGroup": ("LogGroupName",),
    "AWS::Logs::MetricFilter": ("FilterName", "LogGroupName"),
    "AWS::Logs::ResourcePolicy": ("PolicyName",),
    "AWS::Logs::SubscriptionFilter": ("FilterName", "LogGroupName"),
    "AWS::Route53::HostedZone": ("DelegationSetId", "Name"),
    "AWS::Route53::RecordSet": ("HostedZoneId", "HostedZoneName", "Name"),
    "AWS::S3::Bucket": ("BucketName", "BucketNamePrefix", "BucketNamespace"),
    "AWS::S3::BucketPolicy": ("Bucket",),
    "AWS::SNS::Subscription": ("Endpoint", "Protocol", "TopicArn"),
    "AWS::SNS::TopicPolicy": (),
    "AWS::SecretsManager::Secret": ("Name",),
}

CONDITIONAL: dict[str, tuple[str, ...]] = {
    "AWS::EC2::Instance": (
        "AdditionalInfo",
        "Affinity",
        "BlockDeviceMappings",
        "EbsOptimized",
        "HostId",
        "InstanceType",
        "KernelId",
        "PrivateDnsNameOptions",
        "RamdiskId",
        "SecurityGroupIds",
        "Tenancy",
        "UserData",
    ),
    "AWS::EC2::Subnet": ("Ipv6CidrBlock",),
    "AWS::EC2::VPC": ("InstanceTenancy",),
    "AWS::ECS::Service": ("LaunchType",),
    "AWS::Events::Rule": ("EventBusName",),
    "AWS::SNS::Subscription": ("Region",),
}

CUSTOM_NAMES = {  # a resource so named cannot be replaced: the name would be taken twice
    "AWS::EC2::SecurityGroup": "GroupName",
    "AWS::ECS::Service": "ServiceName",
}


def install() -> None:
    for name, name_property in CUSTOM_NAMES.items():
        add(provisioners._CUSTOM_NAME_REPLACEMENT, name, {"name": name_property})
    for name, properties in REPLACING.items():
        add(provisioners._REPLACING_PROPERTIES, name, properties)
    for name, properties in CONDITIONAL.items():
        add(provisioners._CONDITIONALLY_REPLACING_PROPERTIES, name, properties)
