# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Drift-aware change sets (DeploymentMode REVERT_DRIFT).

They also list what was changed or deleted outside CloudFormation, as drift detection finds it, and
their execution brings that back.
"""

from __future__ import annotations

import json
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from ministack.core.responses import now_iso
from ministack.services.cloudformation import drift, helpers

from openpacs_embedded.descriptions import XML, add_texts
from openpacs_embedded.nested_requests import Record

REVERTS = "_reverts_drift"  # member of a stack's record: an update to come brings something back
MODE = "REVERT_DRIFT"
DRIFTED = ("MODIFIED", "DELETED")


def is_drift_aware(params: Record) -> bool:
    """Return whether a request of CreateChangeSet is for a drift-aware change set of an update."""
    kind = helpers._p(params, "ChangeSetType", "UPDATE")
    return kind == "UPDATE" and helpers._p(params, "DeploymentMode") == MODE


def list_drift(stack: Record, change_set: Record) -> None:
    """List what was changed outside among the changes of a drift-aware change set."""
    if change_set.get("DeploymentMode") != MODE:
        return
    changes = {c["ResourceChange"]["LogicalResourceId"]: c for c in change_set["Changes"]}
    wanted = change_set["_template"].get("Resources") or {}
    for logical_id, found in _drifts(stack).items():
        if logical_id not in wanted:
            continue
        entry = changes.setdefault(logical_id, {"ResourceChange": _new_change(found)})
        change = entry["ResourceChange"]
        change["ResourceDriftStatus"] = found["StackResourceDriftStatus"]
        if change["Action"] == "Modify":
            change["Details"] = change.get("Details", []) + _details(found)
            change["Scope"] = list(dict.fromkeys([*change.get("Scope", []), "Properties"]))
    change_set["Changes"] = [changes[logical_id] for logical_id in sorted(changes)]


def take_as_it_is(stack: Record, change_set: Record) -> None:
    """Record the resources as they are, so that an update brings back what was changed outside."""
    if change_set.get("DeploymentMode") != MODE:
        return
    for logical_id, found in _drifts(stack).items():
        stack[REVERTS] = True
        if found["StackResourceDriftStatus"] == "DELETED":
            del stack["_resources"][logical_id]
        else:
            resource = stack["_resources"][logical_id]
            resource["Properties"] = {
                **resource["Properties"],
                **json.loads(found["ActualProperties"]),
            }


def describe(result: Element, change_set: Record, with_values: bool) -> None:
    """Add to a DescribeChangeSetResult what only a drift-aware change set has."""
    if change_set.get("DeploymentMode") != MODE:
        return
    resources = [change["ResourceChange"] for change in change_set["Changes"]]
    drifted = any(resource.get("ResourceDriftStatus") in DRIFTED for resource in resources)
    status = "DRIFTED" if drifted else "IN_SYNC"
    add_texts(result, DeploymentMode=MODE, StackDriftStatus=status)
    shown = result.iterfind(f"{XML}Changes/{XML}member/{XML}ResourceChange")
    for element, resource in zip(shown, resources, strict=True):
        add_texts(element, ResourceDriftStatus=resource.get("ResourceDriftStatus", "IN_SYNC"))
        targets = element.iterfind(f"{XML}Details/{XML}member/{XML}Target")
        if not with_values:
            continue
        for target, detail in zip(targets, resource.get("Details", []), strict=True):
            _describe_target(target, detail["Target"])


def _describe_target(element: Element, target: Record) -> None:
    add_texts(element, **{name: target.get(name) for name in _TEXTS})
    if "Drift" in target:
        add_texts(SubElement(element, f"{XML}Drift"), **target["Drift"])


_TEXTS = (
    "Path",
    "BeforeValue",
    "AfterValue",
    "BeforeValueFrom",
    "AfterValueFrom",
    "AttributeChangeType",
)


def _drifts(stack: Record) -> dict[str, Record]:
    """Return what was changed or deleted outside, by logical id."""
    found = {
        logical_id: drift.detect_resource_drift(stack, logical_id, resource, now_iso())
        for logical_id, resource in stack["_resources"].items()
        if drift.supports_drift(resource["ResourceType"])
    }
    return {
        logical_id: item
        for logical_id, item in found.items()
        if item["StackResourceDriftStatus"] in DRIFTED
    }


def _new_change(found: Record) -> Record:
    """Return the change of a resource that nothing else changes."""
    about = {name: found[name] for name in ("LogicalResourceId", "ResourceType")}
    if found["StackResourceDriftStatus"] == "DELETED":
        return {"Action": "Add", **about}
    return {
        "Action": "Modify",
        "PhysicalResourceId": found["PhysicalResourceId"],
        "Replacement": "False",
        **about,
    }


def _details(found: Record) -> list[Record]:
    return [_detail(item, found["Timestamp"]) for item in found.get("PropertyDifferences", [])]


def _detail(difference: Record, timestamp: str) -> Record:
    target: dict[str, Any] = {
        "Attribute": "Properties",
        "Name": difference["PropertyPath"].split("/")[1],
        "Path": difference["PropertyPath"],
        "RequiresRecreation": "Never",
        "BeforeValue": difference["ActualValue"],
        "BeforeValueFrom": "ACTUAL_STATE",
        "AfterValue": difference["ExpectedValue"],
        "AfterValueFrom": "TEMPLATE",
        "AttributeChangeType": "Modify",
        "Drift": {
            "PreviousValue": difference["ExpectedValue"],
            "ActualValue": difference["ActualValue"],
            "DriftDetectionTimestamp": timestamp,
        },
    }
    return {"Target": target, "Evaluation": "Static", "ChangeSource": "DirectModification"}
