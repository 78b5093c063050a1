# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Read the resources and the drift of a tree of stacks. Private to this collection."""

from __future__ import annotations

from typing import Any

from .._deadline import Deadline
from . import api
from .drift import from_detection
from .stacks import Tree


def resources(client: Any, tree: Tree) -> list[dict[str, str]]:
    """Return the resources of all stacks; one call per stack."""
    return [
        {
            "path": f"{path}/{resource['LogicalResourceId']}",
            "type": resource["ResourceType"],
            "physical_id": resource.get("PhysicalResourceId", ""),
            "status": resource["ResourceStatus"],
        }
        for path, stack in tree.items()
        for resource in api.stack_resources(client, stack.stack_id)
    ]


def drift(client: Any, tree: Tree, deadline: Deadline) -> dict[str, Any]:
    """Look for drift in all stacks at once and return what differs from the templates.

    status: `DRIFTED` when anything differs, `UNKNOWN` when something could not be checked.
    """
    detections = {path: api.detect_drift(client, stack.stack_id) for path, stack in tree.items()}
    finished = {path: _finished(client, id_, deadline) for path, id_ in detections.items()}
    found = {item["StackDriftStatus"] for item in finished.values() if "StackDriftStatus" in item}
    problems = {
        path: item.get("DetectionStatusReason", "the service gives no reason")
        for path, item in finished.items()
        if item["DetectionStatus"] == "DETECTION_FAILED"
    }
    worst = "UNKNOWN" if problems else "IN_SYNC"
    return {
        "status": "DRIFTED" if "DRIFTED" in found else worst,
        "problems": [f"{path}: {reason}" for path, reason in problems.items()],
        "resources": [
            from_detection(item, f"{path}/{item['LogicalResourceId']}").result()
            for path, stack in tree.items()
            for item in api.resource_drifts(client, stack.stack_id)
        ],
    }


def _finished(client: Any, detection_id: str, deadline: Deadline) -> api.Shape:
    def finished() -> api.Shape | None:
        detection = api.describe_drift_detection(client, detection_id)
        return None if detection["DetectionStatus"] == "DETECTION_IN_PROGRESS" else detection

    return deadline.poll(f"drift detection {detection_id}", finished)
