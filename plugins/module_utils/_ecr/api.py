# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The calls to ECR. Private to this collection."""

from __future__ import annotations

import base64
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

with suppress(ImportError):  # AnsibleAWSModule reports a missing boto3
    from botocore.exceptions import ClientError

from ansible_collections.openpacs.dicoogle.plugins.module_utils._aws import (
    attempt,
    dns_suffix,
    error_code,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._ecr.image import Repository


@dataclass(frozen=True)
class StoredImage:
    """An image in ECR. uri: repository@digest."""

    uri: str
    digest: str


@dataclass(frozen=True)
class Login:
    """How to log in to a registry.

    registry: host, with the port where it is not 443.
    plain_http: a registry on the loopback interface, without TLS.
    """

    registry: str
    username: str
    password: str = field(repr=False)
    plain_http: bool


def find_image(
    client: Any, repository: Repository, tag: str, repository_may_miss: bool = False
) -> StoredImage | None:
    """Return the image that has the tag, or None."""
    absent = {"ImageNotFoundException"}
    if repository_may_miss:
        absent.add("RepositoryNotFoundException")
    hints = {
        "RepositoryNotFoundException": "Create the repository first.",
        "AccessDeniedException": "Allow ecr:DescribeImages on the repository.",
    }
    with attempt(f"look up the tag {tag} in the repository {repository.name}", hints):
        try:
            details = client.describe_images(
                repositoryName=repository.name,
                imageIds=[{"imageTag": tag}],
                **_registry_id(repository),
            )["imageDetails"]
        except ClientError as error:
            if error_code(error) in absent:
                return None
            raise
    return _stored(client, details[0]) if details else None


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


def _stored(client: Any, detail: dict[str, Any]) -> StoredImage:
    suffix = dns_suffix(client.meta.partition)
    host = f"{detail['registryId']}.dkr.ecr.{client.meta.region_name}.{suffix}"
    digest = detail["imageDigest"]
    return StoredImage(f"{host}/{detail['repositoryName']}@{digest}", digest)


def _registry_id(repository: Repository) -> dict[str, str]:
    return {"registryId": repository.account} if repository.account else {}


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost"
