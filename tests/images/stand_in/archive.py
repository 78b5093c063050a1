# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Make an archive laid out like a Dicoogle release, with a stand-in in Dicoogle's place.

Usage: archive.py dicoogle.zip [dicoogle|orthanc]

dicoogle only listens where Dicoogle would; orthanc is an archive, if the base image has Orthanc.
"""

from __future__ import annotations

import io
import sys
import zipfile
from pathlib import Path

FOLDER = "Dicoogle_v0.0-stand-in"


def make(path: Path, stand_in: str = "dicoogle") -> None:
    """Write the archive; the same bytes every time."""
    jar = io.BytesIO()
    program = (Path(__file__).parent / f"{stand_in}.py").read_text()
    with zipfile.ZipFile(jar, "w") as archive:
        archive.writestr(zipfile.ZipInfo("__main__.py"), program)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {
            "dicoogle.jar": jar.getvalue(),
            "README.md": b"A stand-in for tests. This is not Dicoogle.\n",
            "Plugins/lucene-stand-in.jar": b"not a plugin",
            "Plugins/filestorage-stand-in.jar": b"not a plugin",
        }.items():
            archive.writestr(zipfile.ZipInfo(f"{FOLDER}/{name}"), content)


if __name__ == "__main__":
    make(Path(sys.argv[1]), *sys.argv[2:])
