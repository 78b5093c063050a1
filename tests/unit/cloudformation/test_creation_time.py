# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How long the creation takes in the model of tests/bench/creation_time.py."""

from __future__ import annotations

from pathlib import Path

from bench.creation_time import Stack, report
from support.cloudformation_templates import FOLDER

ORIGINAL = 1186  # seconds, the original's templates in the same model
CHILD = """
Parameters: {Bucket: {Type: String}}
Resources:
  Role: {Type: AWS::IAM::Role}
  Task: {Type: AWS::ECS::TaskDefinition, Properties: {TaskRoleArn: !GetAtt Role.Arn}}
  Service:
    Type: AWS::ECS::Service
    DependsOn: [Task]
Outputs: {Role: {Value: !Ref Role}}
"""
PARENT = """
Resources:
  Bucket: {Type: AWS::S3::Bucket}
  Child:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: child.yaml
      Parameters: {Bucket: !Ref Bucket}
  Endpoint: {Type: AWS::EC2::VPCEndpoint, Properties: {VpcEndpointType: Gateway}}
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties: {AlarmDescription: !Sub "${Child.Outputs.Role} ${Endpoint}"}
"""


def test_root_is_created_in_less_than_two_fifths_of_the_time_of_the_original() -> None:
    root = Stack(FOLDER / "root.template")
    assert root.duration <= 0.40 * ORIGINAL, "\n".join(report(root))


def test_service_is_what_comes_last() -> None:
    assert Stack(FOLDER / "root.template").critical_path()[-1].name == "Service"


def test_model_waits_for_references_and_for_all_of_a_nested_stack(tmp_path: Path) -> None:
    (tmp_path / "child.yaml").write_text(CHILD)
    (tmp_path / "parent.yaml").write_text(PARENT)
    stack = Stack(tmp_path / "parent.yaml")
    # Bucket 25, nested stack 10 with role 20, task definition 4 and service 240, then the alarm 4.
    assert stack.duration == 25 + 10 + 20 + 4 + 240 + 4
    assert [step.name for step in stack.critical_path()] == ["Bucket", "Child", "Alarm"]
    assert stack.steps["Endpoint"].finish == 10
