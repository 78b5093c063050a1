# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import boto3
import botocore.client
import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._ecr import publish
from ansible_collections.openpacs.dicoogle.plugins.module_utils._ecr import scan as scan_module
from ansible_collections.openpacs.dicoogle.plugins.module_utils._errors import ModuleError
from ansible_collections.openpacs.dicoogle.plugins.module_utils._images.engine import Engine
from ansible_collections.openpacs.dicoogle.plugins.modules import ecr_image
from botocore.exceptions import ClientError
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
    client.start_image_scan(repositoryName=repository, imageId={"imageTag": tag})


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, client: Any) -> list[str]:
    """An engine that only remembers what it built and gives what it pushes to ECR."""
    built: list[str] = []
    found = Engine("docker", run_command=lambda *_: pytest.fail("ran a command"))
    monkeypatch.setattr(ecr_image, "find_engine", lambda run_command: found)
    monkeypatch.setattr(publish, "logged_in", lambda engine, login: nullcontext(engine))
    monkeypatch.setattr(
        publish,
        "build",
        lambda _, image, target, network, anew: built.append(target + " anew" * anew),
    )
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
        "waived": [],
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


def test_existing_images_cost_two_calls_each_and_touch_no_engine(
    run: Run, engine: list[str], calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = run()
    calls.clear()
    monkeypatch.setattr(
        ecr_image, "find_engine", lambda run_command: pytest.fail("looked for an engine")
    )
    result = run()
    assert sorted(calls) == [
        *("DescribeImageScanFindings", "DescribeImageScanFindings"),
        *("DescribeImages", "DescribeImages"),
    ]
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
    assert result["msg"].startswith(
        "Images must be built, but no container engine is available. first: ECR has no"
    )
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


class TestRebuild:
    @pytest.fixture
    def days_later(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
        """Let days go by for the module."""

        def later(days: int) -> None:
            class Later(datetime):
                @classmethod
                def now(cls, tz: Any = None) -> datetime:
                    return datetime.now(tz) + timedelta(days=days)

            monkeypatch.setattr(ecr_image, "datetime", Later)

        return later

    def test_within_the_days_nothing_is_built(
        self, run: Run, engine: list[str], days_later: Any
    ) -> None:
        run(rebuild_after_days=30)
        engine.clear()
        days_later(29)
        assert run(rebuild_after_days=30)["changed"] is False
        assert engine == []

    def test_after_them_each_image_is_built_once_under_a_tag_of_its_own(
        self, run: Run, engine: list[str], client: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = run()["images"]["first"]
        engine.clear()
        second = run(rebuild_after_days=0)["images"]["first"]
        assert second["tag"] == f"{first['tag']}-2"
        assert f"{REGISTRY}/one:{second['tag']} anew" in engine
        assert "days old" in second["reason"]
        again = run(rebuild_after_days=30)
        assert again["changed"] is False
        assert again["images"]["first"]["uri"] == second["uri"]

    def test_age_does_not_count_unless_asked(
        self, run: Run, engine: list[str], days_later: Any
    ) -> None:
        run()
        days_later(4000)
        assert run()["changed"] is False

    def test_check_mode_says_what_would_be_built(
        self, run: Run, engine: list[str], days_later: Any
    ) -> None:
        tag = run()["images"]["first"]["tag"]
        engine.clear()
        days_later(31)
        first = run(rebuild_after_days=30, check_mode=True)["images"]["first"]
        assert (first["uri"], first["digest"], first["pushed"]) == (f"one:{tag}-2", None, True)
        assert first["reason"] == "ECR has it, 31 days old."
        assert engine == []

    def test_without_engine_the_old_image_is_kept_only_where_that_is_allowed(
        self, run: Run, engine: list[str], days_later: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = run()["images"]["first"]
        days_later(31)
        monkeypatch.setattr(ecr_image, "find_engine", lambda run_command: None)
        assert "first: ECR has it, 31 days old." in run(rebuild_after_days=30)["msg"]
        kept = run(rebuild_after_days=30, without_engine="record")
        assert kept["changed"] is False
        assert kept["images"]["first"]["uri"] == before["uri"]

    def test_a_rebuild_that_another_run_has_pushed_is_as_good(
        self, run: Run, engine: list[str], client: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run()

        def lose(_unused: Any, image: Any, target: str) -> None:
            put_image(client, target)
            raise ModuleError("tag invalid: the image tag already exists and is immutable")

        monkeypatch.setattr(publish, "push", lose)
        assert run(rebuild_after_days=0)["images"]["first"]["tag"].endswith("-2")

    def test_a_failed_rebuild_is_not_mistaken_for_the_old_image(
        self, run: Run, engine: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run()

        def fail(_unused: Any, image: Any, target: str) -> None:
            raise ModuleError("connection reset")

        monkeypatch.setattr(publish, "push", fail)
        assert run(rebuild_after_days=0)["msg"] == "connection reset"


class TestScan:
    WAIVER: ClassVar = {"id": "CVE-1", "until": "2999-01-01", "reason": "unreachable"}

    @pytest.fixture
    def scan(self, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
        """Let ECR answer so about every image, one answer after the other, the last for good."""
        monkeypatch.setattr(scan_module.time, "sleep", lambda seconds: None)
        make_call = botocore.client.BaseClient._make_api_call

        def scan(*answers: dict[str, Any]) -> None:
            left: dict[str, list[dict[str, Any]]] = {}

            def answer(self: Any, operation: str, params: dict[str, Any]) -> Any:
                if operation != "DescribeImageScanFindings":
                    return make_call(self, operation, params)
                mine = left.setdefault(params["repositoryName"], list(answers))
                given = mine.pop(0) if len(mine) > 1 else mine[0]
                if not given:
                    code = {"Error": {"Code": "ScanNotFoundException", "Message": ""}}
                    raise ClientError(code, operation)
                return given

            monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", answer)

        return scan

    @staticmethod
    def basic(status: str, **findings: str) -> dict[str, Any]:
        named = [{"name": k.replace("_", "-"), "severity": v} for k, v in findings.items()]
        return {"imageScanStatus": {"status": status}, "imageScanFindings": {"findings": named}}

    @staticmethod
    def by_inspector(name: str, state: str) -> dict[str, Any]:
        finding = {
            "title": f"{name} - jetty-server",
            "severity": "CRITICAL",
            "status": state,
            "packageVulnerabilityDetails": {"vulnerabilityId": name},
        }
        return {
            "imageScanStatus": {"status": "ACTIVE"},
            "imageScanFindings": {"enhancedFindings": [finding]},
        }

    def test_a_critical_finding_stops_the_run_and_every_later_one(
        self, run: Run, engine: list[str], scan: Any
    ) -> None:
        scan(self.basic("COMPLETE", CVE_1="CRITICAL", CVE_2="HIGH"))
        for result in (run(), run(), run(check_mode=True)):
            assert result["failed"] is True
            assert "first has CVE-1; second has CVE-1." in result["msg"]
            assert "CVE-2" not in result["msg"]
            assert "rebuild_after_days=0" in result["msg"]
        assert len(engine) == 2

    def test_what_does_not_matter_so_much_does_not(
        self, run: Run, engine: list[str], scan: Any
    ) -> None:
        scan(self.basic("COMPLETE", CVE_1="HIGH"))
        assert run()["changed"] is True

    def test_the_scan_is_waited_for(self, run: Run, engine: list[str], scan: Any) -> None:
        scan(
            {},
            self.basic("PENDING"),
            self.basic("IN_PROGRESS"),
            self.basic("COMPLETE", C="CRITICAL"),
        )
        assert "first has C" in run()["msg"]

    def test_inspectors_findings_count_until_they_are_closed(
        self, run: Run, engine: list[str], scan: Any
    ) -> None:
        scan(self.by_inspector("CVE-3", "ACTIVE"))
        assert "first has CVE-3" in run()["msg"]
        scan(self.by_inspector("CVE-3", "CLOSED"))
        assert not run().get("failed")

    @pytest.mark.parametrize("status", ["FAILED", "UNSUPPORTED_IMAGE", "LIMIT_EXCEEDED"])
    def test_a_scan_that_finds_no_end_stops_the_run_by_its_state(
        self, run: Run, engine: list[str], scan: Any, status: str
    ) -> None:
        scan(self.basic(status))
        assert f"first has {status}" in run()["msg"]
        assert not run(waivers=[{**self.WAIVER, "id": status}]).get("failed")

    @pytest.mark.parametrize(
        ("answer", "state"), [({}, "SCAN_NOT_FOUND"), ("IN_PROGRESS", "IN_PROGRESS")]
    )
    def test_a_scan_is_not_waited_for_without_end(
        self,
        run: Run,
        engine: list[str],
        scan: Any,
        monkeypatch: pytest.MonkeyPatch,
        answer: Any,
        state: str,
    ) -> None:
        monkeypatch.setattr(scan_module, "START_SECONDS", 0)
        monkeypatch.setattr(scan_module, "SCAN_SECONDS", 0)
        scan(answer and self.basic(answer))
        assert f"first has {state}" in run()["msg"]

    def test_a_waived_finding_is_reported(self, run: Run, engine: list[str], scan: Any) -> None:
        scan(self.basic("COMPLETE", CVE_1="CRITICAL"))
        assert run(waivers=[self.WAIVER])["images"]["second"]["waived"] == ["CVE-1"]

    def test_a_waiver_holds_for_its_finding_only_and_until_its_day(
        self, run: Run, engine: list[str], scan: Any
    ) -> None:
        scan(self.basic("COMPLETE", CVE_1="CRITICAL"))
        today, yesterday = (datetime.now(UTC) - timedelta(days=n) for n in (0, 1))
        ended = run(waivers=[{**self.WAIVER, "until": f"{yesterday:%Y-%m-%d}"}])["msg"]
        assert f"first has CVE-1, whose waiver ended on {yesterday:%Y-%m-%d}" in ended
        assert not run(waivers=[{**self.WAIVER, "until": f"{today:%Y-%m-%d}"}]).get("failed")
        assert run(waivers=[{**self.WAIVER, "id": "CVE-11"}])["failed"] is True

    @pytest.mark.parametrize(
        ("bad", "reason"),
        [
            ({"until": "never"}, "ends on 'never'"),
            ({"until": "2026-02-30"}, "Give a day"),
            ({"reason": " "}, "has no reason"),
        ],
    )
    def test_a_waiver_without_a_day_or_a_reason_is_refused(
        self, run: Run, engine: list[str], bad: dict[str, str], reason: str
    ) -> None:
        assert reason in run(waivers=[{**self.WAIVER, **bad}])["msg"]
        assert engine == []
