# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Look up identifiers for CloudFormation: Custom::PrefixList and Custom::MachineImage.

Request and response are those of custom resources: the answer is a JSON document, put to the
request's `ResponseURL`. Every request gets one, or CloudFormation would wait for an hour.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/crpg-ref.html
"""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable
from typing import Any

import boto3
from botocore.exceptions import ClientError

ANSWER_TIMEOUT = 10  # seconds
MAX_REASON = 1000  # characters; the whole answer may have 4096 bytes
DENIED = ("AccessDeniedException", "UnauthorizedOperation")
ATTEMPTS, PAUSE = 10, 3  # seconds; meanwhile IAM tells the services what a new role may do


def prefix_list_id(properties: dict[str, Any]) -> str:
    """Return the id of the managed prefix list `PrefixListName` (com.amazonaws.<region>.s3)."""
    name = properties["PrefixListName"]
    found = boto3.client("ec2").describe_managed_prefix_lists(
        Filters=[{"Name": "prefix-list-name", "Values": [name]}]
    )["PrefixLists"]
    if not found:
        raise LookupError(f"This region has no managed prefix list named {name}.")
    identifier: str = found[0]["PrefixListId"]
    return identifier


def machine_image_id(properties: dict[str, Any]) -> str:
    """Return the AMI that the public SSM parameter `ParameterName` holds now."""
    parameter = boto3.client("ssm").get_parameter(Name=properties["ParameterName"])["Parameter"]
    identifier: str = parameter["Value"]
    return identifier


LOOKUPS: dict[str, Callable[[dict[str, Any]], str]] = {
    "Custom::PrefixList": prefix_list_id,
    "Custom::MachineImage": machine_image_id,
}


def identify(event: dict[str, Any]) -> str:
    """Return the identifier that a request to create or update a custom resource asks for."""
    if event["RequestType"] not in ("Create", "Update"):
        raise ValueError(f"Unknown request type {event['RequestType']}.")
    lookup = LOOKUPS.get(event["ResourceType"])
    if lookup is None:
        raise ValueError(f"Unknown resource type {event['ResourceType']}.")
    return _when_allowed(lookup, event["ResourceProperties"])


def _when_allowed(lookup: Callable[[dict[str, Any]], str], properties: dict[str, Any]) -> str:
    """Return what a lookup finds, tried again while the function's role may be too new for it."""
    for _attempt in range(ATTEMPTS - 1):
        try:
            return lookup(properties)
        except ClientError as error:
            if error.response["Error"]["Code"] not in DENIED:
                raise
            time.sleep(PAUSE)
    return lookup(properties)


def respond(event: dict[str, Any]) -> dict[str, Any]:
    """Return the answer to a request. Nothing was created, so Delete always succeeds."""
    answer = {
        "StackId": event.get("StackId"),
        "RequestId": event.get("RequestId"),
        "LogicalResourceId": event.get("LogicalResourceId"),
        "PhysicalResourceId": event.get("PhysicalResourceId", "none"),
        "Status": "SUCCESS",
    }
    if event.get("RequestType") == "Delete":
        return answer
    try:
        identifier = identify(event)
    except Exception as error:  # whatever it is, CloudFormation has to be told
        reason = f"{type(error).__name__}: {error}"[:MAX_REASON]
        return answer | {"Status": "FAILED", "Reason": reason}
    return answer | {"PhysicalResourceId": identifier, "Data": {"Id": identifier}}


def send(url: str, answer: dict[str, Any]) -> None:
    """Put the answer to the pre-signed URL, which accepts no content type."""
    request = urllib.request.Request(  # noqa: S310 - the URL is CloudFormation's
        url, data=json.dumps(answer).encode(), method="PUT", headers={"Content-Type": ""}
    )
    with urllib.request.urlopen(request, timeout=ANSWER_TIMEOUT):  # noqa: S310
        pass


def handle(event: dict[str, Any], context: object) -> None:
    """Answer one request of CloudFormation."""
    answer = respond(event)
    print(json.dumps(answer))
    send(event["ResponseURL"], answer)
