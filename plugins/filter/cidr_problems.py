# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter C(cidr_problems): what is wrong with a set of VPCs before CloudFormation finds out."""

from __future__ import annotations

DOCUMENTATION = r"""
name: cidr_problems
version_added: 1.0.0
author: openpacs contributors (@openpacs)
short_description: Tell what is wrong with the address ranges of VPCs
description:
  - Checks ranges as a VPC takes them, that subnets lie in their VPC, and that nothing overlaps.
positional: _input
options:
  _input:
    description:
      - The networks by name. Each has one range V(vpc), and two V(private), V(public) or both.
      - A range is in CIDR notation, from C(/16) to C(/28).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Refuse networks that overlap
  ansible.builtin.assert:
    that: not problems
    fail_msg: "{{ problems | join(' ') }}"
  vars:
    problems: "{{ networks | openpacs.dicoogle.cidr_problems }}"
    networks:
      provider:
        vpc: 10.0.0.0/16
        private: [10.0.0.0/24, 10.0.1.0/24]
        public: [10.0.2.0/24, 10.0.3.0/24]
"""

RETURN = r"""
_value:
  description: One sentence for each problem, with what to change; empty when all is well.
  type: list
  elements: str
"""

import typing as t
from ipaddress import IPv4Network
from itertools import combinations

Named = tuple[str, IPv4Network]


def _parse(name: str, text: t.Any) -> tuple[Named | None, str | None]:
    """Return the named range, or the sentence that says why it is none."""
    try:
        network = IPv4Network(str(text))
    except ValueError as error:
        return None, f"{name}: {error}; write it as, for example, 10.0.0.0/24."
    if not 16 <= network.prefixlen <= 28:
        return None, f"{name}: {network} must be between /16 and /28, as a VPC takes it."
    return (name, network), None


def _overlaps(ranges: list[Named]) -> list[str]:
    return [
        f"{name} {one} overlaps {other_name} {other}; choose ranges apart from each other."
        for (name, one), (other_name, other) in combinations(ranges, 2)
        if one.overlaps(other)
    ]


def cidr_problems(networks: dict[str, dict[str, t.Any]]) -> list[str]:
    """Return a sentence for each bad, misplaced or overlapping range of C(networks)."""
    problems: list[str] = []
    vpcs: list[Named] = []
    for name, network in networks.items():
        vpc, problem = _parse(f"{name} VPC", network.get("vpc"))
        problems += [problem] if problem else []
        vpcs += [vpc] if vpc else []
        subnets: list[Named] = []
        for kind in sorted(network.keys() & {"private", "public"}):
            ranges = network[kind]
            if len(ranges) != 2:
                problems.append(f"{name} {kind} subnets: give two, one for each availability zone.")
            for number, text in enumerate(ranges, start=1):
                subnet, problem = _parse(f"{name} {kind} subnet {number}", text)
                problems += [problem] if problem else []
                subnets += [subnet] if subnet else []
        problems += _overlaps(subnets)
        problems += [
            f"{subnet_name} {subnet} lies outside {vpc[0]} {vpc[1]}; choose it from that range."
            for subnet_name, subnet in subnets
            if vpc and not subnet.subnet_of(vpc[1])
        ]
    return problems + _overlaps(vpcs)


class FilterModule:
    """Gives Ansible the filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"cidr_problems": cidr_problems}
