# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The calls to ECR. Private to this collection."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

with suppress(ImportError):  # AnsibleAWSModule reports a missing boto3
    from botocore.exceptions import ClientError

from .._aws import attempt, dns_suffix, error_code
from .._images.engine import Login
from .._images.image import build_of
from .._images.repository import Repository


@dataclass(frozen=True)
class StoredImage:
    """An image in ECR. uri: repository@digest; build: its number, from 1, among its content's."""

    uri: str
    digest: str
    build: int
    pushed_at: datetime


def find_image(
    client: Any, repository: Repository, content: str, repository_may_miss: bool = False
) -> StoredImage | None:
    """Return the newest build of the content, or None."""
    hints = {
        "RepositoryNotFoundException": "Create the repository first.",
        "AccessDeniedException": "Allow ecr:DescribeImages on the repository.",
    }
    with attempt(f"look up the tag {content} in the repository {repository.name}", hints):
        try:
            pages = client.get_paginator("describe_images").paginate(
                repositoryName=repository.name,
                filter={"tagStatus": "TAGGED"},
                PaginationConfig={"PageSize": 1000},
                **registry_id(repository),
            )
            details = [detail for page in pages for detail in page["imageDetails"]]
        except ClientError as error:
            if repository_may_miss and error_code(error) == "RepositoryNotFoundException":
                return None
            raise
    builds = _builds(client, content, details)
    return max(builds, key=lambda stored: stored.build, default=None)


def registry_login(client: Any, repository: Repository) -> Login:
    """Return a login to the repository's registry; its password is valid for twelve hours.

    An ECR on the loopback interface has its registry on the same port.
    """
    registry_ids = {"registryIds": [repository.account]} if repository.account else {}
    hints = {"AccessDeniedException": "Allow ecr:GetAuthorizationToken."}
    with attempt("get a token for the registry", hints):
        [data] = client.get_authorization_token(**registry_ids)["authorizationData"]
    username, password = base64.b64decode(data["authorizationToken"]).decode().split(":", 1)
    endpoint = urlsplit(client.meta.endpoint_url)
    if _is_loopback(endpoint.hostname or ""):
        return Login(endpoint.netloc, username, password, plain_http=True)
    return Login(urlsplit(data["proxyEndpoint"]).netloc, username, password, plain_http=False)


def _builds(client: Any, content: str, details: list[dict[str, Any]]) -> Iterator[StoredImage]:
    for detail in details:
        for tag in detail.get("imageTags", []):
            if build := build_of(content, tag):
                yield _stored(client, detail, build)


def _stored(client: Any, detail: dict[str, Any], build: int) -> StoredImage:
    suffix = dns_suffix(client.meta.partition)
    host = f"{detail['registryId']}.dkr.ecr.{client.meta.region_name}.{suffix}"
    digest = detail["imageDigest"]
    uri = f"{host}/{detail['repositoryName']}@{digest}"
    return StoredImage(uri, digest, build, detail["imagePushedAt"])


def registry_id(repository: Repository) -> dict[str, str]:
    """Return the argument of calls that says whose registry is meant."""
    return {"registryId": repository.account} if repository.account else {}


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost"
