# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The virtual environment of the embedded AWS."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._embedded import venv
from ansible_collections.openpacs.dicoogle.plugins.module_utils._embedded.errors import (
    EmbeddedError,
)


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

    def run(command: tuple[str, ...], **_: Any) -> None:
        seen.append(command)
        Path(command[-1] if "venv" in command else "/").mkdir(exist_ok=True, parents=True)

    monkeypatch.setattr(subprocess, "run", run)
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


def test_missing_system_package_is_named(
    tmp_path: Path, requirements: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(command: tuple[str, ...], **_: Any) -> None:
        said = "The virtual environment was not created successfully because ensurepip is not"
        raise subprocess.CalledProcessError(1, command, said, "")

    monkeypatch.setattr(subprocess, "run", fail)
    with pytest.raises(EmbeddedError, match="apt-get install python3-venv"):
        venv.ensure(tmp_path / "venv", requirements)
    assert not venv.is_ready(tmp_path / "venv", requirements)


def test_failed_installation_is_tried_again(
    tmp_path: Path, requirements: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(command: tuple[str, ...], **_: Any) -> None:
        if "pip" in command:
            raise subprocess.CalledProcessError(1, command, "", "no such hash")

    monkeypatch.setattr(subprocess, "run", fail)
    with pytest.raises(EmbeddedError, match="could not be installed: no such hash"):
        venv.ensure(tmp_path / "venv", requirements)
    assert not venv.is_ready(tmp_path / "venv", requirements)
