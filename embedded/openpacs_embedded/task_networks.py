# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The network of tasks: one namespace each, and what load balancers lead into and out of it.

A listener of a load balancer is an open port at the load balancer's loopback address. Inside a
task, the names of its VPC's private zones lead to ports at the same addresses. A connection to one
ends at a target of the listener's target group: at a task, or at the loopback address of an
instance.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

from ministack.services import alb

from openpacs_embedded.forwarding import Connect, Forwarder, OpenPort, connect_to
from openpacs_embedded.loopback_names import Names, address
from openpacs_embedded.network_namespaces import Namespace

Address = tuple[str, int]


class TaskNetwork:
    """The namespace of one task and the address that it has in its subnet."""

    def __init__(self, pid: int, task_address: str, hosts: Path) -> None:
        """Enter the namespace of a process. Raises OSError."""
        self.address = task_address
        self.namespace = Namespace(pid)
        self.namespace.add_address(task_address)
        self._hosts = hosts

    def name(self, names: Names) -> None:
        """Let these names be found inside."""
        text = hosts_text(self.address, names)
        if self._hosts.read_text() != text:
            self._hosts.write_text(text)  # the same file: it is mounted into the containers


def hosts_text(task_address: str, names: Mapping[str, str]) -> str:
    """Return the content of /etc/hosts of a task."""
    own = {"localhost": "127.0.0.1", f"ip-{task_address.replace('.', '-')}": task_address}
    return "".join(f"{where}\t{name}\n" for name, where in (own | dict(names)).items())


class OpenPorts:
    """All ports that are open, outside and inside of tasks."""

    def __init__(self) -> None:
        """Open none."""
        self._forwarder = Forwarder()
        self._tasks: dict[str, TaskNetwork] = {}
        self._open: dict[tuple[str, Address], OpenPort] = {}  # by the task's address, '' outside

    def attach(self, network: TaskNetwork) -> None:
        """Let connections reach a task."""
        self._tasks[network.address] = network

    def detach(self, network: TaskNetwork) -> None:
        """Forget a task whose processes have ended."""
        if self._tasks.pop(network.address, None):
            self._close(key for key in list(self._open) if key[0] == network.address)
            network.namespace.close()

    def arrange(self, names: Mapping[str, Names]) -> dict[str, str]:
        """Open and close ports so that they are those of the listeners there are now.

        names: what each task may look up, by the task's address. Returns why ports could not be
        opened, by the ARN of the listener.
        """
        listeners = {_place(arn): arn for arn in _listeners()} if self._tasks else {}
        wanted = {("", place): arn for place, arn in listeners.items()}
        for task_address in self._tasks:
            known = set(names.get(task_address, {}).values())
            for place, arn in listeners.items():
                if place[0] in known:
                    wanted[task_address, place] = arn
        self._close(self._open.keys() - wanted.keys())
        return dict(self._open_all(wanted))

    def close(self) -> None:
        """Close all ports, and the connections through them."""
        self._close(list(self._open))

    def _open_all(self, wanted: Mapping[tuple[str, Address], str]) -> Iterator[tuple[str, str]]:
        for key in wanted.keys() - self._open.keys():
            inside, place = key
            network = self._tasks.get(inside)
            namespace = network.namespace if network else None
            try:
                self._open[key] = self._forwarder.open(place, self._to(wanted[key]), namespace)
            except OSError as error:
                yield wanted[key], f"{place[0]}:{place[1]} cannot be listened at: {error.strerror}"

    def _close(self, keys: Iterable[tuple[str, Address]]) -> None:
        for key in list(keys):
            self._open.pop(key).close()

    def _to(self, listener_arn: str) -> Connect:
        turns = count()

        async def connect() -> socket.socket:
            targets = _targets_of(listener_arn)
            if not targets:
                raise ConnectionRefusedError
            target = targets[next(turns) % len(targets)]
            if network := self._tasks.get(target["Id"]):
                return await connect_to((network.address, target["Port"]), network.namespace)
            return await connect_to((address(target["Id"]), target["Port"]), None)

        return connect


def _listeners() -> dict[str, dict[str, Any]]:
    return {listener["ListenerArn"]: listener for listener in list(alb._listeners._data.values())}


def _place(listener_arn: str) -> Address:
    listener = _listeners()[listener_arn]
    return address(listener["LoadBalancerArn"]), int(listener["Port"])


def _targets_of(listener_arn: str) -> list[dict[str, Any]]:
    actions = _listeners()[listener_arn]["DefaultActions"]
    groups = [action["TargetGroupArn"] for action in actions if "TargetGroupArn" in action]
    return [
        {"Id": target["Id"], "Port": int(target["Port"])}
        for key, targets in list(alb._targets._data.items())
        if key[-1] in groups
        for target in targets
    ]


def listeners_of(service: Mapping[str, Any]) -> set[str]:
    """Return the listeners that lead to a service."""
    groups = {balancer["targetGroupArn"] for balancer in service["loadBalancers"]}
    return {
        arn
        for arn, listener in _listeners().items()
        if groups & {action.get("TargetGroupArn") for action in listener["DefaultActions"]}
    }
