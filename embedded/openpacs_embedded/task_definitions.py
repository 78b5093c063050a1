# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A task definition as a container engine understands it. Nothing here is done, only said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Definition = Mapping[str, Any]  # a container definition, as DescribeTaskDefinition tells it
SECOND = 1_000_000_000  # nanoseconds
MEBIBYTE = 1 << 20
STOP_TIMEOUT = 30  # seconds; what ECS takes when the definition says nothing
CAPABILITIES = {"SYS_PTRACE"}  # that a container on Fargate may have added
HEALTH_DEFAULTS = {"interval": 30, "timeout": 5, "retries": 3, "startPeriod": 0}


@dataclass(frozen=True)
class Observation:
    """What a container does now. `health` is HEALTHY, UNHEALTHY or UNKNOWN, as ECS says it."""

    running: bool
    health: str = "UNKNOWN"
    exit_code: int | None = None
    reason: str = ""


def observation(state: Mapping[str, Any]) -> Observation:
    """Read the State of a container, as the engine inspects it."""
    health = str((state.get("Health") or {}).get("Status", "")).upper()
    return Observation(
        running=state["Status"] in ("created", "running"),
        health=health if health in ("HEALTHY", "UNHEALTHY") else "UNKNOWN",
        exit_code=None if state["Status"] in ("created", "running") else int(state["ExitCode"]),
        reason="OutOfMemoryError: container killed due to memory usage"
        if state.get("OOMKilled")
        else str(state.get("Error", "")),
    )


def fargate_refusal(definition: Definition) -> str:
    """Return why Fargate does not take a task definition, '' when it does.

    It takes nothing that leads from a container to the machine. Other limits are not looked at.
    """
    return next(_fargate_refusals(definition), "")


def _fargate_refusals(definition: Definition) -> Iterator[str]:
    unsupported = "Fargate compatible task definitions do not support {}".format
    if definition.get("ipcMode"):
        yield "Tasks using the Fargate launch type do not support ipcMode."
    if definition.get("pidMode") == "host":
        yield (
            "Tasks using the Fargate launch type do not support pidMode 'host'. "
            "The supported value for pidMode is 'task'."
        )
    for volume in definition.get("volumes") or []:
        if (volume.get("host") or {}).get("sourcePath"):
            yield unsupported("sourcePath")
    for container in definition.get("containerDefinitions") or []:
        linux = container.get("linuxParameters") or {}
        added = set((linux.get("capabilities") or {}).get("add") or [])
        if container.get("privileged"):
            yield "Fargate requires that the 'privileged' setting be 'false'"
        if linux.get("devices"):
            yield unsupported("devices")
        if foreign := sorted(added - CAPABILITIES):
            yield unsupported(f"adding the capabilities {', '.join(foreign)}")
        if container.get("dockerSecurityOptions"):
            yield unsupported("dockerSecurityOptions")


def has_health_check(definition: Definition) -> bool:
    """Return whether ECS watches the container; a check in the image alone does not count."""
    command = (definition.get("healthCheck") or {}).get("command") or ["NONE"]
    return command[0] != "NONE"


def may_start(definition: Definition, now: Mapping[str, Observation]) -> bool:
    """Return whether the containers that this one depends on are as far as it wants them."""
    return all(
        _is_met(dependency["condition"], now.get(dependency["containerName"]))
        for dependency in definition.get("dependsOn", [])
    )


def never_starts(definition: Definition, now: Mapping[str, Observation]) -> str:
    """Return why a container's dependencies can no longer be met, '' while they can."""
    for dependency in definition.get("dependsOn", []):
        name, condition = dependency["containerName"], dependency["condition"]
        seen = now.get(name)
        ended = seen is not None and not seen.running
        if ended and not _is_met(condition, seen):
            return f"dependency {name} ended before it was {condition}"
        if seen is not None and condition == "HEALTHY" and seen.health == "UNHEALTHY":
            return f"dependency {name} is not HEALTHY"
    return ""


