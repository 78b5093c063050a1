# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a change set knows beforehand about the resources that its execution will leave.

A resource that is going to be created or replaced has no id and no attributes yet. Where a
nested stack gets one of these as a parameter, a placeholder stands for it, as in CloudFormation.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from ministack.services.cloudformation import engine

from openpacs_embedded.nested_requests import STACK_TYPE, Record

PLACEHOLDER = "{{IntrinsicFunction:"


class Unknown(dict[str, str]):
    """The attributes of a resource that does not exist yet: a placeholder for each."""

    def __init__(self, logical_id: str) -> None:
        """Stand for the attributes of a resource."""
        super().__init__()
        self._logical_id = logical_id

    def __contains__(self, attribute: object) -> bool:
        """Any attribute may come to exist."""
        return True

    def __getitem__(self, attribute: str) -> str:
        """Return what stands for the attribute."""
        return f"{PLACEHOLDER}{self._logical_id}/Fn::GetAtt/{attribute}}}}}"


def is_unknown(value: object) -> bool:
    """Return whether a value is only known after the execution."""
    return PLACEHOLDER in str(value)


@dataclass
class Outlook:
    """The resources of a stack as they will be, as far as is known; see _resolve_refs."""

    stack: Record
    template: Record
    params: Record
    conditions: dict[str, bool]
    resources: dict[str, Record]

    def resolve(self, value: Any) -> Any:
        """Return the value that an expression of the template will have, or a placeholder."""
        try:
            return engine._resolve_refs(
                copy.deepcopy(value),
                self.resources,
                self.params,
                self.conditions,
                self.template.get("Mappings", {}),
                self.stack["StackName"],
                self.stack["StackId"],
            )
        except Exception:  # functions that take a placeholder apart
            return f"{PLACEHOLDER}value}}}}"

    def properties(self, logical_id: str) -> Record:
        """Return the properties of a nested stack; its parameters are resolved one by one."""
        raw = self.template["Resources"][logical_id].get("Properties") or {}
        parameters = raw.get("Parameters") or {}
        if any(name.startswith("Fn::") for name in parameters):
            parameters = self.resolve(parameters)
        return {
            **self.resolve({name: raw[name] for name in raw if name != "Parameters"}),
            "Parameters": {name: self.resolve(value) for name, value in parameters.items()},
        }

    def outputs(self) -> Record:
        """Return the outputs that the stack will have, as attributes of a nested stack."""
        return {
            f"Outputs.{name}": self.resolve(output.get("Value", ""))
            for name, output in (self.template.get("Outputs") or {}).items()
            if self.conditions.get(output.get("Condition", ""), True)
        }

    def nested(self) -> list[str]:
        """Return the logical ids of the nested stacks, those that others depend on first."""
        resources = self.template.get("Resources") or {}
        order = engine._topological_sort(resources, self.conditions)
        return [name for name in order if resources[name]["Type"] == STACK_TYPE]


def outlook(stack: Record, change_set: Record) -> Outlook:
    """Return the outlook of a change set before its nested stacks have been looked at."""
    template, params = change_set["_template"], change_set["_resolved_params"]
    conditions = engine._evaluate_conditions(template, params)
    changes = {c["LogicalResourceId"]: c for c in resource_changes(change_set)}
    resources = {}
    for name in template.get("Resources") or {}:
        replaced = _may_be_replaced(changes.get(name, {}))
        known = None if replaced else stack["_resources"].get(name)
        resources[name] = known or _unknown(name)
    return Outlook(stack, template, params, conditions, resources)


def resource_changes(change_set: Record) -> list[Record]:
    """Return the ResourceChange of each change."""
    return [change["ResourceChange"] for change in change_set["Changes"]]


def _may_be_replaced(change: Record) -> bool:
    """Return whether a change may give its resource a new identity.

    CloudFormation lists as conditional also what refers to an attribute of a resource that
    changes in place. Attributes outlive such changes, so this alone leaves the identity known.
    """
    if change.get("Replacement", "False") != "Conditional":
        return bool(change.get("Replacement") == "True")
    return any(
        detail["Target"]["RequiresRecreation"] != "Never"
        and detail.get("ChangeSource") in ("DirectModification", "ParameterReference")
        for detail in change["Details"]
    )


def _unknown(logical_id: str) -> Record:
    return {
        "PhysicalResourceId": f"{PLACEHOLDER}{logical_id}/Ref}}}}",
        "Attributes": Unknown(logical_id),
    }
