# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The inventories that ship set variables that exist, and the one for AWS nothing of the tests."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support import CHECKOUT

READERS = [*CHECKOUT.glob("roles/*/defaults/main.yml"), *CHECKOUT.glob("playbooks/*.yml")]


def variables(inventory: str) -> dict[str, Any]:
    """Return the variables of localhost, as Ansible reads them from an inventory."""
    program = Path(sys.executable).with_name("ansible-inventory")
    command = [program, "-i", CHECKOUT / "inventory" / inventory, "--host", "localhost"]
    return json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)


@pytest.mark.parametrize("inventory", ["aws", "embedded"])
def test_every_variable_is_read_by_something(inventory: str) -> None:
    read = "\n".join(path.read_text() for path in READERS)
    for name in variables(inventory):
        assert name.startswith("ansible_") or re.search(rf"\b{name}\b", read), name


def test_aws_is_reached_from_this_machine_and_takes_no_shortcut() -> None:
    found = variables("aws")
    assert found["ansible_connection"] == "local"
    assert "endpoint_url" not in found["dicoogle_aws"]
    assert not {"images_allow_unpinned", "images_without_engine"} & found.keys()
