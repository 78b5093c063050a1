# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ECS with real tasks: one thread looks after all services, each task has a thread of its own.

Nothing else starts tasks of services, so a service never has more of them than its deployment
allows: with a maximum of 100 % the old task is gone before the new one starts. Without a
container engine a service says so and tries again; it never pretends to run.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from ministack.core.responses import json_response, request_scope
from ministack.services import ecs
from ministack.services.ecs import _deployment_for_task, _primary_deployment

from openpacs_embedded import file_systems, service_decisions, task_definitions
from openpacs_embedded.container_engine import EngineError, engine, forget_images, sweep
from openpacs_embedded.loopback_names import names_in_vpc
from openpacs_embedded.patching import replace, replace_entry
from openpacs_embedded.persistence import note_change
from openpacs_embedded.task_networks import OpenPorts, listeners_of
from openpacs_embedded.task_runs import Task, TaskRun, ask_to_stop

LOOK = 1.0  # seconds between two looks when nothing has called
KEPT_EVENTS = 100
REMEMBERED = 3600.0  # seconds
SHUTDOWN_STOP_TIMEOUT = 10.0  # seconds that containers get when the server ends
REMOVAL = 30.0  # seconds more, for removing what has stopped
UNSTABLE_AFTER = 900.0  # seconds until CloudFormation gives a service up
logger = logging.getLogger("openpacs.services")
Service = dict[str, Any]


