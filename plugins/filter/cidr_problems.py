# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter `cidr_problems`: what is wrong with ranges of VPCs before CloudFormation finds out."""

from __future__ import annotations

DOCUMENTATION = r"""
name: cidr_problems
version_added: 1.0.0
author: openpacs contributors (@openpacs)
short_description: Tell what is wrong with the address ranges of VPCs
description:
  - Checks that a VPC takes each range, that each holds four subnets, and that none overlap.
positional: _input, subnet_bits
options:
  _input:
    description: The ranges in CIDR notation, by a name that problems are told with.
    type: dict
    required: true
  subnet_bits:
    description: Number of bits that tell the hosts of a subnet apart; V(8) for a C(/24).
    type: int
    required: true
"""

EXAMPLES = r"""
- name: Check the address ranges
  ansible.builtin.assert:
    that: not problems
    fail_msg: "{{ problems | join(' ') }}"
  vars:
    problems: "{{ ranges | openpacs.dicoogle.cidr_problems(8) }}"
    ranges:
      provider: 10.0.0.0/16
      consumer: 10.1.0.0/16
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

# This network, this host, link-local addresses, multicast, and what is to come: RFC 6890.
RESERVED = [
    IPv4Network(text) for text in ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3")
]
BITS_OF_FOUR_SUBNETS = 2


def _parse(name: str, text: t.Any, longest_prefix: int) -> IPv4Network | str:
    """Return the range, or the sentence that says why a VPC does not take it."""
    try:
        network = IPv4Network(str(text))
    except ValueError as error:
        return f"{name}: {error}; write it as, for example, 10.0.0.0/16."
    if str(network) != text:
        return f"{name}: '{text}' has to be written as {network}."
    if any(network.overlaps(reserved) for reserved in RESERVED):
        return (
            f"{name}: {network} is reserved, and no VPC takes it. Choose one of the private ranges "
            "10.0.0.0/8, 172.16.0.0/12 and 192.168.0.0/16."
        )
    if not 16 <= network.prefixlen <= longest_prefix:
        return (
            f"{name}: {network} must be between /16 and /{longest_prefix}, so that a VPC takes it "
            "and it holds four subnets."
        )
    return network


def cidr_problems(ranges: t.Mapping[str, t.Any], subnet_bits: int) -> list[str]:
    """Return a sentence for each bad range of `ranges`, and for each two that overlap."""
    longest_prefix = 32 - BITS_OF_FOUR_SUBNETS - subnet_bits
    parsed = {name: _parse(name, text, longest_prefix) for name, text in ranges.items()}
    problems = [found for found in parsed.values() if isinstance(found, str)]
    vpcs = {name: found for name, found in parsed.items() if isinstance(found, IPv4Network)}
    return problems + [
        f"{name} {vpc} overlaps {other_name} {other}; choose ranges apart from each other."
        for (name, vpc), (other_name, other) in combinations(vpcs.items(), 2)
        if vpc.overlaps(other)
    ]


class FilterModule:
    """Gives Ansible the filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"cidr_problems": cidr_problems}
