# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The virtual environment in which the embedded AWS runs."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from pathlib import Path

from .._errors import ModuleError
from .locks import exclusive
from .processes import spawn, wait

TIMEOUT = 600  # seconds for one installation


def requirements_digest(requirements: Path) -> str:
    """Return what a virtual environment is good for: these requirements on this Python."""
    digest = hashlib.sha256(requirements.read_bytes())
    digest.update(sys.version.encode())
    return digest.hexdigest()


def is_ready(venv: Path, requirements: Path) -> bool:
    """Return whether the virtual environment holds exactly these requirements."""
    marker = venv / "requirements.sha256"
    return marker.exists() and marker.read_text() == requirements_digest(requirements)


def ensure(venv: Path, requirements: Path) -> None:
    """Make the virtual environment unless it is ready. Raises ModuleError."""
    with exclusive(venv.with_name(f"{venv.name}.lock"), TIMEOUT):
        if is_ready(venv, requirements):
            return
        shutil.rmtree(venv, ignore_errors=True)
        log = venv.with_name(f"{venv.name}.log")
        _run(
            f"{sys.executable} cannot make a virtual environment",
            [sys.executable, "-m", "venv", str(venv)],
            log,
        )
        _run(
            f"the requirements in {requirements} could not be installed",
            [
                *(str(venv / "bin" / "python"), "-m", "pip", "install", "--quiet"),
                *("--disable-pip-version-check", "--require-hashes", "-r", str(requirements)),
            ],
            log,
        )
        (venv / "requirements.sha256").write_text(requirements_digest(requirements))


def _run(failure: str, command: list[str], log: Path) -> None:
    code = wait(spawn(command, os.environ, log), TIMEOUT)
    if code is None:
        raise ModuleError(f"{failure}: no end after {TIMEOUT} s; is a package index reachable?")
    if code != 0:
        said = log.read_text(errors="replace").strip()
        raise ModuleError(f"{failure}: {said}{_advice(said)}")


def _advice(said: str) -> str:
    if "ensurepip" in said or "No module named venv" in said:
        return "\nInstall the missing system package: apt-get install python3-venv"
    return ""
