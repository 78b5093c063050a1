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
from support import CHECKOUT

ROLES = sorted(path for path in (CHECKOUT / "roles").iterdir() if path.is_dir())
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


def tags(task: dict[str, Any]) -> list[str]:
    return [*task.get("tags", []), *task.get("args", {}).get("apply", {}).get("tags", [])]


def action(task: dict[str, Any]) -> str:
    """Return the module that a task calls, '' for a block."""
    return next((key for key in task if key not in KEYWORDS), "")


def test_defaults_and_argument_specs_agree(role: Path) -> None:
    literal = {name: value for name, value in defaults(role).items() if "{{" not in str(value)}
    documented = {name: spec["default"] for name, spec in specs(role).items() if "default" in spec}
    assert documented == literal
    assert specs(role).keys() == defaults(role).keys()


def test_defaults_that_come_from_elsewhere_are_said_in_words(role: Path) -> None:
    for name, spec in specs(role).items():
        if "default" not in spec:
            assert "default" in "".join(spec["description"]), name


def test_preflight_checks_the_same_variables_as_the_whole_role(role: Path) -> None:
    entries = load(role / "meta/argument_specs.yml")["argument_specs"]
    assert entries.keys() == {"main", "preflight"}
    assert entries["preflight"]["options"] == entries["main"]["options"]


def test_argument_specs_are_complete(role: Path) -> None:
    for name, spec in specs(role).items():
        assert spec.get("description"), f"{name} has no description"
        assert spec.get("type"), f"{name} has no type"
        assert spec["type"] != "list" or spec.get("elements"), f"{name} has no elements"
        if re.search(r"passphrase|password$|secret_key", name):
            assert spec.get("no_log") is True, f"{name} is secret and shown"


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


def test_main_is_preflight_and_apply(role: Path) -> None:
    entries = load(role / "tasks/main.yml")
    imported = [task["ansible.builtin.import_tasks"] for task in entries]
    assert imported == ["preflight.yml", "apply.yml"]


def test_tags_are_for_playbooks(role: Path) -> None:
    """A role that ran by its own tags would lack what the roles before it publish."""
    found = [tag for content in task_files(role).values() for task in content for tag in tags(task)]
    assert set(found) == ({"always"} if role.name == "environment" else set())


def test_every_role_depends_on_the_environment(role: Path) -> None:
    dependencies = [each["role"] for each in load(role / "meta/main.yml")["dependencies"]]
    needed = [] if role.name == "environment" else ["openpacs.dicoogle.environment"]
    assert dependencies == needed


def test_preflight_only_checks(role: Path) -> None:
    """What role pki checks is kept in the account, so that it is fetched before."""
    content = list(tasks(load(role / "tasks/preflight.yml")))
    fetched = [task for task in content if task.get("ansible.builtin.import_tasks") == "fetch.yml"]
    assert len(fetched) == (role.name == "pki")
    checks = {action(task) for task in content if task not in fetched}
    assert checks == {"ansible.builtin.assert"}


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


def test_the_environment_alone_reads_collection_wide_variables(role: Path) -> None:
    read = {
        path.parent.name
        for folder in ("defaults", "tasks", "vars", "templates", "handlers")
        for path in (role / folder).rglob("*")
        if path.is_file()
        and re.search(r"(?<![.\w])dicoogle_[a-z]", without_prose(path.read_text()))
    }
    assert read == ({"defaults"} if role.name == "environment" else set())


def test_results_of_other_roles_enter_by_defaults_only(role: Path) -> None:
    results = "|".join(f"{other.name}_result" for other in ROLES if other != role)
    for folder in ("tasks", "vars", "templates", "handlers"):
        for path in (file for file in (role / folder).rglob("*") if file.is_file()):
            assert not re.findall(rf"\b(?:{results})\b", path.read_text()), path


def without_prose(text: str) -> str:
    """Drop comments and the messages of assertions: both may name what the user has to change."""
    return re.sub(r"#.*|fail_msg: (?:>-\n(?: {6,}.*\n)+|.*)", "", text)


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
