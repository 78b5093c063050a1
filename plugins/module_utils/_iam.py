# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The roles that services of AWS have in an account. Private to this collection."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from ._aws import attempt, error_code

with suppress(ImportError):  # AnsibleAWSModule reports a missing boto3
    from botocore.exceptions import ClientError

TAKEN = ("InvalidInput", "EntityAlreadyExists")


def service_linked_role(iam: Any, service: str) -> str:
    """Return the ARN of the role of a service, such as ecs.amazonaws.com; empty without one."""
    hints = {"AccessDenied": "Allow iam:ListRoles."}
    with attempt(f"look for the service-linked role of {service}", hints):
        found = iam.list_roles(PathPrefix=f"/aws-service-role/{service}/")["Roles"]
    return found[0]["Arn"] if found else ""


def create_service_linked_role(iam: Any, service: str) -> str:
    """Create the role of a service, unless somebody else has just done so; return its ARN."""
    hints = {"AccessDenied": f"Allow iam:CreateServiceLinkedRole for {service}."}
    with attempt(f"create the service-linked role of {service}", hints):
        try:
            return iam.create_service_linked_role(AWSServiceName=service)["Role"]["Arn"]
        except ClientError as error:
            if error_code(error) not in TAKEN or not (arn := service_linked_role(iam, service)):
                raise
            return arn
