# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Calls to MiniStack's EC2 from inside the server, as CloudFormation makes them on AWS."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from defusedxml.ElementTree import fromstring
from ministack.services import ec2
from ministack.services.cloudformation.helpers import _sdk_error

Parameters = dict[str, Any]
Record = dict[str, Any]
Response = tuple[int, dict[str, str], bytes]

_NAMESPACE = re.compile(rb' xmlns="[^"]*"')


def query(parameters: dict[str, Any], prefix: str = "") -> dict[str, list[str]]:
    """The request in EC2's query form: `{"Tag": [{"Key": "a"}]}` is `{"Tag.1.Key": ["a"]}`."""
    flat: dict[str, list[str]] = {}
    for name, value in parameters.items():
        if isinstance(value, dict):
            flat |= query(value, f"{prefix}{name}.")
        elif isinstance(value, list):
            flat |= query({str(i): item for i, item in enumerate(value, 1)}, f"{prefix}{name}.")
        elif value is not None:
            text = str(value).lower() if isinstance(value, bool) else str(value)
            flat[f"{prefix}{name}"] = [text]
    return flat


def call(action: str, **parameters: Any) -> Any:
    """The response's root element; ValueError with EC2's message when it refuses."""
    ec2._ensure_defaults_initialized()
    status, _headers, body = ec2._ACTION_MAP[action](query(parameters))
    root = fromstring(_NAMESPACE.sub(b"", body))
    if status >= 400:
        raise ValueError(_sdk_error(root.findtext(".//Message"), "Ec2", status))
    return root


def set_tags(resource_id: str, tags: list[dict[str, str]] | None) -> None:
    """The template's tags (stack tags included) as the resource's only tags."""
    if tags:
        ec2._tags[resource_id] = [{"Key": t["Key"], "Value": str(t["Value"])} for t in tags]
    else:
        ec2._tags.pop(resource_id, None)


def refused(message: str, status: int = 400) -> ValueError:
    """The error CloudFormation reports when EC2 refuses a call."""
    return ValueError(_sdk_error(message, "Ec2", status))


def select(
    records: Iterable[Record], params: Parameters, id_name: str, **fields: str
) -> list[Record]:
    """The records that a Describe call asks for by identifier, tag or one of the filters.

    id_name: the record's identifier and, as EC2 has it, the parameter that lists identifiers
    fields: filter (with `_` for `-`) -> member of the record
    """
    wanted = ec2._parse_member_list(params, id_name)
    filters = ec2._parse_filters(params)
    by_member = {
        member: filters[name.replace("_", "-")]
        for name, member in fields.items()
        if name.replace("_", "-") in filters
    }
    return [
        record
        for record in records
        if (not wanted or record[id_name] in wanted)
        and all(str(record.get(member)) in values for member, values in by_member.items())
        and ec2._resource_matches_tag_filters(record[id_name], filters)
    ]
