# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a template's text says about itself. Private to this collection; calls nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ansible_collections.openpacs.dicoogle.plugins.module_utils._aws import ModuleError

try:
    import yaml

    HAS_YAML = True
except ImportError:
    HAS_YAML = False

NESTED_STACK = "AWS::CloudFormation::Stack"
Document = Mapping[str, Any]


def parse(text: str) -> Document:
    """Read a template: JSON, or YAML with every scalar left as the text that was written.

    A short function such as C(!Ref X) becomes C({"!Ref": "X"}).
    """
    try:
        document = json.loads(text)
    except ValueError:
        document = _parse_yaml(text)
    if not isinstance(document, dict):
        raise ModuleError("The template is not a mapping with the section Resources.")
    return document


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


def same(deployed: str | Document, body: str) -> bool:
    """Tell whether two templates say the same; comments and layout do not count.

    deployed: as GetTemplate gives it, text or, for JSON, a dictionary.
    """
    if isinstance(deployed, str):
        return deployed == body or parse(deployed) == parse(body)
    return deployed == parse(body)


def has_nested_stacks(document: Document) -> bool:
    """Tell whether a template nests stacks."""
    resources = document.get("Resources", {}).values()
    return any(resource.get("Type") == NESTED_STACK for resource in resources)
