# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The life of one task: from its definition to its last container's end, in one thread.

The thread alone changes the task's record, apart from the wish to stop it: `ask_to_stop`. STOPPED
is written when nothing of the task is left, so whoever waits for it never meets a second task on
the same files.
"""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import docker
from docker.errors import DockerException
from ministack.core import persistence
from ministack.core.concurrency import resource_lock
from ministack.services import ec2, ecs

from openpacs_embedded import task_definitions
from openpacs_embedded.container_engine import EngineError, describe, fetch, owner
from openpacs_embedded.file_systems import mounted
from openpacs_embedded.persistence import note_change
from openpacs_embedded.task_definitions import Observation
from openpacs_embedded.task_networks import OpenPorts, TaskNetwork, hosts_text
from openpacs_embedded.types_ec2_instance import free_address

LOOK = 0.25  # seconds between two looks at the containers
LOG_FLUSH_SECONDS = 5.0  # seconds that the end of a log gets to arrive
logger = logging.getLogger("openpacs.tasks")
_taking_address = threading.Lock()
Task = dict[str, Any]


def ask_to_stop(task: Task, reason: str, code: str) -> None:
    """Request a stop; keep the first reason."""
    with resource_lock("ecs-task", task["taskArn"]):
        if task["desiredStatus"] != "STOPPED":
            ecs._bump_task_version(task)
            task.update(
                desiredStatus="STOPPED", stoppedReason=reason, stopCode=code, stoppingAt=ecs._iso()
            )


class TaskRun:
    """One task and what there is of it in the engine."""

    def __init__(
        self,
        task: Task,
        definition: Mapping[str, Any],
        client: docker.DockerClient,
        open_ports: OpenPorts,
        changed: Callable[[], None],
    ) -> None:
        """Prepare a run; changed() is called after each change of the task's record."""
        self._task = task
        self._id = task["taskArn"].rpartition("/")[2]
        self._definitions = {c["name"]: c for c in definition["containerDefinitions"]}
        self._volumes = {volume["name"]: volume for volume in definition.get("volumes", [])}
        self._refusal = task_definitions.fargate_refusal(definition)
        self._client = client
        self._open_ports = open_ports
        self._changed = changed
        self._images: dict[str, str] = {}
        self._containers: dict[str, Any] = {}  # by name, of those started so far
        self._pause: Any = None
        self._network: TaskNetwork | None = None
        self._logs: list[threading.Thread] = []
        self._stop_timeout: float | None = None

    def run(self) -> None:
        """Start the containers, watch them until the task is to end, and remove everything."""
        try:
            self._start()
            self._watch()
        except (EngineError, DockerException, OSError, ValueError) as error:
            self._fail(f"ResourceInitializationError: {error}")
        except ecs._SecretResolutionError as error:
            self._fail(
                "ResourceInitializationError: unable to pull secrets or registry auth: "
                f"execution resource retrieval failed: {error}"
            )
        finally:
            self._end()

    def limit_stop_timeout(self, stop_timeout: float) -> None:
        """Give containers at most this many seconds when they are stopped."""
        self._stop_timeout = stop_timeout

    # ---- Start ----

    def _start(self) -> None:
        if self._refusal:  # of a definition that was registered for EC2 alone
            raise ValueError(f"only Fargate is there to run tasks. {self._refusal}")
        self._set("PENDING", pullStartedAt=ecs._iso())
        try:
            for name, definition in self._definitions.items():
                self._images[name] = fetch(self._client, definition["image"])
                self._tell(name, imageDigest=definition["image"].partition("@")[2] or None)
        except EngineError as error:
            self._fail(f"CannotPullContainerError: {error}")
            return
        self._set("ACTIVATING", pullStoppedAt=ecs._iso())
        self._open_network()
        while not self._is_ending() and len(self._containers) < len(self._definitions):
            self._start_those_that_may()
            self._look()
            time.sleep(LOOK)
        if not self._is_ending():
            self._set("RUNNING", startedAt=ecs._iso())

    def _open_network(self) -> None:
        """Start a container that does nothing; its network is that of the task."""
        address = self._take_address()
        self._hosts.parent.mkdir(parents=True)
        self._hosts.write_text(hosts_text(address, {}))
        self._hosts.chmod(0o644)  # every user of a container reads it
        self._pause = self._client.containers.run(
            next(iter(self._images.values())),
            [],
            entrypoint=["sleep", "infinity"],
            name=f"ecs-{self._id}-pause",
            labels=owner(),
            network_mode="none",
            healthcheck={"test": ["NONE"]},
            detach=True,
        )
        self._pause.reload()
        self._network = TaskNetwork(self._pause.attrs["State"]["Pid"], address, self._hosts)
        self._open_ports.attach(self._network)
        self._changed()

    def _take_address(self) -> str:
        """Give the task an address of its subnet."""
        subnet = ec2._subnets[self._task["_subnet"] or ec2._DEFAULT_SUBNET_ID]
        with _taking_address:
            address = free_address(subnet)
            details = {"subnetId": subnet["SubnetId"], "privateIPv4Address": address}
            attachment = {
                "id": ecs.new_uuid(),
                "type": "ElasticNetworkInterface",
                "status": "ATTACHED",
                "details": [{"name": name, "value": value} for name, value in details.items()],
            }
            self._task["attachments"] = [attachment]
        interface = {"attachmentId": attachment["id"], "privateIpv4Address": address}
        for container in self._task["containers"]:
            container["networkInterfaces"] = [interface]
        return address

    def _start_those_that_may(self) -> None:
        now = self._observations()
        for name, definition in self._definitions.items():
            if name in self._containers or self._is_ending():
                continue
            if why := task_definitions.never_starts(definition, now):
                self._fail(f"TaskFailedToStart: container {name} cannot start: {why}")
            elif task_definitions.may_start(definition, now):
                self._start_container(name, definition)

    def _start_container(self, name: str, definition: Mapping[str, Any]) -> None:
        logs = ecs._awslogs_config(definition, self._id, self._id)
        if logs and not ecs._ensure_awslogs_stream(logs):
            raise ValueError(
                f"failed to validate logger args: log group {logs['group']} does not exist"
            )
        secrets = ecs._resolve_container_secrets(definition)
        options = task_definitions.options(definition)
        options["ulimits"] = [docker.types.Ulimit(**u) for u in options.get("ulimits", [])]
        container = self._client.containers.create(
            self._images[name],
            name=f"ecs-{self._id}-{name}",
            labels=(definition.get("dockerLabels") or {}) | owner() | self._labels(name),
            environment=task_definitions.environment(definition) | secrets,
            volumes=self._mounts(definition),
            network_mode=f"container:{self._pause.id}",
            detach=True,
            **options,
        )
        self._containers[name] = container
        try:
            container.start()
        except DockerException as error:
            self._fail(f"CannotStartContainerError: {name}: {error}")
            return
        self._tell(name, runtimeId=container.id, lastStatus="RUNNING")
        if logs:
            self._forward(container, logs)

    def _labels(self, name: str) -> dict[str, str]:
        return {
            "com.amazonaws.ecs.task-arn": self._task["taskArn"],
            "com.amazonaws.ecs.task-definition-arn": self._task["taskDefinitionArn"],
            "com.amazonaws.ecs.container-name": name,
        }

    def _mounts(self, definition: Mapping[str, Any]) -> list[str]:
        mounts = [f"{self._hosts}:/etc/hosts:ro"]
        for point in definition.get("mountPoints", []):
            source = self._source(self._volumes[point["sourceVolume"]])
            mode = "ro" if point.get("readOnly") else "rw"
            mounts.append(f"{source}:{point['containerPath']}:{mode}")
        return mounts

    def _source(self, volume: Mapping[str, Any]) -> str:
        if configuration := volume.get("efsVolumeConfiguration"):
            return str(mounted(configuration))
        name = f"ecs-{self._id}-{volume['name']}"
        self._client.volumes.create(name, labels=owner())  # no-op if the volume already exists
        return name

    def _forward(self, container: Any, logs: Mapping[str, Any]) -> None:
        region = logs["region"] or ecs.get_region()
        arguments = (container, logs, ecs.get_account_id(), region)
        thread = threading.Thread(target=ecs._forward_awslogs, args=arguments, daemon=True)
        thread.start()
        self._logs.append(thread)

    # ---- Watch ----

    def _watch(self) -> None:
        while not self._is_ending():
            self._look()
            time.sleep(LOOK)

    def _look(self) -> None:
        """Take over what the engine says, and end the task when an essential container has."""
        for name, seen in self._observations().items():
            self._take_over(name, seen)
            if not seen.running and self._definitions[name].get("essential", True):
                ask_to_stop(
                    self._task,
                    "Essential container in task exited",
                    "EssentialContainerExited",
                )
        health = self._health()
        if health != self._task["healthStatus"]:
            self._task["healthStatus"] = health
            self._changed()

    def _take_over(self, name: str, seen: Observation) -> None:
        facts: dict[str, Any] = {"healthStatus": seen.health}
        if not seen.running:
            facts |= {"lastStatus": "STOPPED", "exitCode": seen.exit_code, "reason": seen.reason}
        self._tell(name, **facts)

    def _observations(self) -> dict[str, Observation]:
        states = describe(self._client, [c.id for c in self._containers.values()])
        return {
            name: task_definitions.observation(states[container.id])
            for name, container in self._containers.items()
            if container.id in states
        }

    def _health(self) -> str:
        """HEALTHY when all essential containers that have a health check are."""
        checked = {
            name
            for name, definition in self._definitions.items()
            if definition.get("essential", True) and task_definitions.has_health_check(definition)
        }
        said = {c["healthStatus"] for c in self._task["containers"] if c["name"] in checked}
        if "UNHEALTHY" in said:
            return "UNHEALTHY"
        return "HEALTHY" if said == {"HEALTHY"} else "UNKNOWN"

    # ---- End ----

    def _is_ending(self) -> bool:
        return bool(self._task["desiredStatus"] == "STOPPED")

    def _fail(self, reason: str) -> None:
        logger.warning("task %s: %s", self._id, reason)
        ask_to_stop(self._task, reason, "TaskFailedToStart")

    def _end(self) -> None:
        ask_to_stop(self._task, "The embedded AWS lost the task", "TaskFailedToStart")
        self._set("DEACTIVATING")
        try:
            self._stop_containers()
            self._look()
            for thread in self._logs:
                thread.join(LOG_FLUSH_SECONDS)
            self._remove()
        except (DockerException, OSError) as error:
            logger.warning("task %s is not cleanly removed: %s", self._id, error)
        for container in self._task["containers"]:
            container["lastStatus"] = "STOPPED"
        now = ecs._iso()
        self._set("STOPPED", stoppedAt=now, executionStoppedAt=now)

    def _stop_containers(self) -> None:
        for group in task_definitions.stop_order(list(self._definitions.values())):
            with ThreadPoolExecutor(len(group)) as threads:
                list(threads.map(self._stop, [name for name in group if name in self._containers]))

    def _stop(self, name: str) -> None:
        timeout: float = task_definitions.stop_timeout(self._definitions[name])
        if self._stop_timeout is not None:
            timeout = min(timeout, self._stop_timeout)
        try:
            self._containers[name].stop(timeout=int(timeout))
        except docker.errors.NotFound:  # somebody else has removed it
            return

    def _remove(self) -> None:
        for container in [*self._containers.values(), *filter(None, [self._pause])]:
            try:
                container.remove(force=True, v=True)
            except docker.errors.NotFound:
                continue
        if self._network:
            self._open_ports.detach(self._network)
        for volume in self._client.volumes.list(filters={"name": f"ecs-{self._id}-"}):
            volume.remove(force=True)
        shutil.rmtree(self._hosts.parent, ignore_errors=True)

    # ---- The record ----

    @property
    def _hosts(self) -> Path:
        return Path(persistence.STATE_DIR).parent / "tasks" / self._id / "hosts"

    @property
    def vpc_id(self) -> str:
        """The VPC whose names the task can look up."""
        return str(ec2._subnets[self._task["_subnet"] or ec2._DEFAULT_SUBNET_ID]["VpcId"])

    @property
    def network(self) -> TaskNetwork | None:
        """The task's network, None before there is one."""
        return self._network

    def _set(self, status: str, **members: Any) -> None:
        with resource_lock("ecs-task", self._task["taskArn"]):
            ecs._bump_task_version(self._task)
            self._task.update(lastStatus=status, **members)
        note_change()
        self._changed()

    def _tell(self, name: str, **members: Any) -> None:
        for container in self._task["containers"]:
            if container["name"] == name:
                container.update(members)