def stop_order(definitions: list[Definition]) -> list[list[str]]:
    """Return the containers' names in groups: each group after those that depend on it."""
    left = {definition["name"]: definition for definition in definitions}
    order: list[list[str]] = []
    while left:
        needed = {
            dependency["containerName"]
            for definition in left.values()
            for dependency in definition.get("dependsOn", [])
        }
        group = [name for name in left if name not in needed] or list(left)
        order.append(group)
        for name in group:
            del left[name]
    return order


def stop_timeout(definition: Definition) -> int:
    """Return how many seconds a container has between SIGTERM and SIGKILL."""
    return int(definition.get("stopTimeout") or STOP_TIMEOUT)


def options(definition: Definition) -> dict[str, Any]:
    """Return what docker's `containers.create` is to be told of a container by itself.

    Network, volumes, secrets and labels of the task come from the one who runs it.
    """
    linux = definition.get("linuxParameters") or {}
    capabilities = linux.get("capabilities") or {}
    chosen = {
        "command": definition.get("command"),
        "entrypoint": definition.get("entryPoint"),
        "working_dir": definition.get("workingDirectory"),
        "user": definition.get("user"),
        "read_only": definition.get("readonlyRootFilesystem"),
        "tty": definition.get("pseudoTerminal"),
        "stdin_open": definition.get("interactive"),
        "init": linux.get("initProcessEnabled"),
        "cap_add": capabilities.get("add"),
        "cap_drop": capabilities.get("drop"),
        "shm_size": _mebibytes(linux.get("sharedMemorySize")),
        "tmpfs": {
            mount["containerPath"]: ",".join(
                [f"size={mount['size']}m", *mount.get("mountOptions", [])]
            )
            for mount in linux.get("tmpfs", [])
        },
        "mem_limit": _mebibytes(definition.get("memory")),
        "mem_reservation": _mebibytes(definition.get("memoryReservation")),
        "sysctls": {
            item["namespace"]: item["value"] for item in definition.get("systemControls", [])
        },
        "ulimits": [
            {"Name": limit["name"], "Soft": limit["softLimit"], "Hard": limit["hardLimit"]}
            for limit in definition.get("ulimits", [])
        ],
    }
    return {name: value for name, value in chosen.items() if value} | {
        "healthcheck": health_check(definition)
    }


def health_check(definition: Definition) -> dict[str, Any]:
    """Return the health check; none replaces that of the image, which ECS does not look at."""
    if not has_health_check(definition):
        return {"test": ["NONE"]}
    wanted = HEALTH_DEFAULTS | definition["healthCheck"]
    return {
        "test": wanted["command"],
        "interval": wanted["interval"] * SECOND,
        "timeout": wanted["timeout"] * SECOND,
        "retries": wanted["retries"],
        "start_period": wanted["startPeriod"] * SECOND,
    }


def overridden(definition: Definition, overrides: list[Definition]) -> dict[str, Any]:
    """Return a task definition with the containerOverrides that RunTask was given."""
    by_name = {override["name"]: override for override in overrides}
    containers = []
    for container in definition["containerDefinitions"]:
        override = by_name.get(container["name"], {})
        changed = {key: override[key] for key in ("command", "memory") if key in override}
        variables = environment(container) | environment(override)
        pairs = [{"name": name, "value": value} for name, value in variables.items()]
        containers.append({**container, **changed, "environment": pairs})
    return {**definition, "containerDefinitions": containers}


def environment(definition: Definition) -> dict[str, str]:
    """Return the variables that stand in the definition."""
    return {item["name"]: item["value"] for item in definition.get("environment", [])}


def _is_met(condition: str, seen: Observation | None) -> bool:
    if seen is None:
        return False
    if condition == "START":
        return True
    if condition == "HEALTHY":
        return seen.running and seen.health == "HEALTHY"
    return not seen.running and (condition == "COMPLETE" or seen.exit_code == 0)  # or SUCCESS


def _mebibytes(number: int | None) -> int | None:
    return number * MEBIBYTE if number else None
