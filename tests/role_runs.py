# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs single roles of the checkout with ansible-playbook, for tests."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).parents[1]
PLAYBOOK = """
- name: Run one role
  hosts: localhost
  gather_facts: false
  roles:
    - openpacs.dicoogle.{role}
  post_tasks:
    - name: Published
      ansible.builtin.debug:
        var: {role}_result
"""


@dataclass(frozen=True)
class Run:
    """What a run of a role printed, how it ended and what the role published."""

    output: str
    failed: bool
    published: dict[str, Any]

    @property
    def changed(self) -> int:
        """The number of tasks that changed something."""
        found = re.search(r"changed=(\d+)", self.output)
        assert found, self.output
        return int(found[1])

    @property
    def prose(self) -> str:
        """The output with its line breaks and escapes smoothed."""
        return " ".join(self.output.replace('\\"', '"').split())


Runner = Callable[..., Run]


def collections_with(folder: Path, replaced: dict[str, Path]) -> Path:
    """Show the checkout as a collection in which some modules are replaced."""
    target = folder / "ansible_collections/openpacs/dicoogle"
    (target / "plugins/modules").mkdir(parents=True)
    for entry in [*CHECKOUT.iterdir(), *(CHECKOUT / "plugins").iterdir()]:
        link = target / entry.relative_to(CHECKOUT)
        if not entry.name.startswith(".") and not link.exists():
            link.symlink_to(entry)
    for module in (CHECKOUT / "plugins/modules").glob("*.py"):
        (target / "plugins/modules" / module.name).symlink_to(replaced.get(module.name, module))
    return folder


def runner_in(folder: Path, replaced: Path) -> Runner:
    """Return a function that runs a role with variables and options of ansible-playbook.

    The modules in the folder `replaced` stand in for those of the collection.
    """
    fakes = {path.name: path for path in replaced.glob("*.py")}
    configuration = folder / "ansible.cfg"
    configuration.touch()
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(collections_with(folder, fakes)),
        "ANSIBLE_CONFIG": str(configuration),
        "ANSIBLE_FORCE_COLOR": "0",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_PIPELINING": "1",
        "PYTHONWARNINGS": "ignore",
    }

    def run(role: str, variables: dict[str, Any], *options: str) -> Run:
        playbook = folder / f"{role}.yml"
        playbook.write_text(PLAYBOOK.format(role=role))
        program = Path(sys.executable).with_name("ansible-playbook")
        command = [program, playbook, "-e", json.dumps(variables), *options]
        done = subprocess.run(
            command,
            env=environment,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Run(done.stdout + done.stderr, done.returncode != 0, published(role, done.stdout))

    return run


def published(role: str, output: str) -> dict[str, Any]:
    """Read what the role published from the last task's output, {} where it did not come so far."""
    rest = output.partition(f'"{role}_result": ')[2]
    return json.JSONDecoder().raw_decode(rest)[0] if rest else {}
