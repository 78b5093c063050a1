# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Role environment: odd values are normalised, or refused by the name of the variable."""

from __future__ import annotations

from typing import Any

import pytest
from support.role_runs import Runner


def test_domain_names_are_taken_as_dns_takes_them(runner: Runner) -> None:
    run = runner(
        "environment",
        {
            "dicoogle_domain_name": "PACS.Example.org.\n",
            "dicoogle_private_domain_name": " dicoogle.xn--p1ai",
            "dicoogle_tags": {"department": "radiology", "empty": ""},
        },
    )
    assert not run.failed, run.output
    assert run.published["domain_name"] == "pacs.example.org"
    assert run.published["private_domain_name"] == "dicoogle.xn--p1ai"


@pytest.mark.parametrize(
    ("variables", "name"),
    [
        ({"dicoogle_environment": 2026}, "dicoogle_environment"),
        ({"dicoogle_environment": "demo\n"}, "dicoogle_environment"),
        ({"dicoogle_domain_name": 5}, "dicoogle_domain_name"),
        ({"dicoogle_domain_name": "-a.example.org"}, "dicoogle_domain_name"),
        ({"dicoogle_private_domain_name": "röntgen.internal"}, "dicoogle_private_domain_name"),
        ({"dicoogle_availability_zones": "us-east-1a,us-east-1b"}, "dicoogle_availability_zones"),
        ({"dicoogle_tags": {"a": None, "cost": 4711, "aws:x": "b"}}, "dicoogle_tags"),
    ],
)
def test_what_cannot_be_used_is_refused(
    runner: Runner, variables: dict[str, Any], name: str
) -> None:
    run = runner("environment", variables)
    assert run.failed
    assert f"{name} " in run.output
    assert "Error while resolving" not in run.output
