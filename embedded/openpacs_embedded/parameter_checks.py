# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Parameters that a template does not have, and parameters that name things which do not exist."""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Any

from ministack.core.responses import get_region
from ministack.services import ec2, route53
from ministack.services.cloudformation import changesets, engine, handlers

from openpacs_embedded.patching import replace

Parameters = dict[str, dict[str, Any]]


def resolve_parameters(
    original: Callable[..., Parameters],
    template: dict[str, Any],
    provided: list[dict[str, Any]],
    previous: Parameters | None = None,
) -> Parameters:
    """Resolve parameters, refusing the unknown and those that name nothing in the account.

    Raises ValueError with the message of the ValidationError.
    """
    defined = template.get("Parameters") or {}
    unknown = [entry["Key"] for entry in provided if entry["Key"] not in defined]
    if unknown:
        raise ValueError(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    resolved = original(template, provided, previous)
    for name, parameter in resolved.items():
        for value in _values(parameter):
            if value not in _existing(parameter["Type"], value):
                raise ValueError(
                    f"Parameter validation failed: parameter value {value} "
                    f"for parameter name {name} does not exist"
                )
    return resolved


def _values(parameter: dict[str, Any]) -> list[str]:
    value = parameter["Value"]
    if parameter["Type"].startswith("List<"):
        return [member.strip() for member in value.split(",")]
    return [value]


def _existing(parameter_type: str, value: str) -> Container[str]:
    """Return what a value of the type may be; everything, when the type names nothing."""
    inner = parameter_type.removeprefix("List<").removesuffix(">")
    known: dict[str, Callable[[], Container[str]]] = {
        "AWS::EC2::AvailabilityZone::Name": lambda: [f"{get_region()}{zone}" for zone in "abc"],
        "AWS::EC2::KeyPair::KeyName": lambda: ec2._key_pairs,
        "AWS::EC2::SecurityGroup::Id": lambda: ec2._security_groups,
        "AWS::EC2::Subnet::Id": lambda: ec2._subnets,
        "AWS::EC2::VPC::Id": lambda: ec2._vpcs,
        "AWS::Route53::HostedZone::Id": lambda: route53._zones,
    }
    return known[inner]() if inner in known else [value]


def install() -> None:
    """Add the checks wherever parameters come in."""
    replace("_resolve_parameters", resolve_parameters, engine, handlers, changesets)
