# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What GitHub, editors and builders of images read about this repository fits the rest of it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from support import CHECKOUT

WORKFLOWS = sorted(CHECKOUT.glob(".github/workflows/*.yml"))
ENVIRONMENT = CHECKOUT / "execution-environment.yml"


def load(path: str) -> Any:
    return yaml.safe_load((CHECKOUT / path).read_text())


def steps(workflow: Path) -> list[dict[str, Any]]:
    jobs = yaml.safe_load(workflow.read_text())["jobs"].values()
    return [step for job in jobs for step in job["steps"]]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_cannot_be_exchanged_under_a_workflow(workflow: Path) -> None:
    used = [step["uses"] for step in steps(workflow) if "uses" in step]
    assert used
    assert [action for action in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action)] == []


def test_workflows_run_what_people_run() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (CHECKOUT / "Makefile").read_text(), re.M))
    run = [step["run"] for path in WORKFLOWS for step in steps(path) if "run" in step]
    assert ".ci/run" in run
    made = {line.removeprefix("make ") for line in run if line.startswith("make ")}
    assert made
    assert made <= targets


def test_hooks_run_the_tools_of_the_makefile() -> None:
    makefile = (CHECKOUT / "Makefile").read_text()
    (local,) = load(".pre-commit-config.yaml")["repos"]
    for hook in local["hooks"]:
        command = hook["entry"].removeprefix(".venv/bin/")
        assert command != hook["entry"], "a hook runs the pinned tool, and no other"
        assert command.split()[0] in makefile


class TestExecutionEnvironment:
    def test_ansible_builder_makes_a_build_context_of_it(self, tmp_path: Path) -> None:
        version = load("galaxy.yml")["version"]
        (tmp_path / "build").mkdir()
        (tmp_path / f"build/openpacs-dicoogle-{version}.tar.gz").touch()
        (tmp_path / ENVIRONMENT.name).write_text(ENVIRONMENT.read_text())
        builder = Path(sys.executable).with_name("ansible-builder")
        command = [builder, "create", "--context", "context", "--output-filename", "Containerfile"]
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
        wanted = yaml.safe_load((tmp_path / "context/_build/requirements.yml").read_text())
        (collection,) = wanted["collections"]
        assert (tmp_path / "context/_build" / collection["name"]).exists()

    def test_it_has_the_ansible_core_that_is_tested(self) -> None:
        core = load(ENVIRONMENT.name)["dependencies"]["ansible_core"]["package_pip"]
        assert f"\n{core} " in (CHECKOUT / "requirements.txt").read_text()

    def test_it_gets_every_package_that_the_control_node_needs(self) -> None:
        pinned = (CHECKOUT / "requirements.in").read_text()
        needed = set(re.findall(r"^(\w+)==", pinned, re.M)) - {"ansible"}
        floors = (CHECKOUT / "meta/ee-requirements.txt").read_text()
        assert set(re.findall(r"^(\w+)>=", floors, re.M)) == needed
