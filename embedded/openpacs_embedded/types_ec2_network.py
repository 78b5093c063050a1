# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""EC2 network types that MiniStack's API knows and its CloudFormation does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services import ec2
from ministack.services.cloudformation import provisioners

from openpacs_embedded.ec2_calls import call, refused, set_tags
from openpacs_embedded.types_registry import Attributes, Properties, ResourceType, register


def _tagged_type(
    create: Callable[[Properties], str],
    delete: Callable[[str, Properties], None],
    create_only: tuple[str, ...],
    attribute: str = "Id",
) -> ResourceType:
    """A type of which only the tags change in place, and whose one attribute is its identifier."""

    def create_tagged(_logical_id: str, props: Properties, _stack: str) -> tuple[str, Attributes]:
        physical_id = create(props)
        return physical_id, update(physical_id, {}, props)

    def update(physical_id: str, _old: Properties, new: Properties) -> Attributes:
        set_tags(physical_id, new.get("Tags"))
        return {attribute: physical_id}

    return ResourceType(create_tagged, update, delete, create_only)


# Elastic IP addresses: Ref is the address, everything else goes by the allocation.


def _allocation(public_ip: str) -> dict[str, str]:
    return next((a for a in ec2._addresses.values() if a["PublicIp"] == public_ip), {})


def _create_address(_logical_id: str, props: Properties, _stack: str) -> tuple[str, Attributes]:
    answer = call("AllocateAddress", Domain="vpc")
    allocation_id, address = answer.findtext("allocationId"), answer.findtext("publicIp")
    set_tags(allocation_id, props.get("Tags"))
    if props.get("InstanceId"):
        call("AssociateAddress", AllocationId=allocation_id, InstanceId=props["InstanceId"])
    return address, {"AllocationId": allocation_id, "PublicIp": address}


def _update_address(physical_id: str, old: Properties, new: Properties) -> Attributes:
    record = _allocation(physical_id)
    set_tags(record["AllocationId"], new.get("Tags"))
    if old.get("InstanceId") != new.get("InstanceId"):
        if old.get("InstanceId"):
            call("DisassociateAddress", AssociationId=record["AssociationId"])
        if new.get("InstanceId"):
            call(
                "AssociateAddress",
                AllocationId=record["AllocationId"],
                InstanceId=new["InstanceId"],
            )
    return {"AllocationId": record["AllocationId"], "PublicIp": physical_id}


def _delete_address(physical_id: str, _props: Properties) -> None:
    if record := _allocation(physical_id):
        call("ReleaseAddress", AllocationId=record["AllocationId"])


# NAT gateways. AWS lists a deleted one for about an hour; here it is gone at once.


def _create_nat_gateway(props: Properties) -> str:
    answer = call(
        "CreateNatGateway",
        SubnetId=props.get("SubnetId"),
        AllocationId=props.get("AllocationId"),
        ConnectivityType=props.get("ConnectivityType"),
    )
    return answer.findtext("natGateway/natGatewayId")


def _delete_nat_gateway(physical_id: str, _props: Properties) -> None:
    ec2._nat_gateways.pop(physical_id, None)
    set_tags(physical_id, None)


# Rules of a security group as resources of their own.


def _rule_type(direction: str, create_only: tuple[str, ...]) -> ResourceType:
    egress = direction == "Egress"

    def rules(group_id: str) -> list[dict[str, Any]]:
        group = ec2._security_groups.get(group_id, {})
        return group.get("IpPermissionsEgress" if egress else "IpPermissions", [])

    def create(_logical_id: str, props: Properties, _stack: str) -> tuple[str, Attributes]:
        group_id = props["GroupId"]
        (rule,) = provisioners._ec2_sg_permissions([props])
        if any(ec2._rules_match(rule, other) for other in rules(group_id)):
            raise refused(f"the specified rule of {group_id} already exists: {props}")
        rule["SecurityGroupRuleId"] = ec2._sg_rule_id(group_id, egress, rule)
        rules(group_id).append(rule)
        return rule["SecurityGroupRuleId"], {"Id": rule["SecurityGroupRuleId"]}

    def update(physical_id: str, _old: Properties, new: Properties) -> Attributes:
        rule = {
            "SecurityGroupRuleId": physical_id,
            "SecurityGroupRule": {"Description": new.get("Description", "")},
        }
        call("ModifySecurityGroupRules", GroupId=new["GroupId"], SecurityGroupRule=[rule])
        return {"Id": physical_id}

    def delete(physical_id: str, props: Properties) -> None:
        remaining = rules(props["GroupId"])
        remaining[:] = [r for r in remaining if r.get("SecurityGroupRuleId") != physical_id]

    return ResourceType(create, update, delete, create_only, tags=None)


