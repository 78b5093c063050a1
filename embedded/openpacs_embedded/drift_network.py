# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Drift of VPCs and what is in them, of load balancers and of DNS records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ministack.services import alb, cloudformation, ec2, route53
from ministack.services.cloudformation import provisioners

from openpacs_embedded.drift_reader import Find, Read, Reader, Record, member, same_set

RULE_TYPES = ("AWS::EC2::SecurityGroupEgress", "AWS::EC2::SecurityGroupIngress")


def _in(store: Callable[[], Mapping[str, Any]]) -> Find:
    return lambda physical_id, _expected: store().get(physical_id)


def _tags(id_name: str) -> Read:
    return lambda record, _expected: ec2._tags.get(record[id_name], [])


def _dns_attribute(name: str, default: bool) -> Read:
    return lambda record, _expected: record.get(name, default)


# Security groups: rules that are resources of their own are no drift of the group.


def _separate_rules() -> set[str]:
    return {
        resource["PhysicalResourceId"]
        for stack in cloudformation._stacks.values()
        for resource in stack.get("_resources", {}).values()
        if resource["ResourceType"] in RULE_TYPES
    }


def _rules(member_name: str) -> Read:
    def read(group: Record, expected: Any) -> Any:
        separate = _separate_rules()
        now = [r for r in group[member_name] if r.get("SecurityGroupRuleId") not in separate]
        return _as_template_rules(now, list(expected or []), member_name)

    return read


def _as_template_rules(
    now: list[dict[str, Any]], expected: list[dict[str, Any]], member_name: str
) -> list[dict[str, Any]]:
    """The rules in the template's words; the template's own rule where a rule is unchanged."""
    known = [(rule, provisioners._ec2_sg_permissions([rule])[0]) for rule in expected]
    peer = "Destination" if member_name.endswith("Egress") else "Source"
    found = []
    for rule in now:
        stored = {k: v for k, v in rule.items() if k != "SecurityGroupRuleId"}
        twin = next((template for template, api in known if api == stored), None)
        found.append(twin or _template_rule(rule, peer))
    return found


def _template_rule(rule: dict[str, Any], peer: str) -> dict[str, Any]:
    names: dict[str, Any] = {
        name: rule[name] for name in ("IpProtocol", "FromPort", "ToPort") if name in rule
    }
    for range_ in rule["IpRanges"] + rule["Ipv6Ranges"]:
        names |= range_
    for prefix in rule["PrefixListIds"]:
        names[f"{peer}PrefixListId"] = prefix["PrefixListId"]
    for pair in rule["UserIdGroupPairs"]:
        names[f"{peer}SecurityGroupId"] = pair["GroupId"]
    return names


def _separate_rule(direction: str) -> Reader:
    def find(physical_id: str, expected: Mapping[str, Any]) -> Record | None:
        group = ec2._security_groups.get(expected["GroupId"], {})
        for rule in group.get(direction, []):
            if rule.get("SecurityGroupRuleId") == physical_id:
                return {"Description": ec2._sg_rule_description(rule)}
        return None

    return Reader(find, {"Description": member("Description", "")})


def _route(physical_id: str, expected: Mapping[str, Any]) -> Record | None:
    table = ec2._route_tables.get(expected["RouteTableId"], {"Routes": []})
    prop, value = provisioners._ec2_route_destination(expected)
    return next((route for route in table["Routes"] if route.get(prop) == value), None)


def _group_ids(record: Record, expected: Any) -> Any:
    now = [group["GroupId"] for group in record["SecurityGroups"]]
    return expected if expected and sorted(expected) == sorted(now) else now


def _association(physical_id: str, _expected: Mapping[str, Any]) -> Record | None:
    for table in ec2._route_tables.values():
        for association in table["Associations"]:
            if association["RouteTableAssociationId"] == physical_id:
                return association
    return None


def _instance(physical_id: str, _expected: Mapping[str, Any]) -> Record | None:
    instance = ec2._instances.get(physical_id)
    return instance if instance and instance["State"]["Name"] != "terminated" else None


def _address(physical_id: str, _expected: Mapping[str, Any]) -> Record | None:
    addresses = ec2._addresses.values()
    return next((a for a in addresses if a["PublicIp"] == physical_id), None)


# Load balancers: only the attributes that the template names are compared.


def _attributes(store: Callable[[], Mapping[str, Any]], arn_name: str) -> Read:
    def read(record: Record, expected: Any) -> Any:
        now = {a["Key"]: a["Value"] for a in store().get(record[arn_name], [])}
        keys = [attribute["Key"] for attribute in expected or []]
        return [{"Key": key, "Value": now[key]} for key in keys if key in now]

    return read


def _record_set(_physical_id: str, expected: Mapping[str, Any]) -> Record | None:
    try:
        zone_id = provisioners._r53_resolve_hosted_zone_id(expected)
    except ValueError:
        return None
    key = route53._rs_key(provisioners._r53_record_set_build_rs(expected))
    records = route53._records.get(zone_id, [])
    return next((record for record in records if route53._rs_key(record) == key), None)


