# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Bad input is refused with a sentence that says what to change, before anything is touched."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from observed import calls
from support.playbook_runs import Account

READS = ("Get", "List", "Describe", "Head")


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"dicoogle_environment": "a-name-that-is-far-too-long"}, "Use 3 to 20 lower-case letters"),
        ({"dicoogle_enviroment": "x"}, "did you mean dicoogle_environment?"),
        ({"stack_parameter": {}}, "did you mean stack_parameters?"),
        ({"dicoogle_domain_name": "unknown.example"}, "example.org"),
        ({"dicoogle_topology": "half"}, "Use provider_only or full"),
        ({"dicoogle_availability_zones": ["us-east-1a"]}, "Name two different zones"),
        ({"dicoogle_availability_zones": ["us-east-1a", "us-east-1z"]}, "us-east-1b"),
        (
            {"dicoogle_topology": "full", "stack_consumer_vpc_cidr": "10.0.128.0/17"},
            "overlaps stack_consumer_vpc_cidr 10.0.128.0/17",
        ),
        (
            {"dicoogle_topology": "provider_only", "stack_provider_vpc_cidr": "10.0.0.0/24"},
            "stack_provider_vpc_cidr: 10.0.0.0/24 must be between /16 and /22",
        ),
        ({"stack_parameters": {"TaskSise": "small"}}, "TaskSise"),
        ({"stack_parameters": {"KmsKeyArn": "mine"}}, "KmsKeyArn"),
        ({"pki_clients": ["nginx"]}, "which exist already"),
        ({"secrets_admin_password": "x" * 72}, "Choose one of at most 71"),
        ({"stack_parameters": {"TaskSize": None}}, "The parameter TaskSize is empty (null)"),
        ({"images_dicoogle_sha256": "123"}, "64 hexadecimal digits"),
        ({"images_repositories": "mine"}, "images_repositories"),
        ({"secrets_leaves": ["nginx"]}, "secrets_leaves"),
        ({"stack_timeout": "1h"}, "stack_timeout"),
        ({"stack_on_rollback_complete": "replce"}, "stack_on_rollback_complete must be one of"),
    ],
)
def test_bad_input_is_refused(account: Account, variables: dict[str, t.Any], sentence: str) -> None:
    before = len(calls(account))
    run = account.run("site", **{"dicoogle_environment": "refused", **variables})
    assert run.failed
    assert sentence in run.output
    assert [c["action"] for c in calls(account)[before:] if not c["action"].startswith(READS)] == []
    assert not (account.folder / "refused").exists()


def test_missing_credentials_are_refused_with_what_to_set(account: Account, tmp_path: Path) -> None:
    endpoint = account.endpoint_url
    connection = {"endpoint_url": endpoint, "region": "us-east-1", "profile": "nobody"}
    run = account.run("site", dicoogle_environment="refused", dicoogle_aws=connection)
    assert run.failed
    assert "nobody" in run.output
    assert not (account.folder / "refused").exists()
