# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""EC2's Describe calls where MiniStack leaves out members or filters that people read."""

from __future__ import annotations

from typing import Any

from ministack.services import ec2

from openpacs_embedded.ec2_calls import Parameters, Record, Response, select
from openpacs_embedded.patching import replace, replace_entry


def _nat_gateway_xml(gateway: Record) -> str:
    address = ec2._addresses.get(gateway["AllocationId"] or "", {})
    public = f"<publicIp>{address['PublicIp']}</publicIp>" if address else ""
    return (
        f"<item><natGatewayId>{gateway['NatGatewayId']}</natGatewayId>"
        f"<subnetId>{gateway['SubnetId']}</subnetId><vpcId>{gateway['VpcId']}</vpcId>"
        f"<state>{gateway['State']}</state>"
        f"<connectivityType>{gateway['ConnectivityType']}</connectivityType>"
        f"<createTime>{gateway['CreateTime']}</createTime>"
        f"<natGatewayAddressSet><item><allocationId>{gateway['AllocationId']}</allocationId>"
        f"{public}</item></natGatewayAddressSet>{ec2._tag_set_xml(gateway['NatGatewayId'])}</item>"
    )


def describe_nat_gateways(_original: Any, params: Parameters) -> Response:
    found = select(
        ec2._nat_gateways.values(),
        params,
        "NatGatewayId",
        nat_gateway_id="NatGatewayId",
        state="State",
        subnet_id="SubnetId",
        vpc_id="VpcId",
    )
    items = "".join(_nat_gateway_xml(gateway) for gateway in found)
    answer = f"<natGatewaySet>{items}</natGatewaySet>"
    return ec2._xml(200, "DescribeNatGatewaysResponse", answer)


def instance_xml(original: Any, instance: Record) -> str:
    """An instance with its metadata options."""
    options = instance.get("MetadataOptions", {})
    members = {
        "state": "applied",
        "httpTokens": options.get("HttpTokens", "optional"),
        "httpPutResponseHopLimit": options.get("HttpPutResponseHopLimit", 1),
        "httpEndpoint": options.get("HttpEndpoint", "enabled"),
        "instanceMetadataTags": options.get("InstanceMetadataTags", "disabled"),
    }
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in members.items())
    element = original(instance).removesuffix("</item>")
    return f"{element}<metadataOptions>{inner}</metadataOptions></item>"


def install() -> None:
    replace("_instance_xml", instance_xml, ec2)
    replace_entry(ec2._ACTION_MAP, "DescribeNatGateways", describe_nat_gateways)
