# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from ansible_collections.openpacs.dicoogle.plugins.modules import cloudformation_package
from moto import mock_aws

CHINA = {"region": "cn-north-1", "access_key": "testing", "secret_key": "testing"}

Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(run_module: Run, tmp_path: Path) -> Iterator[Run]:
    """Run the module on a root template without references and the bucket `artifacts`."""
    (tmp_path / "root.yaml").write_text("Resources: {}\n")
    with mock_aws():
        boto3.client(
            "s3", "cn-north-1", aws_access_key_id="a", aws_secret_access_key="b"
        ).create_bucket(
            Bucket="artifacts", CreateBucketConfiguration={"LocationConstraint": "cn-north-1"}
        )

        def run(**options: Any) -> dict[str, Any]:
            template = tmp_path / "root.yaml"
            return run_module(
                cloudformation_package, template=template.as_posix(), **{**CHINA, **options}
            )

        yield run


def test_check_mode_says_what_the_run_then_does_once(run: Run, tmp_path: Path) -> None:
    would = run(bucket="artifacts", check_mode=True)
    did = run(bucket="artifacts")
    again = run(bucket="artifacts")
    [key] = [item["key"] for item in did["objects"]]
    source = str(tmp_path / "root.yaml")
    assert would["changed"] is True
    assert would["objects"] == did["objects"] == [{"key": key, "source": source, "uploaded": True}]
    assert did["diff"] == {"before": "", "after": f"{key}\n"}
    assert again["changed"] is False
    assert again["objects"] == [{"key": key, "source": source, "uploaded": False}]
    assert again["template_url"] == did["template_url"] == would["template_url"]


def test_url_is_the_one_of_the_partition(run: Run) -> None:
    result = run(bucket="artifacts", prefix="x")
    assert result["template_url"] == (
        f"https://artifacts.s3.cn-north-1.amazonaws.com.cn/x/{result['digest']}/root.yaml"
    )
    assert result["template_body"] == "Resources: {}\n"


def test_check_mode_uploads_nothing(run: Run) -> None:
    run(bucket="artifacts", check_mode=True)
    assert run(bucket="artifacts")["changed"] is True


def test_missing_bucket_is_a_sentence(run: Run) -> None:
    result = run(bucket="nowhere")
    assert result["failed"] is True
    assert result["msg"].endswith("Create the bucket first.")


def test_missing_region_is_a_sentence(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    result = run(bucket="artifacts", region=None)
    assert result["msg"] == "No region is known. Set the option region, or AWS_REGION."
