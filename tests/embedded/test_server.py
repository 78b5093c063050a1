# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The process: its socket, its log, and what it still knows after an end of either kind."""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._embedded import lifecycle
from ansible_collections.openpacs.dicoogle.plugins.module_utils._embedded.layout import Layout
from harness import SOURCE, VENV, EmbeddedAws

QUEUE: dict[str, Any] = {"Type": "AWS::SQS::Queue"}
CRHELPER_LIKE = """
import http.client, json, urllib.parse

def handler(event, context):
    url = urllib.parse.urlsplit(event["ResponseURL"])
    connection = http.client.HTTPSConnection(url.netloc)
    body = json.dumps({
        "Status": "SUCCESS", "PhysicalResourceId": "mine", "Data": {"Said": "hello"},
        **{name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
    })
    connection.request("PUT", url.path, body)
    connection.getresponse().read()
"""


class Process:
    """An embedded AWS that a test may end as it likes."""

    def __init__(self, path: Path) -> None:
        """Start it for the first time."""
        self.layout = Layout(path=path, venv=VENV)
        self.start()

    def start(self) -> None:
        """Start it, again."""
        outcome = lifecycle.reach(lifecycle.Desired("started", SOURCE), self.layout)
        assert outcome.after.pid is not None
        assert outcome.after.port is not None
        self.pid, self.port = outcome.after.pid, outcome.after.port
        self.aws = EmbeddedAws(self.layout.path)

    def stop(self) -> None:
        """Let it end."""
        lifecycle.reach(lifecycle.Desired("stopped", SOURCE), self.layout)

    def kill(self) -> None:
        """End it in the middle of whatever it does."""
        os.kill(self.pid, signal.SIGKILL)
        while lifecycle.observe(self.layout, SOURCE).running:
            time.sleep(0.01)

    def snapshot(self) -> str:
        """Return which snapshot is current, '' before the first."""
        current = self.layout.data / "state" / "snapshots" / "current"
        return os.readlink(current) if current.is_symlink() else ""

    def wait_for_a_snapshot(self) -> None:
        """Wait until a snapshot has been taken of all that was done so far, and of a queue."""
        before, deadline = self.snapshot(), time.monotonic() + 10
        self.aws.client("sqs").create_queue(QueueName=f"saved-after-{before}")
        while self.snapshot() == before:
            assert time.monotonic() < deadline, "no snapshot was taken"
            time.sleep(0.05)


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    """An embedded AWS of the test's own."""
    process = Process(tmp_path)
    yield process
    process.stop()


def listening_sockets(pid: int) -> set[str]:
    """Return address:port, in the kernel's hexadecimal, of what a process listens on."""
    inodes = {os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()}
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes:
                found.add(fields[1])
    return found


def test_listens_on_one_port_of_the_loopback_interface(process: Process) -> None:
    assert listening_sockets(process.pid) == {f"0100007F:{process.port:04X}"}


def test_simultaneous_starts_end_with_one_server(tmp_path: Path) -> None:
    layout = Layout(path=tmp_path, venv=VENV)
    desired = lifecycle.Desired("started", SOURCE)
    with ThreadPoolExecutor() as runs:
        outcomes = list(runs.map(lambda _: lifecycle.reach(desired, layout), range(3)))
    lifecycle.reach(lifecycle.Desired("stopped", SOURCE), layout)
    assert len({outcome.after.pid for outcome in outcomes}) == 1
    assert sorted(outcome.actions for outcome in outcomes) == [(), (), ("start",)]


def test_stop_and_start_keep_stacks_objects_and_the_port(process: Process) -> None:
    aws, port = process.aws, process.port
    url = aws.upload({"Resources": {"Q": QUEUE}})
    nested = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": url}}
    name = aws.deploy({"Resources": {"C": nested}})
    resources, events = aws.resources(name), aws.events(name)
    process.stop()
    process.start()
    assert process.port == port
    assert process.aws.resources(name) == resources
    assert process.aws.events(name) == events
    changed = {"Resources": {"C": nested, "D": QUEUE}}
    assert process.aws.update(name, changed) == "UPDATE_COMPLETE"
    assert process.aws.delete(name) == "DELETE_COMPLETE"


