# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A template: its text, and what that says. Private to this collection; calls nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from .._errors import ModuleError, using_files

try:
    import yaml

    HAS_YAML = True
except ImportError:
    HAS_YAML = False

NESTED_STACK = "AWS::CloudFormation::Stack"
Document = Mapping[str, Any]


def read_text(path: Path) -> str:
    """Return the text of a template's file, which is UTF-8, with or without a mark of it.

    Raises ModuleError: there is no such file, or it holds something else.
    """
    with using_files(f"read the template {path}"):
        return path.read_text(encoding="utf-8-sig")


def parse(text: str) -> Document:
    """Read a template: JSON, or YAML with every scalar left as the text that was written.

    A short function such as `!Ref X` becomes `{"!Ref": "X"}`.

    Raises ModuleError: it is neither, or no mapping, or holds itself.
    """
    try:
        parsed = _parse(text)
        json.dumps(parsed)
    except (RecursionError, ValueError) as error:
        raise ModuleError(
            "The template is nested too deeply: does an alias stand in its own anchor?"
        ) from error
    if not isinstance(parsed, dict):
        raise ModuleError("The template is not a mapping with the section Resources.")
    return parsed


def _parse(text: str) -> Any:
    with suppress(ValueError):
        return json.loads(text)
    try:
        return yaml.load(text, Loader=_loader())  # noqa: S506 - builds text, lists, mappings
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise ModuleError(f"The template is neither JSON nor YAML: {reason}.") from error


def _loader() -> type:
    class Loader(getattr(yaml, "CBaseLoader", yaml.BaseLoader)):  # type: ignore[misc]
        """Text, lists and mappings only; in C, ten times as fast, where PyYAML has it."""

    def short_function(loader: Any, name: str, node: Any) -> Document:
        build = {
            "scalar": loader.construct_scalar,
            "sequence": lambda node: loader.construct_sequence(node, deep=True),
            "mapping": lambda node: loader.construct_mapping(node, deep=True),
        }[node.id]
        return {f"!{name}": build(node)}

    Loader.add_multi_constructor("!", short_function)
    return Loader


def document(deployed: str | Document) -> Document:
    """Return a template as data; GetTemplate gives its text or, for JSON, a dictionary."""
    return parse(deployed) if isinstance(deployed, str) else deployed


def declarations(parsed: Document, section: str) -> dict[str, Document]:
    """Return what a section declares by logical id, without loops and transforms."""
    entries = parsed.get(section)
    if not isinstance(entries, dict):
        return {}
    return {name: entry for name, entry in entries.items() if isinstance(entry, dict)}


def may_nest_stacks(parsed: Document) -> bool:
    """Tell whether a template nests stacks, or a transform or loop in it may do so."""
    resources = parsed.get("Resources")
    if {"Transform", "Fn::Transform"} & parsed.keys():
        return True
    return isinstance(resources, dict) and any(
        name.startswith("Fn::") or (isinstance(entry, dict) and entry.get("Type") == NESTED_STACK)
        for name, entry in resources.items()
    )


def unconditional_stacks(parsed: Document) -> set[str]:
    """Return the logical ids of the stacks that a template nests whatever its parameters."""
    return {
        name
        for name, entry in declarations(parsed, "Resources").items()
        if entry.get("Type") == NESTED_STACK and "Condition" not in entry
    }
