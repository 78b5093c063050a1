# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""AWS::S3::Bucket: the properties MiniStack drops; no deletion of a bucket with objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from defusedxml.ElementTree import fromstring
from ministack.services import s3
from ministack.services.cloudformation import provisioners
from ministack.services.cloudformation.helpers import _sdk_error

from openpacs_embedded.patching import add
from openpacs_embedded.types_registry import Attributes, Properties, amend

Response = tuple[int, dict[str, str], Any]


def refuse_errors(response: Response) -> None:
    """Raise what the S3 call refused; MiniStack's own provisioner ignores it."""
    status, _headers, body = response
    if status >= 400:
        message = fromstring(body).findtext(".//Message")
        raise ValueError(_sdk_error(message, "S3", status))


def _grow(parent: Element, value: Any) -> None:
    """Put a property's members below an element; the names are those of S3's XML."""
    for name, member in value.items():
        for item in member if isinstance(member, list) else [member]:
            child = SubElement(parent, name)
            if isinstance(item, dict):
                _grow(child, item)
            else:
                child.text = str(item).lower() if isinstance(item, bool) else str(item)


def xml(root_name: str, value: dict[str, Any]) -> bytes:
    root = Element(root_name, xmlns="http://s3.amazonaws.com/doc/2006-03-01/")
    _grow(root, value)
    return tostring(root)


def encryption_xml(value: Properties) -> bytes:
    rules = [
        {
            "ApplyServerSideEncryptionByDefault": rule.get("ServerSideEncryptionByDefault", {}),
            "BucketKeyEnabled": rule.get("BucketKeyEnabled", False),
        }
        for rule in value["ServerSideEncryptionConfiguration"]
    ]
    return xml("ServerSideEncryptionConfiguration", {"Rule": rules})


def logging_xml(value: Properties) -> bytes:
    enabled = {
        "TargetBucket": value.get("DestinationBucketName", ""),
        "TargetPrefix": value.get("LogFilePrefix", ""),
    }
    return xml("BucketLoggingStatus", {"LoggingEnabled": enabled})


def ownership_xml(value: Properties) -> bytes:
    return xml("OwnershipControls", {"Rule": value["Rules"]})


def versioning_xml(value: Properties) -> bytes:
    return xml("VersioningConfiguration", value)


def lifecycle_rules(value: Properties) -> list[dict[str, Any]]:
    """The rules as MiniStack keeps them: the members of GetBucketLifecycleConfiguration."""
    return [_lifecycle_rule(rule) for rule in value["Rules"]]


def _lifecycle_rule(rule: Properties) -> dict[str, Any]:
    kept: dict[str, Any] = {"Status": rule["Status"], "Filter": {"Prefix": rule.get("Prefix", "")}}
    if "Id" in rule:
        kept["ID"] = rule["Id"]
    if "ExpirationInDays" in rule:
        kept["Expiration"] = {"Days": int(rule["ExpirationInDays"])}
    elif str(rule.get("ExpiredObjectDeleteMarker", False)).lower() == "true":
        kept["Expiration"] = {"ExpiredObjectDeleteMarker": True}
    if expiration := rule.get("NoncurrentVersionExpiration"):
        kept["NoncurrentVersionExpiration"] = {k: int(v) for k, v in expiration.items()}
    if abort := rule.get("AbortIncompleteMultipartUpload"):
        kept["AbortIncompleteMultipartUpload"] = {k: int(v) for k, v in abort.items()}
    transitions = (
        ("Transitions", "Days", rule.get("Transitions")),
        (
            "NoncurrentVersionTransitions",
            "NoncurrentDays",
            rule.get("NoncurrentVersionTransitions"),
        ),
    )
    for name, days, items in transitions:
        if items:
            kept[name] = [
                {days: int(item["TransitionInDays"]), "StorageClass": item["StorageClass"]}
                for item in items
            ]
    return kept


def _put_lifecycle(name: str, rules: list[dict[str, Any]]) -> None:
    if error := s3._lifecycle_rules_error(rules):
        refuse_errors(error)
    s3._bucket_lifecycle[name] = rules


def _suspend_versioning(name: str) -> None:
    refuse_errors(s3._put_bucket_versioning(name, versioning_xml({"Status": "Suspended"})))


def _checked(put: Callable[[str, bytes], Response]) -> Callable[[str, bytes], None]:
    return lambda name, body: refuse_errors(put(name, body))


CONFIGURATIONS = (  # (property, value for put, put, what a dropped property leaves)
    (
        "BucketEncryption",
        encryption_xml,
        _checked(s3._put_bucket_encryption),
        s3._delete_bucket_encryption,
    ),
    ("LifecycleConfiguration", lifecycle_rules, _put_lifecycle, s3._delete_bucket_lifecycle),
    (
        "LoggingConfiguration",
        logging_xml,
        _checked(s3._put_bucket_logging),
        lambda name: s3._bucket_logging_config.pop(name, None),
    ),
    (
        "OwnershipControls",
        ownership_xml,
        _checked(s3._put_bucket_ownership_controls),
        s3._delete_bucket_ownership_controls,
    ),
    (
        "VersioningConfiguration",
        versioning_xml,
        _checked(s3._put_bucket_versioning),
        _suspend_versioning,
    ),
)


def _check(new: Properties, _old: Properties) -> None:
    target = new.get("LoggingConfiguration", {}).get("DestinationBucketName")
    if target and target not in s3._buckets:
        raise ValueError(_sdk_error("The target bucket for logging does not exist", "S3", 400))


def _complete(physical_id: str, new: Properties, _old: Properties) -> Attributes:
    s3._bucket_tags[physical_id] = {t["Key"]: str(t["Value"]) for t in new.get("Tags") or []}
    region = s3.bucket_region(physical_id)
    return {"DualStackDomainName": f"{physical_id}.s3.dualstack.{region}.amazonaws.com"}


def _release(physical_id: str, _props: Properties) -> None:
    if physical_id in s3._buckets:
        refuse_errors(s3._delete_bucket(physical_id))


def _check_policy(new: Properties, _old: Properties) -> None:
    if new["Bucket"] not in s3._buckets:
        raise ValueError(_sdk_error("The specified bucket does not exist", "S3", 404))


def install() -> None:
    provisioners._S3_BUCKET_CONFIGURATIONS += CONFIGURATIONS
    add(provisioners._STACK_TAG_PROPERTY, "AWS::S3::Bucket", ("Tags", "list"))
    amend("AWS::S3::Bucket", check=_check, complete=_complete, release=_release)
    amend("AWS::S3::BucketPolicy", check=_check_policy)
