# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Services that MiniStack does not have keep their state, and forget it, like those it has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_server import Process
from type_cases import BALANCER, LOCATIONS, NETWORK, SCALING_TARGET, SERVICE

TEMPLATE = {"Resources": NETWORK | BALANCER | SERVICE | LOCATIONS | SCALING_TARGET}


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    process = Process(tmp_path)
    yield process
    process.stop()


def added_services(aws: Any) -> dict[str, list[dict[str, Any]]]:
    """What the services that were added list."""
    services = aws.client("ec2").describe_vpc_endpoint_service_configurations()
    targets = aws.client("application-autoscaling").describe_scalable_targets(
        ServiceNamespace="ecs"
    )
    return {
        "endpoint services": services["ServiceConfigurations"],
        "locations": aws.client("datasync").list_locations()["Locations"],
        "targets": targets["ScalableTargets"],
    }


def test_added_services_keep_and_forget_their_state(process: Process) -> None:
    name = process.aws.deploy(TEMPLATE)
    before = added_services(process.aws)
    assert all(before.values())
    process.stop()
    process.start()
    assert added_services(process.aws) == before
    assert process.aws.update(name, {"Resources": NETWORK}) == "UPDATE_COMPLETE"
    assert not any(added_services(process.aws).values())

    process.aws.deploy(TEMPLATE)
    process.aws.key.send("POST", f"{process.aws.endpoint_url}/_ministack/reset")
    assert not any(added_services(process.aws).values())