def test_kill_loses_nothing_saved_even_in_the_middle_of_a_save(process: Process) -> None:
    name = process.aws.deploy({"Resources": {"Q": QUEUE}})
    process.wait_for_a_snapshot()
    process.kill()
    snapshots = process.layout.data / "state" / "snapshots"
    half = snapshots / str(int(process.snapshot()) + 1)
    half.mkdir()
    (half / "cloudformation.json").write_text('{"payload": {"stacks"')
    process.start()
    assert process.aws.status(name) == "CREATE_COMPLETE"
    process.aws.deploy({"Resources": {"Q": QUEUE}})
    process.wait_for_a_snapshot()
    assert json.loads((snapshots / "current" / "cloudformation.json").read_text())


def test_stops_although_a_stack_operation_never_ends(process: Process) -> None:
    handle = {"Type": "AWS::CloudFormation::WaitConditionHandle"}
    condition = {
        "Type": "AWS::CloudFormation::WaitCondition",
        "Properties": {"Handle": {"Ref": "H"}, "Timeout": "3600"},
    }
    name = process.aws.deploy({"Resources": {"Q": QUEUE}})
    process.wait_for_a_snapshot()
    process.aws.client("cloudformation").update_stack(
        StackName=name,
        TemplateBody=json.dumps({"Resources": {"Q": QUEUE, "H": handle, "W": condition}}),
    )
    assert process.aws.status(name) == "UPDATE_IN_PROGRESS"
    process.stop()
    process.start()
    assert process.aws.status(name) == "CREATE_COMPLETE"


def test_image_layers_are_kept_in_files_of_their_own(process: Process) -> None:
    content, repository = b"layer " * 1000, "kept/image"
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    ecr = process.aws.client("ecr")
    ecr.create_repository(repositoryName=repository)
    upload = f"{process.aws.endpoint_url}/v2/{repository}/blobs/uploads/?digest={digest}"
    process.aws.key.send("POST", upload, content)
    process.wait_for_a_snapshot()
    process.kill()
    process.start()
    layer = f"{process.aws.endpoint_url}/v2/{repository}/blobs/{digest}"
    assert process.aws.key.send("GET", layer) == content
    snapshot = process.layout.data / "state" / "snapshots" / "current" / "ecr.json"
    assert snapshot.stat().st_size < len(content)


def test_an_image_has_the_size_of_its_parts_and_goes_with_its_repository(process: Process) -> None:
    repository = "sized/image"
    process.aws.client("ecr").create_repository(repositoryName=repository)
    registry = f"{process.aws.endpoint_url}/v2/{repository}"
    parts = []
    for content in (b"configuration", b"layer " * 1000):
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        upload = f"{registry}/blobs/uploads/?digest={digest}"
        process.aws.key.send("POST", upload, content)
        parts.append({"digest": digest, "size": len(content)})
    manifest = json.dumps({"schemaVersion": 2, "config": parts[0], "layers": parts[1:]}).encode()
    process.aws.key.send("PUT", f"{registry}/manifests/1", manifest)
    describe = process.aws.client("ecr").describe_images
    (image,) = describe(repositoryName=repository)["imageDetails"]
    assert image["imageDigest"] == f"sha256:{hashlib.sha256(manifest).hexdigest()}"
    assert image["imageSizeInBytes"] == len(b"configuration") + 6000
    layers = process.layout.data / "state" / "layers"
    assert len(list(layers.iterdir())) == 2
    process.aws.client("ecr").delete_repository(repositoryName=repository, force=True)
    assert list(layers.iterdir()) == []


