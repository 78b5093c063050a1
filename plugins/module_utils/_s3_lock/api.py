# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The calls to S3 for an object that is a lock, one function each. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

with suppress(ImportError):  # AnsibleAWSModule reports a missing boto3
    from botocore.exceptions import ClientError

from .._aws import attempt, error_code

TAKEN = ("PreconditionFailed", "ConditionalRequestConflict")
GONE = ("NoSuchKey", "404")


@dataclass(frozen=True)
class Place:
    """Where a lock is."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


@dataclass(frozen=True)
class Stored:
    """A lock as S3 holds it.

    age: seconds since it was written, by S3's own clock.
    """

    text: str
    etag: str
    since: datetime
    age: float


def create(client: Any, place: Place, text: str) -> str | None:
    """Write a lock where there is none; return its ETag, None when there is one."""
    return _put(client, place, text, IfNoneMatch="*")


def replace(client: Any, place: Place, text: str, etag: str) -> str | None:
    """Write a lock over the one with an ETag; return its own, None when that one is gone."""
    return _put(client, place, text, IfMatch=etag)


def read(client: Any, place: Place) -> Stored | None:
    """Return the lock, None when there is none."""
    with _attempt("read", place, "s3:GetObject and s3:ListBucket"):
        try:
            answer = client.get_object(Bucket=place.bucket, Key=place.key)
        except ClientError as error:
            if error_code(error) in GONE:
                return None
            raise
        text = answer["Body"].read().decode()
    now = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
    since: datetime = answer["LastModified"]
    return Stored(text, answer["ETag"], since, (now - since).total_seconds())


def delete(client: Any, place: Place, etag: str) -> bool:
    """Delete the lock with an ETag, unless it went with its bucket; False when it is not there."""
    with _attempt("release", place, "s3:DeleteObject"):
        try:
            client.delete_object(Bucket=place.bucket, Key=place.key, IfMatch=etag)
        except ClientError as error:
            if error_code(error) in (*TAKEN, *GONE):
                return False
            if error_code(error) != "NoSuchBucket":
                raise
    return True


def _put(client: Any, place: Place, text: str, **condition: str) -> str | None:
    with _attempt("take", place, "s3:PutObject, and kms:GenerateDataKey on the bucket's key"):
        try:
            answer = client.put_object(
                Bucket=place.bucket, Key=place.key, Body=text.encode(), **condition
            )
        except ClientError as error:
            if error_code(error) in (*TAKEN, *GONE):
                return None
            raise
    etag: str = answer["ETag"]
    return etag


@contextmanager
def _attempt(verb: str, place: Place, permission: str) -> Iterator[None]:
    hints = {
        "AccessDenied": f"Allow {permission}.",
        "NoSuchBucket": "Create the bucket; or, if another run has just removed it, run again.",
    }
    with attempt(f"{verb} the lock {place}", hints):
        yield
