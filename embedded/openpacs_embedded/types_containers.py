# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ECS task definitions whole and in the API's spelling, services with names of their own."""

from __future__ import annotations

from typing import Any

from ministack.services import ecs
from ministack.services.cloudformation import provisioners, stacks
from ministack.services.cloudformation.helpers import _sdk_error

from openpacs_embedded.patching import extend, replace
from openpacs_embedded.services_ecs import wait_until_stable
from openpacs_embedded.task_definitions import fargate_refusal
from openpacs_embedded.types_registry import Attributes, Properties, amend, name_by_itself

DEFINITION = "AWS::ECS::TaskDefinition"
MAPS = frozenset({"dockerLabels", "options", "driverOpts", "labels"})  # keys are the user's own
NUMBERS = frozenset(
    {
        "containerPort",
        "hostPort",
        "interval",
        "memory",
        "memoryReservation",
        "retries",
        "sizeInGiB",
        "softLimit",
        "hardLimit",
        "startPeriod",
        "startTimeout",
        "stopTimeout",
        "timeout",
    }
)
BOOLEANS = frozenset(
    {
        "autoprovision",
        "enable",
        "enableECSManagedTags",
        "enableExecuteCommand",
        "essential",
        "initProcessEnabled",
        "interactive",
        "privileged",
        "pseudoTerminal",
        "readOnly",
        "readonlyRootFilesystem",
        "rollback",
    }
)
SPELLINGS = {  # where the API does not just lower the first letter
    "eFSVolumeConfiguration": "efsVolumeConfiguration",
    "filesystemId": "fileSystemId",
    "iAM": "iam",
}

DEFINITION_PROPERTIES = (  # what a revision keeps beside its containers, cpu and memory
    "EphemeralStorage",
    "ProxyConfiguration",
    "RuntimePlatform",
    "Volumes",
)

SERVICE_PROPERTIES = {  # property -> (member of the service, value when the template has none)
    "AvailabilityZoneRebalancing": ("availabilityZoneRebalancing", "DISABLED"),
    "DeploymentController": ("deploymentController", {"Type": "ECS"}),
    "EnableECSManagedTags": ("enableECSManagedTags", False),
    "EnableExecuteCommand": ("enableExecuteCommand", False),
    "HealthCheckGracePeriodSeconds": ("healthCheckGracePeriodSeconds", 0),
    "PlatformVersion": ("platformVersion", "LATEST"),
    "PropagateTags": ("propagateTags", "NONE"),
    "ServiceRegistries": ("serviceRegistries", []),
}


def api_name(name: str) -> str:
    lowered = name[:1].lower() + name[1:]
    return SPELLINGS.get(lowered, lowered)


def api_value(value: Any, name: str = "") -> Any:
    """A property as the ECS API spells it; the user's own maps keep their keys."""
    if isinstance(value, list):
        return [api_value(item, name) for item in value]
    if isinstance(value, dict):
        if name in MAPS:
            return {key: str(text) for key, text in value.items()}
        return {api_name(key): api_value(item, api_name(key)) for key, item in value.items()}
    if name in NUMBERS:
        return int(value)
    if name in BOOLEANS:
        return str(value).lower() == "true"
    return str(value) if name == "value" else value


def container(definition: Properties, network_mode: str) -> dict[str, Any]:
    """A container definition with the members ECS fills in."""
    api = api_value(definition)
    if "cpu" in api:
        api["cpu"] = int(api["cpu"])
    for mapping in api.get("portMappings", []):
        mapping.setdefault("protocol", "tcp")
        if network_mode in ("awsvpc", "host"):
            mapping["hostPort"] = mapping["containerPort"]
    return {
        "cpu": 0,
        "environment": [],
        "essential": True,
        "mountPoints": [],
        "portMappings": [],
        "volumesFrom": [],
        **api,
    }


