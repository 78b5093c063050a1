# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a template's text says about itself."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.openpacs.dicoogle.plugins.module_utils._cloudformation import (
    plan,
    stacks,
    template,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._cloudformation.package import (
    find_references,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._errors import ModuleError
from cloudformation_shapes import description
from hypothesis import given, settings
from hypothesis import strategies as st


def test_yaml_values_keep_the_text_that_was_written() -> None:
    defaults = "Parameters: {A: {Default: 0755}, B: {Default: yes}, C: {Default: 2010-09-09}}"
    values = [item["Default"] for item in template.parse(defaults)["Parameters"].values()]
    assert values == ["0755", "yes", "2010-09-09"]


LOOP = """
Transform: AWS::LanguageExtensions
Resources:
  Fn::ForEach::Stacks: [Name, [Ct, Mr], {"Of${Name}": {Type: AWS::CloudFormation::Stack}}]
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Resources: {A: {Type: 'AWS::CloudFormation::Stack'}}", True),
        ("Resources: {A: {Type: 'AWS::SQS::Queue'}}", False),
        ("Resources: {A: {Type: !Ref X}, B: null, C: [], D: text, E: {}}", False),
        ("Resources: []", False),
        ("Resources:", False),
        ("Description: names AWS::CloudFormation::Stack only here", False),
        ("{Transform: AWS::Serverless-2016-10-31, Resources: {A: {Type: X}}}", True),
        ("Resources: {'Fn::Transform': {Name: 'AWS::Include'}}", True),
        (LOOP, True),
    ],
)
def test_nested_stacks_are_found_wherever_they_may_be(text: str, expected: bool) -> None:
    assert template.may_nest_stacks(template.parse(text)) is expected


def test_the_stacks_of_a_loop_may_not_be_there() -> None:
    assert template.unconditional_stacks(template.parse(LOOP)) == set()


def test_a_stack_with_a_condition_may_not_be_there() -> None:
    stack = "{Type: 'AWS::CloudFormation::Stack'"
    parsed = template.parse(f"Resources: {{A: {stack}, Condition: C}}, B: {stack}}}}}")
    assert template.unconditional_stacks(parsed) == {"B"}


@pytest.mark.parametrize(
    "text",
    [
        "Resources: [",
        "just text",
        "[1, 2]",
        "",
        "a: 1\n---\na: 2",
        "? [a]\n: b",
        "!Ref a: b",
        "Resources: &all {A: *all}",
        "[" * 10_000,
        '{"a":' * 10_000,
    ],
)
def test_what_is_no_template_is_refused(text: str) -> None:
    with pytest.raises(ModuleError, match="The template is"):
        template.parse(text)


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_file_may_begin_with_a_byte_order_mark(tmp_path: Path, mark: str) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(f"{mark}Resources: {{}}")
    assert template.parse(template.read_text(file)) == {"Resources": {}}


NAMES = ["Type", "Default", "NoEcho", "Properties", "TemplateURL", "Fn::ForEach::A", "", "a"]
SECTIONS = ["Resources", "Parameters", "Outputs", "Transform", "Metadata"]
scalars = st.sampled_from([None, True, 0, 1.5, "", "AWS::CloudFormation::Stack", "a"])
shapes = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(SECTIONS), shapes), st.booleans())
def test_any_shape_is_read_or_refused(document: dict[str, Any], as_json: bool) -> None:
    text = json.dumps(document) if as_json else yaml.safe_dump(document)
    desired = plan.Desired("pacs", None, text, {}, None, (), None, None)
    stack = stacks.from_description(description("pacs", "CREATE_COMPLETE"))
    find_references(text)
    assert desired.nested in (True, False)
    with contextlib.suppress(ModuleError):  # for a default that is no plain value
        plan.differences(stack, text, desired)
    plan.kept_stacks(text, desired)
    plan.outputs_differ(text, desired)
