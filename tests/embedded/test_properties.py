# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a stack says is what the services answer, and what a service refuses is refused."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

Resources = dict[str, Any]


def resource(resource_type: str, **properties: Any) -> Resources:
    return {"Type": f"AWS::{resource_type}", "Properties": properties}


def ref(name: str) -> dict[str, str]:
    return {"Ref": name}


def attribute(name: str, of: str) -> dict[str, list[str]]:
    return {"Fn::GetAtt": [name, of]}


class Stack:
    """A stack of a test: what it made, and how to change and delete it."""

    def __init__(self, aws: Any, resources: Resources, outputs: Resources | None = None) -> None:
        values = {name: {"Value": value} for name, value in (outputs or {}).items()}
        self.aws = aws
        self.template = {"Resources": resources, "Outputs": values}
        self.name = aws.deploy(self.template)
        assert aws.status(self.name) == "CREATE_COMPLETE", self.reasons()

    def __getitem__(self, logical_id: str) -> str:
        return str(self.aws.resources(self.name)[logical_id])

    @property
    def outputs(self) -> dict[str, str]:
        return dict(self.aws.outputs(self.name))

    def reasons(self) -> list[str]:
        return [
            event["ResourceStatusReason"]
            for event in self.aws.events(self.name)
            if event["ResourceStatus"].endswith("_FAILED")
        ]

    def update(self, logical_id: str, **properties: Any) -> str:
        changed = copy.deepcopy(self.template)
        changed["Resources"][logical_id]["Properties"] |= properties
        return str(self.aws.update(self.name, changed))


@pytest.fixture
def stack(aws: Any) -> Any:
    made = []

    def deploy(resources: Resources, outputs: Resources | None = None) -> Stack:
        made.append(Stack(aws, resources, outputs))
        return made[-1]

    yield deploy
    for item in made:
        if item.aws.status(item.name) != "DELETE_COMPLETE":
            assert aws.delete(item.name) == "DELETE_COMPLETE", item.reasons()


def network() -> Resources:
    return {
        "Vpc": resource("EC2::VPC", CidrBlock="10.0.0.0/16"),
        "Subnet": resource(
            "EC2::Subnet",
            VpcId=ref("Vpc"),
            CidrBlock="10.0.8.0/24",
            AvailabilityZone="us-east-1b",
        ),
        "Group": resource("EC2::SecurityGroup", GroupDescription="g", VpcId=ref("Vpc")),
    }


def balancer(**properties: Any) -> Resources:
    return resource(
        "ElasticLoadBalancingV2::LoadBalancer",
        **{"Scheme": "internal", "Subnets": [ref("Subnet")], **properties},
    )


# Buckets


def bucket_resources() -> Resources:
    encryption = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "arn:key"}
    return {
        "Logs": resource("S3::Bucket"),
        "Bucket": resource(
            "S3::Bucket",
            BucketEncryption={
                "ServerSideEncryptionConfiguration": [
                    {"BucketKeyEnabled": True, "ServerSideEncryptionByDefault": encryption}
                ]
            },
            LoggingConfiguration={"DestinationBucketName": ref("Logs"), "LogFilePrefix": "b/"},
            LifecycleConfiguration={
                "Rules": [
                    {
                        "Id": "old",
                        "Status": "Enabled",
                        "NoncurrentVersionExpiration": {"NoncurrentDays": 90},
                        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": "7"},
                        "Transitions": [{"StorageClass": "GLACIER", "TransitionInDays": 30}],
                    }
                ]
            },
            OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]},
            VersioningConfiguration={"Status": "Enabled"},
            Tags=[{"Key": "use", "Value": "images"}],
        ),
    }


def test_a_bucket_has_all_its_properties(aws: Any, stack: Any) -> None:
    s3, bucket = aws.client("s3"), stack(bucket_resources())
    name = {"Bucket": bucket["Bucket"]}
    encryption = s3.get_bucket_encryption(**name)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert encryption["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"] == "arn:key"
    assert encryption["BucketKeyEnabled"] is True
    assert s3.get_bucket_logging(**name)["LoggingEnabled"]["TargetPrefix"] == "b/"
    rule = s3.get_bucket_lifecycle_configuration(**name)["Rules"][0]
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 90}
    assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}
    assert rule["Transitions"] == [{"Days": 30, "StorageClass": "GLACIER"}]
    ownership = s3.get_bucket_ownership_controls(**name)["OwnershipControls"]
    assert ownership["Rules"] == [{"ObjectOwnership": "BucketOwnerPreferred"}]
    tags = {tag["Key"]: tag["Value"] for tag in s3.get_bucket_tagging(**name)["TagSet"]}
    assert tags["use"] == "images"
    assert tags["aws:cloudformation:logical-id"] == "Bucket"


