# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A small archive of busybox: a writer on EFS, a front door before it, a way out to a hospital."""

from __future__ import annotations

import json
from typing import Any

from type_cases import BALANCER, NETWORK

Template = dict[str, Any]
FRONT, LOOPBACK_ONLY, OUTBOUND, HOSPITAL = 9000, 8080, 9002, 7777  # ports
WRITER = f"""\
trap 'echo stop >> /data/log; echo stopped; exit 0' TERM
echo start >> /data/log
echo "user $(id -u) has $SECRET"
httpd -p 127.0.0.1:{LOOPBACK_ONLY} -h /data
while true; do sleep 0.1; done
"""


def ref(name: str) -> dict[str, str]:
    return {"Ref": name}


def container(name: str, image: str, script: str, **members: Any) -> Template:
    """A container as ours are: read-only, without privileges, logged."""
    return {
        "Name": name,
        "Image": image,
        "Memory": 32,
        "ReadonlyRootFilesystem": True,
        "LinuxParameters": {"Capabilities": {"Drop": ["ALL"]}},
        "EntryPoint": ["sh", "-c"],
        "Command": [script],
        "StopTimeout": 1,
        "LogConfiguration": {
            "LogDriver": "awslogs",
            "Options": {
                "awslogs-group": ref("Log"),
                "awslogs-region": ref("AWS::Region"),
                "awslogs-stream-prefix": "task",
            },
        },
        **members,
    }


def healthy_when(test: str) -> Template:
    return {
        "Command": ["CMD-SHELL", test],
        "Interval": 1,
        "Timeout": 5,
        "Retries": 2,
        "StartPeriod": 10,
    }


def containers(image: str, writer: str = WRITER) -> list[Template]:
    """The containers of the archive; the front starts when the writer is healthy."""
    after = [{"ContainerName": "writer", "Condition": "HEALTHY"}]
    return [
        container(
            "front",
            image,
            f"nc -ll -p {FRONT} -e wget -q -O - http://127.0.0.1:{LOOPBACK_ONLY}/log",
            DependsOn=after,
            PortMappings=[{"ContainerPort": FRONT}],
        ),
        container(
            "writer",
            image,
            writer,
            PortMappings=[{"ContainerPort": LOOPBACK_ONLY}],
            Environment=[{"Name": "TITLE", "Value": "PACS"}],
            Secrets=[{"Name": "SECRET", "ValueFrom": {"Fn::Sub": "${Secret.Id}:password::"}}],
            DockerLabels={"secrets-version": "1"},
            MountPoints=[
                {"SourceVolume": "index", "ContainerPath": "/data"},
                {"SourceVolume": "own", "ContainerPath": "/run/own"},
            ],
            HealthCheck=healthy_when("test -e /data/log -a ! -e /data/sick"),
        ),
        container(
            "way-out",
            image,
            f"nc -ll -p {OUTBOUND} -e nc storage.pacs.internal {HOSPITAL}",
            PortMappings=[{"ContainerPort": OUTBOUND}],
        ),
    ]


def definition(containers: list[Template]) -> Template:
    return {
        "Type": "AWS::ECS::TaskDefinition",
        "Properties": {
            "Family": "archive",
            "RequiresCompatibilities": ["FARGATE"],
            "NetworkMode": "awsvpc",
            "Cpu": "256",
            "Memory": "512",
            "ContainerDefinitions": containers,
            "Volumes": [
                {
                    "Name": "index",
                    "EFSVolumeConfiguration": {
                        "FilesystemId": ref("Files"),
                        "TransitEncryption": "ENABLED",
                        "AuthorizationConfig": {"AccessPointId": ref("Index")},
                    },
                },
                {"Name": "own"},
            ],
        },
    }


def forwarded(port: int) -> Template:
    """A listener of the load balancer and the target group that it leads to."""
    return {
        f"Group{port}": {
            "Type": "AWS::ElasticLoadBalancingV2::TargetGroup",
            "Properties": {
                "VpcId": ref("Vpc"),
                "TargetType": "ip",
                "Protocol": "TCP",
                "Port": port,
            },
        },
        f"Listener{port}": {
            "Type": "AWS::ElasticLoadBalancingV2::Listener",
            "Properties": {
                "LoadBalancerArn": ref("Balancer"),
                "Protocol": "TCP",
                "Port": port,
                "DefaultActions": [{"Type": "forward", "TargetGroupArn": ref(f"Group{port}")}],
            },
        },
    }


PORTS = {FRONT: "front", LOOPBACK_ONLY: "writer", OUTBOUND: "way-out"}

