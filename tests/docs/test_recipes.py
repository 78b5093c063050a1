# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What CONTRIBUTING.md tells to do works, step by step, on a copy of this repository."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import botocore.loaders
import pytest
from recipes import Recipe, recipes
from support import CHECKOUT

RECIPES = recipes((CHECKOUT / "CONTRIBUTING.md").read_text())
TITLES = [
    "Add a client",
    "Add an alarm",
    "Add a parameter",
    "Add a resource type to the embedded AWS",
    "Add a state of a stack",
    "Add a version of Dicoogle",
]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a copy of this repository, with the embedded AWS that tests have installed, if any."""
    folder = tmp_path / "tree"
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=CHECKOUT, check=True, capture_output=True, text=True
    )
    for name in listed.stdout.rstrip("\0").split("\0"):
        if (CHECKOUT / name).exists():  # not removed since
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((CHECKOUT / name).read_bytes())
            (folder / name).chmod((CHECKOUT / name).stat().st_mode)
    if (made := CHECKOUT / ".cache/embedded-venv").exists():
        (folder / ".cache").mkdir()
        (folder / ".cache/embedded-venv").symlink_to(made)
    return folder


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Return an environment in which AWS has added a status that a stack can have."""
    model: dict[str, Any] = botocore.loaders.Loader().load_service_model(
        "cloudformation", "service-2"
    )
    known = model["shapes"]["StackStatus"]["enum"]
    added = {"merge": {"shapes": {"StackStatus": {"enum": [*known, "VALIDATE_IN_PROGRESS"]}}}}
    folder = tmp_path / "home/.aws/models/cloudformation/2010-05-15"
    folder.mkdir(parents=True)
    (folder / "service-2.sdk-extras.json").write_text(json.dumps(added))
    return {**os.environ, "HOME": str(tmp_path / "home")}


def failures(recipe: Recipe, tree: Path, environment: dict[str, str]) -> str:
    """Return what the checks of a recipe print when one of them fails, '' when all pass."""
    for check in recipe.checks:
        done = subprocess.run(
            check,
            shell=True,
            cwd=tree,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            return f"$ {check}\n{done.stdout}{done.stderr}"
    return ""


def test_every_recipe_is_found() -> None:
    assert [recipe.title for recipe in RECIPES] == TITLES
    assert all(recipe.edits and recipe.checks for recipe in RECIPES)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.title)
def test_recipe_works_and_its_checks_notice_when_the_last_step_is_left_out(
    recipe: Recipe, tree: Path, environment: dict[str, str]
) -> None:
    *steps, last = recipe.edits
    for step in steps:
        step.apply(tree)
    assert failures(recipe, tree, environment) != ""
    last.apply(tree)
    assert failures(recipe, tree, environment) == ""
