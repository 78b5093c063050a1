# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ECS services whose tasks run as containers: what they do, and what the API says about it."""

from __future__ import annotations

import json
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import busybox
import container_cases as cases
import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._embedded import lifecycle
from container_cases import FRONT, HOSPITAL, LOOPBACK_ONLY, OUTBOUND, archive, containers
from harness import SOURCE, EmbeddedAws
from support.base_images import require_engine
from support.container_engine import engine
from test_server import Process

PATIENCE = 60.0  # seconds
CONTAINERS = 4  # of one task, with the one that holds its network


def eventually(look: Callable[[], Any]) -> Any:
    """Return what a look finds, once it finds something."""
    deadline = time.monotonic() + PATIENCE
    while not (found := look()):
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.1)
    return found


@dataclass
class Archive:
    """A deployed archive, and ways to look at it."""

    process: Process
    image: str
    stack: str

    @property
    def aws(self) -> EmbeddedAws:
        return self.process.aws

    @property
    def outputs(self) -> dict[str, str]:
        return self.aws.outputs(self.stack)

    @property
    def service(self) -> dict[str, Any]:
        (found,) = self.aws.client("ecs").describe_services(
            cluster=self.outputs["Cluster"], services=[self.outputs["Service"]]
        )["services"]
        return dict(found)

    @property
    def messages(self) -> str:
        return "\n".join(event["message"] for event in self.service["events"])

    def tasks(self, status: str = "RUNNING") -> list[dict[str, Any]]:
        ecs, cluster = self.aws.client("ecs"), self.outputs["Cluster"]
        arns = ecs.list_tasks(cluster=cluster, desiredStatus=status)["taskArns"]
        return list(ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"]) if arns else []

    @property
    def task(self) -> dict[str, Any]:
        """The one task, when it is healthy."""

        def healthy() -> Any:
            found = self.tasks()
            states = [(task["lastStatus"], task["healthStatus"]) for task in found]
            return found if states == [("RUNNING", "HEALTHY")] else None

        return dict(eventually(healthy)[0])

    def address(self, output: str) -> str:
        return self.aws.key.addresses(self.aws.endpoint_url)[self.outputs[output]]

    def ask(self, port: int) -> str:
        """What comes out of a listener of the load balancer."""
        where = (self.address("DnsName"), port)
        with (
            socket.create_connection(where, timeout=10) as connection,
            connection.makefile() as stream,
        ):
            return stream.read()

    @property
    def index(self) -> Path:
        return self.process.layout.data / "efs" / self.outputs["Files"] / "archive" / "index"

    def log(self, container: str) -> list[str]:
        logs, group = self.aws.client("logs"), self.outputs["Log"]
        streams = logs.describe_log_streams(logGroupName=group)["logStreams"]
        return [
            event["message"]
            for stream in streams
            if stream["logStreamName"].startswith(f"task/{container}/")
            for event in logs.get_log_events(
                logGroupName=group, logStreamName=stream["logStreamName"]
            )["events"]
        ]

    def inspect(self, container: str) -> dict[str, Any]:
        task_id = self.task["taskArn"].rpartition("/")[2]
        return dict(json.loads(engine("inspect", f"ecs-{task_id}-{container}").stdout)[0])


def push(aws: EmbeddedAws, image: str) -> str:
    """Push an image; its URI as task definitions have it."""
    aws.client("ecr").create_repository(repositoryName="archive/busybox")
    registry = aws.endpoint_url.partition("://")[2]
    local = f"{registry}/archive/busybox:1"
    engine("tag", image, local)
    try:
        with tempfile.TemporaryDirectory() as login:
            options = ("--username", "AWS", "--password", aws.key.password)
            engine("--config", login, "login", *options, registry)
            engine("--config", login, "push", local)
    finally:
        engine("rmi", local)
    (pushed,) = aws.client("ecr").describe_images(repositoryName="archive/busybox")["imageDetails"]
    registry = f"{pushed['registryId']}.dkr.ecr.us-east-1.amazonaws.com"
    return f"{registry}/archive/busybox@{pushed['imageDigest']}"


def left_behind(process: Process) -> dict[str, str]:
    """What there is of an embedded AWS in the engine."""
    label = ("--filter", f"label=openpacs.embedded-aws={process.layout.data / 'state'}")
    return {
        "containers": engine("ps", "--all", "--quiet", *label).stdout,
        "volumes": engine("volume", "ls", "--quiet", *label).stdout,
        "images": engine("images", "--quiet", f"127.0.0.1:{process.port}/archive/busybox").stdout,
    }


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    require_engine()
    process = Process(tmp_path_factory.mktemp("containers"))
    yield process
    process.stop()


@pytest.fixture(scope="module")
def image(process: Process, tmp_path_factory: pytest.TempPathFactory) -> str:
    return push(process.aws, busybox.image(tmp_path_factory.mktemp("image")))


@pytest.fixture(scope="module")
def pacs(process: Process, image: str) -> Archive:
    name = process.aws.deploy(archive(containers(image)))
    assert process.aws.status(name) == "CREATE_COMPLETE", process.aws.events(name)
    return Archive(process, image, name)


def test_a_stack_is_complete_when_its_service_is_healthy(pacs: Archive) -> None:
    assert pacs.aws.status(pacs.stack) == "CREATE_COMPLETE"
    (deployment,) = pacs.service["deployments"]
    assert deployment["rolloutState"] == "COMPLETED"
    assert pacs.service["runningCount"] == 1
    assert "has reached a steady state" in pacs.messages


def test_the_api_tells_how_the_containers_are(pacs: Archive) -> None:
    task = pacs.task
    assert task["lastStatus"] == "RUNNING"
    health = {each["name"]: each["healthStatus"] for each in task["containers"]}
    assert health == {"front": "UNKNOWN", "writer": "HEALTHY", "way-out": "UNKNOWN"}
    digests = {each["imageDigest"] for each in task["containers"]}
    assert digests == {pacs.image.partition("@")[2]}


def test_a_listener_leads_to_the_container_and_the_task_has_one_loopback(pacs: Archive) -> None:
    assert eventually(lambda: pacs.ask(FRONT)).startswith("start\n")


def test_a_port_on_the_loopback_of_the_task_cannot_be_reached(pacs: Archive) -> None:
    assert eventually(lambda: pacs.ask(FRONT))
    assert pacs.ask(LOOPBACK_ONLY) == ""


def test_nothing_of_the_task_listens_on_this_machine(pacs: Archive) -> None:
    assert pacs.task
    listening = [line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    everywhere = {int(each[9:], 16) for each in listening if each.startswith("00000000:")}
    assert not everywhere & {FRONT, LOOPBACK_ONLY, OUTBOUND}


def test_the_task_reaches_the_hospital_by_its_private_name(pacs: Archive) -> None:
    task_id = pacs.task["taskArn"].rpartition("/")[2]
    hosts = ("exec", f"ecs-{task_id}-way-out", "cat", "/etc/hosts")
    eventually(lambda: "storage.pacs.internal" in engine(*hosts).stdout)
    where = (pacs.address("HostAddress"), HOSPITAL)
    with socket.create_server(where) as hospital:
        hospital.settimeout(10)
        way_in = (pacs.address("DnsName"), OUTBOUND)
        with socket.create_connection(way_in, timeout=10) as peer:
            connection, _unused = hospital.accept()
            with connection:
                peer.sendall(b"C-STORE")
                assert connection.recv(7) == b"C-STORE"
                connection.sendall(b"response")
                assert peer.recv(8) == b"response"


def test_containers_are_as_their_definitions_say(pacs: Archive) -> None:
    writer = pacs.inspect("writer")
    assert "TITLE=PACS" in writer["Config"]["Env"]
    assert "SECRET=hush" in writer["Config"]["Env"]
    assert writer["Config"]["Labels"]["secrets-version"] == "1"
    assert writer["Config"]["Entrypoint"] == ["sh", "-c"]
    host = writer["HostConfig"]
    assert host["ReadonlyRootfs"] is True
    assert host["CapDrop"] == ["ALL"]
    assert host["Memory"] == 32 << 20
    assert host["NetworkMode"].startswith("container:")
    assert (pacs.index.stat().st_uid, pacs.index.stat().st_mode & 0o777) == (1001, 0o750)


def test_logs_arrive_in_cloudwatch(pacs: Archive) -> None:
    assert pacs.task
    assert eventually(lambda: "user 1001 has hush" in pacs.log("writer"))


def test_a_stopped_task_ends_in_order_and_is_replaced(pacs: Archive) -> None:
    first = pacs.task["taskArn"]
    pacs.aws.client("ecs").stop_task(
        cluster=pacs.outputs["Cluster"], task=first, reason="to see what happens"
    )
    assert eventually(lambda: pacs.tasks() and pacs.task["taskArn"] != first)
    stopped = {task["taskArn"]: task for task in pacs.tasks("STOPPED")}[first]
    assert (stopped["lastStatus"], stopped["stoppedReason"]) == ("STOPPED", "to see what happens")
    codes = {each["name"]: each["exitCode"] for each in stopped["containers"]}
    assert codes["writer"] == 0
    assert "stopped" in pacs.log("writer")


def test_an_unhealthy_task_is_replaced(pacs: Archive) -> None:
    first = pacs.task["taskArn"]
    (pacs.index / "sick").touch()
    assert eventually(lambda: "failed container health checks" in pacs.messages)
    (pacs.index / "sick").unlink()
    assert eventually(lambda: pacs.tasks() and pacs.task["taskArn"] != first)


def test_a_changed_definition_stops_the_old_task_before_the_new_one_starts(pacs: Archive) -> None:
    first = pacs.task["taskArn"]
    changed = containers(pacs.image, cases.WRITER + "# changed\n")
    assert pacs.aws.update(pacs.stack, archive(changed)) == "UPDATE_COMPLETE"
    assert pacs.task["taskArn"] != first
    assert pacs.service["taskDefinition"] == pacs.outputs["Definition"]
    writers = (pacs.index / "log").read_text().split()
    assert writers == ["start", "stop"] * (len(writers) // 2) + ["start"]


def test_a_definition_that_does_not_work_is_rolled_back_with_the_reason(pacs: Archive) -> None:
    before = pacs.service["taskDefinition"]
    broken = containers(pacs.image, "echo no index; exit 64")
    assert pacs.aws.update(pacs.stack, archive(broken)) == "UPDATE_ROLLBACK_COMPLETE"
    (reason,) = [
        event["ResourceStatusReason"]
        for event in pacs.aws.events(pacs.stack)
        if event["ResourceStatus"] == "UPDATE_FAILED" and event["LogicalResourceId"] == "Service"
    ]
    assert "ECS Deployment Circuit Breaker was triggered" in reason
    assert "writer (exit status 64)" in reason
    assert pacs.service["taskDefinition"] == before
    assert pacs.task["taskDefinitionArn"] == before


def test_a_killed_server_starts_its_task_again_on_the_same_files(pacs: Archive) -> None:
    first, content = pacs.task["taskArn"], (pacs.index / "log").read_text()
    time.sleep(1.5)  # a snapshot is taken every second
    pacs.process.kill()
    pacs.process.start()
    assert pacs.task["taskArn"] != first
    assert eventually(lambda: pacs.ask(FRONT)).startswith(content)
    assert len(left_behind(pacs.process)["containers"].split()) == CONTAINERS


def ended(pacs: Archive, task: dict[str, Any]) -> dict[str, Any]:
    """A task, once it has ended."""

    def look() -> Any:
        (found,) = pacs.aws.client("ecs").describe_tasks(
            cluster=pacs.outputs["Cluster"], tasks=[task["taskArn"]]
        )["tasks"]
        return found if found["lastStatus"] == "STOPPED" else None

    return dict(eventually(look))


def run_once(pacs: Archive, container: dict[str, Any], **task: Any) -> dict[str, Any]:
    """Run a task of one container, registered without a word of Fargate, to its end."""
    ecs = pacs.aws.client("ecs")
    definition = ecs.register_task_definition(
        family="once",
        networkMode="awsvpc",
        containerDefinitions=[{"name": "only", "image": pacs.image, **container}],
        **task,
    )["taskDefinition"]["taskDefinitionArn"]
    cluster = pacs.outputs["Cluster"]
    (started,) = ecs.run_task(cluster=cluster, taskDefinition=definition)["tasks"]
    return ended(pacs, started)


@pytest.mark.parametrize(
    "container",
    [
        {"privileged": True},
        {"linuxParameters": {"devices": [{"hostPath": "/dev/null"}]}},
        {"linuxParameters": {"capabilities": {"add": ["SYS_ADMIN"]}}},
        {"dockerSecurityOptions": ["seccomp=unconfined"]},
    ],
    ids=str,
)
def test_a_task_that_wants_the_machine_does_not_start(
    pacs: Archive, container: dict[str, Any]
) -> None:
    found = run_once(pacs, {"command": ["true"], **container})
    assert found["stopCode"] == "TaskFailedToStart"
    assert "only Fargate is there to run tasks" in found["stoppedReason"]


@pytest.mark.parametrize("text", ['{"other": "hush"}', "hush", '["hush"]'], ids=str)
def test_a_task_whose_secret_lacks_its_key_does_not_start(pacs: Archive, text: str) -> None:
    manager, name = pacs.aws.client("secretsmanager"), f"secret-{uuid4().hex[:8]}"
    arn = manager.create_secret(Name=name, SecretString=text)["ARN"]
    secret = {"name": "SECRET", "valueFrom": f"{arn}:password::"}
    found = run_once(pacs, {"command": ["true"], "secrets": [secret]})
    assert found["stopCode"] == "TaskFailedToStart"
    assert "ResourceInitializationError" in found["stoppedReason"]
    assert "password" in found["stoppedReason"]
    assert "hush" not in found["stoppedReason"]


def test_a_link_in_a_file_system_does_not_lead_out_of_it(pacs: Archive) -> None:
    (pacs.index / "way-out").symlink_to("/etc")
    point = pacs.aws.client("efs").create_access_point(
        FileSystemId=pacs.outputs["Files"],
        RootDirectory={"Path": "/archive/index/way-out"},
    )["AccessPointId"]
    volume = {
        "fileSystemId": pacs.outputs["Files"],
        "authorizationConfig": {"accessPointId": point},
    }
    found = run_once(
        pacs,
        {
            "command": ["test", "-e", "/machine/shadow"],
            "mountPoints": [{"sourceVolume": "machine", "containerPath": "/machine"}],
        },
        volumes=[{"name": "machine", "efsVolumeConfiguration": volume}],
    )
    assert "symbolic link" in found["stoppedReason"]
    (pacs.index / "way-out").unlink()


def test_run_task_takes_overrides_and_tells_the_exit_status(pacs: Archive) -> None:
    ecs, cluster = pacs.aws.client("ecs"), pacs.outputs["Cluster"]
    family = ecs.register_task_definition(
        family="once",
        networkMode="awsvpc",
        containerDefinitions=[{"name": "only", "image": pacs.image, "command": ["true"]}],
    )["taskDefinition"]["taskDefinitionArn"]
    overrides = {"containerOverrides": [{"name": "only", "command": ["sh", "-c", "exit 3"]}]}
    (task,) = ecs.run_task(cluster=cluster, taskDefinition=family, overrides=overrides)["tasks"]
    found = ended(pacs, task)
    assert found["stopCode"] == "EssentialContainerExited"
    assert found["containers"][0]["exitCode"] == 3


def test_an_image_that_is_not_there_fails_the_stack_and_leaves_nothing(pacs: Archive) -> None:
    missing = pacs.image.partition("@")[0] + "@sha256:" + "0" * 64
    stack = pacs.aws.deploy(archive(containers(missing)))
    assert pacs.aws.status(stack) == "ROLLBACK_COMPLETE"
    reasons = " ".join(e.get("ResourceStatusReason", "") for e in pacs.aws.events(stack))
    assert "CannotPullContainerError" in reasons
    assert len(left_behind(pacs.process)["containers"].split()) == CONTAINERS


def test_nothing_is_left_behind(pacs: Archive) -> None:
    task = pacs.task
    assert all(left_behind(pacs.process).values())
    pacs.process.stop()
    assert not any(left_behind(pacs.process).values())
    pacs.process.start()
    assert pacs.task["taskArn"] != task["taskArn"]
    files = pacs.index
    assert pacs.aws.delete(pacs.stack) == "DELETE_COMPLETE"
    assert not files.exists()
    assert not left_behind(pacs.process)["containers"]
    assert not left_behind(pacs.process)["volumes"]


def test_what_a_killed_server_left_is_gone_after_a_reset(pacs: Archive) -> None:
    stack = pacs.aws.deploy(archive(containers(pacs.image)))
    assert pacs.aws.status(stack) == "CREATE_COMPLETE"
    pacs.process.kill()
    lifecycle.reach(lifecycle.Desired("reset", SOURCE), pacs.process.layout)
    assert left_behind(pacs.process)["containers"]
    pacs.process.start()
    assert eventually(lambda: not left_behind(pacs.process)["containers"])


def test_a_reset_ends_tasks_and_forgets_their_files(process: Process) -> None:
    pushed = push(process.aws, busybox.IMAGE)
    pacs = Archive(process, pushed, process.aws.deploy(archive(containers(pushed))))
    assert pacs.aws.status(pacs.stack) == "CREATE_COMPLETE"
    assert left_behind(pacs.process)["containers"]
    pacs.aws.key.send("POST", f"{pacs.aws.endpoint_url}/_ministack/reset")
    assert not left_behind(pacs.process)["containers"]
    assert not left_behind(pacs.process)["volumes"]
    assert not (pacs.process.layout.data / "efs").exists()


def test_without_an_engine_a_service_says_so(aws: EmbeddedAws) -> None:
    registry = "000000000000.dkr.ecr.us-east-1.amazonaws.com"
    stack = aws.deploy(archive(containers(f"{registry}/archive/busybox@sha256:{'0' * 64}")))
    assert aws.status(stack) == "CREATE_COMPLETE"
    cluster, service = aws.outputs(stack)["Cluster"], aws.outputs(stack)["Service"]

    def said() -> Any:
        ecs = aws.client("ecs")
        (found,) = ecs.describe_services(cluster=cluster, services=[service])["services"]
        return found if found["events"] else None

    found = eventually(said)
    assert found["runningCount"] == 0
    assert found["deployments"][0]["rolloutState"] == "IN_PROGRESS"
    (message,) = [event["message"] for event in found["events"]]
    assert "was unable to place a task: no container engine answers" in message
    (failure,) = aws.client("ecs").run_task(
        cluster=cluster, taskDefinition=aws.outputs(stack)["Definition"]
    )["failures"]
    assert "no container engine answers" in failure["detail"]
    assert aws.delete(stack) == "DELETE_COMPLETE"
