# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The inventories that ship set variables that exist, and the one for AWS nothing of the tests."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from botocore.config import Config
from botocore.exceptions import ClientError
from support import CHECKOUT
from support.dicom_fixtures import raw_server
from support.odd_inputs import OddServer

__all__ = ["raw_server"]

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


def test_the_way_to_the_aws_on_this_machine_is_no_proxy(
    raw_server: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    here = yaml.safe_load((CHECKOUT / "inventory/embedded/group_vars/all.yml").read_text())
    odd = OddServer()
    odd.answer = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
    client = boto3.client(
        "secretsmanager",
        endpoint_url=f"http://127.0.0.1:{raw_server(odd.talk)}",
        region_name="us-east-1",
        aws_access_key_id="a",
        aws_secret_access_key="b",
        config=Config(**here["dicoogle_aws"]["aws_config"]),
    )
    with pytest.raises(ClientError, match="403"):
        client.list_secrets()
