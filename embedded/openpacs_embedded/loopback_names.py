# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where on this machine the names of this AWS lead: addresses of the loopback network.

Each load balancer and each instance stands for one address out of 127.0.0.0/8, derived from its
id, so that the ports stay those that the templates say. Linux has all of these addresses without
being told.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Any

from ministack.services import alb, ec2, route53

from openpacs_embedded.access_log import Application, Message, Receive, Send
from openpacs_embedded.types_privatelink import endpoint_services

PATH = "/_openpacs/names"
Names = dict[str, str]


def address(resource_id: str) -> str:
    """Return the loopback address that a load balancer (by ARN) or an instance (by id) has."""
    first, second, third = sha256(resource_id.encode()).digest()[:3]
    return f"127.{first % 239 + 16}.{second}.{third % 254 + 1}"


def names_of_resources() -> Names:
    """Return the names that load balancers, endpoints and instances have by themselves."""
    names = {
        balancer["DNSName"]: address(balancer["LoadBalancerArn"])
        for balancer in _all(alb._lbs)
        if "DNSName" in balancer
    }
    for endpoint in _all(ec2._vpc_endpoints):
        for balancer_arn in _balancers_behind(endpoint)[:1]:
            for entry in endpoint.get("DnsEntries", []):
                names[entry["DnsName"]] = address(balancer_arn)
    for instance in _all(ec2._instances):
        for member in ("PrivateIpAddress", "PrivateDnsName", "PublicIpAddress", "PublicDnsName"):
            if instance.get(member):
                names[instance[member]] = address(instance["InstanceId"])
    return names


def names_of_records(zones: Iterable[str], known: Names) -> Names:
    """Return the names in hosted zones that lead to known ones."""
    records = [record for zone in zones for record in _records(zone)]
    found: Names = {}
    for _unused in records:  # an alias of an alias of ...: each round gets one step further
        for record in records:
            for target in _targets(record):
                if target in known | found:
                    found[record["Name"].rstrip(".")] = (known | found)[target]
    return found


def public_names() -> Names:
    """Return all names that can be looked up from outside, and instances by their addresses."""
    known = names_of_resources()
    return known | names_of_records((z for z in _zones() if not _zones()[z].get("private")), known)


def names_in_vpc(vpc_id: str) -> Names:
    """Return the names that a VPC resolves by its private zones."""
    mine = [
        zone_id
        for zone_id, zone in _zones().items()
        if any(vpc["VPCId"] == vpc_id for vpc in zone.get("vpcs", []))
    ]
    return names_of_records(mine, names_of_resources())


def with_names(app: Application) -> Application:
    """Return the ASGI application with one more path, which tells the public names as JSON."""

    async def named(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != PATH:
            await app(scope, receive, send)
            return
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        body = json.dumps(public_names(), indent=2, sort_keys=True).encode()
        await send({"type": "http.response.body", "body": body})

    return named


def _all(store: Any) -> list[dict[str, Any]]:
    return list(store._data.values())


def _balancers_behind(endpoint: dict[str, Any]) -> list[str]:
    if endpoint.get("State") == "rejected":
        return []
    service_id = endpoint["ServiceName"].rpartition(".")[2]
    found = [s for s in _all(endpoint_services) if s["ServiceId"] == service_id]
    return [arn for service in found for arn in service["NetworkLoadBalancerArns"]]


def _zones() -> dict[str, dict[str, Any]]:
    return {zone["id"]: zone for zone in _all(route53._zones)}


def _records(zone_id: str) -> list[dict[str, Any]]:
    stores = route53._records._data.items()
    return [record for key, records in stores if key[-1] == zone_id for record in records]


def _targets(record: dict[str, Any]) -> Iterator[str]:
    if alias := record.get("AliasTarget"):
        yield alias["DNSName"].rstrip(".")
    if record["Type"] in ("A", "CNAME"):
        for value in record.get("ResourceRecords", []):
            yield value.rstrip(".")
