# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Extensions that do not fit MiniStack any longer fail at start, and say where."""

from __future__ import annotations

from types import ModuleType, SimpleNamespace
from typing import Any, cast

import pytest


def module(name: str, **members: Any) -> ModuleType:
    """Return something like a module of MiniStack."""
    return cast(ModuleType, SimpleNamespace(__name__=name, **members))


def double(original: Any, number: int) -> int:
    """Replace a function and use it."""
    return int(original(number)) * 2


def test_replacement_gets_the_original_in_every_module() -> None:
    from openpacs_embedded.patching import replace

    def function(number: int) -> int:
        return number + 1

    definition, user = module("definition", f=function), module("user", f=function)
    replace("f", double, definition, user)
    replace("f", double, definition, user)
    assert (definition.f(1), user.f(1)) == (8, 8)


def test_replacing_what_is_gone_or_has_diverged_fails() -> None:
    from openpacs_embedded.patching import PatchError, replace

    here, there = module("here", f=len), module("there", f=max)
    with pytest.raises(PatchError, match="no longer has one function g in here"):
        replace("g", double, here)
    with pytest.raises(PatchError, match="no longer has one function f in here, there"):
        replace("f", double, here, there)


def test_adding_what_is_there_and_changing_what_is_not_fails() -> None:
    from openpacs_embedded.patching import PatchError, add, extend, replace_entry

    registry: dict[str, Any] = {"A": {"create": 1}}
    add(registry, "B", {"create": 2})
    extend(registry, "A", delete=3)
    assert registry == {"A": {"create": 1, "delete": 3}, "B": {"create": 2}}
    with pytest.raises(PatchError, match="now has A itself"):
        add(registry, "A", {})
    with pytest.raises(PatchError, match="no longer has an entry C"):
        extend(registry, "C", create=1)
    with pytest.raises(PatchError, match="no longer has an entry C"):
        replace_entry(registry, "C", double)