class Scheduler:
    """Brings services to what is desired of them."""

    def __init__(self) -> None:
        """Make a scheduler that sleeps until it is woken for the first time."""
        self.open_ports = OpenPorts()
        self.runs: dict[str, TaskRun] = {}
        self.start_lock = threading.Lock()  # who holds it keeps services from starting tasks
        self._awake = threading.Event()
        self._thread: threading.Thread | None = None
        self._closing = False

    def wake(self) -> None:
        """Wake the scheduler: there may be something to do."""
        self._awake.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="services", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Stop all tasks and remove what they leave behind in the engine."""
        if self._thread is None:
            return
        self._closing = True
        self._awake.set()
        self._thread.join(REMOVAL)
        self.open_ports.close()
        self.end_all("The embedded AWS was stopped")
        try:
            forget_images(engine())
        except EngineError:  # gone, and with it what it held
            return

    def end_all(self, reason: str) -> None:
        """Stop all tasks at once and wait until they are gone."""
        for run in list(self.runs.values()):
            run.limit_stop_timeout(SHUTDOWN_STOP_TIMEOUT)
        for _unused, task in ecs._tasks.all_items():
            if task["lastStatus"] != "STOPPED":
                ask_to_stop(task, reason, "UserInitiated")
        deadline = time.monotonic() + SHUTDOWN_STOP_TIMEOUT + REMOVAL
        while self.runs and time.monotonic() < deadline:
            time.sleep(0.05)

    def _work(self) -> None:
        swept = False
        while not self._closing:
            self._awake.clear()
            try:
                if not swept:
                    sweep(engine())  # what a killed server has left
                    swept = True
            except EngineError:
                pass  # each service that wants a task says so
            with self.start_lock:
                for (account, region, key), service in ecs._services.all_items():
                    with request_scope(account, region):
                        self._look_after(key, service)
                self._arrange_ports()
            self._awake.wait(LOOK if self.runs or ecs._services.has_any() else None)

    def _look_after(self, key: str, service: Service) -> None:
        try:
            if service["status"] == "ACTIVE":
                _update_health(service)
                _advance(service)
            _forget_old_tasks(service)
            ecs._refresh_service_state(key.partition("/")[0], f"service:{service['serviceName']}")
            ecs._recount_cluster(key.partition("/")[0])
        except Exception:  # one service must not stop the others
            logger.exception("service %s", key)

    def _arrange_ports(self) -> None:
        names = {}
        for run in list(self.runs.values()):
            if network := run.network:
                names[network.address] = names_in_vpc(run.vpc_id)
                network.name(names[network.address])
        problems = self.open_ports.arrange(names)
        for (account, region, _unused), service in ecs._services.all_items() if problems else ():
            with request_scope(account, region):
                for listener in listeners_of(service) & problems.keys():
                    _add_event(service, problems[listener])


SCHEDULER = Scheduler()


# ---- One service ----


def _tasks_of(service: Service) -> list[Task]:
    return [
        task
        for task in list(ecs._tasks.values())
        if task["group"] == f"service:{service['serviceName']}"
        and task["clusterArn"] == service["clusterArn"]
    ]


def _live_tasks(service: Service) -> list[Task]:
    return [task for task in _tasks_of(service) if task["lastStatus"] != "STOPPED"]


def _age(task: Task) -> float:
    return time.time() - _seconds(task["startedAt"]) if task["startedAt"] else 0.0


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def _update_health(service: Service) -> None:
    """Replace unhealthy tasks, count those that failed, and end a deployment when that is over."""
    for task in _live_tasks(service):
        if task["healthStatus"] == "UNHEALTHY" and task["desiredStatus"] != "STOPPED":
            _add_event(service, f"(task {_short(task)}) failed container health checks.")
            ask_to_stop(task, "Task failed container health checks", "ServiceSchedulerInitiated")
            task["_unhealthy"] = True
    primary = _primary_deployment(service)
    for task in _failed_tasks(service):
        _add_event(service, f"(task {_short(task)}) ended: {task['stoppedReason']}")
        if _deployment_for_task(service, task) is primary:
            primary["failedTasks"] += 1
    steady = _is_steady(service, primary)
    if primary["rolloutState"] != "IN_PROGRESS":
        primary["failedTasks"] = 0 if steady else primary["failedTasks"]
    elif steady:
        _complete(service, primary)
    elif primary["failedTasks"] >= ecs._circuit_breaker_threshold(service):
        _break(service, primary)


def _failed_tasks(service: Service) -> Iterator[Task]:
    """Tasks that ended by themselves since the last look."""
    for task in _tasks_of(service):
        if task["lastStatus"] == "STOPPED" and not task.get("_judged"):
            task["_judged"] = True
            ended_by_itself = task["stopCode"] in ("EssentialContainerExited", "TaskFailedToStart")
            if ended_by_itself or task.get("_unhealthy"):
                yield task


def _forget_old_tasks(service: Service) -> None:
    """ECS lists stopped tasks for an hour."""
    stopped = [t for t in _tasks_of(service) if t["lastStatus"] == "STOPPED"]
    for task in stopped:
        if time.time() - _seconds(task["stoppedAt"] or task["createdAt"]) > REMEMBERED:
            ecs._tasks.pop(task["taskArn"], None)


def _is_steady(service: Service, deployment: Mapping[str, Any]) -> bool:
    live = _live_tasks(service)
    definition = ecs._task_defs[ecs._resolve_td_key(service["taskDefinition"])]
    steady = [
        task
        for task in live
        if _deployment_for_task(service, task) is deployment
        and service_decisions.is_steady(task, definition, _age(task))
    ]
    return len(steady) == len(live) == service["desiredCount"]


def _complete(service: Service, deployment: dict[str, Any]) -> None:
    reason = f"ECS deployment {deployment['id']} completed."
    deployment.update(rolloutState="COMPLETED", rolloutStateReason=reason, failedTasks=0)
    deployment["updatedAt"] = ecs._iso()
    service["deployments"] = [deployment]
    _add_event(service, f"(deployment {deployment['id']}) deployment completed.")
    _add_event(service, "has reached a steady state.")


def _break(service: Service, deployment: dict[str, Any]) -> None:
    """Trip the circuit breaker, where there is one, and go back where that is wanted."""
    settings = service_decisions.breaker(service)
    if not settings.get("enable"):
        return
    deployment.update(
        rolloutState="FAILED",
        rolloutStateReason="ECS deployment circuit breaker: tasks failed to start.",
        desiredCount=0,
        updatedAt=ecs._iso(),
    )
    _add_event(
        service, f"(deployment {deployment['id']}) deployment failed: tasks failed to start."
    )
    before = service_decisions.completed(service["deployments"])
    if not settings.get("rollback") or before is None:
        return
    deployment["status"] = "ACTIVE"
    before.update(
        status="PRIMARY",
        rolloutState="IN_PROGRESS",
        rolloutStateReason="ECS deployment circuit breaker: rolling back to this deployment.",
        desiredCount=service["desiredCount"],
        failedTasks=0,
        updatedAt=ecs._iso(),
    )
    service["taskDefinition"] = before["taskDefinition"]
    _add_event(service, f"rolling back to deployment {before['id']}.")


def _advance(service: Service) -> None:
    """Start and stop tasks."""
    primary = _primary_deployment(service)
    current: list[Task] = []
    earlier: list[Task] = []
    for task in _live_tasks(service):
        own = _deployment_for_task(service, task) is primary
        (current if own else earlier).append(task)
    staying = [task for task in earlier if task["desiredStatus"] != "STOPPED"]
    step = service_decisions.next_step(service, len(current), len(earlier), len(staying))
    initiated = f"Scaling activity initiated by (deployment {primary['id']})"
    if primary["rolloutState"] == "COMPLETED":
        step = service_decisions.Step(step.start, step.stop_current, len(staying))
    newest_first = sorted(current, key=lambda task: str(task["createdAt"]), reverse=True)
    for task in [*newest_first[: step.stop_current], *staying[: step.stop_earlier]]:
        ask_to_stop(task, initiated, "ServiceSchedulerInitiated")
    if step.start and primary["rolloutState"] != "FAILED" and _may_try(service, primary):
        _start(service, primary, step.start)


def _may_try(service: Service, deployment: Mapping[str, Any]) -> bool:
    """Return whether an engine is there and the pause after a failure is over."""
    try:
        engine()
    except EngineError as error:
        _add_event(service, f"was unable to place a task: {error}.")
        return False
    pause = service_decisions.pause_after(deployment["failedTasks"])
    ends = [task["stoppedAt"] or "" for task in _tasks_of(service)]
    last = max(ends, default="")
    return not last or time.time() - _seconds(last) >= pause


def _start(service: Service, deployment: Mapping[str, Any], count: int) -> None:
    ecs._run_task(
        {
            "cluster": service["clusterArn"],
            "taskDefinition": service["taskDefinition"],
            "count": count,
            "group": f"service:{service['serviceName']}",
            "startedBy": deployment["id"],
            "launchType": service["launchType"],
            "capacityProviderStrategy": service["capacityProviderStrategy"],
            "platformVersion": service["platformVersion"],
            "networkConfiguration": service["networkConfiguration"],
            "enableExecuteCommand": service["enableExecuteCommand"],
            "_deploymentId": deployment["id"],
        }
    )
    for task in _live_tasks(service):
        if not task.get("_announced"):
            task["_announced"] = True
            _add_event(service, f"has started 1 tasks: (task {_short(task)}).")


def _short(task: Task) -> str:
    return str(task["taskArn"].rpartition("/")[2])


def _add_event(service: Service, message: str) -> None:
    """Add an event, unless the last one says the same."""
    text = f"(service {service['serviceName']}) {message}"
    events = service["events"]
    if any(event["message"] == text for event in events[:1]):
        return
    events.insert(0, {"id": ecs.new_uuid(), "createdAt": ecs._iso(), "message": text})
    del events[KEPT_EVENTS:]
    note_change()


# ---- What MiniStack calls ----


def register_task_definition(original: Any, data: dict[str, Any]) -> Any:
    """RegisterTaskDefinition: what is to run on Fargate may not reach the machine."""
    wanted = "FARGATE" in data.get("requiresCompatibilities", [])
    if wanted and (refusal := task_definitions.fargate_refusal(data)):
        return ecs.error_response_json("ClientException", refusal, 400)
    return original(data)


def get_docker(_original: Any) -> Any:
    """The engine, None where tasks cannot run."""
    try:
        return engine()
    except EngineError:
        return None


def run_task(original: Any, data: dict[str, Any]) -> Any:
    """RunTask: without an engine there is a failure in place of a task."""
    try:
        engine()
    except EngineError as error:
        failure = {"arn": data.get("cluster", ""), "reason": "AGENT", "detail": str(error)}
        return json_response({"tasks": [], "failures": [failure]})
    return original(data)


def run_task_worker(
    _original: Any,
    task: Task,
    definition: Mapping[str, Any],
    overrides: Any,
    client: Any,
    account: str,
    region: str,
) -> None:
    """Run a task that RunTask has registered."""
    with request_scope(account, region):
        wanted = task_definitions.overridden(definition, overrides)
        run = TaskRun(task, wanted, client, SCHEDULER.open_ports, SCHEDULER.wake)
        SCHEDULER.runs[task["taskArn"]] = run
        SCHEDULER.wake()
        try:
            run.run()
        finally:
            del SCHEDULER.runs[task["taskArn"]]
            SCHEDULER.wake()


def stop_task(_original: Any, data: dict[str, Any]) -> Any:
    """StopTask: the task ends when its containers have."""
    cluster = ecs._resolve_cluster_name(data.get("cluster", "default"))
    task = ecs._resolve_task(data.get("task", ""), cluster)
    if not task:
        message = "The referenced task was not found."
        return ecs.error_response_json("InvalidParameterException", message, 400)
    if task["lastStatus"] != "STOPPED":
        ask_to_stop(task, data.get("reason", "Task stopped by user"), "UserInitiated")
    return json_response({"task": ecs._sanitize(task)})


def delete_service(original: Any, data: dict[str, Any]) -> Any:
    """DeleteService: returns when the tasks are gone, so that a namesake finds their files free."""
    cluster = ecs._resolve_cluster_name(data.get("cluster", "default"))
    name = (ecs._resolve_service_ref(data.get("service", "")) or ("", None))[0]
    service = ecs._services.get(f"{cluster}/{name}")
    answer = original(data)
    deadline = time.monotonic() + UNSTABLE_AFTER
    while service and service["status"] != "ACTIVE" and _live_tasks(service):
        if time.monotonic() > deadline:
            message = f"The tasks of service {name} have not ended"
            return ecs.error_response_json("ServerException", message, 500)
        time.sleep(0.05)
    return answer


def make_deployment(original: Any, definition: str, desired: int, status: str = "PRIMARY") -> Any:
    """A deployment has completed when its tasks run, not when it is made."""
    deployment = original(definition, desired, status)
    reason = f"ECS deployment {deployment['id']} in progress."
    return {**deployment, "rolloutState": "IN_PROGRESS", "rolloutStateReason": reason}


def reconcile(_original: Any, _cluster: str, _key: str) -> None:
    """Leave it to the scheduler."""
    SCHEDULER.wake()


def nothing(_original: Any, *_arguments: Any) -> None:
    """Tasks are watched by their own threads."""


def reset(original: Any) -> None:
    """Forget everything; tasks end first."""
    with SCHEDULER.start_lock:
        SCHEDULER.end_all("The embedded AWS was reset")
        original()
        file_systems.forget_all()


def restore_state(original: Any, data: Any) -> None:
    """Load the state; the tasks in it ended with the server that ran them."""
    original(data)
    for _unused, task in ecs._tasks.all_items():
        if task["desiredStatus"] != "STOPPED":
            ask_to_stop(task, "The embedded AWS ended", "TerminationNotice")
            task.update(healthStatus="UNKNOWN", stoppedAt=ecs._iso())


def wait_until_stable(service: Service) -> None:
    """Wait for the current deployment. Raises ValueError with the reason when it fails.

    Without an engine there is nothing to wait for.
    """
    deployment = _primary_deployment(service)
    deadline = time.monotonic() + UNSTABLE_AFTER
    while deployment["rolloutState"] == "IN_PROGRESS":
        if get_docker(None) is None:
            return
        if time.monotonic() > deadline or service["status"] != "ACTIVE":
            raise ValueError(f"Service did not stabilize. {_last_words(service)}")
        time.sleep(0.1)
    if deployment["rolloutState"] == "FAILED":
        raise ValueError(
            "Error occurred during operation 'ECS Deployment Circuit Breaker was triggered'. "
            + _last_words(service)
        )


def _last_words(service: Service) -> str:
    """What the service's last task that failed said."""
    stopped = [task for task in _tasks_of(service) if task["stoppedReason"]]
    if not stopped:
        return str(service["events"][0]["message"]) if service["events"] else ""
    last = max(stopped, key=lambda task: str(task["stoppedAt"]))
    ended = [
        f"{c['name']} (exit status {c['exitCode']}{', ' + c['reason'] if c.get('reason') else ''})"
        for c in last["containers"]
        if c.get("exitCode")
    ]
    return ": ".join([f"Last task {_short(last)}: {last['stoppedReason']}", *ended[:1]])


def install() -> None:
    """Put the scheduler in place of MiniStack's."""
    replace("_register_task_definition", register_task_definition, ecs)
    replace_entry(ecs._ACTION_MAP, "RegisterTaskDefinition", register_task_definition)
    replace("_get_docker", get_docker, ecs)
    replace("_run_task", run_task, ecs)
    replace_entry(ecs._ACTION_MAP, "RunTask", run_task)
    replace("_run_task_worker", run_task_worker, ecs)
    replace("_stop_task", stop_task, ecs)
    replace_entry(ecs._ACTION_MAP, "StopTask", stop_task)
    replace("_delete_service", delete_service, ecs)
    replace_entry(ecs._ACTION_MAP, "DeleteService", delete_service)
    replace("_make_deployment", make_deployment, ecs)
    replace("_reconcile_service_tasks", reconcile, ecs)
    replace("_maybe_mark_stopped", nothing, ecs)
    replace("_restore_state", restore_state, ecs)
    replace("reset", reset, ecs)
