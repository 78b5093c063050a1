# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An environment that the playbooks deployed into an embedded AWS, whose ECS runs its task."""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from support.dicom_certificates import Holder
from support.playbook_runs import Account, Run
from support.ports import free_port
from support.programs import ghostunnel

ENVIRONMENT = "dataplane"
DOMAIN = f"{ENVIRONMENT}.internal"


@dataclass(frozen=True)
class Place:
    """Where a service of the environment is reached, and what its certificate holds."""

    host: str
    port: int
    server_name: str

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass
class Deployment:
    """The environment, with its embedded AWS in a folder; `variables` are those of site.yml."""

    folder: Path
    variables: dict[str, Any] = field(default_factory=dict)

    @property
    def account(self) -> Account:
        """The embedded AWS."""
        return Account(self.folder)

    def play(self, playbook: str, *, engine: bool = True, **variables: Any) -> Run:
        """Run a playbook, which must succeed, with a container engine or without."""
        given = {"dicoogle_environment": ENVIRONMENT, **self.variables, **variables}
        return replace(self.account, engine=engine).succeed(playbook, **given)

    def client(self, service: str) -> Any:
        """Return a boto3 client on the embedded AWS."""
        return self.account.client(service)

    @cached_property
    def outputs(self) -> dict[str, str]:
        """The outputs of the root stack."""
        (stack,) = self.client("cloudformation").describe_stacks(StackName=ENVIRONMENT)["Stacks"]
        return {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}

    @cached_property
    def addresses(self) -> dict[str, str]:
        """Where the names of this AWS are on this machine's loopback network."""
        return self.account.key.addresses(self.account.endpoint_url)

    @property
    def storage(self) -> Place:
        """The tunnel for C-STORE, as the hospital reaches it."""
        host, _unused, port = self.outputs["StorageEndpoint"].partition(":")
        return Place(self.addresses[host], int(port), f"storage-in.{DOMAIN}")

    @property
    def query(self) -> Place:
        """The tunnel for C-FIND and C-MOVE, as the hospital reaches it."""
        host, _unused, port = self.outputs["QueryEndpoint"].partition(":")
        return Place(self.addresses[host], int(port), f"query-in.{DOMAIN}")

    @property
    def web(self) -> Place:
        """The load balancer of the web page, which passes TLS on to nginx."""
        host = self.addresses[self.outputs["WebLoadBalancerDnsName"]]
        return Place(host, 443, f"nginx.{DOMAIN}")

    @property
    def management(self) -> Place:
        """The management entrance, as an administrator of the hospital reaches it."""
        host, _unused, _port = self.outputs["StorageEndpoint"].partition(":")
        return Place(self.addresses[host], int(self.outputs["ManagementPort"]), f"nginx.{DOMAIN}")

    @property
    def images(self) -> Path:
        """The folder of the images' access point, which this AWS keeps on this machine."""
        (folder,) = (self.folder / "data").glob("efs/*/images")
        return folder

    def log(self, words: str) -> str:
        """Return the lines of the task's log that hold these words."""
        pages = self.client("logs").get_paginator("filter_log_events")
        found = pages.paginate(
            logGroupName=self.outputs["LogGroupName"], filterPattern=f'"{words}"'
        )
        return "\n".join(event["message"] for page in found for event in page["events"])

    @property
    def storage_host(self) -> Place:
        """Where the storage host of the hospital is expected to listen."""
        host = self.addresses[self.outputs["StorageHostPrivateIp"]]
        return Place(host, int(self.outputs["StorageHostPort"]), f"storage.{DOMAIN}")

    @property
    def pki(self) -> Path:
        """The folder of the role pki."""
        return self.folder / ENVIRONMENT / "pki"

    @property
    def ca_bundle(self) -> Path:
        """The CA certificates that everybody trusts."""
        return self.pki / "ca-bundle.pem"

    def holder(self, name: str) -> Holder:
        """Return a holder of a certificate of the environment."""
        leaf = self.pki / "leaves" / name
        return Holder(f"{name}.{DOMAIN}", leaf / "certificate.pem", leaf / "private_key.pem")

    def task(self) -> dict[str, Any]:
        """Return the one task of the service."""
        ecs, cluster = self.client("ecs"), self.outputs["ClusterName"]
        arns = ecs.list_tasks(cluster=cluster, desiredStatus="RUNNING")["taskArns"]
        tasks = ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"] if arns else []
        assert len(tasks) <= 1, tasks
        return tasks[0] if tasks else {}

    def await_task(self, seconds: float = 120) -> None:
        """Return when the task is healthy."""
        deadline = time.monotonic() + seconds
        while self.task().get("healthStatus") != "HEALTHY":
            assert time.monotonic() < deadline, self.troubles()
            time.sleep(0.5)

    def troubles(self) -> str:
        """Say what the service and its task have to tell."""
        (service,) = self.client("ecs").describe_services(
            cluster=self.outputs["ClusterName"], services=[self.outputs["ServiceName"]]
        )["services"]
        events = [event["message"] for event in service["events"]]
        return json.dumps({"events": events, "task": self.task()}, indent=1, default=str)

    @contextlib.contextmanager
    def tunnel(self, mode: str, listen: str, target: str, name: str, *more: str) -> Iterator[None]:
        """Run a Ghostunnel with the certificate of a holder."""
        status = free_port()
        more = (*more, "--status", f"http://127.0.0.1:{status}")
        with subprocess.Popen(
            ghostunnel(mode, listen, target, self.holder(name), self.ca_bundle, *more),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            try:
                await_status(status, process)
                yield
            finally:
                process.terminate()

    @contextlib.contextmanager
    def client_tunnel(self, place: Place) -> Iterator[int]:
        """Give the plain port of a tunnel of the hospital's client to a service."""
        port = free_port()
        name = ("--override-server-name", place.server_name)
        with self.tunnel("client", f"127.0.0.1:{port}", str(place), "client", *name):
            yield port


def await_status(port: int, process: subprocess.Popen[Any]) -> None:
    """Return when a Ghostunnel serves its status page, and so its tunnel."""
    deadline = time.monotonic() + 15
    while True:
        assert process.poll() is None, f"{process.args} ended with {process.returncode}"
        assert time.monotonic() < deadline, f"{process.args} does not start"
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/_status").close()
            return
        time.sleep(0.05)
