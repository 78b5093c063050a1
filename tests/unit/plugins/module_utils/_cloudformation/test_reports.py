# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Resources and drift of a whole tree."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._cloudformation import (
    reports,
    stacks,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._deadline import Deadline
from cloudformation_shapes import FakeClient, description, nested, stack_id

FAMILY = [
    stacks.from_description(item) for item in (description("pacs"), nested("pacs", "Net", "pacs"))
]
TREE = stacks.tree(FAMILY[0], FAMILY)
DRIFTED = {
    "LogicalResourceId": "Vpc",
    "ResourceType": "AWS::EC2::VPC",
    "StackResourceDriftStatus": "MODIFIED",
    "PropertyDifferences": [
        {"PropertyPath": "/Tags", "ExpectedValue": '["a"]', "ActualValue": "plain"},
    ],
}


def detect(root: dict[str, Any], network: dict[str, Any]) -> dict[str, Any]:
    client = FakeClient(
        detect_stack_drift=lambda client, StackName: {"StackDriftDetectionId": StackName},  # noqa: N803
        describe_stack_drift_detection_status=[
            {"DetectionStatus": "DETECTION_IN_PROGRESS"},
            root,
            network,
        ],
        describe_stack_resource_drifts=[
            {"StackResourceDrifts": []},
            {"StackResourceDrifts": [DRIFTED]},
        ],
    )
    return reports.drift(client, TREE, Deadline(60, sleep=lambda seconds: None))


def complete(status: str) -> dict[str, Any]:
    return {"DetectionStatus": "DETECTION_COMPLETE", "StackDriftStatus": status}


def test_resources_of_nested_stacks_are_listed_with_their_path() -> None:
    names = {stack_id("pacs"): "Key", stack_id("pacs-Net-1X2Y3Z"): "Vpc"}
    client = FakeClient(
        list_stack_resources=lambda client, StackName: {  # noqa: N803
            "StackResourceSummaries": [
                {
                    "LogicalResourceId": names[StackName],
                    "ResourceType": "T",
                    "ResourceStatus": "CREATE_COMPLETE",
                }
            ]
        }
    )
    found = reports.resources(client, TREE)
    assert [item["path"] for item in found] == ["pacs/Key", "pacs/Net/Vpc"]


def test_drift_in_a_nested_stack_is_drift_of_the_tree() -> None:
    found = detect(complete("IN_SYNC"), complete("DRIFTED"))
    assert found["status"] == "DRIFTED"
    (resource,) = found["resources"]
    assert resource["path"] == "pacs/Net/Vpc"
    assert resource["differences"] == [{"property": "/Tags", "expected": ["a"], "actual": "plain"}]


def test_what_cannot_be_checked_is_not_called_in_sync() -> None:
    failed = {
        "DetectionStatus": "DETECTION_FAILED",
        "DetectionStatusReason": "no permission",
        "StackDriftStatus": "UNKNOWN",
    }
    found = detect(complete("IN_SYNC"), failed)
    assert found["status"] == "UNKNOWN"
    assert found["problems"] == ["pacs/Net: no permission"]


@pytest.mark.parametrize("status", ["IN_SYNC", "DRIFTED"])
def test_the_status_is_the_worst_of_all_stacks(status: str) -> None:
    assert detect(complete(status), complete("IN_SYNC"))["status"] == status
