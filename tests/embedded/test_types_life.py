# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Each resource type we use: created, changed in place, replaced, rolled back, deleted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from stock_cases import STOCK_CASES
from type_cases import CASES, REFUSED, Case, template


@pytest.fixture(params=[*CASES, *STOCK_CASES], ids=lambda case: case.type)
def case(request: pytest.FixtureRequest) -> Case:
    chosen: Case = request.param
    return chosen


@pytest.fixture
def stack(aws: Any, case: Case) -> Iterator[str]:
    name = aws.deploy(template(case))
    yield name
    assert aws.delete(name) == "DELETE_COMPLETE"


def test_a_type_lives_its_whole_life(aws: Any, case: Case, stack: str) -> None:
    assert aws.status(stack) == "CREATE_COMPLETE", aws.events(stack)
    first = aws.resources(stack)["Subject"]
    assert aws.outputs(stack)["Ref"] == first
    if case.attribute:
        assert aws.outputs(stack)["Attribute"]

    current = None
    if case.in_place:
        assert aws.update(stack, template(case, case.in_place)) == "UPDATE_COMPLETE"
        assert aws.resources(stack)["Subject"] == first
        current = case.in_place

    broken = template(case, {**(current or {}), **(case.replacing or {})}, REFUSED)
    assert aws.update(stack, broken) == "UPDATE_ROLLBACK_COMPLETE"
    assert aws.resources(stack)["Subject"] == first
    assert "Refused" not in aws.resources(stack)

    if case.replacing:
        replaced = template(case, {**(current or {}), **case.replacing})
        assert aws.update(stack, replaced) == "UPDATE_COMPLETE"
        deleted = [e for e in aws.events(stack) if e["ResourceStatus"] == "DELETE_COMPLETE"]
        assert first in [e["PhysicalResourceId"] for e in deleted]
        assert aws.resources(stack)["Subject"] != first
