# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The Ghostunnel that the tests run is the one that ships."""

from __future__ import annotations

import re

import pytest
from support import CHECKOUT

TESTED = "tests/tools/ghostunnel/go.mod"


def versions(path: str, pattern: str) -> set[str]:
    """Return the versions of Ghostunnel that a file names."""
    return set(re.findall(pattern, (CHECKOUT / path).read_text()))


@pytest.mark.parametrize(
    "path",
    [
        "docker/ghostunnel/Dockerfile",
        "docker/README.md",
        "inventory/aws/group_vars/all.yml",
        "roles/images/README.md",
        "roles/verify/defaults/main.yml",
    ],
)
def test_shipped_version_is_the_tested_one(path: str) -> None:
    tested = versions(TESTED, r"ghostunnel/ghostunnel v([0-9.]+)")
    assert len(tested) == 1
    assert versions(path, r"ghostunnel/ghostunnel:v([0-9.]+)") == tested
