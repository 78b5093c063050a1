# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Drift-aware change sets list what was changed outside CloudFormation, and bring it back."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from harness import EmbeddedAws, Template

GROUP: dict[str, Any] = {
    "Type": "AWS::EC2::SecurityGroup",
    "Properties": {
        "GroupDescription": "DICOM",
        "SecurityGroupIngress": [
            {"IpProtocol": "tcp", "FromPort": 104, "ToPort": 104, "CidrIp": "10.0.0.0/8"}
        ],
    },
}
LEAF: Template = {
    "Resources": {
        "Group": GROUP,
        "Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 400}},
    }
}
WORLD = [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]


class ChangeSet:
    """A change set of an update, drift-aware unless said otherwise."""

    def __init__(
        self, aws: EmbeddedAws, name: str, template: Template, mode: str = "REVERT_DRIFT"
    ) -> None:
        """Create it, with those of nested stacks."""
        self.aws, self.client, self.name = aws, aws.client("cloudformation"), name
        given = {"DeploymentMode": mode} if mode else {}
        self.id = self.client.create_change_set(
            StackName=name,
            ChangeSetName=f"set-{uuid4().hex[:8]}",
            ChangeSetType="UPDATE",
            IncludeNestedStacks=True,
            **given,
            **aws.request(template, None),
        )["Id"]

    def describe(self, change_set_id: str = "") -> dict[str, Any]:
        """Return what DescribeChangeSet says, values of properties included."""
        answer: dict[str, Any] = self.client.describe_change_set(
            ChangeSetName=change_set_id or self.id, IncludePropertyValues=True
        )
        return answer

    def changes(self, change_set_id: str = "") -> dict[str, dict[str, Any]]:
        """Return the changes by logical id."""
        listed = self.describe(change_set_id)["Changes"]
        return {c["ResourceChange"]["LogicalResourceId"]: c["ResourceChange"] for c in listed}

    def execute(self) -> str:
        """Execute it and return the status of the stack afterwards."""
        self.client.execute_change_set(ChangeSetName=self.id)
        return self.aws.wait(self.name)


def tree_of(aws: EmbeddedAws) -> tuple[str, Template, dict[str, str]]:
    """Deploy a root with one nested stack; return its name, template and the nested resources."""
    root: Template = {
        "Resources": {
            "Net": {
                "Type": "AWS::CloudFormation::Stack",
                "Properties": {"TemplateURL": aws.upload(LEAF)},
            }
        }
    }
    name = aws.deploy(root)
    return name, root, aws.resources(aws.resources(name)["Net"])


def test_nothing_is_listed_where_nothing_was_changed(aws: EmbeddedAws) -> None:
    name, root, _resources = tree_of(aws)
    description = ChangeSet(aws, name, root).describe()
    assert description["Status"] == "FAILED"
    assert "didn't contain changes" in description["StatusReason"]


def test_what_was_changed_outside_is_listed_in_the_nested_stack(aws: EmbeddedAws) -> None:
    name, root, resources = tree_of(aws)
    aws.client("logs").put_retention_policy(logGroupName=resources["Logs"], retentionInDays=1)

    plain = ChangeSet(aws, name, root, mode="")
    assert plain.describe()["Status"] == "FAILED"
    aware = ChangeSet(aws, name, root)
    assert aware.describe()["DeploymentMode"] == "REVERT_DRIFT"
    nested = aware.changes()["Net"]["ChangeSetId"]
    assert aware.describe(nested)["StackDriftStatus"] == "DRIFTED"
    (change,) = aware.changes(nested).values()
    assert (change["LogicalResourceId"], change["Action"]) == ("Logs", "Modify")
    assert change["ResourceDriftStatus"] == "MODIFIED"
    (detail,) = change["Details"]
    assert detail["Target"]["Path"] == "/RetentionInDays"
    assert (detail["Target"]["BeforeValue"], detail["Target"]["AfterValue"]) == ("1", "400")
    drift = detail["Target"]["Drift"]
    assert (drift["PreviousValue"], drift["ActualValue"]) == ("400", "1")


def test_its_execution_brings_back_what_was_changed_and_what_was_deleted(aws: EmbeddedAws) -> None:
    name, root, resources = tree_of(aws)
    ec2, logs = aws.client("ec2"), aws.client("logs")
    ec2.authorize_security_group_ingress(GroupId=resources["Group"], IpPermissions=WORLD)
    logs.delete_log_group(logGroupName=resources["Logs"])

    change_set = ChangeSet(aws, name, root)
    below = change_set.changes(change_set.changes()["Net"]["ChangeSetId"])
    assert {key: (c["Action"], c["ResourceDriftStatus"]) for key, c in below.items()} == {
        "Group": ("Modify", "MODIFIED"),
        "Logs": ("Add", "DELETED"),
    }
    assert change_set.execute() == "UPDATE_COMPLETE"

    after = aws.resources(aws.resources(name)["Net"])
    assert after["Group"] == resources["Group"]
    (group,) = ec2.describe_security_groups(GroupIds=[after["Group"]])["SecurityGroups"]
    assert [rule["FromPort"] for rule in group["IpPermissions"]] == [104]
    assert logs.describe_log_groups(logGroupNamePrefix=after["Logs"])["logGroups"]
    assert ChangeSet(aws, name, root).describe()["Status"] == "FAILED"


def test_one_that_is_not_drift_aware_leaves_what_was_changed_outside(aws: EmbeddedAws) -> None:
    name = aws.deploy(LEAF)
    group = aws.resources(name)["Logs"]
    aws.client("logs").put_retention_policy(logGroupName=group, retentionInDays=1)
    larger = {"Resources": {**LEAF["Resources"], "Queue": {"Type": "AWS::SQS::Queue"}}}
    assert ChangeSet(aws, name, larger, mode="").execute() == "UPDATE_COMPLETE"
    (found,) = aws.client("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert found["retentionInDays"] == 1
