# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import boto3
import botocore.client
import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._aws import ModuleError
from ansible_collections.openpacs.dicoogle.plugins.module_utils._ecr import publish
from ansible_collections.openpacs.dicoogle.plugins.module_utils._ecr.engine import Engine
from ansible_collections.openpacs.dicoogle.plugins.modules import ecr_image
from moto import mock_aws

AWS = {"region": "eu-west-1", "access_key": "testing", "secret_key": "testing"}
REGISTRY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"

Run = Callable[..., dict[str, Any]]


@pytest.fixture
def client() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("ecr", "eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
        client.create_repository(repositoryName="one", imageTagMutability="IMMUTABLE")
        client.create_repository(repositoryName="two", imageTagMutability="IMMUTABLE")
        yield client


@pytest.fixture
def run(run_module: Run, client: Any, tmp_path: Path) -> Run:
    """Run the module on two images; the second one's repository is given by its URI."""
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")

    def run(**options: Any) -> dict[str, Any]:
        images = [
            {"name": "first", "repository": "one", "context": str(tmp_path)},
            {"name": "second", "repository": f"{REGISTRY}/two", "context": str(tmp_path)},
        ]
        return run_module(ecr_image, **{**AWS, "images": images, **options})

    return run


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The operations called by the module."""
    names: list[str] = []
    make_call = botocore.client.BaseClient._make_api_call

    def note(self: Any, operation: str, params: dict[str, Any]) -> Any:
        names.append(operation)
        return make_call(self, operation, params)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", note)
    return names


def put_image(client: Any, target: str) -> None:
    """Do what the registry does at the end of a push."""
    repository, _unused, tag = target.removeprefix(f"{REGISTRY}/").partition(":")
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {"digest": f"sha256:{repository}{tag}"},
        "layers": [],
    }
    client.put_image(repositoryName=repository, imageTag=tag, imageManifest=json.dumps(manifest))


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, client: Any) -> list[str]:
    """An engine that only remembers what it built and gives what it pushes to ECR."""
    built: list[str] = []
    found = Engine("docker", run_command=lambda *_: pytest.fail("ran a command"))
    monkeypatch.setattr(ecr_image, "find_engine", lambda run_command: found)
    monkeypatch.setattr(publish, "logged_in", lambda engine, login: nullcontext(engine))
    monkeypatch.setattr(publish, "build", lambda _, image, target, network: built.append(target))
    monkeypatch.setattr(publish, "push", lambda _, image, target: put_image(client, target))
    return built


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ecr_image, "find_engine", lambda run_command: None)


def test_check_mode_says_what_would_be_built_and_why(run: Run, engine: list[str]) -> None:
    result = run(check_mode=True)
    first = result["images"]["first"]
    assert result["changed"] is True
    assert engine == []
    assert first == {
        "uri": f"one:{first['tag']}",
        "tag": first["tag"],
        "digest": None,
        "pushed": True,
        "reason": "ECR has no image of this content.",
    }


def test_pushed_image_is_returned_as_the_registry_shows_it(
    run: Run, engine: list[str], client: Any
) -> None:
    result = run()
    second = result["images"]["second"]
    [shown] = client.describe_images(repositoryName="two")["imageDetails"]
    assert shown["imageTags"] == [second["tag"]]
    assert second["uri"] == f"{REGISTRY}/two@{shown['imageDigest']}"
    assert second["pushed"] is True
    assert sorted(engine) == [f"{REGISTRY}/{name}:{second['tag']}" for name in ("one", "two")]


def test_existing_images_cost_one_call_each_and_touch_no_engine(
    run: Run, engine: list[str], calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = run()
    calls.clear()
    monkeypatch.setattr(
        ecr_image, "find_engine", lambda run_command: pytest.fail("looked for an engine")
    )
    result = run()
    assert calls == ["DescribeImages", "DescribeImages"]
    assert result["changed"] is False
    assert {i["uri"] for i in result["images"].values()} == {
        i["uri"] for i in before["images"].values()
    }


def test_only_the_missing_image_is_built(run: Run, engine: list[str], client: Any) -> None:
    tag = run()["images"]["first"]["tag"]
    client.batch_delete_image(repositoryName="two", imageIds=[{"imageTag": tag}])
    engine.clear()
    result = run()
    assert engine == [f"{REGISTRY}/two:{tag}"]
    assert [result["images"][name]["pushed"] for name in ("first", "second")] == [False, True]


def test_push_of_the_same_tag_by_another_run_is_success(
    run: Run, engine: list[str], client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(_unused: Any, image: Any, target: str) -> None:
        put_image(client, target)
        raise ModuleError("tag invalid: the image tag already exists and is immutable")

    monkeypatch.setattr(publish, "push", lose)
    assert run()["images"]["first"]["digest"].startswith("sha256:")


def test_failed_push_fails_and_is_repeated_by_the_next_run(
    run: Run, engine: list[str], client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_second(_unused: Any, image: Any, target: str) -> None:
        if image.name == "second":
            raise ModuleError("Failed to push the image second: connection reset")
        put_image(client, target)

    with monkeypatch.context() as patch:
        patch.setattr(publish, "push", fail_second)
        assert run()["msg"] == "Failed to push the image second: connection reset"
    result = run()
    assert [result["images"][name]["pushed"] for name in ("first", "second")] == [False, True]


def test_without_engine_the_run_fails_with_what_to_do(run: Run, no_engine: None) -> None:
    result = run()
    assert result["failed"] is True
    assert result["msg"].startswith("The images first, second have to be built, but cannot be.")
    assert "Install one" in result["msg"]


def test_without_engine_check_mode_warns(run: Run, no_engine: None) -> None:
    result = run(check_mode=True)
    assert result["changed"] is True
    assert "cannot be built" in str(result["warnings"])


@pytest.mark.parametrize("check_mode", [True, False])
def test_without_engine_what_would_be_pushed_is_recorded(
    run: Run, no_engine: None, check_mode: bool
) -> None:
    result = run(without_engine="record", check_mode=check_mode)
    second = result["images"]["second"]
    assert result["changed"] is False
    assert second["pushed"] is False
    assert second["uri"] == f"{REGISTRY}/two:{second['tag']}"
    assert "Neither docker nor podman answers." in second["reason"]


def test_missing_repository_is_planned_but_not_built_for(
    run: Run, engine: list[str], client: Any
) -> None:
    client.delete_repository(repositoryName="one")
    assert run(check_mode=True)["images"]["first"]["pushed"] is True
    assert run()["msg"].endswith("Create the repository first.")
    assert engine == []


def test_two_images_of_one_name_are_refused(run: Run, tmp_path: Path) -> None:
    image = {"name": "same", "repository": "one", "context": str(tmp_path)}
    assert run(images=[image, image])["msg"].startswith("Two images have the same name.")
