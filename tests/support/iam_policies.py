# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What an IAM policy says to a request, as AWS documents it, for the operators that ours use."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

Values = list[str]
Test = Callable[[str, Values], bool]


@dataclass(frozen=True)
class Request:
    """Who asks for what, and the context keys that AWS would send with it."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)


def _equals(value: str, wanted: Values) -> bool:
    return value in wanted


def _like(value: str, wanted: Values) -> bool:
    return any(fnmatchcase(value, pattern) for pattern in wanted)


def _bool(value: str, wanted: Values) -> bool:
    return value.lower() in [each.lower() for each in wanted]


TESTS: dict[str, Test] = {
    "ArnEquals": _like,
    "ArnLike": _like,
    "Bool": _bool,
    "StringEquals": _equals,
    "StringLike": _like,
}


def _list(value: Any) -> Values:
    return [str(each) for each in (value if isinstance(value, list) else [value])]


def _holds(operator: str, value: str | None, wanted: Values) -> bool:
    """A negated operator holds for a key that is absent, any other does not."""
    name = operator.removeprefix("ForAllValues:")
    if name == "Null":
        return wanted == [str(value is None).lower()]
    if (positive := name.replace("Not", "")) != name:
        return value is None or not TESTS[positive](value, wanted)
    return value is not None and TESTS[name](value, wanted)


def applies(statement: Mapping[str, Any], request: Request) -> bool:
    """Whether a statement is about a request; whom it is about, its conditions say."""
    return (
        _like(request.action, _list(statement["Action"]))
        and _like(request.resource, _list(statement.get("Resource", "*")))
        and all(
            _holds(operator, request.context.get(key), _list(wanted))
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
    )


def says(policy: str | Mapping[str, Any], request: Request) -> set[str]:
    """The effects of the statements that apply: of a denial, Deny is among them."""
    document = json.loads(policy) if isinstance(policy, str) else policy
    return {each["Effect"] for each in document["Statement"] if applies(each, request)}
