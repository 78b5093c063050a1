# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A container image of two megabytes, bootstrapped here: busybox from Debian."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from support.container_engine import engine

IMAGE = "openpacs-test/busybox"
DOCKERFILE = """\
FROM {base}
RUN ["/bin/busybox", "--install", "-s", "/bin"]
RUN mkdir -p /data /run/own && chown 1001:1001 /data /run/own
VOLUME ["/run/own"]
USER 1001:1001
"""


def image(context: Path) -> str:
    """Make the image, once; its name."""
    if engine("images", "--quiet", IMAGE).stdout:
        return IMAGE
    if shutil.which("mmdebstrap") is None:
        pytest.skip(f"no image {IMAGE}, and mmdebstrap is not installed to make one")
    base = f"{IMAGE}-base"
    bootstrap = ["mmdebstrap", "--quiet", "--variant=extract", "--include=busybox-static"]
    with subprocess.Popen([*bootstrap, "bookworm"], stdout=subprocess.PIPE) as running:
        engine("import", "-", base, stdin=running.stdout)
    assert running.returncode == 0
    (context / "Dockerfile").write_text(DOCKERFILE.format(base=base))
    engine("build", "--network", "none", "--force-rm", "--tag", IMAGE, str(context))
    return IMAGE
