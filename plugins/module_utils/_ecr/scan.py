# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What ECR's scan has found in an image, and what of it is accepted. Private to this collection."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

with suppress(ImportError):  # AnsibleAWSModule reports a missing boto3
    from botocore.exceptions import ClientError

from .._aws import attempt, error_code
from .._errors import ModuleError
from .._images.repository import Repository
from .api import StoredImage, registry_id

SCAN_SECONDS = 900  # a scan takes about a minute
START_SECONDS = 60  # after the push, until ECR knows of the scan
POLL_SECONDS = 5
FINISHED = ("COMPLETE", "ACTIVE")
UNDER_WAY = ("IN_PROGRESS", "PENDING")
NO_SCAN = "SCAN_NOT_FOUND"


@dataclass(frozen=True)
class Waiver:
    """A finding that is accepted, up to and including a day."""

    name: str
    until: date


def read_waivers(params: Iterable[Mapping[str, str]]) -> list[Waiver]:
    """Return the waivers that a module's parameters describe. Raises ModuleError for a bad one."""
    return [_read_waiver(each) for each in params]


def blocking_findings(client: Any, repository: Repository, stored: StoredImage) -> list[str]:
    """Return the names of an image's critical findings, once it is scanned.

    Of a scan that came to no end, its state stands in their place.
    """
    deadline = time.monotonic() + SCAN_SECONDS
    status, findings = _scan(client, repository, stored)
    while _may_change(status, stored) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        status, findings = _scan(client, repository, stored)
    return sorted(set(findings)) if status in FINISHED else [status]


def refuse(found: Mapping[str, Sequence[str]], waivers: Sequence[Waiver], today: date) -> None:
    """Raise ModuleError when an image has a finding that no waiver accepts today.

    found: the names of findings, by that of the image.
    """
    ends = {waiver.name: waiver.until for waiver in waivers}
    refused = [
        f"{image} has {name}" + (f", whose waiver ended on {ends[name]}" if name in ends else "")
        for image, names in found.items()
        for name in names
        if ends.get(name, date.min) < today
    ]
    if refused:
        raise ModuleError(
            f"ECR's scan stops the run: {'; '.join(refused)}. CVEs are critical ones. For what an "
            "update mends, give a newer base, or build again by rebuild_after_days=0. What you "
            "accept, name in waivers, with the reason and the last day that it holds."
        )


def _read_waiver(params: Mapping[str, str]) -> Waiver:
    name = params["id"]
    if not params["reason"].strip():
        raise ModuleError(f"The waiver of {name} has no reason. Say in reason why you accept it.")
    try:
        return Waiver(name, date.fromisoformat(params["until"]))
    except ValueError as error:
        raise ModuleError(
            f"The waiver of {name} ends on '{params['until']}'. Give a day as until, such as "
            "2027-01-31."
        ) from error


def _may_change(status: str, stored: StoredImage) -> bool:
    if status == NO_SCAN:
        return (datetime.now(UTC) - stored.pushed_at).total_seconds() < START_SECONDS
    return status in UNDER_WAY


def _scan(client: Any, repository: Repository, stored: StoredImage) -> tuple[str, list[str]]:
    """Return the state of an image's scan, and the names of its critical findings so far."""
    hints = {
        "AccessDeniedException": "Allow ecr:DescribeImageScanFindings and, where Amazon Inspector "
        "scans, inspector2:ListCoverage and inspector2:ListFindings.",
    }
    status, names = NO_SCAN, []
    with attempt(f"read the scan of an image in the repository {repository.name}", hints):
        try:
            for page in client.get_paginator("describe_image_scan_findings").paginate(
                repositoryName=repository.name,
                imageId={"imageDigest": stored.digest},
                PaginationConfig={"PageSize": 1000},
                **registry_id(repository),
            ):
                status = page["imageScanStatus"]["status"]
                names += _critical(page.get("imageScanFindings", {}))
        except ClientError as error:
            if error_code(error) != "ScanNotFoundException":
                raise
    return status, names


def _critical(findings: Mapping[str, Any]) -> list[str]:
    basic = [each["name"] for each in findings.get("findings", []) if _is_critical(each)]
    by_inspector = [
        each.get("packageVulnerabilityDetails", {}).get("vulnerabilityId") or each["title"]
        for each in findings.get("enhancedFindings", [])
        if _is_critical(each) and each.get("status") != "CLOSED"
    ]
    return basic + by_inspector


def _is_critical(finding: Mapping[str, Any]) -> bool:
    return bool(finding.get("severity") == "CRITICAL")
