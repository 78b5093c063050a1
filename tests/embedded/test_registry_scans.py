# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ECR tells what a scan has found: what the image's label says."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError
from harness import EmbeddedAws


def repository(aws: EmbeddedAws, scan_on_push: bool = True) -> str:
    name = f"scans-{uuid4().hex[:8]}"
    scanning = {"scanOnPush": scan_on_push}
    aws.client("ecr").create_repository(repositoryName=name, imageScanningConfiguration=scanning)
    return name


def push(aws: EmbeddedAws, name: str, labels: dict[str, str] | None = None) -> dict[str, str]:
    """Push an image without layers; its identifier."""
    registry = f"{aws.endpoint_url}/v2/{name}"
    configuration = json.dumps({"config": {"Labels": labels}}).encode()
    digest = f"sha256:{sha256(configuration).hexdigest()}"
    aws.key.send("POST", f"{registry}/blobs/uploads/?digest={digest}", configuration)
    manifest = {"schemaVersion": 2, "config": {"digest": digest}, "layers": []}
    aws.key.send("PUT", f"{registry}/manifests/t", json.dumps(manifest).encode())
    return {"imageTag": "t"}


def findings(aws: EmbeddedAws, name: str, image: dict[str, str]) -> dict[str, Any]:
    answer = aws.client("ecr").describe_image_scan_findings(repositoryName=name, imageId=image)
    assert answer["imageScanStatus"]["status"] == "COMPLETE"
    return dict(answer["imageScanFindings"])


def test_an_image_without_the_label_has_no_findings(aws: EmbeddedAws) -> None:
    name = repository(aws)
    assert findings(aws, name, push(aws, name))["findings"] == []


def test_the_label_names_the_findings(aws: EmbeddedAws) -> None:
    name = repository(aws)
    image = push(aws, name, {"org.openpacs.findings": "CVE-1:CRITICAL CVE-2:HIGH"})
    found = findings(aws, name, image)
    assert found["findings"] == [
        {"name": "CVE-1", "severity": "CRITICAL"},
        {"name": "CVE-2", "severity": "HIGH"},
    ]
    assert found["findingSeverityCounts"] == {"CRITICAL": 1, "HIGH": 1}


def test_without_scan_on_push_there_is_no_scan(aws: EmbeddedAws) -> None:
    name = repository(aws, scan_on_push=False)
    image = push(aws, name)
    with pytest.raises(ClientError, match="ScanNotFoundException"):
        findings(aws, name, image)


def test_what_is_not_there_is_said(aws: EmbeddedAws) -> None:
    name = repository(aws)
    with pytest.raises(ClientError, match="ImageNotFoundException"):
        findings(aws, name, {"imageTag": "other"})
    with pytest.raises(ClientError, match="RepositoryNotFoundException"):
        findings(aws, "nowhere", {"imageTag": "t"})
