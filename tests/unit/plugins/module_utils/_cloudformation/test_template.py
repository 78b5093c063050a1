# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a template's text says about itself."""

from __future__ import annotations

import json

import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._aws import ModuleError
from ansible_collections.openpacs.dicoogle.plugins.module_utils._cloudformation import template

YAML = """Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Sub "${AWS::StackName}-queue"  # a comment
"""


def test_comments_and_layout_are_no_difference() -> None:
    assert template.same(YAML, YAML.replace("  # a comment", "\n"))


def test_another_function_of_the_same_value_is_a_difference() -> None:
    assert not template.same(YAML, YAML.replace("!Sub", "!Ref"))


def test_json_is_compared_with_the_dictionary_that_the_sdk_makes_of_it() -> None:
    document = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"A": 1}}}}
    assert template.same(document, json.dumps(document, indent=4))
    assert not template.same(document, json.dumps(document).replace("1", "2"))


def test_yaml_values_keep_the_text_that_was_written() -> None:
    defaults = "Parameters: {A: {Default: 0755}, B: {Default: yes}, C: {Default: 2010-09-09}}"
    values = [item["Default"] for item in template.parse(defaults)["Parameters"].values()]
    assert values == ["0755", "yes", "2010-09-09"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Resources: {A: {Type: 'AWS::CloudFormation::Stack'}}", True),
        ("Resources: {A: {Type: 'AWS::SQS::Queue'}}", False),
        ("Description: names AWS::CloudFormation::Stack only here", False),
    ],
)
def test_nested_stacks_are_found_by_type(text: str, expected: bool) -> None:
    assert template.has_nested_stacks(template.parse(text)) is expected


@pytest.mark.parametrize("text", ["Resources: [", "just text", "[1, 2]"])
def test_what_is_no_template_is_refused(text: str) -> None:
    with pytest.raises(ModuleError, match="The template is"):
        template.parse(text)
