# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Attacks import the collection's code, and some need a running archive."""

from __future__ import annotations

from support.archive_fixtures import archive, archives, java, program
from support.collection import install_loader

__all__ = ["archive", "archives", "java", "program"]


def pytest_configure() -> None:
    """Let the collection be imported."""
    install_loader()
