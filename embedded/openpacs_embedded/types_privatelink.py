# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PrivateLink: endpoint services, who may use them, and the DNS names of endpoints.

The calls that read endpoint services are in services_privatelink.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from ministack.core.responses import AccountRegionScopedDict, get_region
from ministack.services import ec2

from openpacs_embedded.ec2_calls import refused, set_tags
from openpacs_embedded.patching import replace
from openpacs_embedded.persistence import register_store
from openpacs_embedded.types_registry import Attributes, Properties, ResourceType, amend, register

endpoint_services = (
    AccountRegionScopedDict()
)  # service id -> what DescribeVpcEndpointService* tells

AMAZON_SERVICE_ZONE = "Z7HUB22UULQXV"  # hosted zone of vpce.amazonaws.com names in us-east-1


def service_name(service_id: str) -> str:
    return f"com.amazonaws.vpce.{get_region()}.{service_id}"


def connections(service_id: str) -> list[dict[str, Any]]:
    """The endpoints that use an endpoint service."""
    name = service_name(service_id)
    return [e for e in ec2._vpc_endpoints.values() if e["ServiceName"] == name]


def _is_true(value: Any) -> bool:
    return str(value).lower() == "true"


def _configuration(props: Properties) -> dict[str, Any]:
    return {
        "AcceptanceRequired": _is_true(props.get("AcceptanceRequired", True)),
        "NetworkLoadBalancerArns": list(props.get("NetworkLoadBalancerArns") or []),
        "GatewayLoadBalancerArns": list(props.get("GatewayLoadBalancerArns") or []),
        "SupportedIpAddressTypes": props.get("SupportedIpAddressTypes") or ["ipv4"],
    }


def _create_service(_logical_id: str, props: Properties, _stack: str) -> tuple[str, Attributes]:
    service_id = f"vpce-svc-{secrets.token_hex(9)[:17]}"
    endpoint_services[service_id] = {
        "ServiceId": service_id,
        "AllowedPrincipals": [],
        **_configuration(props),
    }
    set_tags(service_id, props.get("Tags"))
    return service_id, {"ServiceId": service_id}


def _update_service(physical_id: str, _old: Properties, new: Properties) -> Attributes:
    endpoint_services[physical_id].update(_configuration(new))
    set_tags(physical_id, new.get("Tags"))
    return {"ServiceId": physical_id}


def _delete_service(physical_id: str, _props: Properties) -> None:
    if any(endpoint.get("State") != "rejected" for endpoint in connections(physical_id)):
        raise refused(
            f"Service {physical_id} has existing active VPC Endpoint connections. "
            "Delete the endpoints first."
        )
    endpoint_services.pop(physical_id, None)
    set_tags(physical_id, None)


def _service(service_id: str) -> dict[str, Any]:
    if service_id not in endpoint_services:
        raise refused(f"The VpcEndpointService Id '{service_id}' does not exist")
    return endpoint_services[service_id]


def _allow(_logical_id: str, props: Properties, _stack: str) -> tuple[str, Attributes]:
    _service(props["ServiceId"])["AllowedPrincipals"] = list(props.get("AllowedPrincipals") or [])
    return props["ServiceId"], {}


def _reallow(physical_id: str, _old: Properties, new: Properties) -> Attributes:
    _service(physical_id)["AllowedPrincipals"] = list(new.get("AllowedPrincipals") or [])
    return {}


def _disallow(physical_id: str, _props: Properties) -> None:
    if physical_id in endpoint_services:
        endpoint_services[physical_id]["AllowedPrincipals"] = []


# Endpoints: MiniStack keeps the record; AWS also gives it DNS names and checks the service.


def _check_endpoint(new: Properties, _old: Properties) -> None:
    name = str(new.get("ServiceName", ""))
    own = name.startswith("com.amazonaws.vpce.")
    if own and name.rpartition(".")[2] not in endpoint_services:
        raise refused(f"The Vpc Endpoint Service '{name}' does not exist")


def _endpoint_suffix(name: str) -> str:
    """The DNS domain of a service's endpoints: vpce-svc-1.us-east-1 or ecr.api.us-east-1."""
    region = get_region()
    own = name.startswith("com.amazonaws.vpce.")
    service = name.rpartition(".")[2] if own else name.removeprefix(f"com.amazonaws.{region}.")
    return f"{service}.{region}.vpce.amazonaws.com"


def dns_entries(endpoint: dict[str, Any]) -> list[dict[str, str]]:
    """The DNS names of an interface endpoint: one for the region, one for each zone."""
    if endpoint["VpcEndpointType"] != "Interface":
        return []
    suffix = _endpoint_suffix(endpoint["ServiceName"])
    host = (
        f"{endpoint['VpcEndpointId']}-{sha256(endpoint['VpcEndpointId'].encode()).hexdigest()[:8]}"
    )
    zones = sorted(ec2._subnets[s]["AvailabilityZone"] for s in endpoint["SubnetIds"])
    names = [f"{host}.{suffix}", *(f"{host}-{zone}.{suffix}" for zone in zones)]
    return [{"DnsName": name, "HostedZoneId": AMAZON_SERVICE_ZONE} for name in names]


def _complete_endpoint(physical_id: str, new: Properties, _old: Properties) -> Attributes:
    endpoint = ec2._vpc_endpoints[physical_id]
    endpoint["PrivateDnsEnabled"] = _is_true(new.get("PrivateDnsEnabled", False))
    endpoint["SecurityGroupIds"] = list(new.get("SecurityGroupIds") or [])
    endpoint["DnsEntries"] = dns_entries(endpoint)
    own = endpoint_services.get(endpoint["ServiceName"].rpartition(".")[2])
    endpoint["State"] = "pendingAcceptance" if own and own["AcceptanceRequired"] else "available"
    pairs = [f"{entry['HostedZoneId']}:{entry['DnsName']}" for entry in endpoint["DnsEntries"]]
    return {"DnsEntries": pairs}


def reset(original: Callable[[], None]) -> None:
    """Forget the endpoint services with everything else of EC2."""
    original()
    endpoint_services.clear()


def install() -> None:
    register_store("vpc_endpoint_services", endpoint_services)
    replace("reset", reset, ec2)
    register(
        "AWS::EC2::VPCEndpointService",
        ResourceType(_create_service, _update_service, _delete_service),
    )
    register(
        "AWS::EC2::VPCEndpointServicePermissions",
        ResourceType(_allow, _reallow, _disallow, ("ServiceId",), tags=None),
    )
    amend("AWS::EC2::VPCEndpoint", check=_check_endpoint, complete=_complete_endpoint)