def _check_definition(new: Properties, _old: Properties) -> None:
    refusal = fargate_refusal(api_value(new))
    if refusal and "FARGATE" in new.get("RequiresCompatibilities", []):
        raise ValueError(_sdk_error(refusal, "Ecs", 400))


def _complete_definition(physical_id: str, new: Properties, _old: Properties) -> Attributes:
    definition = ecs._task_defs[ecs._resolve_td_key(physical_id)]
    definition["containerDefinitions"] = [
        container(c, definition["networkMode"]) for c in new["ContainerDefinitions"]
    ]
    for name in DEFINITION_PROPERTIES:
        if name in new:
            definition[api_name(name)] = api_value(new[name])
    for name in ("cpu", "memory"):
        if name in definition:
            definition[name] = str(definition[name])
    return {}


def _sweep_definition(physical_id: str, _props: Properties) -> None:
    """AWS keeps a deregistered revision as INACTIVE; nobody here reads it, and it would pile up."""
    ecs._task_defs.pop(ecs._resolve_td_delete_key(physical_id), None)
    ecs._tags.pop(physical_id, None)


def _prepare_service(props: Properties) -> Properties:
    balancers = [
        {**balancer, "ContainerPort": int(balancer["ContainerPort"])}
        for balancer in props.get("LoadBalancers") or []
    ]
    return {
        **props,
        "Cluster": ecs._resolve_cluster_name(props.get("Cluster")),
        "DesiredCount": int(props.get("DesiredCount", 1)),
        "LoadBalancers": balancers,
    }


def _complete_service(physical_id: str, new: Properties, _old: Properties) -> Attributes:
    cluster, name = physical_id.split("/")[-2:]
    service = ecs._services[f"{cluster}/{name}"]
    for prop, (member, default) in SERVICE_PROPERTIES.items():
        service[member] = api_value(new.get(prop, default), member)
    if service["enableECSManagedTags"] or "Tags" in new:
        tags = [{"key": t["Key"], "value": str(t["Value"])} for t in new.get("Tags") or []]
        service["tags"] = tags
        ecs._tags[physical_id] = tags
    wait_until_stable(service)
    return {"ServiceArn": physical_id, "Name": name}


def _sweep_service(physical_id: str, _props: Properties) -> None:
    """AWS lists a deleted service for a while; here it is gone with its stopped tasks."""
    cluster, name = physical_id.split("/")[-2:]
    ecs._services.pop(f"{cluster}/{name}", None)
    ecs._tags.pop(physical_id, None)
    for arn, task in ecs._tasks.items():
        if task.get("group") == f"service:{name}" and task["lastStatus"] == "STOPPED":
            ecs._tasks.pop(arn, None)


def runs_on_worker_thread(original: Any, resource_type: str) -> bool:
    """Services wait for their tasks, on a thread that may."""
    return resource_type == "AWS::ECS::Service" or original(resource_type)


def _name_families() -> None:
    """An unnamed family keeps its name: a change registers the next revision of it."""
    stock_create = provisioners._RESOURCE_HANDLERS[DEFINITION]["create"]

    def create(logical_id: str, props: Properties, stack_name: str) -> tuple[str, Attributes]:
        family = provisioners._physical_name(stack_name, logical_id, seeded=False)
        return stock_create(logical_id, {"Family": family, **props}, stack_name)

    extend(provisioners._RESOURCE_HANDLERS, DEFINITION, create=create)


def install() -> None:
    name_by_itself("AWS::ECS::Cluster", "ClusterName")
    name_by_itself("AWS::ECS::Service", "ServiceName")
    replace("_runs_on_worker_thread", runs_on_worker_thread, stacks)
    _name_families()
    amend(
        "AWS::ECS::Service",
        prepare=_prepare_service,
        complete=_complete_service,
        sweep=_sweep_service,
    )
    amend(
        DEFINITION,
        check=_check_definition,
        complete=_complete_definition,
        sweep=_sweep_definition,
    )
