# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The release that is run: the double, or a real one (DICOOGLE_ARCHIVE, JAVA)."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import double
from double.release import make

from support.running_archive import CONTEXT, VERSION


def given_release() -> tuple[Path | None, Path]:
    """Return the archive, None for the double, and what runs it."""
    archive, java = (os.environ.get(name) for name in ("DICOOGLE_ARCHIVE", "JAVA"))
    assert bool(archive) == bool(java), "DICOOGLE_ARCHIVE and JAVA are given both or not at all"
    if archive and java:
        return Path(archive).resolve(), Path(java)
    return None, Path(double.__file__).parent / "java"


def unpack(archive: Path | None, folder: Path) -> Path:
    """Unpack a release as our image does; the folder of the program."""
    context, program = folder / "context", folder / "dicoogle"
    shutil.copytree(CONTEXT, context)
    if archive:
        (context / "dicoogle.zip").symlink_to(archive)
    else:
        make(context / "dicoogle.zip")
    command = ["/bin/sh", str(context / "unpack.sh"), str(context), VERSION]
    subprocess.run([*command, str(program)], check=True)
    return program
