# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs ansible-playbook for tests, on an embedded AWS above all."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support import CHECKOUT
from support.embedded_key import Key

COLLECTION = CHECKOUT / ".cache/collections/ansible_collections/openpacs/dicoogle"
NO_ENGINE = {  # no container engine answers; tests/release/run.sh says the same
    "DOCKER_HOST": "unix:///nonexistent/docker.sock",
    "CONTAINER_HOST": "unix:///nonexistent/podman.sock",
}


@dataclass(frozen=True)
class Run:
    """How one `ansible-playbook` ended, and everything it printed."""

    failed: bool
    output: str

    @property
    def changed(self) -> int:
        """The number of changed tasks in the recap."""
        found = re.search(r"^localhost .* changed=(\d+)", self.output, re.MULTILINE)
        assert found, self.output
        return int(found[1])


def share_embedded_venv(folder: Path) -> None:
    """Have the embedded AWS of a folder use the environment that tests have made before, if any."""
    made = CHECKOUT / ".cache" / "embedded-venv"
    if made.exists():
        folder.mkdir(mode=0o700)
        (folder / "venv").symlink_to(made)


def ansible_command(playbook: str, *options: str, **variables: Any) -> list[str]:
    """Return the command line that runs a playbook."""
    program = Path(sys.executable).with_name("ansible-playbook")
    return [str(program), playbook, "-e", json.dumps(variables), *options]


def ansible_environment(collections: Path, configuration: Path) -> dict[str, str]:
    """Return what Ansible sees, to use these collections and print no colours."""
    return {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(collections),
        "ANSIBLE_CONFIG": str(configuration),
        "ANSIBLE_FORCE_COLOR": "0",
    }


def run_to_its_end(command: list[str], folder: Path, environment: dict[str, str]) -> Run:
    """Run a command in a folder to its end, whatever that is."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=600,
    )
    return Run(done.returncode != 0, done.stdout)


@dataclass(frozen=True)
class Account:
    """An embedded AWS with its own state folder, and the checkout whose playbooks run on it."""

    folder: Path
    checkout: Path = COLLECTION
    engine: bool = True

    @property
    def environment(self) -> dict[str, str]:
        """What Ansible sees: the checkout is the collection."""
        return {
            **ansible_environment(self.checkout.parents[2], self.checkout / "ansible.cfg"),
            **({} if self.engine else NO_ENGINE),
        }

    def command(self, playbook: str, *options: str, **variables: Any) -> list[str]:
        """Return the command line that runs a playbook of the checkout, or of a path."""
        given = {"dicoogle_embedded_dir": str(self.folder), **variables}
        path = playbook if playbook.endswith(".yml") else f"playbooks/{playbook}.yml"
        return ansible_command(path, *options, **given)

    def start(self, playbook: str, *options: str, **variables: Any) -> subprocess.Popen[str]:
        """Start to run a playbook, in a session of its own."""
        return subprocess.Popen(
            self.command(playbook, *options, **variables),
            cwd=self.checkout,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, playbook: str, *options: str, **variables: Any) -> Run:
        """Run a playbook to its end, whatever that is."""
        command = self.command(playbook, *options, **variables)
        return run_to_its_end(command, self.checkout, self.environment)

    def succeed(self, playbook: str, *options: str, **variables: Any) -> Run:
        """Run a playbook, which must succeed."""
        run = self.run(playbook, *options, **variables)
        assert not run.failed, run.output
        return run

    @property
    def endpoint_url(self) -> str:
        """Where the embedded AWS answers."""
        return (self.folder / "endpoint").read_text().strip()

    @property
    def key(self) -> Key:
        """The access key of the embedded AWS."""
        return Key.of(self.folder)

    def client(self, service: str) -> Any:
        """Return a boto3 client on the embedded AWS."""
        return self.key.session.client(service, endpoint_url=self.endpoint_url)
