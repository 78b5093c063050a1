# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The calls that describe an account in a region. Private to this collection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._aws import attempt
from .checks import Quota

# operation of EC2 and the list in its response, by the name of the quota that limits it
COUNTED = {
    "vpcs": ("describe_vpcs", "Vpcs"),
    "internet_gateways": ("describe_internet_gateways", "InternetGateways"),
    "elastic_ips": ("describe_addresses", "Addresses"),
}


def caller_identity(sts: Any, region: str) -> dict[str, str]:
    """Return Account, Arn and Partition of the caller."""
    wrong = (
        f"Check the access key; if it is right, enable the region {region} in the account, or "
        "choose another."
    )
    hints = dict.fromkeys(
        ("InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch"), wrong
    )
    with attempt(f"find out whose the credentials are, in the region {region}", hints):
        caller = sts.get_caller_identity()
        return {
            "Account": caller["Account"],
            "Arn": caller["Arn"],
            "Partition": caller["Arn"].split(":")[1],
        }


def availability_zones(ec2: Any, region: str) -> list[dict[str, Any]]:
    """Return all zones of the region, as EC2 describes them."""
    disabled = f"Enable the region {region} in the account, or choose another."
    hints = {
        "AuthFailure": disabled,
        "OptInRequired": disabled,
        "UnauthorizedOperation": "Allow ec2:DescribeAvailabilityZones.",
    }
    with attempt(f"list the availability zones of {region}", hints):
        return ec2.describe_availability_zones()["AvailabilityZones"]


def endpoint_zones(ec2: Any, region: str, services: Sequence[str]) -> dict[str, set[str]]:
    """Return in which zones each service of AWS, such as ecr.api, has interface endpoints."""
    names = {f"com.amazonaws.{region}.{service}": service for service in services}
    hints = {"UnauthorizedOperation": "Allow ec2:DescribeVpcEndpointServices."}
    with attempt(f"look up the zones of {', '.join(names)}", hints):
        answer = ec2.describe_vpc_endpoint_services(ServiceNames=list(names))
    return {
        names[detail["ServiceName"]]: set(detail["AvailabilityZones"])
        for detail in answer["ServiceDetails"]
    }


def hosted_zones_from(route53: Any, domain: str) -> list[dict[str, Any]]:
    """Return the hosted zones in the order of their names, starting with a domain's."""
    hints = {"AccessDenied": "Allow route53:ListHostedZonesByName."}
    with attempt(f"look up the hosted zone {domain}", hints):
        return route53.list_hosted_zones_by_name(DNSName=domain)["HostedZones"]


def name_servers(route53: Any, zone_id: str) -> list[str]:
    """Return the name servers of a public hosted zone."""
    hints = {"AccessDenied": "Allow route53:GetHostedZone."}
    with attempt(f"read the name servers of the hosted zone {zone_id}", hints):
        return route53.get_hosted_zone(Id=zone_id)["DelegationSet"]["NameServers"]


def hosted_zones(route53: Any) -> list[dict[str, Any]]:
    """Return all hosted zones."""
    with attempt("list the hosted zones", {"AccessDenied": "Allow route53:ListHostedZones."}):
        pages = route53.get_paginator("list_hosted_zones").paginate()
        return [zone for page in pages for zone in page["HostedZones"]]


def count_used(ec2: Any, name: str) -> int:
    """Return how many of a quota's resources exist in the region."""
    operation, key = COUNTED[name]
    with attempt(f"count what the quota {name} limits"):
        if not ec2.can_paginate(operation):
            return len(getattr(ec2, operation)()[key])
        return sum(len(page[key]) for page in ec2.get_paginator(operation).paginate())


def quota_limit(service_quotas: Any, quota: Quota) -> int:
    """Return the limit that applies to the account in the region."""
    with attempt(f"read the quota of {quota.title}"):
        response = service_quotas.get_service_quota(
            ServiceCode=quota.service_code, QuotaCode=quota.quota_code
        )
        return int(response["Quota"]["Value"])