def _alias(record: Record, expected: Any) -> Any:
    now = record.get("AliasTarget")
    written = provisioners._r53_record_set_build_rs(
        {"Name": record["Name"], "Type": record["Type"], "AliasTarget": expected}
    )
    return expected if written.get("AliasTarget") == now else now


_HEALTH_CHECK = (
    "HealthCheckIntervalSeconds",
    "HealthCheckPath",
    "HealthCheckPort",
    "HealthCheckProtocol",
    "HealthCheckTimeoutSeconds",
    "HealthyThresholdCount",
    "Matcher",
    "UnhealthyThresholdCount",
)

NEW = {
    "AWS::EC2::EIP": Reader(_address, {"Tags": _tags("AllocationId")}),
    "AWS::EC2::Instance": Reader(
        _instance,
        {
            "ImageId": member("ImageId"),
            "InstanceType": member("InstanceType"),
            "KeyName": member("KeyName"),
            "SecurityGroupIds": _group_ids,
            "SubnetId": member("SubnetId"),
            "Tags": _tags("InstanceId"),
            "UserData": member("UserData"),
        },
    ),
    "AWS::EC2::InternetGateway": Reader(
        _in(lambda: ec2._internet_gateways), {"Tags": _tags("InternetGatewayId")}
    ),
    "AWS::EC2::NatGateway": Reader(
        _in(lambda: ec2._nat_gateways),
        {"SubnetId": member("SubnetId"), "Tags": _tags("NatGatewayId")},
    ),
    "AWS::EC2::Route": Reader(
        _route,
        {name: member(name) for name in provisioners._EC2_ROUTE_TARGETS},
    ),
    "AWS::EC2::RouteTable": Reader(
        _in(lambda: ec2._route_tables), {"Tags": _tags("RouteTableId"), "VpcId": member("VpcId")}
    ),
    "AWS::EC2::SecurityGroup": Reader(
        _in(lambda: ec2._security_groups),
        {
            "GroupDescription": member("Description"),
            "SecurityGroupEgress": _rules("IpPermissionsEgress"),
            "SecurityGroupIngress": _rules("IpPermissions"),
            "Tags": _tags("GroupId"),
            "VpcId": member("VpcId"),
        },
    ),
    "AWS::EC2::SecurityGroupEgress": _separate_rule("IpPermissionsEgress"),
    "AWS::EC2::SecurityGroupIngress": _separate_rule("IpPermissions"),
    "AWS::EC2::Subnet": Reader(
        _in(lambda: ec2._subnets),
        {
            "AvailabilityZone": member("AvailabilityZone"),
            "CidrBlock": member("CidrBlock"),
            "MapPublicIpOnLaunch": member("MapPublicIpOnLaunch"),
            "Tags": _tags("SubnetId"),
            "VpcId": member("VpcId"),
        },
    ),
    "AWS::EC2::SubnetRouteTableAssociation": Reader(
        _association, {name: member(name) for name in ("RouteTableId", "SubnetId")}
    ),
    "AWS::EC2::VPC": Reader(
        _in(lambda: ec2._vpcs),
        {
            "CidrBlock": member("CidrBlock"),
            "EnableDnsHostnames": _dns_attribute("EnableDnsHostnames", False),
            "EnableDnsSupport": _dns_attribute("EnableDnsSupport", True),
            "InstanceTenancy": member("InstanceTenancy"),
            "Tags": _tags("VpcId"),
        },
    ),
    "AWS::EC2::VPCEndpoint": Reader(
        _in(lambda: ec2._vpc_endpoints),
        {
            "PolicyDocument": member("PolicyDocument"),
            "PrivateDnsEnabled": member("PrivateDnsEnabled"),
            "RouteTableIds": same_set("RouteTableIds"),
            "SecurityGroupIds": same_set("SecurityGroupIds"),
            "ServiceName": member("ServiceName"),
            "SubnetIds": same_set("SubnetIds"),
            "VpcId": member("VpcId"),
        },
    ),
    "AWS::ElasticLoadBalancingV2::Listener": Reader(
        _in(lambda: alb._listeners),
        {name: member(name) for name in ("Port", "Protocol", "SslPolicy")},
    ),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": Reader(
        _in(lambda: alb._lbs),
        {
            "LoadBalancerAttributes": _attributes(lambda: alb._lb_attrs, "LoadBalancerArn"),
            "Scheme": member("Scheme"),
            "SecurityGroups": same_set("SecurityGroups"),
            "Subnets": same_set("Subnets"),
            "Type": member("Type"),
        },
    ),
    "AWS::ElasticLoadBalancingV2::TargetGroup": Reader(
        _in(lambda: alb._tgs),
        {
            **{name: member(name) for name in _HEALTH_CHECK},
            "TargetGroupAttributes": _attributes(lambda: alb._tg_attrs, "TargetGroupArn"),
        },
    ),
    "AWS::Route53::HostedZone": Reader(_in(lambda: route53._zones), {}),
    "AWS::Route53::RecordSet": Reader(
        _record_set,
        {
            "AliasTarget": _alias,
            "ResourceRecords": same_set("ResourceRecords"),
            "TTL": member("TTL"),
        },
    ),
}
EXTENDED: dict[str, Reader] = {}
