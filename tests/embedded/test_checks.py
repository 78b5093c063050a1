# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is refused before anything is created, in the words of CloudFormation."""

from __future__ import annotations

import json
from typing import Any

import pytest
from harness import EmbeddedAws, Template

QUEUE: dict[str, Any] = {"Type": "AWS::SQS::Queue"}
ROLE = {
    "Type": "AWS::IAM::Role",
    "Properties": {
        "AssumeRolePolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": "sts:AssumeRole",
                    "Principal": {"Service": "ecs.amazonaws.com"},
                }
            ],
        }
    },
}


def refusal(aws: EmbeddedAws, template: Template, parameters: dict[str, str], **more: Any) -> str:
    """Return why CreateStack refuses; a refused stack must not exist."""
    cloudformation = aws.client("cloudformation")
    request = {**aws.request(template, parameters), **more}
    message = aws.refusal(cloudformation.create_stack, StackName="refused", **request)
    assert "does not exist" in aws.refusal(cloudformation.describe_stacks, StackName="refused")
    return message


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (
            {"Resources": {"A": {**QUEUE, "Properties": {"QueueName": {"Ref": "Nobody"}}}}},
            "Template format error: Unresolved resource dependencies [Nobody] "
            "in the Resources block of the template",
        ),
        (
            {"Resources": {"A": {**QUEUE, "DependsOn": "Nobody"}}},
            "Template format error: Unresolved resource dependencies [Nobody] "
            "in the Resources block of the template",
        ),
        (
            {"Resources": {"A": QUEUE}, "Outputs": {"O": {"Value": {"Fn::Sub": "${Nobody.Arn}"}}}},
            "Template format error: Unresolved resource dependencies [Nobody] "
            "in the Outputs block of the template",
        ),
        (
            {"Resources": {"A": {**QUEUE, "Condition": "Never"}}},
            "Template format error: Unresolved condition dependency Never "
            "in the Resources block of the template",
        ),
        (
            {
                "Resources": {
                    "A": {**QUEUE, "DependsOn": "B"},
                    "B": {**QUEUE, "DependsOn": "A"},
                }
            },
            "Circular dependency detected among resources: A, B",
        ),
    ],
)
def test_broken_template_is_refused(aws: EmbeddedAws, template: Template, message: str) -> None:
    assert refusal(aws, template, {}) == message


def test_update_to_a_broken_template_leaves_the_stack_alone(aws: EmbeddedAws) -> None:
    name = aws.deploy({"Resources": {"A": QUEUE}})
    broken = {"Resources": {"A": {**QUEUE, "Properties": {"QueueName": {"Ref": "Nobody"}}}}}
    cloudformation = aws.client("cloudformation")
    message = aws.refusal(cloudformation.update_stack, StackName=name, **aws.request(broken, None))
    assert "Unresolved resource dependencies [Nobody]" in message
    assert aws.status(name) == "CREATE_COMPLETE"


def test_conditional_references_and_pseudo_parameters_are_no_dangling_ones(
    aws: EmbeddedAws,
) -> None:
    template = {
        "Conditions": {"Never": {"Fn::Equals": ["a", "b"]}},
        "Resources": {
            "A": {**QUEUE, "Condition": "Never"},
            "B": {
                **QUEUE,
                "Properties": {
                    "QueueName": {"Fn::Sub": "${AWS::StackName}-b"},
                    "DelaySeconds": {"Fn::If": ["Never", {"Ref": "A"}, {"Ref": "AWS::NoValue"}]},
                },
            },
        },
    }
    assert aws.status(aws.deploy(template)) == "CREATE_COMPLETE"


def test_unknown_parameter_is_refused(aws: EmbeddedAws) -> None:
    message = refusal(aws, {"Resources": {"A": QUEUE}}, {"Typo": "x"})
    assert message == "Parameters: [Typo] do not exist in the template"


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("AWS::EC2::KeyPair::KeyName", "nobody"),
        ("AWS::EC2::VPC::Id", "vpc-nobody"),
        ("AWS::EC2::Subnet::Id", "subnet-nobody"),
        ("List<AWS::EC2::SecurityGroup::Id>", "sg-nobody"),
        ("List<AWS::EC2::AvailabilityZone::Name>", "mars-north-1a"),
        ("AWS::Route53::HostedZone::Id", "ZNOBODY"),
    ],
)
def test_parameter_that_names_nothing_is_refused(aws: EmbeddedAws, kind: str, value: str) -> None:
    template = {"Parameters": {"P": {"Type": kind}}, "Resources": {"A": QUEUE}}
    assert refusal(aws, template, {"P": value}) == (
        f"Parameter validation failed: parameter value {value} for parameter name P does not exist"
    )


