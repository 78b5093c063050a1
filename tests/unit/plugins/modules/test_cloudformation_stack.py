# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From options to the desired stack, from the outcome to the result."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.openpacs.dicoogle.plugins.module_utils._errors import ModuleError
from ansible_collections.openpacs.dicoogle.plugins.modules import (
    cloudformation_stack,
    cloudformation_stack_info,
)

RunModule = Callable[..., dict[str, Any]]
TEMPLATE = """Parameters: {Delay: {Type: Number, Default: 5}}
Resources: {Queue: {Type: "AWS::SQS::Queue", Properties: {DelaySeconds: !Ref Delay}}}
Outputs: {Url: {Value: !Ref Queue}}
"""


@pytest.fixture(autouse=True)
def _cloudformation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the modules find one stack, pacs, deployed from TEMPLATE."""
    stack = {
        "StackName": "pacs",
        "StackId": "arn:pacs",
        "StackStatus": "CREATE_COMPLETE",
        "Parameters": [{"ParameterKey": "Delay", "ParameterValue": "5"}],
        "Outputs": [{"OutputKey": "Url", "OutputValue": "https://queue"}],
    }
    event = {
        "EventId": "1",
        "StackId": "arn:pacs",
        "PhysicalResourceId": "arn:pacs",
        "LogicalResourceId": "pacs",
        "ResourceType": "AWS::CloudFormation::Stack",
        "ResourceStatus": "CREATE_IN_PROGRESS",
        "Timestamp": datetime(2026, 1, 1, tzinfo=UTC),
    }
    resource = {
        "LogicalResourceId": "Queue",
        "PhysicalResourceId": "https://queue",
        "ResourceType": "AWS::SQS::Queue",
        "ResourceStatus": "CREATE_COMPLETE",
    }
    client = Mock(
        describe_stacks=lambda **request: {"Stacks": [stack]},
        get_template=lambda **request: {"TemplateBody": TEMPLATE},
        describe_stack_events=lambda **request: {"StackEvents": [event]},
        list_stack_resources=lambda **request: {"StackResourceSummaries": [resource]},
        spec_set=[
            "describe_stacks",
            "get_template",
            "describe_stack_events",
            "list_stack_resources",
            "meta",
        ],
    )
    create = client.meta.service_model.operation_model.return_value
    create.input_shape.members = {"StackName"}
    monkeypatch.setattr(AnsibleAWSModule, "client", lambda self, service: client)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")


def options(**given: Any) -> dict[str, Any]:
    """All options of the module, as the argument spec fills them in."""
    spec = cloudformation_stack.build_argument_spec()
    return {name: option.get("default") for name, option in spec.items()} | {"name": "pacs"} | given


def test_a_stack_as_desired_is_unchanged_and_tells_its_outputs(run_module: RunModule) -> None:
    result = run_module(cloudformation_stack, name="pacs", template_body=TEMPLATE)
    assert result["changed"] is False
    assert result["action"] == "none"
    assert result["outputs"] == {"Url": "https://queue"}
    assert result["stacks"]["pacs"]["outputs"] == {"Url": "https://queue"}
    assert result["status"] == "CREATE_COMPLETE"


def test_drift_cannot_be_reverted_with_a_boto3_that_knows_nothing_of_it(
    run_module: RunModule,
) -> None:
    result = run_module(
        cloudformation_stack, name="pacs", template_body=TEMPLATE, revert_drift=True
    )
    assert "Install a newer one" in result["msg"]


def test_a_stack_to_delete_needs_no_template(run_module: RunModule) -> None:
    result = run_module(cloudformation_stack, check_mode=True, name="pacs", state="absent")
    assert result["changed"] is True
    assert result["diff"] == {"before": "pacs (AWS::CloudFormation::Stack)\n", "after": ""}


def test_a_stack_to_be_present_needs_a_template(run_module: RunModule) -> None:
    result = run_module(cloudformation_stack, name="pacs")
    assert result["failed"] is True
    assert "template_url" in result["msg"]


def test_parameters_and_tags_become_texts() -> None:
    given = options(
        template_body=TEMPLATE, parameters={"Delay": 7, "Zones": ["a", "b"]}, tags={"cost": 12}
    )
    desired = cloudformation_stack.build_desired(given)
    assert desired.parameters == {"Delay": "7", "Zones": "a,b"}
    assert desired.tags == {"cost": "12"}


def test_what_may_be_lost_is_passed_on_by_name() -> None:
    given = options(template_body=TEMPLATE, allow_data_loss=["pacs/Files"])
    assert cloudformation_stack.build_desired(given).allow_data_loss == ("pacs/Files",)
    assert cloudformation_stack.build_desired(options()).allow_data_loss == ()


def test_the_text_of_a_template_is_read_from_its_path(tmp_path: Path) -> None:
    path = tmp_path / "root.yaml"
    path.write_text(TEMPLATE, encoding="utf-8")
    assert cloudformation_stack.read_template(options(template=str(path))) == TEMPLATE
    with pytest.raises(ModuleError, match="Failed to read the template"):
        cloudformation_stack.read_template(options(template=str(tmp_path / "missing.yaml")))


def test_progress_is_appended_line_by_line_and_never_fails(tmp_path: Path) -> None:
    path = tmp_path / "progress"
    report = cloudformation_stack.progress_writer(str(path))
    report("one")
    report("two")
    assert path.read_text(encoding="utf-8") == "one\ntwo\n"
    cloudformation_stack.progress_writer(str(tmp_path / "missing" / "progress"))("lost")
    cloudformation_stack.progress_writer(None)("lost")


def test_info_of_a_stack(run_module: RunModule) -> None:
    result = run_module(cloudformation_stack_info, name="pacs", resources=True, timeline=True)
    assert result["exists"] is True
    assert result["changed"] is False
    assert result["parameters"] == {"Delay": "5"}
    assert [resource["path"] for resource in result["resources"]] == ["pacs/Queue"]
    assert [row["path"] for row in result["timeline"]] == ["pacs"]


def test_info_of_a_missing_stack_is_no_error(run_module: RunModule) -> None:
    result = run_module(cloudformation_stack_info, name="other")
    assert result["exists"] is False
    assert "failed" not in result
