# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A change set says exactly whether a change replaces a resource."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from stock_cases import STOCK_CASES
from type_cases import CASES, Case, template

CHANGED = [
    (case, kind)
    for case in [*CASES, *STOCK_CASES]
    for kind in ("in_place", "replacing")
    if getattr(case, kind)
]
DEPENDS = {  # what Amazon's schema itself calls conditional
    ("AWS::EC2::Instance", "in_place"): "Conditional",
}


def name_of(value: object) -> str:
    return value.type if isinstance(value, Case) else str(value)


@pytest.fixture(scope="module")
def stacks(aws: Any) -> Iterator[dict[str, str]]:
    """One stack for each case, made when a test first asks for it."""
    made: dict[str, str] = {}
    yield made
    for stack in made.values():
        aws.delete(stack)


@pytest.mark.parametrize(("case", "kind"), CHANGED, ids=name_of)
def test_replacement_is_exact(aws: Any, stacks: dict[str, str], case: Case, kind: str) -> None:
    if case.type not in stacks:
        stacks[case.type] = aws.deploy(template(case))
    cloudformation, stack = aws.client("cloudformation"), stacks[case.type]
    change_set = cloudformation.create_change_set(
        StackName=stack,
        ChangeSetName=kind.replace("_", "-"),
        **aws.request(template(case, getattr(case, kind)), None),
    )["Id"]
    described = cloudformation.describe_change_set(ChangeSetName=change_set)
    changes = {
        change["ResourceChange"]["LogicalResourceId"]: change["ResourceChange"]["Replacement"]
        for change in described["Changes"]
    }
    expected = "False" if kind == "in_place" else "True"
    assert changes["Subject"] == DEPENDS.get((case.type, kind), expected)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"Fn::GetAtt": ["One", "Arn"]}, {"Fn::GetAtt": ["Two", "Arn"]}),
        ({"Fn::GetAtt": "One.Arn"}, {"Fn::GetAtt": "Two.Arn"}),
        ({"Fn::Sub": "${One.Arn}"}, {"Fn::Sub": "${Two.Arn}"}),
    ],
)
def test_a_reference_to_another_attribute_is_a_change(aws: Any, before: Any, after: Any) -> None:
    def stack_of(value: Any) -> dict[str, Any]:
        groups = {name: {"Type": "AWS::Logs::LogGroup"} for name in ("One", "Two")}
        parameter = {"Type": "String", "Value": value}
        return {
            "Resources": groups
            | {"Parameter": {"Type": "AWS::SSM::Parameter", "Properties": parameter}}
        }

    cloudformation, stack = aws.client("cloudformation"), aws.deploy(stack_of(before))
    request = aws.request(stack_of(after), None)
    cloudformation.create_change_set(StackName=stack, ChangeSetName="other", **request)
    described = cloudformation.describe_change_set(StackName=stack, ChangeSetName="other")
    (change,) = described["Changes"]
    assert change["ResourceChange"]["LogicalResourceId"] == "Parameter"
    aws.delete(stack)
