# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Unit tests import the collection's code."""

from __future__ import annotations

from support.collection import install_loader


def pytest_configure() -> None:
    """Let the collection be imported."""
    install_loader()
