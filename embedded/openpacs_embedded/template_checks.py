# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What CloudFormation refuses in a template before it touches anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ministack.services.cloudformation import changesets, engine, handlers

from openpacs_embedded.patching import replace

Template = dict[str, Any]


def validate_template_support(
    original: Callable[..., None], template: Template, conditions: dict[str, bool], **rest: Any
) -> None:
    """Refuse dangling references, unknown conditions and circular dependencies as well.

    Raises ValueError with the message of the ValidationError.
    """
    original(template, conditions, **rest)
    if template.get("Transform"):
        return  # a macro may still add what is missing
    for section in ("Resources", "Outputs"):
        if missing := sorted(set(_dangling(template, section))):
            raise ValueError(
                f"Template format error: Unresolved resource dependencies [{', '.join(missing)}] "
                f"in the {section} block of the template"
            )
        for condition in _unknown_conditions(template, section):
            raise ValueError(
                f"Template format error: Unresolved condition dependency {condition} "
                f"in the {section} block of the template"
            )
    engine._topological_sort(template.get("Resources") or {}, conditions)


def capabilities_enforced(_original: Callable[[], bool]) -> bool:
    """Ask for capabilities although nobody has to sign in."""
    return True


def _dangling(template: Template, section: str) -> Iterator[str]:
    """Yield what the section refers to and the template does not define."""
    resources = template.get("Resources") or {}
    parameters = template.get("Parameters") or {}
    for item in (template.get(section) or {}).values():
        for name, attribute in engine._intrinsic_references(item):
            is_parameter = attribute is None and name in parameters
            if not (name in resources or is_parameter or name.startswith("AWS::")):
                yield name
        depends_on = item.get("DependsOn") or []
        names = [depends_on] if isinstance(depends_on, str) else depends_on
        yield from (name for name in names if name not in resources)


def _unknown_conditions(template: Template, section: str) -> Iterator[str]:
    known = template.get("Conditions") or {}
    for item in (template.get(section) or {}).values():
        if item.get("Condition") is not None and item["Condition"] not in known:
            yield item["Condition"]


def install() -> None:
    """Add the checks wherever a template comes in."""
    replace("validate_template_support", validate_template_support, engine, handlers, changesets)
    replace("_capabilities_enforced", capabilities_enforced, handlers)
