# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Put the test archive where the tests of the DICOM modules find it."""

from __future__ import annotations

import sys
from pathlib import Path

TESTS = Path(__file__).parents[2]
sys.path[:0] = [
    str(TESTS / "dicom"),
    str(TESTS / "integration" / "targets" / "setup_dicom_archive" / "files"),
]

from dicom_fixtures import archive, make_archive, raw_server  # noqa: E402

__all__ = ["archive", "make_archive", "raw_server"]
