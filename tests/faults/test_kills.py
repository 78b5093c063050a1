# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Wherever a run is killed, the next converges, and the account is as if nothing had happened.

FAULT_SEEDS says how many seeded points are tried; 20 are worth it after a change of the engine.
They kill deploy.yml, which is site in small; site itself is killed where most was ever left behind.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from support.playbook_runs import Account

SEEDS = range(int(os.environ.get("FAULT_SEEDS", "5")))
LONGEST_PAUSE = 1.0  # seconds between the call that a kill waits for and the kill
DEPLOY = Path(__file__).with_name("deploy.yml")
TAG = "openpacs:environment"


@dataclass(frozen=True)
class Point:
    """So many seconds after the nth call of an operation."""

    operation: str
    nth: int
    pause: float = 0


CREATION = ["PutObject", "CreateSecret", "CreateChangeSet", "ExecuteChangeSet", "DeleteObject"]
UPDATE = ["PutSecretValue", "GetTemplate", "CreateChangeSet", "ExecuteChangeSet", "DeleteObject"]


def seeded(seed: int, operations: list[str]) -> Point:
    """Return the point of a seed."""
    chance = random.Random(seed)
    return Point(chance.choice(operations), 1, chance.uniform(0, LONGEST_PAUSE))


def operations(account: Account) -> list[str]:
    """Return the operations that were called from outside so far."""
    lines = (account.folder / "data" / "access.log").read_text().splitlines()
    return [call["action"] for call in map(json.loads, lines) if not call["internal"]]


def kill_at(account: Account, point: Point, playbook: str, **variables: Any) -> None:
    """Run a playbook and kill it, with all its children, at a point."""
    before = len(operations(account))
    process = account.start(playbook, **variables)
    while operations(account)[before:].count(point.operation) < point.nth:
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.05)
    time.sleep(point.pause)
    for pid in family(process.pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.communicate()


def family(pid: int) -> set[int]:
    """Return a process and all its descendants."""
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has just ended
            parents[int(status.parent.name)] = int(status.read_text().rpartition(")")[2].split()[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def holdings(account: Account, environment: str) -> Counter[str]:
    """Return how much of each kind an account holds of an environment, in stacks and outside."""
    cloudformation = account.client("cloudformation")
    tagging = account.client("resourcegroupstaggingapi")
    own = [{"Key": TAG, "Values": [environment]}]
    found: Counter[str] = Counter()
    for page in tagging.get_paginator("get_resources").paginate(TagFilters=own):
        found.update(kind(each["ResourceARN"]) for each in page["ResourceTagMappingList"])
    for page in cloudformation.get_paginator("describe_stacks").paginate():
        for stack in page["Stacks"]:
            if stack["StackName"].startswith(environment):
                found.update(of_stack(cloudformation, stack))
    return found


def kind(arn: str) -> str:
    """Return what an ARN is of, without its name."""
    _arn, _partition, service, _region, _account, resource = arn.split(":", 5)
    named = resource.replace(":", "/").partition("/")
    return f"tagged {service} {named[0] if named[1] else ''}"


def of_stack(cloudformation: Any, stack: dict[str, Any]) -> Iterator[str]:
    """Yield what a stack is and holds, and the change sets that nobody has executed."""
    yield f"stack {stack['StackStatus'].removeprefix('UPDATE_').removeprefix('CREATE_')}"
    resources = cloudformation.get_paginator("list_stack_resources")
    for page in resources.paginate(StackName=stack["StackId"]):
        yield from (each["ResourceType"] for each in page["StackResourceSummaries"])
    summaries = cloudformation.list_change_sets(StackName=stack["StackId"])["Summaries"]
    waiting = [each for each in summaries if each["ExecutionStatus"] == "AVAILABLE"]
    yield from ("change set" for each in waiting)


def in_small(account: Account, name: str) -> tuple[Counter[str], list[str], list[str]]:
    """Return what an account holds of an environment that deploy.yml makes."""
    secrets = account.client("secretsmanager").list_secrets()["SecretList"]
    objects = account.client("s3").list_objects_v2(Bucket=name)["Contents"]
    return (
        holdings(account, name),
        [each["Name"] for each in secrets if each["Name"].startswith(f"{name}/")],
        sorted(each["Key"].rpartition("/")[2] for each in objects),
    )


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("days", [[7], [7, 14]], ids=["creation", "update"])
def test_a_killed_run_is_completed_by_the_next(
    account: Account, days: list[int], seed: int
) -> None:
    name = f"kill-{uuid4().hex[:6]}"
    account.client("s3").create_bucket(Bucket=name)
    for before in days[:-1]:
        account.succeed(str(DEPLOY), bucket=name, days=before)
    variables = {"bucket": name, "days": days[-1]}

    kill_at(account, seeded(seed, UPDATE if days[:-1] else CREATION), str(DEPLOY), **variables)

    account.succeed(str(DEPLOY), **variables)
    assert account.succeed(str(DEPLOY), **variables).changed == 0
    stacks = {"stack COMPLETE": 2, "AWS::CloudFormation::Stack": 1}
    resources = {"AWS::SNS::Topic": 1, "AWS::Logs::LogGroup": 1}
    assert in_small(account, name) == (
        Counter({**stacks, **resources}),
        [f"{name}/key"],
        ["logs.template", "root.template"],
    )


def test_a_site_that_is_killed_before_its_change_set_is_executed_leaves_nothing_behind(
    account: Account,
) -> None:
    calm = {"dicoogle_environment": "calm", "dicoogle_topology": "provider_only"}
    account.succeed("site", **calm)
    undisturbed = holdings(account, "calm")
    assert len(undisturbed) >= 27

    killed = {**calm, "dicoogle_environment": "killed"}
    kill_at(account, Point("CreateChangeSet", 2), "site", **killed)

    assert "has died. Its lock" in account.succeed("site", **killed).output
    assert account.succeed("site", **killed).changed == 0
    assert holdings(account, "killed") == undisturbed
