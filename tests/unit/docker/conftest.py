# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Containers for the tests of the images' entry points."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.image_entry_points import CHILD, Container, image_environment


@pytest.fixture
def container(tmp_path: Path) -> Iterator[Callable[..., Container]]:
    """Make containers that are stopped after the test."""
    made: list[Container] = []

    def make(image: str, child: str, **settings: str) -> Container:
        root = tmp_path / f"{image}-{len(made)}"
        (root / "bin").mkdir(parents=True)
        program = root / "bin" / child
        program.write_text(CHILD)
        program.chmod(0o755)
        made.append(Container(image, root, image_environment(image) | settings))
        return made[-1]

    yield make
    for started in (started for each in made for started in each.started):
        started.kill()
