# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Attributes for Fn::GetAtt that MiniStack's provisioners leave out, and tags they could take."""

from __future__ import annotations

from collections.abc import Callable

from ministack.services import ec2
from ministack.services.cloudformation import provisioners

from openpacs_embedded.patching import add
from openpacs_embedded.types_registry import Attributes, Properties, amend


def _vpc(physical_id: str, _new: Properties, _old: Properties) -> Attributes:
    vpc = ec2._vpcs[physical_id]
    return {
        "CidrBlock": vpc["CidrBlock"],
        "CidrBlockAssociations": [f"vpc-cidr-assoc-{physical_id.removeprefix('vpc-')}"],
        "Ipv6CidrBlocks": [],
    }


def _subnet(physical_id: str, _new: Properties, _old: Properties) -> Attributes:
    subnet = ec2._subnets[physical_id]
    names = ("AvailabilityZone", "AvailabilityZoneId", "CidrBlock", "VpcId")
    return {**{name: subnet[name] for name in names}, "Ipv6CidrBlocks": []}


def _security_group(physical_id: str, _new: Properties, _old: Properties) -> Attributes:
    return {"Id": physical_id}


def _association(physical_id: str, _new: Properties, _old: Properties) -> Attributes:
    return {"Id": physical_id}


def _gateway_attachment(_physical_id: str, new: Properties, _old: Properties) -> Attributes:
    return {"AttachmentType": "VGW" if new.get("VpnGatewayId") else "IGW"}


ATTRIBUTES: dict[str, Callable[[str, Properties, Properties], Attributes]] = {
    "AWS::EC2::SecurityGroup": _security_group,
    "AWS::EC2::Subnet": _subnet,
    "AWS::EC2::SubnetRouteTableAssociation": _association,
    "AWS::EC2::VPC": _vpc,
    "AWS::EC2::VPCGatewayAttachment": _gateway_attachment,
}

TAGS = {"AWS::ECS::TaskDefinition": ("Tags", "list")}


def install() -> None:
    for name, complete in ATTRIBUTES.items():
        amend(name, complete=complete)
    for name, spec in TAGS.items():
        add(provisioners._STACK_TAG_PROPERTY, name, spec)