def test_versioning_of_a_bucket_can_be_suspended(aws: Any, stack: Any) -> None:
    bucket = stack(bucket_resources())
    suspended = {"Status": "Suspended"}
    assert bucket.update("Bucket", VersioningConfiguration=suspended) == "UPDATE_COMPLETE"
    versioning = aws.client("s3").get_bucket_versioning(Bucket=bucket["Bucket"])
    assert versioning["Status"] == "Suspended"


def test_a_bucket_with_objects_is_not_deleted(aws: Any, stack: Any) -> None:
    bucket = stack({"Bucket": resource("S3::Bucket")})
    place = {"Bucket": bucket["Bucket"], "Key": "image"}
    aws.client("s3").put_object(**place, Body=b"DICM")
    assert aws.delete(bucket.name) == "DELETE_FAILED"
    assert any("The bucket you tried to delete is not empty" in r for r in bucket.reasons())
    assert aws.client("s3").get_object(**place)["Body"].read() == b"DICM"
    aws.client("s3").delete_object(**place)


def test_a_repository_with_images_goes_only_when_it_may(aws: Any, stack: Any) -> None:
    repositories = stack(
        {
            "Kept": resource("ECR::Repository"),
            "Gone": resource("ECR::Repository", EmptyOnDelete=True),
        }
    )
    ecr = aws.client("ecr")
    for name in ("Kept", "Gone"):
        ecr.put_image(repositoryName=repositories[name], imageManifest="{}", imageTag="1")
    kept, gone = repositories["Kept"], repositories["Gone"]
    assert aws.delete(repositories.name) == "DELETE_FAILED"
    names = [r["repositoryName"] for r in ecr.describe_repositories()["repositories"]]
    assert kept in names
    assert gone not in names
    assert ecr.describe_images(repositoryName=kept)["imageDetails"][0]["imageTags"] == ["1"]
    assert ecr.list_images(repositoryName=kept)["imageIds"][0]["imageTag"] == "1"
    ecr.delete_repository(repositoryName=kept, force=True)


# Network


def test_attributes_that_templates_ask_for(stack: Any) -> None:
    wanted = {
        "VpcCidr": attribute("Vpc", "CidrBlock"),
        "SubnetZone": attribute("Subnet", "AvailabilityZone"),
        "GroupId": attribute("Group", "GroupId"),
        "FullName": attribute("Balancer", "LoadBalancerFullName"),
        "BucketDomain": attribute("Bucket", "RegionalDomainName"),
    }
    made = stack(
        network() | {"Balancer": balancer(Type="network"), "Bucket": resource("S3::Bucket")},
        wanted,
    )
    assert made.outputs["VpcCidr"] == "10.0.0.0/16"
    assert made.outputs["SubnetZone"] == "us-east-1b"
    assert made.outputs["GroupId"] == made["Group"]
    assert made["Balancer"].endswith(f":loadbalancer/{made.outputs['FullName']}")
    assert made.outputs["FullName"].startswith("net/")
    assert made.outputs["BucketDomain"] == f"{made['Bucket']}.s3.us-east-1.amazonaws.com"


