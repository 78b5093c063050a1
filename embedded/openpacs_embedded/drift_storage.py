# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Drift of what keeps data: buckets, file systems, repositories, keys."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from ministack.services import ecr, efs, kms, s3
from ministack.services.cloudformation import provisioners

from openpacs_embedded.drift_reader import Reader, Record, member, same_set, translated
from openpacs_embedded.types_buckets import (
    encryption_xml,
    lifecycle_rules,
    logging_xml,
    ownership_xml,
)

# Buckets


def _bucket(physical_id: str, _expected: Mapping[str, Any]) -> Record | None:
    if physical_id not in s3._buckets:
        return None
    bucket = s3._buckets[physical_id]
    return {
        "Encryption": s3._bucket_encryption.get(physical_id),
        "Lifecycle": s3._bucket_lifecycle.get(physical_id),
        "Logging": s3._bucket_logging_config.get(physical_id),
        "Ownership": bucket.get("_ownership_controls"),
        "PublicAccess": bucket.get("_public_access_block"),
        "Tags": s3._bucket_tags.get(physical_id, {}),
    }


def _text(to_xml: Callable[[Any], bytes]) -> Callable[[Any], str]:
    return lambda value: to_xml(value).decode()


def _bucket_policy(_physical_id: str, expected: Mapping[str, Any]) -> Record | None:
    policy = s3._bucket_policies.get(expected["Bucket"])
    return {"PolicyDocument": json.loads(policy)} if policy else None


# File systems


def _file_system(physical_id: str, _expected: Mapping[str, Any]) -> Record | None:
    file_system = efs._file_systems.get(physical_id)
    if file_system is None:
        return None
    policy = file_system.get("FileSystemPolicy")
    return {
        **file_system,
        "BackupPolicy": efs._backup_policies.get(physical_id),
        "FileSystemPolicy": json.loads(policy) if isinstance(policy, str) else policy,
        "FileSystemTags": file_system["Tags"],
        "LifecyclePolicies": efs._lifecycle_configs.get(physical_id),
    }


def _as_written(file_system: Record, expected: Any) -> Any:
    """The policy without the identifiers and resources that EFS adds where a template has none."""
    now = file_system["FileSystemPolicy"]
    if now is None or expected is None:
        return now
    written = {key for statement in expected["Statement"] for key in statement}
    statements = [
        {key: value for key, value in statement.items() if key in written | _KEPT}
        for statement in now["Statement"]
    ]
    return {key: now[key] for key in now if key in expected} | {"Statement": statements}


_KEPT = frozenset({"Action", "Condition", "Effect", "Principal"})
_FILE_SYSTEM_PROPERTIES = (
    "BackupPolicy",
    "Encrypted",
    "FileSystemTags",
    "KmsKeyId",
    "LifecyclePolicies",
    "PerformanceMode",
    "ThroughputMode",
)


def _access_point(physical_id: str, _expected: Mapping[str, Any]) -> Record | None:
    return efs._access_points.get(physical_id)


def _mount_target(physical_id: str, _expected: Mapping[str, Any]) -> Record | None:
    return efs._mount_targets.get(physical_id)


# Repositories and keys


def _repository(physical_id: str, _expected: Mapping[str, Any]) -> Record | None:
    repository = ecr._repositories.get(physical_id)
    if repository is None:
        return None
    scanning = repository["imageScanningConfiguration"]["scanOnPush"]
    policy = ecr._lifecycle_policies.get(physical_id)
    return {
        "ImageTagMutability": repository["imageTagMutability"],
        "ImageScanningConfiguration": {"ScanOnPush": scanning},
        "LifecyclePolicy": policy and {"LifecyclePolicyText": policy},
    }


def _key(physical_id: str, _expected: Mapping[str, Any]) -> Record | None:
    key = kms._resolve_key(physical_id)
    if key is None or key["KeyState"] == "PendingDeletion":
        return None
    policy = key.get("Policy")
    return {
        "Description": key["Description"],
        "EnableKeyRotation": key.get("KeyRotationEnabled", False),
        "KeyPolicy": json.loads(policy) if isinstance(policy, str) else policy,
    }


_REPOSITORY_PROPERTIES = ("ImageTagMutability", "ImageScanningConfiguration", "LifecyclePolicy")
_KEY_PROPERTIES = ("Description", "EnableKeyRotation", "KeyPolicy")

NEW = {
    "AWS::EFS::AccessPoint": Reader(_access_point, {}),
    "AWS::EFS::FileSystem": Reader(
        _file_system,
        {name: member(name) for name in _FILE_SYSTEM_PROPERTIES}
        | {"FileSystemPolicy": _as_written},
    ),
    "AWS::EFS::MountTarget": Reader(
        _mount_target,
        {"SecurityGroups": same_set("SecurityGroups"), "SubnetId": member("SubnetId")},
    ),
    "AWS::KMS::Key": Reader(_key, {name: member(name) for name in _KEY_PROPERTIES}),
    "AWS::S3::BucketPolicy": Reader(_bucket_policy, {"PolicyDocument": member("PolicyDocument")}),
}
EXTENDED = {
    "AWS::ECR::Repository": Reader(
        _repository, {name: member(name) for name in _REPOSITORY_PROPERTIES}
    ),
    "AWS::S3::Bucket": Reader(
        _bucket,
        {
            "BucketEncryption": translated("Encryption", _text(encryption_xml)),
            "LifecycleConfiguration": translated("Lifecycle", lifecycle_rules),
            "LoggingConfiguration": translated("Logging", _text(logging_xml)),
            "OwnershipControls": translated("Ownership", _text(ownership_xml)),
            "PublicAccessBlockConfiguration": translated(
                "PublicAccess", _text(provisioners._s3_public_access_block_xml)
            ),
            "Tags": member("Tags"),
        },
    ),
}
