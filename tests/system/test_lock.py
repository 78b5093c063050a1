# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One run at a time changes an environment, and a run that died keeps nobody out for ever."""

from __future__ import annotations

import json
import os
import time
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
from observed import calls
from support.playbook_runs import Account, Run

# Its S3 calls are those for the lock.
IMAGES = ("--tags", "images")
LOCKED = {"dicoogle_environment": "locked", "dicoogle_topology": "provider_only"}
TAKEN = ("PutObject", 200)
REFUSED = ("PutObject", 412)
RELEASED = ("DeleteObject", 204)


def of_the_lock(account: Account, since: int) -> list[tuple[str, int]]:
    """Return the calls that take and release locks, with their status."""
    return [
        (call["action"], call["status"])
        for call in calls(account)[since:]
        if (call["action"], call["status"]) in (TAKEN, REFUSED, RELEASED)
    ]


@pytest.fixture(scope="module")
def first_runs(
    account: Account, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[list[Run], list[tuple[str, int]]]]:
    """Two first runs at once, as on two machines: how they end, and their calls for the lock."""
    before = len(calls(account))
    folders = [str(tmp_path_factory.mktemp("machine")) for _machine in range(2)]
    started = [
        account.start("site", *IMAGES, **LOCKED, dicoogle_local_dir=folder) for folder in folders
    ]
    runs = []
    for process in started:
        output, _nothing = process.communicate()
        runs.append(Run(process.returncode != 0, output))
    yield runs, of_the_lock(account, before)
    account.succeed("destroy", **LOCKED)


@pytest.fixture
def bucket(account: Account, first_runs: t.Any) -> str:
    """The artifacts bucket of the environment."""
    (stack,) = account.client("cloudformation").describe_stacks(StackName="locked-bootstrap")[
        "Stacks"
    ]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
    return outputs["ArtifactsBucketName"]


def hold(account: Account, bucket: str, duration: int) -> None:
    """Take the lock as a run on another machine, so many seconds before it expires."""
    holder = {"run": "another", "user": "alice", "machine": "laptop"}
    process = {"process": os.getpid(), "process_space": "", "duration": duration}
    body = json.dumps({**holder, **process}).encode()
    account.client("s3").put_object(Bucket=bucket, Key="lock", Body=body)


def is_held(account: Account, bucket: str) -> bool:
    return "Contents" in account.client("s3").list_objects_v2(Bucket=bucket, Prefix="lock")


def test_two_first_runs_end_well_one_after_the_other(
    account: Account, first_runs: tuple[list[Run], list[tuple[str, int]]]
) -> None:
    runs, made = first_runs
    assert [run.output for run in runs if run.failed] == []
    assert [each for each in made if each != REFUSED] == [TAKEN, RELEASED, TAKEN, RELEASED]
    assert account.succeed("site", *IMAGES, **LOCKED).changed == 0


def test_a_run_waits_and_says_for_whom_and_what_to_do(account: Account, bucket: str) -> None:
    hold(account, bucket, duration=3600)
    process = account.start("site", *IMAGES, **LOCKED)
    said = []
    for line in process.stdout or []:
        said.append(line)
        if "waiting for the run of alice on laptop" in line:
            assert f"aws s3api delete-object --bucket {bucket} --key lock" in line
            account.client("s3").delete_object(Bucket=bucket, Key="lock")
    assert process.wait() == 0, "".join(said)
    assert "waiting for the run of alice on laptop" in "".join(said)


def test_a_plan_waits_for_nobody(account: Account, bucket: str) -> None:
    hold(account, bucket, duration=3600)
    before = len(calls(account))
    account.succeed("plan", *IMAGES, **LOCKED)
    assert of_the_lock(account, before) == []
    account.client("s3").delete_object(Bucket=bucket, Key="lock")


def test_a_lock_that_expired_is_taken_over(account: Account, bucket: str) -> None:
    hold(account, bucket, duration=-1)
    run = account.succeed("site", *IMAGES, **LOCKED)
    assert "The run of alice on laptop" in run.output
    assert not is_held(account, bucket)


def test_a_run_that_fails_lets_others_in(account: Account, bucket: str) -> None:
    before = len(calls(account))
    assert account.run("site", *IMAGES, **LOCKED, images_repositories={}).failed
    assert of_the_lock(account, before) == [TAKEN, RELEASED]


def test_a_run_that_is_killed_lets_others_of_its_machine_in_at_once(
    account: Account, bucket: str, tmp_path: Path
) -> None:
    before = len(calls(account))
    process = account.start("site", *IMAGES, **LOCKED)
    while TAKEN not in of_the_lock(account, before):
        assert process.poll() is None
        time.sleep(0.05)
    process.kill()
    process.communicate()
    assert is_held(account, bucket)
    run = account.succeed("site", *IMAGES, **LOCKED)
    assert f"in process {process.pid}, since" in run.output
    assert "has died" in run.output


def test_an_environment_that_is_being_changed_is_not_removed(account: Account, bucket: str) -> None:
    hold(account, bucket, duration=3600)
    gives_up = {**LOCKED, "prerequisites_lock_duration": 1}
    run = account.run("destroy", **gives_up)
    assert run.failed
    assert "It was held by alice on laptop" in run.output
    assert is_held(account, bucket)
    account.client("s3").delete_object(Bucket=bucket, Key="lock")
