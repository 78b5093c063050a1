# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every role keeps the house's anatomy, and its defaults, argument specs and README agree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROLES = sorted(path for path in (Path(__file__).parents[3] / "roles").iterdir() if path.is_dir())
INCLUDES = {"ansible.builtin.include_tasks", "ansible.builtin.import_tasks"}
CHECKS = {"ansible.builtin.assert", "ansible.builtin.set_fact", "ansible.builtin.import_tasks"}
KEYWORDS = {
    *("always", "block", "changed_when", "check_mode", "delegate_to", "diff", "failed_when"),
    *("loop", "loop_control", "module_defaults", "name", "no_log", "register", "rescue", "retries"),
    *("delay", "tags", "until", "vars", "when"),
}

pytestmark = pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text()) if path.exists() else None


def defaults(role: Path) -> dict[str, Any]:
    return load(role / "defaults/main.yml") or {}


def specs(role: Path) -> dict[str, dict[str, Any]]:
    return load(role / "meta/argument_specs.yml")["argument_specs"]["main"].get("options", {})


def tasks(content: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield tasks and blocks, and those within blocks."""
    for task in content or []:
        yield task
        for part in ("block", "rescue", "always"):
            yield from tasks(task.get(part, []))


def task_files(role: Path) -> dict[Path, list[dict[str, Any]]]:
    return {path: list(tasks(load(path))) for path in sorted((role / "tasks").glob("*.yml"))}


def action(task: dict[str, Any]) -> str:
    """Return the module that a task calls, '' for a block."""
    return next((key for key in task if key not in KEYWORDS), "")


def readme_table(role: Path) -> dict[str, tuple[str, Any]]:
    """Return type and default by variable from the README's table of variables."""
    rows = [
        [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:4]]
        for line in (role / "README.md").read_text().splitlines()
        if line.startswith(f"| `{role.name}_") and not line.startswith(f"| `{role.name}_result")
    ]
    return {name.strip("`"): (kind, as_default(default.strip("`"))) for name, kind, default in rows}


def as_default(text: str) -> Any:
    return text if text.startswith("{{") else yaml.safe_load(text)


def test_defaults_and_argument_specs_agree(role: Path) -> None:
    documented = {
        name: spec.get("default") for name, spec in specs(role).items() if not spec.get("required")
    }
    assert documented == defaults(role)


def test_argument_specs_are_complete(role: Path) -> None:
    for name, spec in specs(role).items():
        assert spec.get("description"), f"{name} has no description"
        assert spec.get("type"), f"{name} has no type"
        assert spec["type"] != "list" or spec.get("elements"), f"{name} has no elements"
        if re.search(r"passphrase|password$|secret_key", name):
            assert spec.get("no_log") is True, f"{name} is secret and shown"


def test_readme_table_and_argument_specs_agree(role: Path) -> None:
    expected = {
        name: (
            f"list of {spec['elements']}" if spec["type"] == "list" else spec["type"],
            "required" if spec.get("required") else spec.get("default"),
        )
        for name, spec in specs(role).items()
    }
    assert readme_table(role) == expected


def test_readme_says_what_is_published_and_what_iam_must_allow(role: Path) -> None:
    text = (role / "README.md").read_text()
    published = [
        name
        for content in task_files(role).values()
        for task in content
        for name in task.get("ansible.builtin.set_fact", {})
        if not name.startswith("__")
    ]
    for name in published:
        assert f"`{name}`" in text
    assert "IAM" in text


def test_main_is_a_table_of_contents(role: Path) -> None:
    path = role / "tasks/main.yml"
    entries = load(path)
    assert len(path.read_text().splitlines()) <= 30
    assert {action(task) for task in entries} <= INCLUDES
    for task in entries:
        assert task["tags"], task["name"]
        for tag in task["tags"]:
            assert tag.startswith(f"{role.name}_")
    first = entries[0][action(entries[0])]
    assert first in ("preflight.yml", {"file": "preflight.yml"})


def test_preflight_only_checks(role: Path) -> None:
    found = {action(task) for task in tasks(load(role / "tasks/preflight.yml"))}
    assert found - {""} <= CHECKS


def test_tasks_are_named_after_their_file(role: Path) -> None:
    for path, content in task_files(role).items():
        if path.stem != "main":
            for task in content:
                assert re.fullmatch(rf"{path.stem} \| [A-Z].*\.", task.get("name", "")), task


def test_public_variables_carry_the_name_of_the_role(role: Path) -> None:
    for name in defaults(role):
        assert name.startswith(f"{role.name}_")


def test_internal_variables_are_marked(role: Path) -> None:
    internal = re.compile(rf"__{role.name}(_[a-z0-9_]+)?")
    names = list(load(role / "vars/main.yml") or {})
    for content in task_files(role).values():
        for task in content:
            names += [task["register"]] if "register" in task else []
            names += task.get("vars", {})
            names += [task.get("loop_control", {}).get("loop_var", f"__{role.name}_item")]
            names += task.get("ansible.builtin.set_fact", {})
    for name in names:
        assert internal.fullmatch(name) or name == f"{role.name}_result", name


def test_collection_wide_variables_stand_in_defaults_only(role: Path) -> None:
    for folder in ("tasks", "vars", "templates", "handlers"):
        for path in (file for file in (role / folder).rglob("*") if file.is_file()):
            text = without_prose(path.read_text())
            assert not re.findall(r"(?<![.\w])dicoogle_[a-z]\w*", text), path


def without_prose(text: str) -> str:
    """Drop comments and the messages of assertions: both may name what the user has to change."""
    return re.sub(r"#.*|fail_msg: >-\n(?: {6,}.*\n)+", "", text)


def test_every_default_is_used(role: Path) -> None:
    sources = "\n".join(
        path.read_text()
        for folder in ("defaults", "tasks", "vars", "templates", "handlers")
        for path in (role / folder).rglob("*")
        if path.is_file()
    )
    for name in defaults(role):
        assert len(re.findall(rf"\b{name}\b(?!:)", sources)) > 0, f"{name} is used nowhere"


def test_no_role_reads_what_is_internal_to_another(role: Path) -> None:
    others = "|".join(other.name for other in ROLES if other != role)
    for path in role.rglob("*.yml"):
        assert not re.findall(rf"\b__(?:{others})_\w+", path.read_text()), path


def test_meta_describes_the_role(role: Path) -> None:
    info = load(role / "meta/main.yml")["galaxy_info"]
    assert info["description"]
    assert info["license"] == "GPL-3.0-or-later"
    assert info["min_ansible_version"] == "2.18"