# Flow logs.


def _create_flow_log(props: Properties) -> str:
    answer = call(
        "CreateFlowLogs",
        ResourceId=[props["ResourceId"]],
        ResourceType=props["ResourceType"],
        TrafficType=props.get("TrafficType"),
        LogDestinationType=props.get("LogDestinationType"),
        LogDestination=props.get("LogDestination"),
        LogGroupName=props.get("LogGroupName"),
    )
    return answer.findtext("flowLogIdSet/item")


def _delete_flow_log(physical_id: str, _props: Properties) -> None:
    call("DeleteFlowLogs", FlowLogId=[physical_id])


# Peering: CloudFormation accepts the connection itself when both VPCs are in one account.


def _create_peering(props: Properties) -> str:
    answer = call(
        "CreateVpcPeeringConnection",
        VpcId=props["VpcId"],
        PeerVpcId=props["PeerVpcId"],
        PeerOwnerId=props.get("PeerOwnerId"),
        PeerRegion=props.get("PeerRegion"),
    )
    peering_id = answer.findtext("vpcPeeringConnection/vpcPeeringConnectionId")
    if not props.get("PeerOwnerId"):
        call("AcceptVpcPeeringConnection", VpcPeeringConnectionId=peering_id)
    return peering_id


def _delete_peering(physical_id: str, _props: Properties) -> None:
    if record := ec2._vpc_peering.get(physical_id):
        for account_id, region in ec2._vpc_peering_scopes(record):
            ec2._vpc_peering.pop_scoped(account_id, region, physical_id, None)
    set_tags(physical_id, None)


_RULE = ("CidrIp", "CidrIpv6", "FromPort", "GroupId", "IpProtocol", "ToPort")

_INGRESS = (
    *_RULE,
    "GroupName",
    "SourcePrefixListId",
    "SourceSecurityGroupId",
    "SourceSecurityGroupName",
    "SourceSecurityGroupOwnerId",
)

_EGRESS = (*_RULE, "DestinationPrefixListId", "DestinationSecurityGroupId")

TYPES = {
    "AWS::EC2::EIP": ResourceType(
        _create_address,
        _update_address,
        _delete_address,
        ("Address", "IpamPoolId", "NetworkBorderGroup", "TransferAddress"),
    ),
    "AWS::EC2::NatGateway": _tagged_type(
        _create_nat_gateway,
        _delete_nat_gateway,
        (
            "AllocationId",
            "AvailabilityMode",
            "ConnectivityType",
            "PrivateIpAddress",
            "SubnetId",
            "VpcId",
        ),
        attribute="NatGatewayId",
    ),
    "AWS::EC2::SecurityGroupIngress": _rule_type("Ingress", _INGRESS),
    "AWS::EC2::SecurityGroupEgress": _rule_type("Egress", _EGRESS),
    "AWS::EC2::FlowLog": _tagged_type(
        _create_flow_log,
        _delete_flow_log,
        (
            "DeliverCrossAccountRole",
            "DeliverLogsPermissionArn",
            "DestinationOptions",
            "LogDestination",
            "LogDestinationType",
            "LogFormat",
            "LogGroupName",
            "MaxAggregationInterval",
            "ResourceId",
            "ResourceType",
            "TagFieldSpecifications",
            "TrafficType",
        ),
    ),
    "AWS::EC2::VPCPeeringConnection": _tagged_type(
        _create_peering,
        _delete_peering,
        ("PeerOwnerId", "PeerRegion", "PeerVpcId", "VpcId"),
    ),
}


def install() -> None:
    for name, resource_type in TYPES.items():
        register(name, resource_type)