def test_an_instance_is_where_its_template_puts_it(aws: Any, stack: Any) -> None:
    role = resource("IAM::Role", AssumeRolePolicyDocument={"Statement": [TRUST]})
    made = stack(
        network()
        | {
            "Role": role,
            "Profile": resource("IAM::InstanceProfile", Roles=[ref("Role")]),
            "Template": resource(
                "EC2::LaunchTemplate",
                LaunchTemplateData={"MetadataOptions": {"HttpTokens": "required"}},
            ),
            "Host": resource(
                "EC2::Instance",
                ImageId="ami-1",
                IamInstanceProfile=ref("Profile"),
                LaunchTemplate={
                    "LaunchTemplateId": ref("Template"),
                    "Version": attribute("Template", "LatestVersionNumber"),
                },
                NetworkInterfaces=[
                    {
                        "DeviceIndex": "0",
                        "SubnetId": ref("Subnet"),
                        "GroupSet": [ref("Group")],
                        "AssociatePublicIpAddress": False,
                    }
                ],
            ),
        },
        {"Ip": attribute("Host", "PrivateIp")},
    )
    reservations = aws.client("ec2").describe_instances(InstanceIds=[made["Host"]])["Reservations"]
    host = reservations[0]["Instances"][0]
    assert host["PrivateIpAddress"] == made.outputs["Ip"] == "10.0.8.4"
    assert host["Placement"]["AvailabilityZone"] == "us-east-1b"
    assert host["SecurityGroups"][0]["GroupId"] == made["Group"]
    assert host["MetadataOptions"]["HttpTokens"] == "required"
    assert host["IamInstanceProfile"]["Arn"].endswith(f"/{made['Profile']}")
    assert not host.get("PublicIpAddress")


TRUST = {
    "Effect": "Allow",
    "Principal": {"Service": "ec2.amazonaws.com"},
    "Action": "sts:AssumeRole",
}


def test_a_nat_gateway_shows_its_address(aws: Any, stack: Any) -> None:
    made = stack(
        network()
        | {
            "Address": resource("EC2::EIP"),
            "Nat": resource(
                "EC2::NatGateway",
                SubnetId=ref("Subnet"),
                AllocationId=attribute("Address", "AllocationId"),
            ),
        }
    )
    vpc = [{"Name": "vpc-id", "Values": [made["Vpc"]]}]
    (nat,) = aws.client("ec2").describe_nat_gateways(Filters=vpc)["NatGateways"]
    assert nat["NatGatewayId"] == made["Nat"]
    assert nat["NatGatewayAddresses"][0]["PublicIp"] == made["Address"]


def test_privatelink_end_to_end(aws: Any, stack: Any) -> None:
    name = {"Fn::Sub": "com.amazonaws.vpce.${AWS::Region}.${Service}"}
    principal = "arn:aws:iam::000000000000:root"
    enforced = "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"
    made = stack(
        network()
        | {
            "Balancer": balancer(Type="network", **{enforced: "off"}),
            "Service": resource(
                "EC2::VPCEndpointService", NetworkLoadBalancerArns=[ref("Balancer")]
            ),
            "Permissions": resource(
                "EC2::VPCEndpointServicePermissions",
                ServiceId=ref("Service"),
                AllowedPrincipals=[principal],
            ),
            "Endpoint": resource(
                "EC2::VPCEndpoint",
                VpcEndpointType="Interface",
                ServiceName=name,
                VpcId=ref("Vpc"),
                SubnetIds=[ref("Subnet")],
                SecurityGroupIds=[ref("Group")],
                PrivateDnsEnabled="false",
            ),
        },
        {"Dns": {"Fn::Select": [0, attribute("Endpoint", "DnsEntries")]}},
    )
    ec2, service = aws.client("ec2"), {"ServiceId": made["Service"]}
    endpoint_id = made["Endpoint"]

    arns = {"LoadBalancerArns": [made["Balancer"]]}
    (load_balancer,) = aws.client("elbv2").describe_load_balancers(**arns)["LoadBalancers"]
    assert load_balancer[enforced] == "off"

    described = ec2.describe_vpc_endpoint_service_configurations(ServiceIds=[made["Service"]])
    (configuration,) = described["ServiceConfigurations"]
    assert configuration["NetworkLoadBalancerArns"] == [made["Balancer"]]
    assert configuration["AcceptanceRequired"] is True
    permissions = ec2.describe_vpc_endpoint_service_permissions(**service)
    assert permissions["AllowedPrincipals"][0]["Principal"] == principal

    (endpoint,) = ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint_id])["VpcEndpoints"]
    assert endpoint["State"] == "pendingAcceptance"
    assert endpoint["Groups"][0]["GroupId"] == made["Group"]
    zone, _unused, dns_name = made.outputs["Dns"].partition(":")
    assert endpoint["DnsEntries"][0] == {"DnsName": dns_name, "HostedZoneId": zone}
    assert f"{made['Service']}.us-east-1.vpce.amazonaws.com" in dns_name

    ec2.accept_vpc_endpoint_connections(**service, VpcEndpointIds=[endpoint_id])
    by_service = [{"Name": "service-id", "Values": [made["Service"]]}]
    (connection,) = ec2.describe_vpc_endpoint_connections(Filters=by_service)[
        "VpcEndpointConnections"
    ]
    assert connection["VpcEndpointId"] == endpoint_id
    assert connection["VpcEndpointState"] == "available"
    assert dns_name in aws.key.addresses(aws.endpoint_url)

    ec2.reject_vpc_endpoint_connections(**service, VpcEndpointIds=[endpoint_id])
    (endpoint,) = ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint_id])["VpcEndpoints"]
    assert endpoint["State"] == "rejected"
    assert dns_name not in aws.key.addresses(aws.endpoint_url)  # it leads nowhere


