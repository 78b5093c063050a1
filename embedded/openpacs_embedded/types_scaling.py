# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""AWS::ApplicationAutoScaling::ScalableTarget and ScalingPolicy, through services_scaling."""

from __future__ import annotations

from openpacs_embedded import services_scaling as scaling
from openpacs_embedded.types_registry import Attributes, Properties, ResourceType, register

CONFIGURATIONS = {
    "PredictiveScalingPolicyConfiguration",
    "StepScalingPolicyConfiguration",
    "TargetTrackingScalingPolicyConfiguration",
}


def _target_id(props: Properties) -> str:
    names = ("ResourceId", "ScalableDimension", "ServiceNamespace")
    return "|".join(props[name] for name in names)


def _parts(target_id: str) -> Properties:
    resource_id, dimension, namespace = target_id.split("|")
    return {
        "ResourceId": resource_id,
        "ScalableDimension": dimension,
        "ServiceNamespace": namespace,
    }


def _put_target(props: Properties) -> Attributes:
    capacities = {name: int(props[name]) for name in ("MinCapacity", "MaxCapacity")}
    scaling.register_scalable_target({**_parts(_target_id(props)), **capacities})
    return {"Id": _target_id(props)}


def _create_target(_logical_id: str, props: Properties, _stack: str) -> tuple[str, Attributes]:
    return _target_id(props), _put_target(props)


def _update_target(_physical_id: str, _old: Properties, new: Properties) -> Attributes:
    return _put_target(new)


def _delete_target(physical_id: str, _props: Properties) -> None:
    key = _parts(physical_id)
    if scaling.target_key(key) in scaling.targets:
        scaling.deregister_scalable_target(key)


def _put_policy(props: Properties) -> str:
    target = _parts(props.get("ScalingTargetId") or _target_id(props))
    configuration = {name: props[name] for name in CONFIGURATIONS & props.keys()}
    names = {name: props[name] for name in ("PolicyName", "PolicyType")}
    return scaling.put_scaling_policy({**target, **names, **configuration})["PolicyARN"]


def _create_policy(_logical_id: str, props: Properties, _stack: str) -> tuple[str, Attributes]:
    arn = _put_policy(props)
    return arn, {"Arn": arn}


def _update_policy(physical_id: str, _old: Properties, new: Properties) -> Attributes:
    _put_policy(new)
    return {"Arn": physical_id}


def _delete_policy(physical_id: str, _props: Properties) -> None:
    scaling.policies.pop(physical_id, None)


TYPES = {
    "AWS::ApplicationAutoScaling::ScalableTarget": ResourceType(
        _create_target,
        _update_target,
        _delete_target,
        ("ResourceId", "ScalableDimension", "ServiceNamespace"),
        tags=None,
    ),
    "AWS::ApplicationAutoScaling::ScalingPolicy": ResourceType(
        _create_policy,
        _update_policy,
        _delete_policy,
        ("PolicyName", "ResourceId", "ScalableDimension", "ScalingTargetId", "ServiceNamespace"),
        tags=None,
    ),
}


def install() -> None:
    for name, resource_type in TYPES.items():
        register(name, resource_type)
