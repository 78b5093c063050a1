# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Application Auto Scaling: scalable targets and their policies. Nothing is ever scaled."""

from __future__ import annotations

import time
import uuid
from typing import Any

from ministack.core.responses import AccountRegionScopedDict, get_account_id, get_region

from openpacs_embedded.services_registry import JsonService, ServiceError, register

targets = AccountRegionScopedDict()  # (namespace, resource, dimension) -> scalable target
policies = AccountRegionScopedDict()  # policy ARN -> scaling policy

Data = dict[str, Any]
TARGET_KEY = ("ServiceNamespace", "ResourceId", "ScalableDimension")


def target_key(data: Data) -> tuple[str, ...]:
    return tuple(data[name] for name in TARGET_KEY)


def _service_role() -> str:
    service = "ecs.application-autoscaling.amazonaws.com"
    role = "AWSServiceRoleForApplicationAutoScaling_ECSService"
    return f"arn:aws:iam::{get_account_id()}:role/aws-service-role/{service}/{role}"


def register_scalable_target(data: Data) -> Data:
    """Create or change a target; what a change leaves out stays."""
    arn = f"arn:aws:application-autoscaling:{get_region()}:{get_account_id()}:scalable-target/"
    known = targets.get(target_key(data)) or {
        "CreationTime": time.time(),
        "RoleARN": _service_role(),
        "ScalableTargetARN": f"{arn}{uuid.uuid4().hex[:26]}",
    }
    targets[target_key(data)] = {**known, **{k: v for k, v in data.items() if k != "Tags"}}
    return {"ScalableTargetARN": known["ScalableTargetARN"]}


def deregister_scalable_target(data: Data) -> Data:
    """Remove a target and, as AWS does, its policies."""
    if target_key(data) not in targets:
        raise ServiceError(
            "ObjectNotFoundException", f"No scalable target found for {target_key(data)}"
        )
    del targets[target_key(data)]
    for arn, policy in policies.items():
        if target_key(policy) == target_key(data):
            del policies[arn]
    return {}


def describe_scalable_targets(data: Data) -> Data:
    wanted = data.get("ResourceIds")
    found = [
        target
        for target in targets.values()
        if target["ServiceNamespace"] == data["ServiceNamespace"]
        and (not wanted or target["ResourceId"] in wanted)
        and data.get("ScalableDimension") in (None, target["ScalableDimension"])
    ]
    return {"ScalableTargets": found}


def put_scaling_policy(data: Data) -> Data:
    if target_key(data) not in targets:
        raise ServiceError(
            "ObjectNotFoundException", f"No scalable target registered: {target_key(data)}"
        )
    arn = next((a for a, p in policies.items() if _same_policy(p, data)), None)
    if arn is None:
        prefix = (
            f"arn:aws:autoscaling:{get_region()}:{get_account_id()}:scalingPolicy:{uuid.uuid4()}"
        )
        resource = f"resource/{data['ServiceNamespace']}/{data['ResourceId']}"
        arn = f"{prefix}:{resource}:policyName/{data['PolicyName']}"
    created = policies.get(arn, {}).get("CreationTime", time.time())
    policies[arn] = {**data, "PolicyARN": arn, "CreationTime": created, "Alarms": []}
    return {"PolicyARN": arn, "Alarms": []}


def _same_policy(policy: Data, data: Data) -> bool:
    return policy["PolicyName"] == data["PolicyName"] and target_key(policy) == target_key(data)


def delete_scaling_policy(data: Data) -> Data:
    for arn, policy in policies.items():
        if _same_policy(policy, data):
            del policies[arn]
            return {}
    raise ServiceError("ObjectNotFoundException", f"No scaling policy found: {data['PolicyName']}")


def describe_scaling_policies(data: Data) -> Data:
    names = data.get("PolicyNames")
    found = [
        policy
        for policy in policies.values()
        if policy["ServiceNamespace"] == data["ServiceNamespace"]
        and data.get("ResourceId") in (None, policy["ResourceId"])
        and (not names or policy["PolicyName"] in names)
    ]
    return {"ScalingPolicies": found}


SERVICE = JsonService(
    name="application-autoscaling",
    target="AnyScaleFrontendService",
    actions={
        "DeleteScalingPolicy": delete_scaling_policy,
        "DeregisterScalableTarget": deregister_scalable_target,
        "DescribeScalableTargets": describe_scalable_targets,
        "DescribeScalingPolicies": describe_scaling_policies,
        "PutScalingPolicy": put_scaling_policy,
        "RegisterScalableTarget": register_scalable_target,
    },
    stores={"targets": targets, "policies": policies},
)


def install() -> None:
    register(SERVICE)
