# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The watch folder: what comes is indexed, what goes is unindexed, what changes is not seen."""

from __future__ import annotations

import os
import time
from pathlib import Path

from double.files import to_uri
from double.tasks import Indexer

WATCH_SECONDS = float(os.environ.get("DOUBLE_WATCH_SECONDS", "30"))


def files_in(folder: str) -> set[Path]:
    """Return all files below a folder."""
    return {Path(parent, name) for parent, _folders, names in os.walk(folder) for name in names}


def watch(folder: str, indexer: Indexer) -> None:
    """Look again and again; the files of the start are never looked at."""
    known = files_in(folder)
    while True:
        time.sleep(WATCH_SECONDS)
        now = files_in(folder)
        for path in sorted(known ^ now):
            uri = to_uri(str(path)).replace("file:///", "file:/")
            if path in now:
                indexer.index(uri)
            else:
                indexer.unindex(uri)
        known = now
