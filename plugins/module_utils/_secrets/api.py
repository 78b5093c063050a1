# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The calls to Secrets Manager. Private to this collection."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

with suppress(ImportError):  # AnsibleAWSModule reports a missing boto3
    from botocore.exceptions import ClientError

from ansible_collections.amazon.aws.plugins.module_utils.tagging import (
    ansible_dict_to_boto3_tag_list,
    boto3_tag_list_to_ansible_dict,
)

from .._aws import attempt, error_code
from .plan import DIGEST_TAG, Secret, StoredSecret

NAME_TAKEN = {"ResourceExistsException", "InvalidRequestException"}  # the latter: being deleted
KEY_HINTS = {
    "AccessDeniedException": "Allow the action, and kms:GenerateDataKey, kms:Decrypt on the key.",
    "DecryptionFailure": "Allow kms:Decrypt on the key, and check that the key is enabled.",
    "EncryptionFailure": "Allow kms:GenerateDataKey on the key, and check that it is enabled.",
}
NOT_FOUND = "ResourceNotFoundException"


def list_secrets(client: Any, prefix: str) -> dict[str, StoredSecret]:
    """Return the secrets whose names start with the prefix, by name, those being deleted too."""
    pages = client.get_paginator("list_secrets").paginate(
        Filters=[{"Key": "name", "Values": [prefix]}],
        IncludePlannedDeletion=True,
        PaginationConfig={"PageSize": 100},
    )
    with attempt(f"list the secrets that start with {prefix}"):
        return {entry["Name"]: _stored(entry) for page in pages for entry in page["SecretList"]}


def find_secret(client: Any, name: str) -> StoredSecret | None:
    """Return one secret, also one that is being deleted, or None."""
    with attempt(f"describe the secret {name}"):
        try:
            return _stored(client.describe_secret(SecretId=name))
        except ClientError as error:
            if error_code(error) == NOT_FOUND:
                return None
            raise


def describe_secret(client: Any, name: str) -> StoredSecret:
    """Return one secret, which must exist."""
    hints = {NOT_FOUND: "It is still being deleted: run again in a minute."}
    with attempt(f"describe the secret {name}", hints):
        return _stored(client.describe_secret(SecretId=name))


def create_secret(client: Any, secret: Secret) -> StoredSecret | None:
    """Create a secret with its tags; return None when the name is taken after all."""
    key = {"KmsKeyId": secret.kms_key_id} if secret.kms_key_id else {}
    tags = {**secret.tags, DIGEST_TAG: secret.digest}
    with attempt(f"create the secret {secret.name}", KEY_HINTS):
        try:
            response = client.create_secret(
                Name=secret.name,
                Tags=ansible_dict_to_boto3_tag_list(tags),
                **_content(secret.value),
                **key,
            )
        except ClientError as error:
            if error_code(error) in NAME_TAKEN:
                return None
            raise
    return StoredSecret(secret.name, response["ARN"], secret.kms_key_id, tags, deleted=False)


def restore_secret(client: Any, name: str) -> None:
    """Cancel the scheduled deletion."""
    with attempt(f"restore the secret {name}, which is scheduled for deletion"):
        client.restore_secret(SecretId=name)


def change_key(client: Any, name: str, kms_key_id: str) -> None:
    """Encrypt the secret with another key."""
    with attempt(f"change the key of the secret {name} to {kms_key_id}", KEY_HINTS):
        client.update_secret(SecretId=name, KmsKeyId=kms_key_id)


def put_value(client: Any, name: str, value: str | bytes) -> None:
    """Store a new current value."""
    with attempt(f"store a new value of the secret {name}", KEY_HINTS):
        client.put_secret_value(SecretId=name, **_content(value))


def read_binary(client: Any, name: str, hints: Mapping[str, str]) -> bytes:
    """Return the current value of a secret that holds bytes, empty for one that holds text."""
    with attempt(f"read the secret {name}", {**KEY_HINTS, **hints}):
        return client.get_secret_value(SecretId=name).get("SecretBinary", b"")


def put_policy(client: Any, name: str, policy: str) -> None:
    """Replace the resource policy; one that anybody might use is refused."""
    hints = {"AccessDeniedException": "Allow secretsmanager:PutResourcePolicy."}
    with attempt(f"write the policy of the secret {name}", hints):
        client.put_resource_policy(SecretId=name, ResourcePolicy=policy, BlockPublicPolicy=True)


def tag_secret(client: Any, name: str, tags: Mapping[str, str]) -> None:
    """Write tags; others stay."""
    with attempt(f"tag the secret {name}"):
        client.tag_resource(SecretId=name, Tags=ansible_dict_to_boto3_tag_list(dict(tags)))


def delete_secret(client: Any, name: str, recovery_window_in_days: int) -> None:
    """Schedule the deletion, or delete at once where the window is 0 days."""
    window = (
        {"RecoveryWindowInDays": recovery_window_in_days}
        if recovery_window_in_days
        else {"ForceDeleteWithoutRecovery": True}
    )
    with attempt(f"delete the secret {name}"):
        try:
            client.delete_secret(SecretId=name, **window)
        except ClientError as error:
            refused = error_code(error) == "InvalidRequestException"
            if not (refused and describe_secret(client, name).deleted):  # else an answer was lost
                raise


def _content(value: str | bytes) -> dict[str, Any]:
    return {"SecretBinary" if isinstance(value, bytes) else "SecretString": value}


def _stored(entry: dict[str, Any]) -> StoredSecret:
    return StoredSecret(
        name=entry["Name"],
        arn=entry["ARN"],
        kms_key_id=entry.get("KmsKeyId"),
        tags=boto3_tag_list_to_ansible_dict(entry.get("Tags", [])),
        deleted="DeletedDate" in entry,
    )