# Load balancers and DNS


def test_a_listener_logs_users_in_with_cognito(aws: Any, stack: Any) -> None:
    cognito = {
        "UserPoolArn": "arn:pool",
        "UserPoolClientId": "client",
        "UserPoolDomain": "pacs",
        "OnUnauthenticatedRequest": "authenticate",
    }
    made = stack(
        network()
        | {
            "Balancer": balancer(
                LoadBalancerAttributes=[
                    {"Key": "deletion_protection.enabled", "Value": False},
                    {"Key": "idle_timeout.timeout_seconds", "Value": 90},
                ]
            ),
            "Targets": resource(
                "ElasticLoadBalancingV2::TargetGroup", Port=80, Protocol="HTTP", VpcId=ref("Vpc")
            ),
            "Listener": resource(
                "ElasticLoadBalancingV2::Listener",
                LoadBalancerArn=ref("Balancer"),
                Port=80,
                Protocol="HTTP",
                DefaultActions=[
                    {
                        "Type": "authenticate-cognito",
                        "Order": 1,
                        "AuthenticateCognitoConfig": cognito,
                    },
                    {"Type": "forward", "Order": 2, "TargetGroupArn": ref("Targets")},
                ],
            ),
        }
    )
    elb = aws.client("elbv2")
    (listener,) = elb.describe_listeners(LoadBalancerArn=made["Balancer"])["Listeners"]
    log_in, forward = listener["DefaultActions"]
    assert log_in["AuthenticateCognitoConfig"] == cognito
    assert forward["TargetGroupArn"] == made["Targets"]
    (described,) = elb.describe_load_balancers(LoadBalancerArns=[made["Balancer"]])["LoadBalancers"]
    assert described["VpcId"] == made["Vpc"]
    assert described["AvailabilityZones"][0]["ZoneName"] == "us-east-1b"
    attributes = elb.describe_load_balancer_attributes(LoadBalancerArn=made["Balancer"])
    values = {a["Key"]: a["Value"] for a in attributes["Attributes"]}
    assert values["deletion_protection.enabled"] == "false"
    assert values["idle_timeout.timeout_seconds"] == "90"


def test_a_private_zone_is_private_and_a_record_is_called_without_a_dot(
    aws: Any, stack: Any
) -> None:
    made = stack(
        network()
        | {
            "Zone": resource(
                "Route53::HostedZone",
                Name="pacs.internal",
                VPCs=[{"VPCId": ref("Vpc"), "VPCRegion": ref("AWS::Region")}],
            ),
            "Record": resource(
                "Route53::RecordSet",
                HostedZoneId=ref("Zone"),
                Name="storage.pacs.internal",
                Type="CNAME",
                TTL="60",
                ResourceRecords=["somewhere"],
            ),
        },
        {"Name": ref("Record")},
    )
    route53 = aws.client("route53")
    zone = route53.get_hosted_zone(Id=made["Zone"])
    assert zone["HostedZone"]["Config"]["PrivateZone"] is True
    assert [vpc["VPCId"] for vpc in zone["VPCs"]] == [made["Vpc"]]
    assert made.outputs["Name"] == "storage.pacs.internal"
    status = route53.get_dnssec(HostedZoneId=made["Zone"])["Status"]
    assert status["ServeSignature"] == "NOT_SIGNING"
    (found,) = route53.list_hosted_zones_by_name(DNSName="pacs.internal", MaxItems="1")[
        "HostedZones"
    ]
    assert found["Id"] == f"/hostedzone/{made['Zone']}"


