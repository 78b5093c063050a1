# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""TemplateURL in every form in which S3 can be addressed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from ministack.services.cloudformation import helpers

from openpacs_embedded.patching import replace

AWS = r"amazonaws\.com(?:\.cn)?"
LOCAL = r"(?:127\.0\.0\.1|localhost|(?:s3\.)?localhost\.localstack\.cloud)"
S3 = rf"s3(?:[.-](?:dualstack\.)?[a-z0-9-]+)?\.(?:{AWS}|{LOCAL})"
PATH_STYLE = re.compile(rf"(?:{S3}|{LOCAL})")
VIRTUAL_HOSTED = re.compile(rf"(?P<bucket>[a-z0-9][a-z0-9.-]+)\.{S3}")


def resolve_document(
    original: Callable[..., Any], params: dict[str, Any], body_key: str, url_key: str, label: str
) -> Any:
    """Read a document from the request or from S3; refuse URLs that are not S3's, as AWS does."""
    url = helpers._p(params, url_key)
    if not url or helpers._p(params, body_key):
        return original(params, body_key, url_key, label)
    location = bucket_and_key(url)
    if location is None:
        return None, helpers._error("ValidationError", f"{url_key} must be a supported URL.")
    bucket, key = location
    path_style = f"https://s3.amazonaws.com/{bucket}/{key}"
    return original({**params, url_key: [path_style]}, body_key, url_key, label)


def bucket_and_key(url: str) -> tuple[str, str] | None:
    """Return what an http or https URL addresses in S3, None when it is none of S3's."""
    parts = urlsplit(url)
    host, path = parts.hostname or "", parts.path.lstrip("/")
    if parts.scheme not in ("http", "https"):
        return None
    if PATH_STYLE.fullmatch(host):
        bucket, _unused, key = path.partition("/")
    elif match := VIRTUAL_HOSTED.fullmatch(host):
        bucket, key = match["bucket"], path
    else:
        return None
    return (bucket, key) if bucket and key else None


def install() -> None:
    """Read every TemplateURL and StackPolicyURL this way."""
    replace("_resolve_document", resolve_document, helpers)
