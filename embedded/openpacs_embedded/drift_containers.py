# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Drift of ECS clusters, services and task definitions, of their roles and log groups."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ministack.services import cloudwatch_logs, ecs, iam

from openpacs_embedded.drift_reader import Reader, Record, member, same_set, translated
from openpacs_embedded.types_containers import SERVICE_PROPERTIES, api_value


def _service(physical_id: str, _expected: Mapping[str, Any]) -> Record | None:
    service = ecs._services.get("/".join(physical_id.split("/")[-2:]))
    return service if service and service["status"] == "ACTIVE" else None


def _definition(physical_id: str, _expected: Mapping[str, Any]) -> Record | None:
    definition = ecs._task_defs.get(ecs._resolve_td_key(physical_id))
    return definition if definition and definition["status"] == "ACTIVE" else None


def _cluster(physical_id: str, _expected: Mapping[str, Any]) -> Record | None:
    return ecs._clusters.get(physical_id)


def _as_list(tags: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{"Key": tag["key"], "Value": tag["value"]} for tag in tags]


def _documents(policies: Any) -> dict[str, Any]:
    return {policy["PolicyName"]: policy["PolicyDocument"] for policy in policies or []}


def _inline_policies(role: Record, expected: Any) -> Any:
    """The role's inline policies, in the template's order while they say the same."""
    now = {name: json.loads(document) for name, document in role["InlinePolicies"].items()}
    if now == _documents(expected):
        return expected
    return [{"PolicyName": name, "PolicyDocument": document} for name, document in now.items()]


def _role(physical_id: str, _expected: Mapping[str, Any]) -> Record | None:
    return iam._roles.get(physical_id)


def _log_group(physical_id: str, _expected: Mapping[str, Any]) -> Record | None:
    return cloudwatch_logs._log_groups.get(physical_id)


NEW = {
    "AWS::ECS::Cluster": Reader(_cluster, {"ClusterSettings": translated("settings", api_value)}),
    "AWS::ECS::Service": Reader(
        _service,
        {
            **{
                name: translated(api, api_value)
                for name, (api, _unused) in SERVICE_PROPERTIES.items()
            },
            "DeploymentConfiguration": translated("deploymentConfiguration", api_value),
            "DesiredCount": member("desiredCount"),
            "LaunchType": member("launchType"),
            "LoadBalancers": translated("loadBalancers", api_value),
            "NetworkConfiguration": translated("networkConfiguration", api_value),
            "TaskDefinition": member("taskDefinition"),
            "Tags": lambda service, _expected: _as_list(ecs._tags.get(service["serviceArn"], [])),
        },
    ),
    "AWS::ECS::TaskDefinition": Reader(_definition, {}),
}
EXTENDED = {
    "AWS::IAM::Role": Reader(
        _role,
        {"ManagedPolicyArns": same_set("AttachedPolicies"), "Policies": _inline_policies},
    ),
    "AWS::Logs::LogGroup": Reader(_log_group, {"KmsKeyId": member("kmsKeyId")}),
}
