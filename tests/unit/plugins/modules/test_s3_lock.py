# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any

import boto3
import botocore.client
import pytest
from ansible_collections.openpacs.dicoogle.plugins.modules import s3_lock
from moto import mock_aws

AWS = {"region": "eu-west-1", "access_key": "testing", "secret_key": "testing"}

Run = Callable[..., dict[str, Any]]


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """S3 with a bucket, whose answers are dated as S3 does and moto does not."""
    make_call = botocore.client.BaseClient._make_api_call

    def dated(self: Any, operation: str, params: dict[str, Any]) -> Any:
        answer = make_call(self, operation, params)
        answer["ResponseMetadata"]["HTTPHeaders"]["date"] = formatdate(usegmt=True)
        return answer

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", dated)
    with mock_aws():
        client = boto3.client("s3", "eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
        here = {"LocationConstraint": "eu-west-1"}
        client.create_bucket(Bucket="artifacts", CreateBucketConfiguration=here)
        yield client


@pytest.fixture
def run(client: Any, run_module: Run) -> Run:
    def run(**options: Any) -> dict[str, Any]:
        return run_module(s3_lock, **{**AWS, "bucket": "artifacts", "key": "lock", **options})

    return run


def test_the_lock_says_who_holds_it(run: Run, client: Any) -> None:
    result = run(duration=60, process=4711)
    held = json.loads(client.get_object(Bucket="artifacts", Key="lock")["Body"].read())
    assert result["changed"] is True
    assert result["etag"] == client.head_object(Bucket="artifacts", Key="lock")["ETag"]
    assert (held["machine"], held["process"], held["duration"]) == (platform.node(), 4711, 60)


def test_check_mode_takes_nothing_and_waits_for_nobody(run: Run, client: Any) -> None:
    taken = run(duration=3600, process=os.getpid())
    assert run(duration=3600, check_mode=True)["etag"] == ""
    assert run(state="absent", etag=taken["etag"], check_mode=True)["changed"] is True
    assert client.head_object(Bucket="artifacts", Key="lock")["ETag"] == taken["etag"]


def test_a_released_lock_is_gone(run: Run, client: Any) -> None:
    taken = run(duration=60)
    assert run(state="absent", etag=taken["etag"])["changed"] is True
    assert "Contents" not in client.list_objects_v2(Bucket="artifacts")
    assert run(state="absent", etag=taken["etag"])["changed"] is False


def test_who_holds_the_lock_and_the_way_out_are_said_at_once_and_in_the_end(
    run: Run, tmp_path: Path
) -> None:
    run(duration=3600, process=os.getpid())
    progress = tmp_path / "progress"
    result = run(duration=0, process=1, progress_file=str(progress))
    here = f"on {platform.node()} in process {os.getpid()}, since "
    command = "aws s3api delete-object --bucket artifacts --key lock --region eu-west-1"
    for text in (result["msg"], progress.read_text()):
        assert here in text
        assert command in text
    assert result["failed"] is True
    assert result["msg"].startswith("Gave up waiting for the lock s3://artifacts/lock after 0 sec")


def test_the_lock_of_a_dead_run_is_taken_over_with_a_warning(run: Run) -> None:
    run(duration=-1, process=os.getpid())
    warnings = str(run(duration=60)["warnings"])  # their shape depends on ansible-core
    assert "has died. Its lock s3://artifacts/lock was taken over." in warnings


def test_a_bucket_that_is_gone_is_told_with_what_to_do(run: Run) -> None:
    message = run(bucket="gone", duration=60)["msg"]
    assert message.startswith("Failed to take the lock s3://gone/lock: ")
    assert "if another run has just removed it, run again." in message


@pytest.mark.parametrize("state", ["present", "absent"])
def test_what_a_state_needs_is_required(run: Run, state: str) -> None:
    needed = {"present": "duration", "absent": "etag"}[state]
    assert (
        f"state is {state} but all of the following are missing: {needed}"
        in (run(state=state)["msg"])
    )