# Containers


def test_a_task_definition_is_whole(aws: Any, stack: Any) -> None:
    volume = {
        "FilesystemId": "fs-1",
        "TransitEncryption": "ENABLED",
        "AuthorizationConfig": {"AccessPointId": "fsap-1", "IAM": "ENABLED"},
    }
    container = {
        "Name": "pacs",
        "Image": "pacs:1",
        "Memory": "512",
        "Command": ["true"],
        "DependsOn": [{"ContainerName": "web", "Condition": "HEALTHY"}],
        "DockerLabels": {"Owner": "radiology"},
        "Environment": [{"Name": "PORT", "Value": 8080}],
        "HealthCheck": {"Command": ["CMD", "/check"], "Interval": "15"},
        "MountPoints": [{"SourceVolume": "images", "ContainerPath": "/images", "ReadOnly": "true"}],
        "PortMappings": [{"ContainerPort": "8080"}],
        "ReadonlyRootFilesystem": "true",
        "Secrets": [{"Name": "KEY", "ValueFrom": "arn:secret"}],
    }
    made = stack(
        {
            "Task": resource(
                "ECS::TaskDefinition",
                RequiresCompatibilities=["FARGATE"],
                NetworkMode="awsvpc",
                Cpu=256,
                Memory=1024,
                RuntimePlatform={"CpuArchitecture": "X86_64"},
                Volumes=[{"Name": "images", "EFSVolumeConfiguration": volume}],
                ContainerDefinitions=[container],
            )
        }
    )
    ecs = aws.client("ecs")
    task = ecs.describe_task_definition(taskDefinition=made["Task"])["taskDefinition"]
    assert (task["cpu"], task["memory"]) == ("256", "1024")
    assert task["runtimePlatform"] == {"cpuArchitecture": "X86_64"}
    assert task["volumes"][0]["efsVolumeConfiguration"] == {
        "fileSystemId": "fs-1",
        "transitEncryption": "ENABLED",
        "authorizationConfig": {"accessPointId": "fsap-1", "iam": "ENABLED"},
    }
    (described,) = task["containerDefinitions"]
    assert described["command"] == ["true"]
    assert described["dependsOn"] == [{"containerName": "web", "condition": "HEALTHY"}]
    assert described["dockerLabels"] == {"Owner": "radiology"}
    assert described["environment"] == [{"name": "PORT", "value": "8080"}]
    assert described["healthCheck"] == {"command": ["CMD", "/check"], "interval": 15}
    assert described["mountPoints"][0]["readOnly"] is True
    assert described["portMappings"] == [
        {"containerPort": 8080, "hostPort": 8080, "protocol": "tcp"}
    ]
    assert described["readonlyRootFilesystem"] is True
    assert described["secrets"] == [{"name": "KEY", "valueFrom": "arn:secret"}]


def test_a_new_revision_moves_its_service(aws: Any, stack: Any) -> None:
    made = stack(
        {
            "Cluster": resource("ECS::Cluster"),
            "Task": resource(
                "ECS::TaskDefinition",
                ContainerDefinitions=[{"Name": "pacs", "Image": "pacs:1", "Memory": 64}],
            ),
            "Service": resource(
                "ECS::Service",
                Cluster=attribute("Cluster", "Arn"),
                TaskDefinition=ref("Task"),
                DesiredCount="0",
                PropagateTags="SERVICE",
            ),
        }
    )
    first, service = made["Task"], made["Service"]
    containers = [{"Name": "pacs", "Image": "pacs:2", "Memory": 64}]
    assert made.update("Task", ContainerDefinitions=containers) == "UPDATE_COMPLETE"
    assert made["Task"] == first.replace(":1", ":2")
    assert made["Service"] == service
    described = aws.client("ecs").describe_services(cluster=made["Cluster"], services=[service])
    assert described["services"][0]["taskDefinition"] == made["Task"]
    assert described["services"][0]["propagateTags"] == "SERVICE"


