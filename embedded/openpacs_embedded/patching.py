# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The only ways in which MiniStack is extended; each fails at start when MiniStack has changed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any


class PatchError(RuntimeError):
    """MiniStack no longer looks as an extension expects it to."""


def add(registry: dict[str, Any], key: str, value: Any) -> None:
    """Put a new entry into one of MiniStack's registries.

    Raises PatchError when the key is taken: MiniStack has learnt it, so ours can go.
    """
    if key in registry:
        raise PatchError(f"MiniStack now has {key} itself; drop the entry of the embedded AWS")
    registry[key] = value


def extend(registry: dict[str, dict[str, Any]], key: str, **members: Any) -> None:
    """Set members of an entry that one of MiniStack's registries already has.

    Raises PatchError when there is no such entry.
    """
    if key not in registry:
        raise PatchError(f"MiniStack no longer has an entry {key}")
    registry[key] = {**registry[key], **members}


def replace(name: str, new: Callable[..., Any], *modules: ModuleType) -> None:
    """Replace a function in the module that defines it and in all that imported it.

    The replacement is called with the original function before its own arguments. Raises
    PatchError when a module lacks the name, or the modules mean different things by it.
    """
    found = [getattr(module, name, None) for module in modules]
    if not found or found[0] is None or any(function is not found[0] for function in found):
        where = ", ".join(module.__name__ for module in modules)
        raise PatchError(f"MiniStack no longer has one function {name} in {where}")
    replacement = partial(new, found[0])
    for module in modules:
        setattr(module, name, replacement)


def replace_entry(
    registry: dict[str, Callable[..., Any]], key: str, new: Callable[..., Any]
) -> None:
    """Replace a function that one of MiniStack's registries holds, as replace does.

    Raises PatchError when there is no such entry.
    """
    if key not in registry:
        raise PatchError(f"MiniStack no longer has an entry {key}")
    registry[key] = partial(new, registry[key])
