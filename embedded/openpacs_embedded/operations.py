# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which AWS operation a request is, by the service models that botocore carries."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from urllib.parse import parse_qs

import botocore.session

REST_SERVICES = {  # signing name -> name of the service model, where operations have paths
    "apigateway": "apigateway",
    "backup": "backup",
    "eks": "eks",
    "elasticfilesystem": "efs",
    "lambda": "lambda",
    "route53": "route53",
    "s3": "s3",
    "scheduler": "scheduler",
}


@dataclass(frozen=True)
class Route:
    """The request line of one operation, and what its query and headers must contain."""

    operation: str
    method: str
    path: re.Pattern[str]
    query: tuple[tuple[str, str], ...]
    required_query: frozenset[str]
    required_headers: frozenset[str]

    def score(self, query: Mapping[str, list[str]], headers: Mapping[str, str]) -> int:
        """Return how much of the request speaks for the operation, -1 when it is another."""
        fits = all(query.get(name) == [value] for name, value in self.query)
        if not (fits and self.required_query <= query.keys()):
            return -1
        if not self.required_headers <= headers.keys():
            return -1
        return 2 * len(self.query) + len(self.required_query) + len(self.required_headers)


def operation_of(
    service: str, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
) -> str:
    """Return the operation's name as the API reference spells it, '' when it is unknown.

    service is the signing name; headers have lower-case names; of the body only its beginning
    is needed.
    """
    if target := headers.get("x-amz-target"):
        return target.rpartition(".")[2]
    arguments = parse_qs(query, keep_blank_values=True)
    form = re.search(rb"(?:^|&)Action=(\w+)", body) if method == "POST" else None
    if form:
        return form.group(1).decode()
    if "Action" in arguments:
        return arguments["Action"][0]
    candidates = [
        (route.score(arguments, headers), route.operation)
        for route in _routes(service)
        if route.method == method and route.path.fullmatch(path)
    ]
    score, operation = max(candidates, default=(-1, ""))
    return operation if score >= 0 else ""


@cache
def _routes(service: str) -> tuple[Route, ...]:
    if service not in REST_SERVICES:
        return ()
    model = botocore.session.get_session().get_service_model(REST_SERVICES[service])
    return tuple(_route(model.operation_model(name)) for name in model.operation_names)


def _route(operation: botocore.model.OperationModel) -> Route:
    path, _unused, query = operation.http["requestUri"].partition("?")
    shape = operation.input_shape
    located: dict[str, set[str]] = {"querystring": set(), "header": set()}
    if shape is not None:
        for name in shape.required_members:
            member = shape.members[name].serialization
            if member.get("location") in located:
                located[member["location"]].add(member["name"].lower())
    return Route(
        operation=operation.name,
        method=operation.http["method"],
        path=_path_pattern(path),
        query=tuple((k, v[0]) for k, v in parse_qs(query, keep_blank_values=True).items()),
        required_query=frozenset(located["querystring"]),
        required_headers=frozenset(located["header"]),
    )


def _path_pattern(path: str) -> re.Pattern[str]:
    pattern = re.escape(path.rstrip("/"))
    pattern = re.sub(r"\\\{\w+\\\+\\\}", ".+", pattern)
    return re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", pattern) + "/?")
