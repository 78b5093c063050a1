# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Playbooks of this collection against an embedded AWS of the test session."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import typing as t
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest

CHECKOUT = Path(__file__).parents[2]
ANSIBLE_PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")


@dataclass(frozen=True)
class Run:
    """What one `ansible-playbook` said: its exit code and everything it printed."""

    code: int
    output: str

    @property
    def changed(self) -> int:
        """The number of changed tasks in the recap."""
        (number,) = re.findall(r"^localhost .* changed=(\d+)", self.output, re.MULTILINE)
        return int(number)


@dataclass(frozen=True)
class Account:
    """An embedded AWS with its own state folder, and the checkout whose playbooks run on it."""

    folder: Path
    checkout: Path = CHECKOUT / ".cache/collections/ansible_collections/openpacs/dicoogle"

    @property
    def environment(self) -> dict[str, str]:
        """Ansible takes the checkout for the collection; no container engine answers."""
        return {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(self.checkout.parents[2]),
            "ANSIBLE_CONFIG": str(self.checkout / "ansible.cfg"),
            "DOCKER_HOST": "tcp://127.0.0.1:1",
            "CONTAINER_HOST": "tcp://127.0.0.1:1",
        }

    def command(self, playbook: str, *arguments: str, **variables: t.Any) -> list[str]:
        """Return the command line that runs C(playbook) of the checkout on this account."""
        known = {"dicoogle_embedded_dir": str(self.folder), **variables}
        return [
            str(ANSIBLE_PLAYBOOK),
            *("-i", "inventory/embedded", f"playbooks/{playbook}.yml"),
            *("-e", json.dumps(known)),
            *arguments,
        ]

    def run(self, playbook: str, *arguments: str, **variables: t.Any) -> Run:
        """Run C(playbook) to its end, whatever that is."""
        done = subprocess.run(
            self.command(playbook, *arguments, **variables),
            cwd=self.checkout,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=300,
        )
        return Run(done.returncode, done.stdout)

    def succeed(self, playbook: str, *arguments: str, **variables: t.Any) -> Run:
        """Run C(playbook), which must succeed."""
        run = self.run(playbook, *arguments, **variables)
        assert run.code == 0, run.output
        return run

    def client(self, service: str) -> t.Any:
        """Return a boto3 client of C(service) on this account."""
        return boto3.client(
            service,
            endpoint_url=(self.folder / "endpoint").read_text().strip(),
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An embedded AWS that lives as long as the session."""
    account = Account(tmp_path_factory.mktemp("system") / "aws")
    account.succeed("embedded")
    yield account
    account.run("embedded", dicoogle_embedded_state="stopped")
