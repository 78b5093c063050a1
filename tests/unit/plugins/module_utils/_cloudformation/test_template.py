# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a template's text says about itself."""

from __future__ import annotations

import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._cloudformation import template
from ansible_collections.openpacs.dicoogle.plugins.module_utils._errors import ModuleError


def test_yaml_values_keep_the_text_that_was_written() -> None:
    defaults = "Parameters: {A: {Default: 0755}, B: {Default: yes}, C: {Default: 2010-09-09}}"
    values = [item["Default"] for item in template.parse(defaults)["Parameters"].values()]
    assert values == ["0755", "yes", "2010-09-09"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Resources: {A: {Type: 'AWS::CloudFormation::Stack'}}", {"A"}),
        ("Resources: {A: {Type: 'AWS::SQS::Queue'}}", set()),
        ("Description: names AWS::CloudFormation::Stack only here", set()),
    ],
)
def test_nested_stacks_are_found_by_type(text: str, expected: set[str]) -> None:
    assert template.nested_stacks(template.parse(text)) == expected


def test_a_stack_with_a_condition_may_not_be_there() -> None:
    stack = "{Type: 'AWS::CloudFormation::Stack'"
    parsed = template.parse(f"Resources: {{A: {stack}, Condition: C}}, B: {stack}}}}}")
    assert template.unconditional_stacks(parsed) == {"B"}


@pytest.mark.parametrize("text", ["Resources: [", "just text", "[1, 2]"])
def test_what_is_no_template_is_refused(text: str) -> None:
    with pytest.raises(ModuleError, match="The template is"):
        template.parse(text)
