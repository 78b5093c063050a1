# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is wanted against what there is."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._cloudformation import (
    plan,
    stacks,
    states,
    template,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._errors import ModuleError
from cloudformation_shapes import description

BODY = """Parameters:
  Size: {Type: Number, Default: 3}
  Zones: {Type: CommaDelimitedList}
  Password: {Type: String, NoEcho: true, Default: secret}
Resources:
  Queue: {Type: "AWS::SQS::Queue"}
Outputs:
  Url: {Value: !Ref Queue}
"""
DESIRED = plan.Desired(
    name="pacs",
    template_url=None,
    template_body=BODY,
    parameters={"Zones": "a,b"},
    tags=None,
    capabilities=("CAPABILITY_IAM",),
    role_arn=None,
    termination_protection=None,
)


def deployed_stack(status: str = "CREATE_COMPLETE", **parameters: str) -> stacks.Stack:
    values = {"Size": "3", "Zones": "a,b", "Password": "****"} | parameters
    pairs = [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]
    tags = [{"Key": "owner", "Value": "it"}]
    return stacks.from_description(description("pacs", status, Parameters=pairs, Tags=tags))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a b", "a b"),
        ("", ""),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (1.5, "1.5"),
        (["a", 2, True], "a,2,true"),
        ([], ""),
    ],
)
def test_parameters_become_texts(value: Any, text: str) -> None:
    assert plan.parameter_text("P", value) == text


@pytest.mark.parametrize("value", [None, {"a": 1}, [["a"]], ["a", None], ["a,b"], [","]])
def test_what_cannot_be_a_parameter_is_refused_by_name(value: Any) -> None:
    with pytest.raises(ModuleError, match=r"parameter P (is|has)"):
        plan.parameter_text("P", value)


def test_no_difference_when_all_is_as_desired() -> None:
    assert plan.differences(deployed_stack(), BODY, DESIRED) == []


def test_a_parameter_left_out_has_to_have_the_default() -> None:
    assert plan.differences(deployed_stack(Size="4"), BODY, DESIRED) == ["parameters"]


def test_a_hidden_parameter_is_no_difference() -> None:
    desired = replace(DESIRED, parameters={"Zones": "a,b", "Password": "new"})
    assert plan.differences(deployed_stack(), BODY, desired) == []


def test_a_parameter_that_the_template_lacks_is_a_difference() -> None:
    desired = replace(DESIRED, parameters={"Zones": "a,b", "Typo": "x"})
    assert plan.differences(deployed_stack(), BODY, desired) == ["parameters"]


def test_template_and_tags_are_compared() -> None:
    desired = replace(DESIRED, template_body=BODY.replace("Queue:", "Line:"), tags={"a": "b"})
    assert plan.differences(deployed_stack(), BODY, desired) == ["template", "tags"]


def test_comments_and_layout_are_no_difference() -> None:
    assert plan.differences(deployed_stack(), f"# a comment\n{BODY}\n", DESIRED) == []


def test_another_function_of_the_same_value_is_a_difference() -> None:
    deployed = BODY.replace("!Ref Queue", "!Sub Queue")
    assert plan.differences(deployed_stack(), deployed, DESIRED) == ["template"]


def test_json_is_compared_with_the_dictionary_that_the_sdk_makes_of_it() -> None:
    document = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"A": 1}}}}
    stack = replace(deployed_stack(), parameters={})
    desired = replace(DESIRED, parameters={}, template_body=json.dumps(document, indent=4))
    assert plan.differences(stack, document, desired) == []
    other = replace(desired, template_body=json.dumps(document).replace("1", "2"))
    assert plan.differences(stack, document, other) == ["template"]


def test_the_wanted_template_is_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []
    parse = template.parse
    monkeypatch.setattr(template, "parse", lambda text: (parsed.append(text), parse(text))[1])
    desired = replace(DESIRED, tags=None)
    assert not desired.nested
    assert plan.differences(deployed_stack(), BODY, desired) == []
    assert not plan.outputs_differ(json.loads(json.dumps(desired.document)), desired)
    assert parsed == [BODY]


def test_no_tags_remove_all_but_unnamed_tags_stay() -> None:
    assert plan.differences(deployed_stack(), BODY, replace(DESIRED, tags={})) == ["tags"]
    assert plan.differences(deployed_stack(), BODY, replace(DESIRED, tags=None)) == []


def test_without_its_text_a_template_may_differ() -> None:
    desired = replace(DESIRED, template_url="https://b.s3.amazonaws.com/k", template_body=None)
    assert plan.differences(deployed_stack(), BODY, desired) == ["template"]
    assert desired.nested


def test_outputs_are_compared_for_they_are_in_no_change_set() -> None:
    other = replace(DESIRED, template_body=BODY.replace("Url:", "QueueUrl:"))
    assert plan.outputs_differ(BODY, other)
    assert not plan.outputs_differ(BODY, DESIRED)


@pytest.mark.parametrize(
    ("status", "may_replace", "action"),
    [
        ("UPDATE_COMPLETE", False, states.Action.UPDATE),
        ("ROLLBACK_COMPLETE", False, states.Action.REFUSE),
        ("ROLLBACK_COMPLETE", True, states.Action.REPLACE),
        ("UPDATE_ROLLBACK_FAILED", True, states.Action.REFUSE),
        ("DELETE_FAILED", True, states.Action.REFUSE),
    ],
)
def test_next_action(status: str, may_replace: bool, action: states.Action) -> None:
    assert plan.next_action(deployed_stack(status), may_replace) is action


def test_a_change_set_always_includes_nested_stacks() -> None:
    request = plan.change_set_request(DESIRED, "CREATE", "openpacs-1")
    assert request == {
        "StackName": "pacs",
        "ChangeSetName": "openpacs-1",
        "ClientToken": "openpacs-1",
        "ChangeSetType": "CREATE",
        "IncludeNestedStacks": True,
        "Capabilities": ["CAPABILITY_IAM"],
        "Parameters": [{"ParameterKey": "Zones", "ParameterValue": "a,b"}],
        "TemplateBody": BODY,
    }


def test_the_text_beside_a_url_is_not_sent() -> None:
    desired = replace(DESIRED, template_url="https://b.s3.amazonaws.com/k", tags={"a": "b"})
    request = plan.change_set_request(desired, "UPDATE", "openpacs-1")
    assert request["TemplateURL"] == "https://b.s3.amazonaws.com/k"
    assert "TemplateBody" not in request
    assert request["Tags"] == [{"Key": "a", "Value": "b"}]


def test_a_large_template_needs_a_url() -> None:
    body = f"Description: {'x' * plan.TEMPLATE_BODY_LIMIT}\n{BODY}"
    with pytest.raises(ModuleError, match="Upload it with cloudformation_package"):
        replace(DESIRED, template_body=body)
    assert replace(DESIRED, template_body=body, template_url="https://b.s3.amazonaws.com/k")