def test_reset_forgets_everything_and_goes_on(process: Process) -> None:
    process.aws.deploy({"Resources": {"Q": QUEUE}})
    outcome = lifecycle.reach(lifecycle.Desired("reset", SOURCE), process.layout)
    assert outcome.actions == ("stop", "clear", "start")
    assert outcome.after.port == process.port
    assert process.aws.client("cloudformation").describe_stacks()["Stacks"] == []
    assert process.aws.client("sqs").list_queues().get("QueueUrls", []) == []


def test_services_reset_call_forgets_the_snapshots_too(process: Process) -> None:
    name = process.aws.deploy({"Resources": {"Q": QUEUE}})
    process.wait_for_a_snapshot()
    process.aws.key.send("POST", f"{process.aws.endpoint_url}/_ministack/reset")
    process.kill()
    process.start()
    describe = process.aws.client("cloudformation").describe_stacks
    assert "does not exist" in process.aws.refusal(describe, StackName=name)


def entries(aws: EmbeddedAws, marker: str) -> list[dict[str, Any]]:
    """Return what the access log says about the calls with a marker in their user agent."""
    lines = [json.loads(line) for line in aws.access_log.read_text().splitlines()]
    return [line for line in lines if marker in line["user_agent"]]


def test_access_log_names_each_call(aws: EmbeddedAws) -> None:
    from botocore.config import Config

    config = Config(user_agent_extra="marker-of-this-test", s3={"addressing_style": "path"})

    def client(service: str) -> Any:
        return aws.key.session.client(service, endpoint_url=aws.endpoint_url, config=config)

    s3 = client("s3")
    s3.create_bucket(Bucket="logged")
    s3.put_object(Bucket="logged", Key="a/b", Body=b"x")
    s3.list_objects_v2(Bucket="logged")
    s3.put_bucket_versioning(Bucket="logged", VersioningConfiguration={"Status": "Enabled"})
    client("sts").get_caller_identity()
    client("ecr").describe_repositories()
    client("efs").describe_file_systems()
    client("route53").list_hosted_zones_by_name()
    aws.refusal(client("cloudformation").describe_stacks, StackName="nobody")
    logged = entries(aws, "marker-of-this-test")
    assert [(e["service"], e["action"], e["status"]) for e in logged] == [
        ("s3", "CreateBucket", 200),
        ("s3", "PutObject", 200),
        ("s3", "ListObjectsV2", 200),
        ("s3", "PutBucketVersioning", 200),
        ("sts", "GetCallerIdentity", 200),
        ("ecr", "DescribeRepositories", 200),
        ("elasticfilesystem", "DescribeFileSystems", 200),
        ("route53", "ListHostedZonesByName", 200),
        ("cloudformation", "DescribeStacks", 400),
    ]
    assert {e["caller"] for e in logged} == {aws.key.identity}
    assert not any(e["internal"] for e in logged)
    assert all(0 <= e["duration"] < 5 and e["time"] > 0 for e in logged)


def test_custom_resource_that_insists_on_https_can_answer(aws: EmbeddedAws) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as package:
        package.writestr("index.py", CRHELPER_LIKE)
    role = "arn:aws:iam::000000000000:role/any"
    function = aws.client("lambda").create_function(
        FunctionName="answers",
        Runtime="python3.13",
        Role=role,
        Handler="index.handler",
        Code={"ZipFile": archive.getvalue()},
    )["FunctionArn"]
    custom = {"Type": "Custom::Answer", "Properties": {"ServiceToken": function}}
    template = {
        "Resources": {"A": custom},
        "Outputs": {"Said": {"Value": {"Fn::GetAtt": ["A", "Said"]}}},
    }
    started = time.time()
    name = aws.deploy(template)
    assert aws.outputs(name) == {"Said": "hello"}
    lines = [json.loads(line) for line in aws.access_log.read_text().splitlines()]
    answers = [e for e in lines if e["method"] == "PUT" and e["time"] >= started]
    assert [e["internal"] for e in answers] == [True]
    assert aws.delete(name) == "DELETE_COMPLETE"
