# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Put the test archive and the test web page where the tests of the modules find them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dicoogle_web import DicoogleWeb
from support.dicom_fixtures import archive, make_archive, raw_server

__all__ = ["archive", "make_archive", "raw_server"]


@pytest.fixture
def make_dicoogle(tmp_path: Path) -> Iterator[Callable[..., DicoogleWeb]]:
    """Return make(context=...) for running web pages of Dicoogle."""
    pages: list[DicoogleWeb] = []

    def make(**options: Any) -> DicoogleWeb:
        folder = tmp_path / f"dicoogle-{len(pages)}"
        folder.mkdir()
        pages.append(DicoogleWeb(folder, **options))
        return pages[-1]

    yield make
    for page in pages:
        page.stop()


@pytest.fixture
def dicoogle(make_dicoogle: Callable[..., DicoogleWeb]) -> DicoogleWeb:
    """Return a web page of Dicoogle without TLS."""
    return make_dicoogle()
