# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Let a change set see that a property refers to another attribute than before.

MiniStack compares properties with every attribute (`Fn::GetAtt`, `${Resource.Attribute}`) as empty
text, so a change from one to another is no change to it. Here each stands for itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ministack.services.cloudformation import changesets

from openpacs_embedded.patching import replace

_VARIABLE = re.compile(r"\$\{(?!!)([A-Za-z0-9]+\.[A-Za-z0-9.]+)\}")


def marked(value: Any) -> Any:
    """The value with a text in place of each attribute that it refers to."""
    if isinstance(value, list):
        return [marked(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"Fn::GetAtt"}:
        reference = value["Fn::GetAtt"]
        parts = [reference] if isinstance(reference, str) else [str(part) for part in reference]
        return f"<{'.'.join(parts)}>"
    if value.keys() == {"Fn::Sub"}:
        return {"Fn::Sub": _marked_text(value["Fn::Sub"])}
    return {key: marked(item) for key, item in value.items()}


def _marked_text(text: Any) -> Any:
    if isinstance(text, list):
        template, variables = text
        return [_VARIABLE.sub(r"<\1>", template), marked(variables)]
    return _VARIABLE.sub(r"<\1>", text)


def resolve_props_for_diff(original: Callable[..., Any], template: Any, *rest: Any) -> Any:
    """Resolve the properties of a template whose attributes stand for themselves."""
    if not template:
        return original(template, *rest)
    resources = {
        name: {**resource, "Properties": marked(resource.get("Properties", {}))}
        for name, resource in template["Resources"].items()
    }
    return original({**template, "Resources": resources}, *rest)


def install() -> None:
    replace("_resolve_props_for_diff", resolve_props_for_diff, changesets)
