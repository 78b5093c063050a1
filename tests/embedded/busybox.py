# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A container image of two megabytes, bootstrapped here: busybox from Debian."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

IMAGE = "openpacs-test/busybox"
DOCKERFILE = """\
FROM {base}
RUN ["/bin/busybox", "--install", "-s", "/bin"]
RUN mkdir -p /data /run/own && chown 1001:1001 /data /run/own
VOLUME ["/run/own"]
USER 1001:1001
"""


def docker(*arguments: str, stdin: int | None = None) -> str:
    """Run a docker command that must succeed, and return what it printed."""
    done = subprocess.run(
        ["docker", *arguments], stdin=stdin, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"docker {arguments}: {done.stdout}{done.stderr}"
    return done.stdout


def require_engine() -> None:
    """Skip where tasks cannot run."""
    if shutil.which("docker") is None:
        pytest.skip("no container engine here: docker is not installed")
    if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode != 0:
        pytest.skip("no container engine here: docker is installed but its daemon does not run")


def image(context: Path) -> str:
    """Make the image, once; its name."""
    if docker("images", "--quiet", IMAGE):
        return IMAGE
    if shutil.which("mmdebstrap") is None:
        pytest.skip(f"no image {IMAGE}, and mmdebstrap is not installed to make one")
    base = f"{IMAGE}-base"
    bootstrap = ["mmdebstrap", "--quiet", "--variant=extract", "--include=busybox-static"]
    with subprocess.Popen([*bootstrap, "bookworm"], stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        docker("import", "-", base, stdin=running.stdout.fileno())
    assert running.returncode == 0
    (context / "Dockerfile").write_text(DOCKERFILE.format(base=base))
    docker("build", "--network", "none", "--force-rm", "--tag", IMAGE, str(context))
    return IMAGE
