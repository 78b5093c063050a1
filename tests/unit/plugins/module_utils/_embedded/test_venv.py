# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The virtual environment of the embedded AWS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._embedded import venv
from ansible_collections.openpacs.dicoogle.plugins.module_utils._errors import ModuleError


@pytest.fixture
def requirements(tmp_path: Path) -> Path:
    """A requirements file."""
    file = tmp_path / "requirements.txt"
    file.write_text("a==1 --hash=sha256:00")
    return file


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The commands that would have been run."""
    seen: list[tuple[str, ...]] = []

    def spawn(command: list[str], *_environment_and_log: Any) -> int:
        seen.append(tuple(command))
        Path(command[-1] if "venv" in command else "/").mkdir(exist_ok=True, parents=True)
        return 1

    monkeypatch.setattr(venv, "spawn", spawn)
    monkeypatch.setattr(venv, "wait", lambda _pid, _timeout: 0)
    return seen


def test_made_once_with_hashes_and_again_when_requirements_change(
    tmp_path: Path, requirements: Path, commands: list[tuple[str, ...]]
) -> None:
    folder = tmp_path / "venv"
    venv.ensure(folder, requirements)
    assert "--require-hashes" in commands[1]
    venv.ensure(folder, requirements)
    assert len(commands) == 2
    requirements.write_text("a==2 --hash=sha256:00")
    assert not venv.is_ready(folder, requirements)
    venv.ensure(folder, requirements)
    assert len(commands) == 4


def fail_with(said: str, monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    """Let a program print something and fail, and every other succeed."""

    def spawn(command: list[str], _environment: Any, log: Path) -> int:
        log.write_text(said)
        return 1 if program in command else 0

    monkeypatch.setattr(venv, "spawn", spawn)
    monkeypatch.setattr(venv, "wait", lambda pid, _timeout: pid)


def test_missing_system_package_is_named(
    tmp_path: Path, requirements: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "The virtual environment was not created successfully because ensurepip is not"
    fail_with(said, monkeypatch, "venv")
    with pytest.raises(ModuleError, match="apt-get install python3-venv"):
        venv.ensure(tmp_path / "venv", requirements)
    assert not venv.is_ready(tmp_path / "venv", requirements)


def test_failed_installation_is_tried_again(
    tmp_path: Path, requirements: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_with("no such hash", monkeypatch, "pip")
    with pytest.raises(ModuleError, match="could not be installed: no such hash"):
        venv.ensure(tmp_path / "venv", requirements)
    assert not venv.is_ready(tmp_path / "venv", requirements)


def test_an_installation_without_end_is_given_up(
    tmp_path: Path, requirements: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(venv, "spawn", lambda *_arguments: 1)
    monkeypatch.setattr(venv, "wait", lambda _pid, _timeout: None)
    with pytest.raises(ModuleError, match="is a package index reachable"):
        venv.ensure(tmp_path / "venv", requirements)
