# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._ecr.api import (
    StoredImage,
    find_image,
    registry_login,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._errors import ModuleError
from ansible_collections.openpacs.dicoogle.plugins.module_utils._images.engine import Login
from ansible_collections.openpacs.dicoogle.plugins.module_utils._images.repository import (
    parse_repository,
)
from botocore.stub import Stubber

NGINX = parse_repository("nginx")
FOREIGN = parse_repository("210987654321.dkr.ecr.cn-north-1.amazonaws.com.cn/nginx")
DIGEST = "sha256:" + "a" * 64
PUSHED = datetime(2026, 11, 25, tzinfo=UTC)


def ecr(endpoint_url: str | None = None) -> Any:
    return boto3.client(
        "ecr",
        "cn-north-1",
        aws_access_key_id="a",
        aws_secret_access_key="b",
        endpoint_url=endpoint_url,
    )


def found(registry: str, *tags: str) -> dict[str, Any]:
    """One image for each tag."""
    image = {"registryId": registry, "repositoryName": "nginx", "imageDigest": DIGEST}
    return {
        "imageDetails": [{**image, "imagePushedAt": PUSHED, "imageTags": [tag]} for tag in tags]
    }


def listing(**more: str) -> dict[str, Any]:
    return {
        "repositoryName": "nginx",
        "filter": {"tagStatus": "TAGGED"},
        "maxResults": 1000,
        **more,
    }


def token(user_and_password: str) -> dict[str, Any]:
    encoded = base64.b64encode(user_and_password.encode()).decode()
    endpoint = "https://123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn"
    return {"authorizationData": [{"authorizationToken": encoded, "proxyEndpoint": endpoint}]}


def test_image_is_found_in_its_partition() -> None:
    client = ecr()
    with Stubber(client) as stub:
        stub.add_response("describe_images", found("123456789012", "t"), listing())
        uri = f"123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/nginx@{DIGEST}"
        assert find_image(client, NGINX, "t") == StoredImage(uri, DIGEST, 1, PUSHED)


def test_uri_names_the_registry_to_ask() -> None:
    client = ecr()
    with Stubber(client) as stub:
        expected = listing(registryId="210987654321")
        stub.add_response("describe_images", found("210987654321", "t"), expected)
        image = find_image(client, FOREIGN, "t")
    assert image
    assert image.uri == f"{FOREIGN.given}@{DIGEST}"


def test_the_newest_build_counts_and_other_tags_do_not() -> None:
    client = ecr()
    with Stubber(client) as stub:
        tags = ("t-9", "t", "t-10", "u-11", "tt", "t-x")
        stub.add_response("describe_images", found("123456789012", *tags), listing())
        stored = find_image(client, NGINX, "t")
    assert stored
    assert stored.build == 10


def test_missing_tag_is_none() -> None:
    client = ecr()
    with Stubber(client) as stub:
        stub.add_response("describe_images", found("123456789012", "u"), listing())
        assert find_image(client, NGINX, "t") is None


def test_missing_repository_is_refused_unless_it_may_miss() -> None:
    client = ecr()
    with Stubber(client) as stub:
        stub.add_client_error("describe_images", "RepositoryNotFoundException")
        stub.add_client_error("describe_images", "RepositoryNotFoundException")
        assert find_image(client, NGINX, "t", repository_may_miss=True) is None
        with pytest.raises(ModuleError, match=r"repository nginx.*Create the repository first\."):
            find_image(client, NGINX, "t")


def test_login_is_for_the_registry_of_the_account() -> None:
    client = ecr()
    with Stubber(client) as stub:
        stub.add_response("get_authorization_token", token("AWS:pass:word"), {})
        assert registry_login(client, NGINX) == Login(
            "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "AWS", "pass:word", plain_http=False
        )


@pytest.mark.parametrize("host", ["127.0.0.1:4566", "localhost:4566", "[::1]:4566"])
def test_registry_of_a_local_endpoint_is_on_its_port(host: str) -> None:
    client = ecr(f"http://{host}")
    with Stubber(client) as stub:
        stub.add_response("get_authorization_token", token("AWS:password"), {})
        assert registry_login(client, NGINX) == Login(host, "AWS", "password", plain_http=True)


def test_private_endpoint_of_the_service_is_not_the_registry() -> None:
    client = ecr("https://vpce-1.api.ecr.cn-north-1.vpce.amazonaws.com.cn")
    with Stubber(client) as stub:
        stub.add_response("get_authorization_token", token("AWS:password"), {})
        assert registry_login(client, NGINX).registry.startswith("123456789012.dkr.ecr.")


def test_password_is_not_in_the_representation() -> None:
    assert "s3cret" not in repr(Login("registry", "AWS", "s3cret", plain_http=False))
