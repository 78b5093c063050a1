# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The EC2 calls that read endpoints and endpoint services, and accept or reject an endpoint."""

from __future__ import annotations

import json
from typing import Any
from xml.sax.saxutils import escape

from ministack.core.responses import get_account_id
from ministack.services import ec2

from openpacs_embedded.ec2_calls import Parameters, Record, Response, select
from openpacs_embedded.patching import add, replace, replace_entry
from openpacs_embedded.types_privatelink import connections, endpoint_services, service_name


def _list(name: str, values: list[str]) -> str:
    return f"<{name}>{''.join(f'<item>{escape(value)}</item>' for value in values)}</{name}>"


def endpoint_xml(original: Any, endpoint: Record, tag: str = "item") -> str:
    """An endpoint with everything its record knows: DNS names, groups, policy."""
    element = original(endpoint, tag=tag)
    names = "".join(
        f"<item><dnsName>{entry['DnsName']}</dnsName>"
        f"<hostedZoneId>{entry['HostedZoneId']}</hostedZoneId></item>"
        for entry in endpoint.get("DnsEntries", [])
    )
    groups = "".join(
        f"<item><groupId>{group_id}</groupId></item>"
        for group_id in endpoint.get("SecurityGroupIds", [])
    )
    policy = endpoint.get("PolicyDocument")
    text = policy if isinstance(policy, str) else json.dumps(policy) if policy else ""
    private = str(endpoint.get("PrivateDnsEnabled", False)).lower()
    more = (
        f"<dnsEntrySet>{names}</dnsEntrySet><groupSet>{groups}</groupSet>"
        f"<privateDnsEnabled>{private}</privateDnsEnabled>"
        f"{_list('networkInterfaceIdSet', endpoint.get('NetworkInterfaceIds', []))}"
        f"<policyDocument>{escape(text)}</policyDocument>"
        f"<creationTimestamp>{endpoint.get('CreationTimestamp', '')}</creationTimestamp>"
    )
    return element.removesuffix(f"</{tag}>") + more + f"</{tag}>"


def describe_endpoints(_original: Any, params: Parameters) -> Response:
    ids = ec2._parse_member_list(params, "VpcEndpointId")
    for endpoint_id in ids:
        if endpoint_id not in ec2._vpc_endpoints:
            message = f"The Vpc Endpoint Id '{escape(endpoint_id)}' does not exist"
            return ec2._error("InvalidVpcEndpointId.NotFound", message, 400)
    found = select(
        ec2._vpc_endpoints.values(),
        params,
        "VpcEndpointId",
        vpc_id="VpcId",
        service_name="ServiceName",
        vpc_endpoint_id="VpcEndpointId",
        vpc_endpoint_state="State",
        vpc_endpoint_type="VpcEndpointType",
    )
    items = "".join(ec2._vpce_fields_xml(endpoint) for endpoint in found)
    answer = f"<vpcEndpointSet>{items}</vpcEndpointSet>"
    return ec2._xml(200, "DescribeVpcEndpointsResponse", answer)


def _configuration_xml(service: Record) -> str:
    service_id = service["ServiceId"]
    return (
        f"<item><serviceId>{service_id}</serviceId>"
        f"<serviceName>{service_name(service_id)}</serviceName>"
        "<serviceState>Available</serviceState>"
        "<serviceType><item><serviceType>Interface</serviceType></item></serviceType>"
        f"<acceptanceRequired>{str(service['AcceptanceRequired']).lower()}</acceptanceRequired>"
        "<managesVpcEndpoints>false</managesVpcEndpoints>"
        f"{_list('networkLoadBalancerArnSet', service['NetworkLoadBalancerArns'])}"
        f"{_list('gatewayLoadBalancerArnSet', service['GatewayLoadBalancerArns'])}"
        f"{_list('supportedIpAddressTypeSet', service['SupportedIpAddressTypes'])}"
        f"{ec2._tag_set_xml(service_id)}</item>"
    )


def _unknown_service(service_id: str) -> Response:
    message = f"The VpcEndpointService Id '{escape(service_id)}' does not exist"
    return ec2._error("InvalidVpcEndpointServiceId.NotFound", message, 400)


def describe_service_configurations(params: Parameters) -> Response:
    for service_id in ec2._parse_member_list(params, "ServiceId"):
        if service_id not in endpoint_services:
            return _unknown_service(service_id)
    found = select(endpoint_services.values(), params, "ServiceId", service_id="ServiceId")
    items = "".join(_configuration_xml(service) for service in found)
    answer = f"<serviceConfigurationSet>{items}</serviceConfigurationSet>"
    return ec2._xml(200, "DescribeVpcEndpointServiceConfigurationsResponse", answer)


def describe_service_permissions(params: Parameters) -> Response:
    service_id = ec2._p(params, "ServiceId")
    if service_id not in endpoint_services:
        return _unknown_service(service_id)
    items = "".join(
        f"<item><principal>{escape(principal)}</principal><serviceId>{service_id}</serviceId></item>"
        for principal in endpoint_services[service_id]["AllowedPrincipals"]
    )
    answer = f"<allowedPrincipals>{items}</allowedPrincipals>"
    return ec2._xml(200, "DescribeVpcEndpointServicePermissionsResponse", answer)


def describe_connections(params: Parameters) -> Response:
    wanted = ec2._parse_filters(params).get("service-id")
    items = "".join(
        f"<item><serviceId>{service_id}</serviceId>"
        f"<vpcEndpointId>{endpoint['VpcEndpointId']}</vpcEndpointId>"
        f"<vpcEndpointOwner>{get_account_id()}</vpcEndpointOwner>"
        f"<vpcEndpointState>{endpoint['State']}</vpcEndpointState></item>"
        for service_id in endpoint_services
        if not wanted or service_id in wanted
        for endpoint in connections(service_id)
    )
    answer = f"<vpcEndpointConnectionSet>{items}</vpcEndpointConnectionSet>"
    return ec2._xml(200, "DescribeVpcEndpointConnectionsResponse", answer)


def accept_connections(params: Parameters) -> Response:
    service_id = ec2._p(params, "ServiceId")
    if service_id not in endpoint_services:
        return _unknown_service(service_id)
    accepted = ec2._parse_member_list(params, "VpcEndpointId")
    for endpoint in connections(service_id):
        if endpoint["VpcEndpointId"] in accepted:
            endpoint["State"] = "available"
    return ec2._xml(200, "AcceptVpcEndpointConnectionsResponse", "<unsuccessful/>")


def reject_connections(params: Parameters) -> Response:
    service_id = ec2._p(params, "ServiceId")
    if service_id not in endpoint_services:
        return _unknown_service(service_id)
    rejected = ec2._parse_member_list(params, "VpcEndpointId")
    for endpoint in connections(service_id):
        if endpoint["VpcEndpointId"] in rejected:
            endpoint["State"] = "rejected"
    return ec2._xml(200, "RejectVpcEndpointConnectionsResponse", "<unsuccessful/>")


ACTIONS = {
    "AcceptVpcEndpointConnections": accept_connections,
    "DescribeVpcEndpointConnections": describe_connections,
    "DescribeVpcEndpointServiceConfigurations": describe_service_configurations,
    "DescribeVpcEndpointServicePermissions": describe_service_permissions,
    "RejectVpcEndpointConnections": reject_connections,
}


def install() -> None:
    replace("_vpce_fields_xml", endpoint_xml, ec2)
    replace_entry(ec2._ACTION_MAP, "DescribeVpcEndpoints", describe_endpoints)
    for name, action in ACTIONS.items():
        add(ec2._ACTION_MAP, name, action)
