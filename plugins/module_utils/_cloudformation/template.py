# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a template's text says about itself. Private to this collection; calls nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .._errors import ModuleError

try:
    import yaml

    HAS_YAML = True
except ImportError:
    HAS_YAML = False

NESTED_STACK = "AWS::CloudFormation::Stack"
Document = Mapping[str, Any]


def parse(text: str) -> Document:
    """Read a template: JSON, or YAML with every scalar left as the text that was written.

    A short function such as `!Ref X` becomes `{"!Ref": "X"}`.
    """
    try:
        parsed = json.loads(text)
    except ValueError:
        parsed = _parse_yaml(text)
    if not isinstance(parsed, dict):
        raise ModuleError("The template is not a mapping with the section Resources.")
    return parsed


def _parse_yaml(text: str) -> Any:
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


def nested_stacks(parsed: Document) -> set[str]:
    """Return the logical ids of the stacks that a template nests, conditional ones included."""
    resources = parsed.get("Resources", {}).items()
    return {name for name, resource in resources if resource.get("Type") == NESTED_STACK}


def unconditional_stacks(parsed: Document) -> set[str]:
    """Return the logical ids of the stacks that a template nests whatever its parameters."""
    resources = parsed.get("Resources", {})
    return {name for name in nested_stacks(parsed) if "Condition" not in resources[name]}