def test_a_service_with_a_name_of_its_own_is_never_replaced(aws: Any, stack: Any) -> None:
    made = stack(
        {
            "Cluster": resource("ECS::Cluster"),
            "Other": resource("ECS::Cluster"),
            "Task": resource(
                "ECS::TaskDefinition",
                ContainerDefinitions=[{"Name": "pacs", "Image": "pacs:1", "Memory": 64}],
            ),
            "Service": resource(
                "ECS::Service",
                ServiceName="only-one",
                Cluster=ref("Cluster"),
                TaskDefinition=ref("Task"),
                DesiredCount=0,
            ),
        }
    )
    assert made.update("Service", Cluster=ref("Other")) == "UPDATE_ROLLBACK_COMPLETE"
    assert any("custom-named resource requires replacing" in r for r in made.reasons())


# Alarms, log groups, backups


def test_an_alarm_on_an_expression(aws: Any, stack: Any) -> None:
    metric = {"Namespace": "AWS/ApplicationELB", "MetricName": "HTTPCode_ELB_5XX_Count"}
    queries = [
        {"Id": "sum", "Expression": "FILL(errors, 0)", "Label": "errors"},
        {
            "Id": "errors",
            "ReturnData": "false",
            "MetricStat": {"Stat": "Sum", "Period": "300", "Metric": metric},
        },
    ]
    made = stack(
        {
            "Alarm": resource(
                "CloudWatch::Alarm",
                Metrics=queries,
                ComparisonOperator="GreaterThanThreshold",
                EvaluationPeriods=1,
                Threshold=0,
            )
        }
    )
    described = aws.client("cloudwatch").describe_alarms(AlarmNames=[made["Alarm"]])
    (alarm,) = described["MetricAlarms"]
    assert "MetricName" not in alarm
    expression, errors = alarm["Metrics"]
    assert expression["Expression"] == "FILL(errors, 0)"
    assert errors["ReturnData"] is False
    assert errors["MetricStat"]["Period"] == 300


def test_a_log_group_does_not_meet_one_that_was_retained(aws: Any, stack: Any) -> None:
    group = {"Group": {"Type": "AWS::Logs::LogGroup", "DeletionPolicy": "Retain"}}
    name = aws.deploy({"Resources": group})
    kept = aws.resources(name)["Group"]
    aws.delete(name)
    request = aws.request({"Resources": group}, None)
    aws.client("cloudformation").create_stack(StackName=name, **request)
    aws.wait(name)
    other = aws.resources(name)["Group"]
    assert other != kept
    aws.delete(name)
    for log_group in (kept, other):
        aws.client("logs").delete_log_group(logGroupName=log_group)


def test_a_backup_vault_is_locked_and_unlocked(aws: Any, stack: Any) -> None:
    made = stack(
        {
            "Vault": resource(
                "Backup::BackupVault",
                BackupVaultName=ref("AWS::StackName"),
                LockConfiguration={"MinRetentionDays": "7"},
            )
        }
    )
    backup, vault = aws.client("backup"), {"BackupVaultName": made["Vault"]}
    assert backup.describe_backup_vault(**vault)["Locked"] is True
    assert backup.describe_backup_vault(**vault)["MinRetentionDays"] == 7
    assert made.update("Vault", LockConfiguration={"Ref": "AWS::NoValue"}) == "UPDATE_COMPLETE"
    assert backup.describe_backup_vault(**vault)["Locked"] is False


def test_stack_tags_reach_what_takes_tags(aws: Any, stack: Any) -> None:
    made = {
        "Zone": resource("Route53::HostedZone", Name="tags.test"),
        "Address": resource("EC2::EIP"),
        "Location": resource("DataSync::LocationS3", S3BucketArn="arn:aws:s3:::b", S3Config={}),
    }
    tags = [{"Key": "openpacs:environment", "Value": "test"}]
    name = aws.deploy({"Resources": made}, Tags=tags)
    ids = aws.resources(name)
    zone = aws.client("route53").list_tags_for_resource(
        ResourceType="hostedzone", ResourceId=ids["Zone"]
    )
    location = aws.client("datasync").list_tags_for_resource(ResourceArn=ids["Location"])
    (address,) = aws.client("ec2").describe_addresses()["Addresses"]
    for found in (zone["ResourceTagSet"]["Tags"], location["Tags"], address["Tags"]):
        assert tags[0] in found
    aws.delete(name)


