# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What was changed outside CloudFormation, from the service's shapes. Private; calls nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

DRIFTED = ("MODIFIED", "DELETED")


@dataclass(frozen=True)
class Difference:
    """A property, such as `/Tags/0/Value`, as the template has it and as it is."""

    property: str
    expected: Any
    actual: Any

    def __str__(self) -> str:
        return f"{self.property} is {json.dumps(self.actual)}, not {json.dumps(self.expected)}"


@dataclass(frozen=True)
class Drift:
    """A resource that was changed or deleted outside CloudFormation.

    path: logical path, such as `pacs/Network/Vpc`.
    status: `MODIFIED` or `DELETED`.
    """

    path: str
    type: str
    physical_id: str
    status: str
    differences: tuple[Difference, ...] = ()

    def __str__(self) -> str:
        identity = f"{self.type}, {self.physical_id}" if self.physical_id else self.type
        what = "; ".join(map(str, self.differences)) or self.status.lower()
        return f"{self.path} ({identity}): {what}"

    def result(self) -> dict[str, Any]:
        """Return the drift as a module returns it."""
        return asdict(self) | {"differences": [asdict(item) for item in self.differences]}


def from_detection(item: Mapping[str, Any], path: str) -> Drift:
    """Read one resource of the answer of DescribeStackResourceDrifts."""
    return Drift(
        path=path,
        type=item["ResourceType"],
        physical_id=item.get("PhysicalResourceId", ""),
        status=item["StackResourceDriftStatus"],
        differences=tuple(
            Difference(
                each["PropertyPath"], value(each["ExpectedValue"]), value(each["ActualValue"])
            )
            for each in item.get("PropertyDifferences", [])
        ),
    )


def from_change(resource: Mapping[str, Any], path: str) -> Drift:
    """Read one resource of a drift-aware change set."""
    targets = [detail["Target"] for detail in resource.get("Details", [])]
    return Drift(
        path=path,
        type=resource["ResourceType"],
        physical_id=resource.get("PhysicalResourceId", ""),
        status=resource["ResourceDriftStatus"],
        differences=tuple(
            Difference(
                target.get("Path") or target.get("Name", ""),
                value(target["Drift"].get("PreviousValue", "null")),
                value(target["Drift"].get("ActualValue", "null")),
            )
            for target in targets
            if "Drift" in target
        ),
    )


def is_drifted(resource: Mapping[str, Any]) -> bool:
    """Tell whether a change is of a resource that was changed outside CloudFormation."""
    return resource.get("ResourceDriftStatus") in DRIFTED


def is_reverted(detail: Mapping[str, Any]) -> bool:
    """Tell whether a detail of a change only brings a property back to what it was."""
    target = detail["Target"]
    return "Drift" in target and target["Drift"].get("PreviousValue") == target.get("AfterValue")


def value(text: str) -> Any:
    """Return a property's value, which the service gives as JSON or as plain text."""
    try:
        return json.loads(text)
    except ValueError:
        return text
