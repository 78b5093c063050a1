# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The picture in the documentation shows the templates as they are."""

from __future__ import annotations

import importlib
from types import ModuleType
from xml.etree import ElementTree

import pytest
from support import CHECKOUT

DOCS = CHECKOUT / "docs"


@pytest.fixture
def architecture(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(DOCS)
    return importlib.import_module("architecture")


def test_committed_picture_is_the_one_the_templates_give(architecture: ModuleType) -> None:
    assert architecture.PICTURE.read_text() == architecture.picture(), (
        "run: .venv/bin/python docs/architecture.py"
    )


def test_nothing_is_drawn_beside_the_paper(architecture: ModuleType) -> None:
    picture = ElementTree.fromstring(architecture.picture())
    rectangles = picture.findall("{http://www.w3.org/2000/svg}rect")
    assert len(rectangles) > 20
    for rectangle in rectangles:
        right = float(rectangle.get("x", 0)) + float(rectangle.attrib["width"])
        bottom = float(rectangle.get("y", 0)) + float(rectangle.attrib["height"])
        assert right <= architecture.WIDTH
        assert bottom <= architecture.HEIGHT


def test_stack_without_a_place_is_an_error(
    architecture: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(architecture.STACKS, "Dns")
    with pytest.raises(SystemExit, match="Dns"):
        architecture.picture()
