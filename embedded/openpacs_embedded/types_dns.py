# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Route 53: private zones are private, names have no trailing dot, DNSSEC is off."""

from __future__ import annotations

import re
from typing import Any

from ministack.core.responses import get_region
from ministack.services import ec2, route53
from ministack.services.cloudformation import provisioners
from ministack.services.cloudformation.helpers import _sdk_error

from openpacs_embedded.patching import add, extend, replace
from openpacs_embedded.types_registry import Attributes, Properties, amend

_DNSSEC_PATH = re.compile(r"/2013-04-01/hostedzone/([^/]+)/dnssec/?")


def _check_zone(new: Properties, _old: Properties) -> None:
    for vpc in new.get("VPCs") or []:
        if vpc["VPCRegion"] == get_region() and vpc["VPCId"] not in ec2._vpcs:
            message = (
                f"The VPC: {vpc['VPCId']} that you provided is not authorized or does not exist"
            )
            raise ValueError(_sdk_error(message, "Route53", 400))


def _complete_zone(physical_id: str, new: Properties, _old: Properties) -> Attributes:
    zone = route53._zones[physical_id]
    zone["private"] = bool(new.get("VPCs"))
    zone["vpcs"] = [
        {"VPCId": vpc["VPCId"], "VPCRegion": vpc["VPCRegion"]} for vpc in new.get("VPCs") or []
    ]
    tags = {tag["Key"]: str(tag["Value"]) for tag in new.get("HostedZoneTags") or []}
    route53._tags[("hostedzone", physical_id)] = tags
    if zone["private"]:
        return {}
    return {"NameServers": [name.rstrip(".") for name in route53._DEFAULT_NS]}


def _refuse_zone_in_use(physical_id: str, _props: Properties) -> None:
    records = route53._records.get(physical_id, [])
    if any(record["Type"] not in ("NS", "SOA") for record in records):
        message = (
            "The specified hosted zone contains non-required resource record sets "
            "and so cannot be deleted."
        )
        raise ValueError(_sdk_error(message, "Route53", 400))


def _sweep_zone(physical_id: str, _props: Properties) -> None:
    route53._tags.pop(("hostedzone", physical_id), None)
    for reference, zone_id in route53._caller_refs.items():
        if zone_id == physical_id:
            route53._caller_refs.pop(reference, None)


def _name_without_dot(resource_type: str) -> None:
    """Ref of a record set is its name as a person writes it; it ends up in callback URLs."""
    handlers = provisioners._RESOURCE_HANDLERS[resource_type]
    stock_create, stock_update = handlers["create"], handlers["update"]

    def create(*arguments: Any) -> tuple[str, Attributes]:
        return stock_create(*arguments)[0].rstrip("."), {}

    def update(*arguments: Any) -> tuple[str, Attributes]:
        return stock_update(*arguments)[0].rstrip("."), {}

    extend(provisioners._RESOURCE_HANDLERS, resource_type, create=create, update=update)


def handle_request(
    original: Any, method: str, path: str, headers: Any, body: bytes, query: Any
) -> Any:
    """Route 53 with GetDNSSEC, which amazon.aws.route53_zone asks for."""
    match = _DNSSEC_PATH.fullmatch(path)
    if method == "GET" and match and match[1] in route53._zones:
        return _answer_dnssec()
    return original(method, path, headers, body, query)


async def _answer_dnssec() -> Any:
    def build(root: Any) -> None:
        status = route53.SubElement(root, "Status")
        route53.SubElement(status, "ServeSignature").text = "NOT_SIGNING"
        route53.SubElement(root, "KeySigningKeys")

    return route53._xml_response("GetDNSSECResponse", build)


def install() -> None:
    replace("handle_request", handle_request, route53)
    add(provisioners._STACK_TAG_PROPERTY, "AWS::Route53::HostedZone", ("HostedZoneTags", "list"))
    amend(
        "AWS::Route53::HostedZone",
        check=_check_zone,
        complete=_complete_zone,
        release=_refuse_zone_in_use,
        sweep=_sweep_zone,
    )
    _name_without_dot("AWS::Route53::RecordSet")
