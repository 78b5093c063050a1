# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Make an archive laid out like a Dicoogle release, with the double in Dicoogle's place.

Usage: python -m double.release dicoogle.zip
"""

from __future__ import annotations

import io
import sys
import zipfile
from pathlib import Path

PACKAGE = Path(__file__).parent
FOLDER = "Dicoogle_v0.0-double"
MAIN = "import sys\nfrom double.__main__ import main\nsys.exit(main())\n"


def jar() -> bytes:
    """Return the double as an archive that Python runs."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(zipfile.ZipInfo("__main__.py"), MAIN)
        for module in sorted(PACKAGE.glob("*.py")):
            archive.writestr(zipfile.ZipInfo(f"double/{module.name}"), module.read_text())
    return content.getvalue()


def make(path: Path) -> None:
    """Write the archive; the same bytes every time."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {
            "dicoogle.jar": jar(),
            "README.md": b"A double for tests. This is not Dicoogle.\n",
            "Plugins/lucene-double.jar": b"not a plugin",
            "Plugins/filestorage-double.jar": b"not a plugin",
        }.items():
            archive.writestr(zipfile.ZipInfo(f"{FOLDER}/{name}"), content)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
