# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who is connected to an endpoint service of PrivateLink. Private to this collection."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ._aws import attempt
from ._errors import ModuleError

ARN = re.compile(r"arn:[^:]+:iam::([0-9]{12}):")
OPEN = {"pendingacceptance", "pending", "available"}


@dataclass(frozen=True)
class Connection:
    """An endpoint that is connected to a service, or waits to be, and the account that has it."""

    vpc_endpoint_id: str
    account: str


def not_allowed(connections: Iterable[Connection], principals: Sequence[str]) -> list[Connection]:
    """Return the connections of accounts that none of the principals belongs to.

    AWS tells the account of an endpoint only, not which of its principals has made it. Raises
    ModuleError for a principal without account.
    """
    accounts = {principal: ARN.match(principal) for principal in principals}
    unknown = [principal for principal, found in accounts.items() if not found]
    if unknown:
        raise ModuleError(
            f"allowed_principals has {', '.join(unknown)}. Give ARNs with an account."
        )
    allowed = {found[1] for found in accounts.values() if found}
    return [connection for connection in connections if connection.account not in allowed]


def open_connections(ec2: Any, service_id: str) -> list[Connection]:
    """Return the connections of a service that are open, or can become so."""
    hints = {"UnauthorizedOperation": "Allow ec2:DescribeVpcEndpointConnections."}
    with attempt(f"list the connections of the endpoint service {service_id}", hints):
        pages = ec2.get_paginator("describe_vpc_endpoint_connections").paginate(
            Filters=[{"Name": "service-id", "Values": [service_id]}]
        )
        return [
            Connection(each["VpcEndpointId"], each["VpcEndpointOwner"])
            for page in pages
            for each in page["VpcEndpointConnections"]
            if each["VpcEndpointState"].lower() in OPEN
        ]


def reject(ec2: Any, service_id: str, connections: Sequence[Connection]) -> None:
    """Cut connections off. Raises ModuleError when one of them stays."""
    ids = [connection.vpc_endpoint_id for connection in connections]
    hints = {"UnauthorizedOperation": "Allow ec2:RejectVpcEndpointConnections."}
    with attempt(f"reject {', '.join(ids)} at {service_id}", hints):
        answer = ec2.reject_vpc_endpoint_connections(ServiceId=service_id, VpcEndpointIds=ids)
    failed = [
        f"{each['ResourceId']}: {each['Error']['Message']}" for each in answer["Unsuccessful"]
    ]
    if failed:
        raise ModuleError(
            f"Failed to reject connections to {service_id}: {'; '.join(failed)}. They are still "
            "open: run again, or reject them in the console, under Endpoint services."
        )
