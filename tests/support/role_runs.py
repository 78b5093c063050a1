# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs single roles of the checkout with ansible-playbook, for tests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support import CHECKOUT, playbook_runs
from support.playbook_runs import ansible_command, ansible_environment, run_to_its_end

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
class Run(playbook_runs.Run):
    """What a run of a role printed, how it ended and what the role published."""

    role: str

    @property
    def published(self) -> dict[str, Any]:
        """What the last task shows, {} where the run did not come so far."""
        rest = self.output.partition(f'"{self.role}_result": ')[2]
        return json.JSONDecoder().raw_decode(rest)[0] if rest else {}

    @property
    def prose(self) -> str:
        """The output with its line breaks and escapes smoothed."""
        return " ".join(self.output.replace('\\"', '"').split())


Runner = Callable[..., Run]

NO_DIGEST = "0" * 64


def digest(content: str) -> str:
    """Return the SHA-256 of a text."""
    return hashlib.sha256(content.encode()).hexdigest()


def image_variables(folder: Path) -> dict[str, Any]:
    """Return what the role images needs to build in a folder."""
    release = folder / "release.zip"
    release.write_text("release")
    names = ("dicoogle", "nginx", "ghostunnel")
    return {
        "prerequisites_result": {"repositories": {name: str(folder / name) for name in names}},
        "images_dicoogle_archive": release.as_uri(),
        "images_dicoogle_sha256": digest("release"),
        "images_bases": {name: f"{name}:1@sha256:{NO_DIGEST}" for name in names},
        "images_local_dir": str(folder / "local"),
        "images_without_engine": "fail",
    }


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


def runner_in(folder: Path, replaced: Path, prefix: Sequence[str] = ()) -> Runner:
    """Return a function that runs a role with variables and options of ansible-playbook.

    The modules in the folder `replaced` stand in for those of the collection. There is no account
    to keep certificates in.
    prefix: a command that runs what follows it, as another user for example.
    """
    fakes = {path.name: path for path in replaced.glob("*.py")}
    configuration = folder / "ansible.cfg"
    configuration.touch()
    environment = {
        **ansible_environment(collections_with(folder, fakes), configuration),
        "ANSIBLE_PIPELINING": "1",
        "PYTHONWARNINGS": "ignore",
    }

    def run(role: str, variables: dict[str, Any], *options: str) -> Run:
        playbook = folder / f"{role}.yml"
        playbook.write_text(PLAYBOOK.format(role=role))
        command = ansible_command(str(playbook), *options, **{"pki_home": "local", **variables})
        done = run_to_its_end([*prefix, *command], folder, environment)
        return Run(done.failed, done.output, role)

    return run
