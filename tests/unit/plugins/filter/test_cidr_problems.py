# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest
from ansible_collections.openpacs.dicoogle.plugins.filter.cidr_problems import cidr_problems


@pytest.mark.parametrize(
    ("vpc", "subnet_bits"),
    [("10.0.0.0/16", 8), ("192.168.4.0/22", 8), ("10.20.30.0/24", 6), ("10.20.30.128/25", 5)],
)
def test_a_good_range_has_no_problems(vpc, subnet_bits):
    assert cidr_problems({"provider": vpc, "consumer": "10.1.0.0/16"}, subnet_bits) == []


@pytest.mark.parametrize(
    ("ranges", "sentence"),
    [
        ({"provider": "10.0.0.0/33"}, "provider: '33' is not a valid netmask"),
        ({"provider": "10.0.0.256/16"}, "provider: Octet 256"),
        ({"provider": "10.0.0.1/16"}, "has host bits set"),
        ({"provider": "10.0.0.0/8"}, "must be between /16 and /22"),
        ({"provider": "10.0.0.0/23"}, "must be between /16 and /22"),
        ({"provider": "10.0.0.0/255.255.0.0"}, "has to be written as 10.0.0.0/16"),
        ({"provider": "10.0.0.0/016"}, "has to be written as 10.0.0.0/16"),
        ({"provider": "10.0.0.0/16\n"}, "provider: "),
        ({"provider": 167772160}, "provider: "),
        ({"provider": "127.0.0.0/16"}, "127.0.0.0/16 is reserved"),
        ({"provider": "0.0.0.0/16"}, "is reserved"),
        ({"provider": "169.254.0.0/16"}, "is reserved"),
        ({"provider": "239.0.0.0/16"}, "is reserved"),
        ({"provider": "250.0.0.0/16"}, "is reserved"),
        ({"provider": ""}, "provider: "),
        ({"provider": {"vpc": "10.0.0.0/16"}}, "provider: "),
        (
            {"provider": "10.0.0.0/16", "consumer": "10.0.128.0/20"},
            "provider 10.0.0.0/16 overlaps consumer 10.0.128.0/20",
        ),
    ],
)
def test_a_bad_range_is_named_with_its_reason(ranges, sentence):
    problems = cidr_problems(ranges, 8)
    assert len(problems) == 1
    assert sentence in problems[0]