def test_parameter_that_names_something_is_taken(aws: EmbeddedAws) -> None:
    vpc = aws.client("ec2").create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    template = {
        "Parameters": {
            "Vpc": {"Type": "AWS::EC2::VPC::Id"},
            "Zones": {"Type": "List<AWS::EC2::AvailabilityZone::Name>"},
        },
        "Resources": {"A": QUEUE},
    }
    name = aws.deploy(template, {"Vpc": vpc, "Zones": "us-east-1a, us-east-1b"})
    assert aws.status(name) == "CREATE_COMPLETE"


def test_roles_need_a_capability_in_the_root_and_below(aws: EmbeddedAws) -> None:
    template = {"Resources": {"R": ROLE}}
    needed = "Requires capabilities : [CAPABILITY_IAM]"
    assert refusal(aws, template, {}, Capabilities=[]) == needed
    child = {
        "Type": "AWS::CloudFormation::Stack",
        "Properties": {"TemplateURL": aws.upload(template)},
    }
    parent = {"Resources": {"C": child}}
    cloudformation = aws.client("cloudformation")
    cloudformation.create_stack(StackName="no-capability", TemplateBody=json.dumps(parent))
    assert aws.wait("no-capability") == "ROLLBACK_COMPLETE"
    reasons = [e.get("ResourceStatusReason", "") for e in aws.events("no-capability")]
    assert any(needed in reason for reason in reasons)
    assert aws.status(aws.deploy(parent)) == "CREATE_COMPLETE"


@pytest.mark.parametrize(
    "form",
    [
        "https://s3.amazonaws.com/{bucket}/{key}",
        "https://s3.us-east-1.amazonaws.com/{bucket}/{key}",
        "https://s3-eu-west-1.amazonaws.com/{bucket}/{key}",
        "https://{bucket}.s3.amazonaws.com/{key}",
        "https://{bucket}.s3.us-east-1.amazonaws.com/{key}",
        "https://{bucket}.s3-us-west-2.amazonaws.com/{key}",
        "https://{bucket}.s3.dualstack.us-east-1.amazonaws.com/{key}",
        "https://{bucket}.s3.cn-north-1.amazonaws.com.cn/{key}",
        "{endpoint}/{bucket}/{key}",
    ],
)
def test_template_url_forms(aws: EmbeddedAws, form: str) -> None:
    aws.client("s3").create_bucket(Bucket="forms")
    aws.client("s3").put_object(
        Bucket="forms", Key="a/b.json", Body=json.dumps({"Resources": {"A": QUEUE}}).encode()
    )
    url = form.format(bucket="forms", key="a/b.json", endpoint=aws.endpoint_url)
    summary = aws.client("cloudformation").get_template_summary(TemplateURL=url)
    assert summary["ResourceTypes"] == ["AWS::SQS::Queue"]


@pytest.mark.parametrize("url", ["s3://forms/a/b.json", "https://example.com/forms/a/b.json"])
def test_template_url_elsewhere_is_refused(aws: EmbeddedAws, url: str) -> None:
    call = aws.client("cloudformation").get_template_summary
    assert aws.refusal(call, TemplateURL=url) == "TemplateURL must be a supported URL."


def test_stacks_of_the_same_template_do_not_share_it(aws: EmbeddedAws) -> None:
    template = {"Resources": {"A": {**QUEUE, "Properties": {"DelaySeconds": 1}}}}
    first, second = aws.deploy(template), aws.deploy(template)
    changed = {"Resources": {"A": {**QUEUE, "Properties": {"DelaySeconds": 2}}}}
    assert aws.update(first, changed) == "UPDATE_COMPLETE"
    update = aws.client("cloudformation").update_stack
    refused = aws.refusal(update, StackName=second, **aws.request(template, None))
    assert refused == "No updates are to be performed."


def test_ssm_parameter_shows_its_name_and_what_it_stands_for(aws: EmbeddedAws) -> None:
    aws.client("ssm").put_parameter(Name="/test/delay", Value="5", Type="String")
    template = {
        "Parameters": {
            "Delay": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/test/delay"}
        },
        "Resources": {"A": {**QUEUE, "Properties": {"DelaySeconds": {"Ref": "Delay"}}}},
    }
    shown = aws.stack(aws.deploy(template))["Parameters"]
    assert shown == [
        {"ParameterKey": "Delay", "ParameterValue": "/test/delay", "ResolvedValue": "5"}
    ]
