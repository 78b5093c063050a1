# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Is an account fit for a new environment? Decided without any call to AWS.

Private to this collection.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._errors import ModuleError

MINIMUM_ZONES = 2  # load balancers and file systems of an environment span two
LONGEST_NAME = 64  # characters of the first name of a certificate of AWS Certificate Manager


@dataclass(frozen=True)
class Quota:
    """A quota of an account in a region, under its codes in Service Quotas."""

    title: str
    service_code: str
    quota_code: str


QUOTAS = {
    "vpcs": Quota("VPCs", "vpc", "L-F678F1CE"),
    "internet_gateways": Quota("internet gateways", "vpc", "L-A4707A72"),
    "elastic_ips": Quota("Elastic IP addresses", "ec2", "L-0263D0A3"),
}


@dataclass(frozen=True)
class QuotaState:
    """How far a quota is used, and how much more is needed; the limit is None when not known."""

    limit: int | None
    used: int
    needed: int

    @property
    def free(self) -> int | None:
        """How many more are possible, None when the limit is not known."""
        return None if self.limit is None else max(self.limit - self.used, 0)


def usable_zones(entries: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the names of the availability zones that the account may use, sorted.

    Local and Wavelength zones are left out. The momentary state of a zone does not matter: the
    choice of zones must be the same on every run.
    """
    return sorted(
        entry["ZoneName"]
        for entry in entries
        if entry.get("ZoneType", "availability-zone") == "availability-zone"
        and entry.get("OptInStatus") != "not-opted-in"
    )


def zones_of(stack: Mapping[str, Any]) -> list[str]:
    """Return the zones that the stack of an environment is in, as DescribeStacks tells."""
    parameters = {
        item["ParameterKey"]: item.get("ParameterValue", "") for item in stack.get("Parameters", [])
    }
    return [zone for zone in parameters.get("AvailabilityZones", "").split(",") if zone]


def offering(zones: Sequence[str], offers: Mapping[str, Collection[str]]) -> list[str]:
    """Return the zones in which everything is offered.

    offers: zones in which a service is offered, by service.
    """
    return [zone for zone in zones if all(zone in where for where in offers.values())]


def check_offers(wanted: Iterable[str], offers: Mapping[str, Collection[str]]) -> None:
    """Refuse zones that the user wants although something is not offered there."""
    lacking = [
        f"{zone} has no {service}"
        for zone in wanted
        for service, where in offers.items()
        if zone not in where
    ]
    if lacking:
        common = sorted(set.intersection(*map(set, offers.values())))
        raise ModuleError(
            f"An environment cannot be in these availability zones: {', '.join(lacking)}. "
            f"Choose from {', '.join(common)}."
        )


def check_host_name(name: str) -> None:
    """Refuse a name of the web page that is too long for a certificate."""
    if len(name) > LONGEST_NAME:
        raise ModuleError(
            f"The web page would be called {name}, which has {len(name)} characters. A certificate "
            f"holds {LONGEST_NAME}: shorten dicoogle_environment or dicoogle_domain_name by "
            f"{len(name) - LONGEST_NAME}."
        )


def check_zones(region: str, available: Sequence[str], wanted: Sequence[str] | None) -> None:
    """Refuse zones that do not exist, and fewer than two."""
    if len(available) < MINIMUM_ZONES:
        raise ModuleError(
            f"The region {region} has {len(available)} availability zone(s) for this account, but "
            f"an environment needs {MINIMUM_ZONES}. Choose another region."
        )
    if wanted is None:
        return
    unknown = sorted(set(wanted) - set(available))
    if unknown:
        raise ModuleError(
            f"No availability zone of {region} is called {' or '.join(unknown)}. "
            f"Choose from {', '.join(available)}."
        )
    if len(set(wanted)) < MINIMUM_ZONES:
        raise ModuleError(
            f"{len(set(wanted))} availability zone(s) given, but an environment needs "
            f"{MINIMUM_ZONES} different ones. Choose from {', '.join(available)}."
        )


def public_zone_id(domain: str, zones: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the ID of the public hosted zone of a domain, None when no zone has this name."""
    same_name = [zone for zone in zones if bare_domain(zone["Name"]) == bare_domain(domain)]
    public = [zone for zone in same_name if not zone["Config"].get("PrivateZone")]
    if same_name and not public:
        raise ModuleError(
            f"The hosted zone {domain} is private, but certificates are validated in a public one. "
            "Create a public hosted zone of this name, or choose another."
        )
    if len(public) > 1:
        raise ModuleError(
            f"{len(public)} public hosted zones are called {domain}. Delete those to which the "
            "domain is not delegated."
        )
    return public[0]["Id"].removeprefix("/hostedzone/") if public else None


def unknown_zone_message(domain: str, zones: Iterable[Mapping[str, Any]]) -> str:
    """Report that a hosted zone does not exist, and which do."""
    names = sorted({bare_domain(z["Name"]) for z in zones if not z["Config"].get("PrivateZone")})
    remedy = f"Choose from {', '.join(names)}" if names else "The account has no public hosted zone"
    return f"No hosted zone is called {domain}. {remedy}, or create the zone {domain} in Route 53."


def bare_domain(name: str) -> str:
    """Return a domain name in lower case and without the final dot."""
    return name.rstrip(".").lower()


def check_quotas(region: str, states: Mapping[str, QuotaState]) -> None:
    """Refuse quotas that leave too little, all in one message."""
    shortages = [
        _shortage(QUOTAS[name], state, state.limit)
        for name, state in states.items()
        if state.limit is not None and state.used + state.needed > state.limit
    ]
    if shortages:
        raise ModuleError(f"The quotas of {region} leave too little. {' '.join(shortages)}")


def _shortage(quota: Quota, state: QuotaState, limit: int) -> str:
    total = state.used + state.needed
    return (
        f"{state.needed} more {quota.title} are needed, but {state.used} of {limit} are in use, "
        f"{total - limit} too many. Delete some, or run 'aws service-quotas "
        f"request-service-quota-increase --service-code {quota.service_code} "
        f"--quota-code {quota.quota_code} --desired-value {total}'."
    )
