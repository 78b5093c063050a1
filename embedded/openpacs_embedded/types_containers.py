# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ECS task definitions whole and in the API's spelling, services with names of their own."""

from __future__ import annotations

from typing import Any

from ministack.services import ecs
from ministack.services.cloudformation import provisioners

from openpacs_embedded.patching import extend
from openpacs_embedded.types_registry import Attributes, Properties, amend

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


def container(definition: Properties) -> dict[str, Any]:
    """A container definition with the members ECS fills in."""
    api = api_value(definition)
    if "cpu" in api:
        api["cpu"] = int(api["cpu"])
    return {
        "cpu": 0,
        "environment": [],
        "essential": True,
        "mountPoints": [],
        "portMappings": [],
        "volumesFrom": [],
        **api,
    }


def _complete_definition(physical_id: str, new: Properties, _old: Properties) -> Attributes:
    definition = ecs._task_defs[ecs._resolve_td_key(physical_id)]
    definition["containerDefinitions"] = [container(c) for c in new["ContainerDefinitions"]]
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
    cluster = ecs._resolve_cluster_name(props.get("Cluster"))
    return {**props, "Cluster": cluster, "DesiredCount": int(props.get("DesiredCount", 1))}


def _complete_service(physical_id: str, new: Properties, _old: Properties) -> Attributes:
    cluster, name = physical_id.split("/")[-2:]
    service = ecs._services[f"{cluster}/{name}"]
    for prop, (member, default) in SERVICE_PROPERTIES.items():
        service[member] = api_value(new.get(prop, default), member)
    if service["enableECSManagedTags"] or "Tags" in new:
        tags = [{"key": t["Key"], "value": str(t["Value"])} for t in new.get("Tags") or []]
        service["tags"] = tags
        ecs._tags[physical_id] = tags
    return {"ServiceArn": physical_id, "Name": name}


def _sweep_service(physical_id: str, _props: Properties) -> None:
    """AWS lists a deleted service for a while; here it is gone with its stopped tasks."""
    cluster, name = physical_id.split("/")[-2:]
    ecs._services.pop(f"{cluster}/{name}", None)
    ecs._tags.pop(physical_id, None)
    for arn, task in ecs._tasks.items():
        if task.get("group") == f"service:{name}" and task["lastStatus"] == "STOPPED":
            ecs._tasks.pop(arn, None)


def generate_name(resource_type: str, name_property: str, *, new_on_replacement: bool) -> None:
    """Name unnamed resources as CloudFormation does.

    A replacement gets another name, so that it can live beside the old one; a family does not, its
    revisions do that.
    """
    handlers = provisioners._RESOURCE_HANDLERS[resource_type]
    stock_create, stock_update = handlers["create"], handlers["update"]

    def create(logical_id: str, props: Properties, stack_name: str) -> tuple[str, Attributes]:
        name = provisioners._physical_name(stack_name, logical_id, seeded=new_on_replacement)
        return stock_create(logical_id, {name_property: name, **props}, stack_name)

    def update(
        physical_id: str, old: Properties, new: Properties, stack_name: str, *logical_id: str
    ) -> tuple[str, Attributes]:
        name = {name_property: physical_id.rpartition("/")[2].partition(":")[0]}
        return stock_update(physical_id, name | old, name | new, stack_name, *logical_id)

    extend(provisioners._RESOURCE_HANDLERS, resource_type, create=create, update=update)


def install() -> None:
    generate_name("AWS::ECS::Cluster", "ClusterName", new_on_replacement=True)
    generate_name("AWS::ECS::Service", "ServiceName", new_on_replacement=True)
    generate_name("AWS::ECS::TaskDefinition", "Family", new_on_replacement=False)
    amend(
        "AWS::ECS::Service",
        prepare=_prepare_service,
        complete=_complete_service,
        sweep=_sweep_service,
    )
    amend("AWS::ECS::TaskDefinition", complete=_complete_definition, sweep=_sweep_definition)
