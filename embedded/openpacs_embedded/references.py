# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Refuse a resource that names something that does not exist, in the words of the service.

MiniStack's CloudFormation takes any identifier. A template with a wrong one would deploy here and
fail on AWS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any

from ministack.services import alb, ec2, efs
from ministack.services.cloudformation.helpers import _sdk_error

from openpacs_embedded.types_registry import Properties, amend


@dataclass(frozen=True)
class Kind:
    """A kind of thing that properties refer to: the service's word for it, MiniStack's store."""

    service: str
    label: str
    store: Callable[[], Mapping[str, Any]]

    def require(self, identifier: str) -> None:
        if identifier not in self.store():
            message = f"The {self.label} '{identifier}' does not exist"
            raise ValueError(_sdk_error(message, self.service, 400))


VPC = Kind("Ec2", "vpc ID", lambda: ec2._vpcs)
SUBNET = Kind("Ec2", "subnet ID", lambda: ec2._subnets)
SECURITY_GROUP = Kind("Ec2", "security group", lambda: ec2._security_groups)
ROUTE_TABLE = Kind("Ec2", "routeTable ID", lambda: ec2._route_tables)
INTERNET_GATEWAY = Kind("Ec2", "internetGateway ID", lambda: ec2._internet_gateways)
NAT_GATEWAY = Kind("Ec2", "natGateway ID", lambda: ec2._nat_gateways)
PEERING = Kind("Ec2", "vpcPeeringConnection ID", lambda: ec2._vpc_peering)
ADDRESS = Kind("Ec2", "allocation ID", lambda: ec2._addresses)
KEY_PAIR = Kind("Ec2", "key pair", lambda: ec2._key_pairs)
FILE_SYSTEM = Kind("Efs", "file system", lambda: efs._file_systems)
LOAD_BALANCER = Kind("ElasticLoadBalancingV2", "load balancer", lambda: alb._lbs)
TARGET_GROUP = Kind("ElasticLoadBalancingV2", "target group", lambda: alb._tgs)

REFERENCES: dict[str, dict[str, Kind]] = {
    "AWS::EC2::Instance": {
        "KeyName": KEY_PAIR,
        "NetworkInterfaces/GroupSet": SECURITY_GROUP,
        "NetworkInterfaces/SubnetId": SUBNET,
        "SecurityGroupIds": SECURITY_GROUP,
        "SubnetId": SUBNET,
    },
    "AWS::EC2::NatGateway": {"AllocationId": ADDRESS, "SubnetId": SUBNET},
    "AWS::EC2::Route": {
        "GatewayId": INTERNET_GATEWAY,
        "NatGatewayId": NAT_GATEWAY,
        "RouteTableId": ROUTE_TABLE,
        "VpcPeeringConnectionId": PEERING,
    },
    "AWS::EC2::RouteTable": {"VpcId": VPC},
    "AWS::EC2::SecurityGroup": {
        "SecurityGroupEgress/DestinationSecurityGroupId": SECURITY_GROUP,
        "SecurityGroupIngress/SourceSecurityGroupId": SECURITY_GROUP,
        "VpcId": VPC,
    },
    "AWS::EC2::SecurityGroupEgress": {
        "DestinationSecurityGroupId": SECURITY_GROUP,
        "GroupId": SECURITY_GROUP,
    },
    "AWS::EC2::SecurityGroupIngress": {
        "GroupId": SECURITY_GROUP,
        "SourceSecurityGroupId": SECURITY_GROUP,
    },
    "AWS::EC2::Subnet": {"VpcId": VPC},
    "AWS::EC2::SubnetRouteTableAssociation": {"RouteTableId": ROUTE_TABLE, "SubnetId": SUBNET},
    "AWS::EC2::VPCEndpoint": {
        "RouteTableIds": ROUTE_TABLE,
        "SecurityGroupIds": SECURITY_GROUP,
        "SubnetIds": SUBNET,
        "VpcId": VPC,
    },
    "AWS::EC2::VPCEndpointService": {"NetworkLoadBalancerArns": LOAD_BALANCER},
    "AWS::EC2::VPCGatewayAttachment": {"InternetGatewayId": INTERNET_GATEWAY, "VpcId": VPC},
    "AWS::EC2::VPCPeeringConnection": {"VpcId": VPC},
    "AWS::ECS::Service": {
        "LoadBalancers/TargetGroupArn": TARGET_GROUP,
        "NetworkConfiguration/AwsvpcConfiguration/SecurityGroups": SECURITY_GROUP,
        "NetworkConfiguration/AwsvpcConfiguration/Subnets": SUBNET,
    },
    "AWS::EFS::AccessPoint": {"FileSystemId": FILE_SYSTEM},
    "AWS::EFS::MountTarget": {
        "FileSystemId": FILE_SYSTEM,
        "SecurityGroups": SECURITY_GROUP,
        "SubnetId": SUBNET,
    },
    "AWS::ElasticLoadBalancingV2::LoadBalancer": {
        "SecurityGroups": SECURITY_GROUP,
        "Subnets": SUBNET,
    },
    "AWS::ElasticLoadBalancingV2::TargetGroup": {"VpcId": VPC},
}


def identifiers(properties: Any, path: str) -> Iterator[str]:
    """The values at a path of property names; lists on the way are walked through."""
    name, _unused, rest = path.partition("/")
    value = properties.get(name) if isinstance(properties, dict) else None
    for item in value if isinstance(value, list) else [value]:
        if item is not None and rest:
            yield from identifiers(item, rest)
        elif item is not None:
            yield item


def require_references(resource_type: str, properties: Properties) -> None:
    ec2._ensure_defaults_initialized()
    for path, kind in REFERENCES[resource_type].items():
        for identifier in identifiers(properties, path):
            kind.require(identifier)


def require_room(properties: Properties, old: Properties) -> None:
    """A new subnet lies inside its VPC and overlaps none of its neighbours."""
    if old:
        return
    cidr = IPv4Network(properties["CidrBlock"])
    vpc = ec2._vpcs[properties["VpcId"]]
    if not cidr.subnet_of(IPv4Network(vpc["CidrBlock"])):
        raise ValueError(_sdk_error(f"The CIDR '{cidr}' is invalid.", "Ec2", 400))
    for other in ec2._subnets.values():
        if other["VpcId"] == vpc["VpcId"] and IPv4Network(other["CidrBlock"]).overlaps(cidr):
            message = f"The CIDR '{cidr}' conflicts with another subnet"
            raise ValueError(_sdk_error(message, "Ec2", 400))


def _checker(resource_type: str) -> Callable[[Properties, Properties], None]:
    return lambda new, _old: require_references(resource_type, new)


def install() -> None:
    amend("AWS::EC2::Subnet", check=require_room)
    for resource_type in REFERENCES:
        amend(resource_type, check=_checker(resource_type))