# References to what does not exist

MISSING = {
    "a VPC": resource("EC2::Subnet", VpcId="vpc-nope", CidrBlock="10.0.0.0/24"),
    "a subnet": resource("EC2::NatGateway", SubnetId="subnet-nope", AllocationId="eipalloc-1"),
    "a group": resource(
        "EC2::SecurityGroupIngress", GroupId="sg-nope", IpProtocol="tcp", CidrIp="10.0.0.0/8"
    ),
    "a key pair": resource("EC2::Instance", ImageId="ami-1", KeyName="nope"),
    "a table": resource(
        "EC2::Route", RouteTableId="rtb-nope", DestinationCidrBlock="0.0.0.0/0", GatewayId="igw-1"
    ),
    "a peer": resource("EC2::VPCPeeringConnection", VpcId="vpc-nope", PeerVpcId="vpc-1"),
    "a file system": resource("EFS::AccessPoint", FileSystemId="fs-nope"),
    "a balancer": resource("EC2::VPCEndpointService", NetworkLoadBalancerArns=["arn:nope"]),
    "a target group": resource("ECS::Service", LoadBalancers=[{"TargetGroupArn": "arn:nope"}]),
}


@pytest.mark.parametrize("missing", MISSING)
def test_a_reference_to_what_does_not_exist_is_refused(aws: Any, missing: str) -> None:
    name = aws.deploy({"Resources": {"Refused": MISSING[missing]}})
    assert aws.status(name) == "ROLLBACK_COMPLETE"
    reasons = [event.get("ResourceStatusReason", "") for event in aws.events(name)]
    assert any("does not exist" in reason for reason in reasons), reasons
    aws.delete(name)


REFUSED_IN_A_NETWORK = {
    "does not exist": resource(
        "EC2::VPCEndpoint",
        VpcId=ref("Vpc"),
        ServiceName="com.amazonaws.vpce.us-east-1.vpce-svc-nope",
    ),
    "conflicts with another subnet": resource(
        "EC2::Subnet", VpcId=ref("Vpc"), CidrBlock="10.0.8.128/25"
    ),
    "is invalid": resource("EC2::Subnet", VpcId=ref("Vpc"), CidrBlock="192.168.0.0/24"),
    "already exists": resource(
        "EC2::SecurityGroupEgress", GroupId=ref("Group"), IpProtocol="-1", CidrIp="0.0.0.0/0"
    ),
    "cannot be found": resource("IAM::InstanceProfile", Roles=["nope"]),
    "is not attachable": resource(
        "IAM::Role",
        AssumeRolePolicyDocument={"Statement": [TRUST]},
        ManagedPolicyArns=["arn:aws:iam::000000000000:policy/nope"],
    ),
    "target bucket for logging": resource(
        "S3::Bucket", LoggingConfiguration={"DestinationBucketName": "nope"}
    ),
    "same name already exists": resource("Backup::BackupVault", BackupVaultName="taken"),
    "Backup vault nope": resource(
        "Backup::BackupPlan",
        BackupPlan={
            "BackupPlanName": "p",
            "BackupPlanRule": [{"RuleName": "r", "TargetBackupVault": "nope"}],
        },
    ),
}


@pytest.fixture(scope="module")
def taken(aws: Any) -> Iterator[str]:
    """The name of a vault that nobody's stack made."""
    aws.client("backup").create_backup_vault(BackupVaultName="taken")
    yield "taken"
    aws.client("backup").delete_backup_vault(BackupVaultName="taken")


@pytest.mark.usefixtures("taken")
@pytest.mark.parametrize("reason", REFUSED_IN_A_NETWORK)
def test_what_a_service_would_refuse_is_refused(aws: Any, reason: str) -> None:
    refused = {**REFUSED_IN_A_NETWORK[reason], "DependsOn": ["Subnet", "Group"]}
    name = aws.deploy({"Resources": network() | {"Refused": refused}})
    assert aws.status(name) == "ROLLBACK_COMPLETE"
    reasons = [event.get("ResourceStatusReason", "") for event in aws.events(name)]
    assert any(reason in text for text in reasons), reasons
    aws.delete(name)
