# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Scans of images in ECR, which are complete as soon as an image is pushed.

What is found is what the image says of itself, so that tests can make images with findings: the
label `org.openpacs.findings` holds names and severities, such as "CVE-1:CRITICAL CVE-2:HIGH".
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from ministack import app
from ministack.core.responses import error_response_json, json_response
from ministack.services import ecr

from openpacs_embedded.patching import replace_entry

LABEL = "org.openpacs.findings"

Answer = tuple[int, dict[str, str], Any]
Handler = Callable[..., Awaitable[Answer]]


async def handle_request(
    original: Handler, method: str, path: str, headers: dict[str, str], body: bytes, query: Any
) -> Answer:
    """Answer DescribeImageScanFindings; leave everything else to MiniStack."""
    if headers.get("x-amz-target", "").endswith(".DescribeImageScanFindings"):
        return describe_image_scan_findings(json.loads(body))
    return await original(method, path, headers, body, query)


def describe_image_scan_findings(data: dict[str, Any]) -> Answer:
    """DescribeImageScanFindings for images whose repository scans on push."""
    name, wanted = data["repositoryName"], data["imageId"]
    repository = ecr._repositories.get(name)
    if repository is None:
        reason = f"The repository with name '{name}' does not exist"
        return error_response_json("RepositoryNotFoundException", reason, 400)
    image = ecr._find_image(name, wanted)
    if image is None:
        return error_response_json("ImageNotFoundException", f"No image {wanted} in {name}", 400)
    if not repository["imageScanningConfiguration"]["scanOnPush"]:
        reason = f"Image scan does not exist for the image with {wanted} in the repository {name}"
        return error_response_json("ScanNotFoundException", reason, 400)
    findings = findings_of(name, image["imageManifest"])
    pushed_at = image["imagePushedAt"]
    return json_response(
        {
            "registryId": image["registryId"],
            "repositoryName": name,
            "imageId": {"imageDigest": image["imageDigest"], **wanted},
            "imageScanStatus": {"status": "COMPLETE", "description": "The scan was completed."},
            "imageScanFindings": {
                "imageScanCompletedAt": pushed_at,
                "vulnerabilitySourceUpdatedAt": pushed_at,
                "findings": findings,
                "findingSeverityCounts": Counter(each["severity"] for each in findings),
            },
        }
    )


def findings_of(repository: str, manifest: str) -> list[dict[str, str]]:
    """Return the findings that the label of an image names."""
    digest = json.loads(manifest).get("config", {}).get("digest")
    blobs = ecr._layer_blobs.get(repository) or {}
    if digest not in blobs:
        return []
    labels = json.loads(bytes(blobs[digest])).get("config", {}).get("Labels") or {}
    named = (each.rpartition(":") for each in labels.get(LABEL, "").split())
    return [{"name": name, "severity": severity} for name, _colon, severity in named]


def install() -> None:
    """Let ECR tell of scans."""
    replace_entry(app.SERVICE_HANDLERS, "ecr", handle_request)
