# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._account.checks import (
    QuotaState,
    check_quotas,
    check_zones,
    public_zone_id,
    unknown_zone_message,
    usable_zones,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._errors import ModuleError

ZONES = ["eu-west-1a", "eu-west-1b", "eu-west-1c"]


def zone(name: str, kind: str = "availability-zone", opt_in: str = "opt-in-not-required") -> Any:
    return {"ZoneName": name, "ZoneType": kind, "OptInStatus": opt_in, "State": "impaired"}


def hosted(zone_id: str, name: str, private: bool = False) -> dict[str, Any]:
    return {"Id": f"/hostedzone/{zone_id}", "Name": name, "Config": {"PrivateZone": private}}


def test_usable_zones_are_sorted_whatever_their_state() -> None:
    entries = [
        zone("eu-west-1b"),
        zone("eu-west-1a"),
        zone("eu-west-1-lhr-1a", kind="local-zone", opt_in="opted-in"),
        zone("eu-west-1d", opt_in="not-opted-in"),
    ]
    assert usable_zones(entries) == ["eu-west-1a", "eu-west-1b"]


@pytest.mark.parametrize("wanted", [None, ["eu-west-1c", "eu-west-1a"]])
def test_existing_zones_pass(wanted: list[str] | None) -> None:
    check_zones("eu-west-1", ZONES, wanted)


@pytest.mark.parametrize(
    ("available", "wanted", "message"),
    [
        (["x-1a"], None, r"has 1 availability zone\(s\).*Choose another region\."),
        (ZONES, ["eu-west-1a", "eu-west-1z"], "called eu-west-1z. Choose from eu-west-1a, eu-w"),
        (ZONES, ["eu-west-1a"], "1 availability zone.* given, but an environment needs 2 diff"),
        (ZONES, ["eu-west-1a", "eu-west-1a"], "1 availability zone.* given"),
        (ZONES, [], "0 availability zone.* given"),
    ],
)
def test_zones_that_do_not_fit_are_refused(
    available: list[str], wanted: list[str] | None, message: str
) -> None:
    with pytest.raises(ModuleError, match=message):
        check_zones("eu-west-1", available, wanted)


@pytest.mark.parametrize("domain", ["example.org", "example.org.", "Example.ORG"])
def test_public_zone_is_found_by_name(domain: str) -> None:
    zones = [
        hosted("ZPRIVATE", "example.org.", private=True),
        hosted("ZPUBLIC", "example.org."),
        hosted("ZOTHER", "www.example.org."),
    ]
    assert public_zone_id(domain, zones) == "ZPUBLIC"


def test_neighbour_is_not_the_zone() -> None:
    assert public_zone_id("example.org", [hosted("ZOTHER", "examples.org.")]) is None


def test_only_private_zone_is_refused() -> None:
    with pytest.raises(ModuleError, match=r"The hosted zone example\.org is private"):
        public_zone_id("example.org", [hosted("ZPRIVATE", "example.org.", private=True)])


def test_two_public_zones_are_refused() -> None:
    zones = [hosted("ZONE1", "example.org."), hosted("ZONE2", "example.org.")]
    with pytest.raises(ModuleError, match="2 public hosted zones"):
        public_zone_id("example.org", zones)


def test_unknown_zone_lists_public_ones() -> None:
    zones = [hosted("Z1", "b.org."), hosted("Z2", "a.org."), hosted("Z3", "x.", private=True)]
    assert "Choose from a.org, b.org, or create the zone example.org" in unknown_zone_message(
        "example.org", zones
    )
    assert "has no public hosted zone" in unknown_zone_message("example.org", [])


def test_quota_with_room_passes() -> None:
    check_quotas("eu-west-1", {"vpcs": QuotaState(5, 2, 3), "elastic_ips": QuotaState(None, 9, 9)})


def test_every_small_quota_is_named_with_its_remedy() -> None:
    states = {
        "vpcs": QuotaState(5, 4, 3),
        "internet_gateways": QuotaState(5, 0, 3),
        "elastic_ips": QuotaState(5, 5, 1),
    }
    with pytest.raises(ModuleError) as caught:
        check_quotas("eu-west-1", states)
    message = str(caught.value)
    assert "3 more VPCs are needed, but 4 of 5 are in use, 2 too many" in message
    assert "--service-code vpc --quota-code L-F678F1CE --desired-value 7" in message
    assert "--service-code ec2 --quota-code L-0263D0A3 --desired-value 6" in message
    assert "internet gateways" not in message


def test_free_is_never_negative() -> None:
    assert QuotaState(5, 7, 1).free == 0
    assert QuotaState(None, 7, 1).free is None
