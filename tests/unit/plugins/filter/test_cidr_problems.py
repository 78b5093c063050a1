# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest
from ansible_collections.openpacs.dicoogle.plugins.filter.cidr_problems import cidr_problems


def network(
    vpc="10.0.0.0/16", private=("10.0.0.0/24", "10.0.1.0/24"), public=("10.0.2.0/24", "10.0.3.0/24")
):
    return {"vpc": vpc, "private": list(private), "public": list(public)}


OTHER = network("10.1.0.0/16", ("10.1.0.0/24", "10.1.1.0/24"), ("10.1.2.0/24", "10.1.3.0/24"))


def test_good_networks_have_no_problems():
    assert cidr_problems({"provider": network(), "consumer": OTHER}) == []


@pytest.mark.parametrize(
    ("networks", "sentence"),
    [
        ({"provider": network(vpc="10.0.0.0/33")}, "provider VPC: '33' is not a valid netmask"),
        ({"provider": network(vpc="10.0.0.1/16")}, "has host bits set"),
        ({"provider": network(vpc="10.0.0.0/8")}, "must be between /16 and /28"),
        ({"provider": network(vpc="")}, "provider VPC"),
        ({"provider": network(private=("10.0.0.0/24",))}, "provider private subnets: give two"),
        (
            {"provider": network(private=("10.0.0.0/24", "10.0.0.128/25"))},
            "subnet 1 10.0.0.0/24 overlaps provider private subnet 2 10.0.0.128/25",
        ),
        ({"provider": network(public=("10.9.0.0/24", "10.0.3.0/24"))}, "lies outside provider VPC"),
        (
            {"provider": network(), "consumer": network()},
            "provider VPC 10.0.0.0/16 overlaps consumer VPC 10.0.0.0/16",
        ),
    ],
)
def test_a_bad_range_is_named_with_its_reason(networks, sentence):
    assert any(sentence in problem for problem in cidr_problems(networks))
