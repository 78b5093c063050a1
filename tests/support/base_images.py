# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Base images made on this machine, from a Debian that is bootstrapped here."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

import double
import pytest

from support.container_engine import build, engine

# What the images want of a base, Java and Ghostunnel excepted.
COMMON = "nginx-light,curl,unzip,python3"
DICOOGLE = "curl,unzip,python3,python3-bcrypt,python3-pydicom,tini"  # and the double of it


def require_engine() -> None:
    """Skip where no container engine runs."""
    if shutil.which("docker") is None:
        pytest.skip("no container engine here: docker is not installed")
    if engine("info", check=False).returncode != 0:
        pytest.skip("no container engine here: docker is installed but its daemon does not run")


def bootstrap(packages: str) -> str:
    """Make a Debian with the packages (comma list), once; its name."""
    name = f"openpacs-test/debian:{hashlib.sha256(packages.encode()).hexdigest()[:12]}"
    if engine("image", "inspect", name, check=False).returncode == 0:
        return name
    if shutil.which("mmdebstrap") is None:
        pytest.skip(f"no base image {name}, and mmdebstrap is not installed to make one")
    with subprocess.Popen(
        ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={packages}", "bookworm"],
        stdout=subprocess.PIPE,
    ) as bootstrap:
        engine("import", "-", name, stdin=bootstrap.stdout)
    assert bootstrap.returncode == 0
    return name


def derive(base: str, program: Path, directory: str) -> str:
    """Make a base image that has one more program; its name."""
    with tempfile.TemporaryDirectory() as context:
        shutil.copy(program, context)
        Path(context, "Dockerfile").write_text(
            f"FROM {base}\nCOPY {program.name} {directory}/{program.name}\n"
        )
        return build(Path(context), f"openpacs-test/{program.name}:{base.rpartition(':')[2]}")


def java(base: str) -> str:
    """Make a base image whose Java runs the double of Dicoogle."""
    return derive(base, Path(double.__file__).parent / "java", "/usr/local/bin")


def ghostunnel(base: str) -> str:
    """Make a base image with the real Ghostunnel of this machine."""
    program = shutil.which("ghostunnel")
    if program is None:
        pytest.skip("Ghostunnel is not on PATH: see tests/tools/ghostunnel")
    return derive(base, Path(program), "/usr/bin")