AROUND: Template = {
    **NETWORK,
    **BALANCER,
    "Cluster": {"Type": "AWS::ECS::Cluster"},
    "Log": {"Type": "AWS::Logs::LogGroup"},
    "Secret": {
        "Type": "AWS::SecretsManager::Secret",
        "Properties": {"SecretString": json.dumps({"password": "hush"})},
    },
    "Files": {"Type": "AWS::EFS::FileSystem"},
    "Index": {
        "Type": "AWS::EFS::AccessPoint",
        "Properties": {
            "FileSystemId": ref("Files"),
            "PosixUser": {"Uid": "1001", "Gid": "1001"},
            "RootDirectory": {
                "Path": "/archive/index",
                "CreationInfo": {"OwnerUid": "1001", "OwnerGid": "1001", "Permissions": "0750"},
            },
        },
    },
}

HOSPITAL_SIDE: Template = {
    "HospitalBalancer": {
        "Type": "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "Properties": {"Type": "network", "Scheme": "internal", "Subnets": [ref("Subnet")]},
    },
    "Host": {"Type": "AWS::EC2::Instance", "Properties": {"SubnetId": ref("Subnet")}},
    "HostGroup": {
        "Type": "AWS::ElasticLoadBalancingV2::TargetGroup",
        "Properties": {
            "VpcId": ref("Vpc"),
            "TargetType": "instance",
            "Protocol": "TCP",
            "Port": HOSPITAL,
            "Targets": [{"Id": ref("Host")}],
        },
    },
    "HostListener": {
        "Type": "AWS::ElasticLoadBalancingV2::Listener",
        "Properties": {
            "LoadBalancerArn": ref("HospitalBalancer"),
            "Protocol": "TCP",
            "Port": HOSPITAL,
            "DefaultActions": [{"Type": "forward", "TargetGroupArn": ref("HostGroup")}],
        },
    },
    "HostService": {
        "Type": "AWS::EC2::VPCEndpointService",
        "Properties": {
            "AcceptanceRequired": False,
            "NetworkLoadBalancerArns": [ref("HospitalBalancer")],
        },
    },
    "HostEndpoint": {
        "Type": "AWS::EC2::VPCEndpoint",
        "Properties": {
            "VpcEndpointType": "Interface",
            "ServiceName": {"Fn::Sub": "com.amazonaws.vpce.${AWS::Region}.${HostService}"},
            "VpcId": ref("Vpc"),
            "SubnetIds": [ref("Subnet")],
        },
    },
    "Zone": {
        "Type": "AWS::Route53::HostedZone",
        "Properties": {
            "Name": "pacs.internal",
            "VPCs": [{"VPCId": ref("Vpc"), "VPCRegion": ref("AWS::Region")}],
        },
    },
    "HostName": {
        "Type": "AWS::Route53::RecordSet",
        "Properties": {
            "HostedZoneId": ref("Zone"),
            "Name": "storage.pacs.internal",
            "Type": "CNAME",
            "TTL": "60",
            "ResourceRecords": [
                {
                    "Fn::Select": [
                        1,
                        {
                            "Fn::Split": [
                                ":",
                                {
                                    "Fn::Select": [
                                        0,
                                        {"Fn::GetAtt": ["HostEndpoint", "DnsEntries"]},
                                    ]
                                },
                            ]
                        },
                    ]
                }
            ],
        },
    },
}


def service(**deployment: Any) -> Template:
    """A service as ours is: one task at most, with a circuit breaker."""
    return {
        "Type": "AWS::ECS::Service",
        "DependsOn": [f"Listener{port}" for port in PORTS],
        "Properties": {
            "Cluster": ref("Cluster"),
            "TaskDefinition": ref("Definition"),
            "LaunchType": "FARGATE",
            "DesiredCount": 1,
            "DeploymentConfiguration": {
                "MinimumHealthyPercent": 0,
                "MaximumPercent": 100,
                "DeploymentCircuitBreaker": {"Enable": True, "Rollback": True},
                **deployment,
            },
            "NetworkConfiguration": {"AwsvpcConfiguration": {"Subnets": [ref("Subnet")]}},
            "LoadBalancers": [
                {
                    "ContainerName": name,
                    "ContainerPort": port,
                    "TargetGroupArn": ref(f"Group{port}"),
                }
                for port, name in PORTS.items()
            ],
        },
    }


def archive(containers: list[Template], **deployment: Any) -> Template:
    """The template of the archive."""
    resources: Template = {**AROUND, **HOSPITAL_SIDE}
    for port in PORTS:
        resources |= forwarded(port)
    resources |= {"Definition": definition(containers), "Service": service(**deployment)}
    outputs = {
        "DnsName": {"Value": {"Fn::GetAtt": ["Balancer", "DNSName"]}},
        "HostAddress": {"Value": {"Fn::GetAtt": ["Host", "PrivateIp"]}},
        "Cluster": {"Value": ref("Cluster")},
        "Service": {"Value": ref("Service")},
        "Files": {"Value": ref("Files")},
        "Log": {"Value": ref("Log")},
        "Definition": {"Value": ref("Definition")},
    }
    return {"Resources": resources, "Outputs": outputs}
