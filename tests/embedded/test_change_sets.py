# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Change sets: what they list, for nested stacks too, and that executing them does just that."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

from harness import EmbeddedAws, Template

QUEUE: dict[str, Any] = {"Type": "AWS::SQS::Queue"}
DELAY = {"Type": "String", "Default": "0"}


def queue(**properties: Any) -> dict[str, Any]:
    """Return a queue."""
    return {**QUEUE, "Properties": properties}


def nested(url: str, **parameters: Any) -> dict[str, Any]:
    """Return a nested stack."""
    return {
        "Type": "AWS::CloudFormation::Stack",
        "Properties": {"TemplateURL": url, "Parameters": parameters},
    }


def child(url_of: str = "Q", **resources: Any) -> Template:
    """Return a template with a parameter for a queue's delay and the queue's URL as output."""
    return {
        "Parameters": {"Delay": DELAY},
        "Resources": {"Q": queue(DelaySeconds={"Ref": "Delay"}), **resources},
        "Outputs": {"Url": {"Value": {"Ref": url_of}}},
    }


class ChangeSet:
    """A change set of a root stack, as its maker sees it."""

    def __init__(
        self,
        aws: EmbeddedAws,
        template: Template,
        stack: str | None = None,
        parameters: dict[str, str] | None = None,
        nested: bool = True,
    ) -> None:
        """Create it, for a new stack unless one is named."""
        self.aws, self.client = aws, aws.client("cloudformation")
        self.stack = stack or f"test-{uuid4().hex[:8]}"
        answer = self.client.create_change_set(
            StackName=self.stack,
            ChangeSetName=f"set-{uuid4().hex[:8]}",
            ChangeSetType="UPDATE" if stack else "CREATE",
            IncludeNestedStacks=nested,
            **aws.request(template, parameters),
        )
        self.id = answer["Id"]

    def describe(self, change_set_id: str | None = None) -> dict[str, Any]:
        """Return what DescribeChangeSet says, of this change set unless one is named."""
        answer: dict[str, Any] = self.client.describe_change_set(
            ChangeSetName=change_set_id or self.id
        )
        return answer

    def changes(self, change_set_id: str | None = None) -> dict[str, dict[str, Any]]:
        """Return the changes by logical id."""
        listed = self.describe(change_set_id)["Changes"]
        return {c["ResourceChange"]["LogicalResourceId"]: c["ResourceChange"] for c in listed}

    def below(self, logical_id: str) -> dict[str, dict[str, Any]]:
        """Return the changes inside a nested stack."""
        return self.changes(self.changes()[logical_id]["ChangeSetId"])

    def execute(self) -> str:
        """Execute it and return the status of the stack afterwards."""
        self.client.execute_change_set(ChangeSetName=self.id)
        return self.aws.wait(self.stack)


def test_creation_previews_the_tree_and_creates_what_it_announced(aws: EmbeddedAws) -> None:
    grandchild = aws.upload(child())
    middle = aws.upload({"Resources": {"G": nested(grandchild)}})
    change_set = ChangeSet(aws, {"Resources": {"M": nested(middle), "R": QUEUE}})
    assert {k: c["Action"] for k, c in change_set.changes().items()} == {"M": "Add", "R": "Add"}
    m = change_set.describe(change_set.changes()["M"]["ChangeSetId"])
    assert m["RootChangeSetId"] == m["ParentChangeSetId"] == change_set.id
    assert m["IncludeNestedStacks"] is True
    g = change_set.below("M")["G"]["ChangeSetId"]
    assert change_set.describe(g)["ParentChangeSetId"] == m["ChangeSetId"]
    assert change_set.changes(g)["Q"]["Action"] == "Add"
    assert aws.status(m["StackId"]) == "REVIEW_IN_PROGRESS"
    assert change_set.execute() == "CREATE_COMPLETE"
    assert aws.resources(change_set.stack)["M"] == m["StackId"]
    assert aws.resources(m["StackId"])["G"] == change_set.describe(g)["StackId"]
    assert change_set.describe(g)["ExecutionStatus"] == "EXECUTE_COMPLETE"
    assert aws.delete(change_set.stack) == "DELETE_COMPLETE"


def test_update_lists_only_the_nested_stacks_that_change(aws: EmbeddedAws) -> None:
    url = aws.upload(child())
    parameters = {"D": {"Type": "String", "Default": "0"}}

    def root(d: Any) -> Template:
        resources = {"A": nested(url, Delay=d), "B": nested(url, Delay="1")}
        return {"Parameters": parameters, "Resources": resources}

    name = aws.deploy(root({"Ref": "D"}))
    change_set = ChangeSet(aws, root({"Ref": "D"}), name, {"D": "5"})
    assert set(change_set.changes()) == {"A"}
    assert change_set.below("A")["Q"]["Replacement"] == "False"
    assert change_set.execute() == "UPDATE_COMPLETE"
    nothing = ChangeSet(aws, root({"Ref": "D"}), name, {"D": "5"}).describe()
    assert (nothing["Status"], nothing["Changes"]) == ("FAILED", [])
    assert "didn't contain changes" in nothing["StatusReason"]


def subnets(count: int) -> Template:
    """Return a template with a VPC and the last of `count` subnets cut out of its range."""
    cut = {"Fn::Cidr": [{"Ref": "Range"}, count, {"Ref": "Bits"}]}
    return {
        "Parameters": {"Range": {"Type": "String"}, "Bits": {"Type": "Number", "Default": 8}},
        "Resources": {
            "V": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": {"Ref": "Range"}}},
            "S": {
                "Type": "AWS::EC2::Subnet",
                "Properties": {
                    "VpcId": {"Ref": "V"},
                    "CidrBlock": {"Fn::Select": [count - 1, cut]},
                },
            },
        },
    }


def test_subnets_cut_out_of_a_range_are_previewed_in_a_nested_stack(aws: EmbeddedAws) -> None:
    url = aws.upload(subnets(4))
    root = {
        "Parameters": {"Bits": {"Type": "Number", "Default": 8}},
        "Resources": {"N": nested(url, Range="10.7.0.0/16", Bits={"Ref": "Bits"})},
    }
    creation = ChangeSet(aws, root)
    assert creation.below("N")["S"]["Action"] == "Add"
    assert creation.execute() == "CREATE_COMPLETE"
    inside = aws.resources(aws.resources(creation.stack)["N"])
    (made,) = aws.client("ec2").describe_subnets(SubnetIds=[inside["S"]])["Subnets"]
    assert (made["CidrBlock"], made["VpcId"]) == ("10.7.3.0/24", inside["V"])
    nothing = ChangeSet(aws, root, creation.stack, {"Bits": "8"}).describe()
    assert "didn't contain changes" in nothing["StatusReason"]
    smaller = ChangeSet(aws, root, creation.stack, {"Bits": "4"}).below("N")
    assert {name: change["Replacement"] for name, change in smaller.items()} == {"S": "True"}
    assert aws.delete(creation.stack) == "DELETE_COMPLETE"


def test_a_range_that_holds_too_few_subnets_fails_with_its_reason(aws: EmbeddedAws) -> None:
    name = aws.deploy(subnets(4), {"Range": "10.7.0.0/23"})
    assert aws.status(name) == "ROLLBACK_COMPLETE"
    reasons = [event.get("ResourceStatusReason", "") for event in aws.events(name)]
    assert any("10.7.0.0/23 holds only 2 /24 blocks, 4 requested" in reason for reason in reasons)
    assert aws.delete(name) == "DELETE_COMPLETE"


def test_outputs_carry_a_change_only_when_they_change(aws: EmbeddedAws) -> None:
    old, tagged = child(), child(Extra=QUEUE)
    replaced = child()
    replaced["Resources"]["Q"] = queue(FifoQueue=True)
    user = {
        "Parameters": {"Url": {"Type": "String", "AllowedPattern": "https?://.+"}},
        "Resources": {
            "P": {
                "Type": "AWS::SSM::Parameter",
                "Properties": {"Type": "String", "Value": {"Ref": "Url"}},
            }
        },
    }
    user_url = aws.upload(user)

    def root(template: Template) -> Template:
        url = {"Fn::GetAtt": ["A", "Outputs.Url"]}
        note = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": url}}
        a = nested(aws.upload(template))
        return {"Resources": {"A": a, "U": nested(user_url, Url=url), "N": note}}

    name = aws.deploy(root(old))
    extra = ChangeSet(aws, root(tagged), name)
    assert set(extra.changes()) == {"A"}
    assert {k: c["Action"] for k, c in extra.below("A").items()} == {"Extra": "Add"}
    change_set = ChangeSet(aws, root(replaced), name)
    assert set(change_set.changes()) == {"A", "U", "N"}
    assert change_set.below("A")["Q"]["Replacement"] == "True"
    assert set(change_set.below("U")) == {"P"}
    assert change_set.execute() == "UPDATE_COMPLETE"


def test_reference_to_what_changes_in_place_stays_inside_its_stack(aws: EmbeddedAws) -> None:
    value = {"Fn::GetAtt": ["Q", "QueueName"]}
    names = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": value}}
    a = child(P=names, url_of="P")
    user = {
        "Parameters": {"Name": {"Type": "String"}},
        "Resources": {"Q": queue(Tags=[{"Key": "Name", "Value": {"Ref": "Name"}}])},
    }
    name_of_a = {"Fn::GetAtt": ["A", "Outputs.Url"]}
    a_url, user_url = aws.upload(a), aws.upload(user)

    def root(seconds: str) -> Template:
        return {
            "Resources": {
                "A": nested(a_url, Delay=seconds),
                "U": nested(user_url, Name=name_of_a),
            }
        }

    name = aws.deploy(root("0"))
    change_set = ChangeSet(aws, root("1"), name)
    assert set(change_set.changes()) == {"A"}
    assert set(change_set.below("A")) == {"P", "Q"}


def test_new_outputs_alone_are_worth_an_execution(aws: EmbeddedAws) -> None:
    template = {"Resources": {"Q": QUEUE}}
    name = aws.deploy(template)
    change_set = ChangeSet(aws, {**template, "Outputs": {"Url": {"Value": {"Ref": "Q"}}}}, name)
    assert change_set.describe()["Status"] == "CREATE_COMPLETE"
    assert change_set.execute() == "UPDATE_COMPLETE"
    assert "Url" in aws.outputs(name)


def test_resources_whose_condition_does_not_hold_are_not_listed(aws: EmbeddedAws) -> None:
    template = {
        "Parameters": {"Both": {"Type": "String", "Default": "no"}},
        "Conditions": {"Both": {"Fn::Equals": [{"Ref": "Both"}, "yes"]}},
        "Resources": {"A": QUEUE, "B": {**QUEUE, "Condition": "Both"}},
    }
    change_set = ChangeSet(aws, template)
    assert set(change_set.changes()) == {"A"}
    assert change_set.execute() == "CREATE_COMPLETE"
    more = ChangeSet(aws, template, change_set.stack, {"Both": "yes"})
    assert more.changes()["B"]["Action"] == "Add"
    assert more.execute() == "UPDATE_COMPLETE"
    less = ChangeSet(aws, template, change_set.stack, {"Both": "no"})
    assert less.changes()["B"]["Action"] == "Remove"


def test_template_changed_at_the_same_url_is_listed_without_looking_inside(
    aws: EmbeddedAws,
) -> None:
    url = aws.upload(child())
    root = {"Resources": {"A": nested(url)}}
    name = aws.deploy(root)
    assert ChangeSet(aws, root, name, nested=False).describe()["Status"] == "FAILED"
    aws.put(url, child(Extra=QUEUE))
    change_set = ChangeSet(aws, root, name, nested=False)
    assert change_set.changes()["A"]["Details"][0]["ChangeSource"] == "Automatic"
    assert change_set.execute() == "UPDATE_COMPLETE"
    assert "Extra" in aws.resources(aws.resources(name)["A"])


def test_nested_change_sets_live_and_die_with_their_root(aws: EmbeddedAws) -> None:
    change_set = ChangeSet(aws, {"Resources": {"A": nested(aws.upload(child()))}})
    a = change_set.describe(change_set.changes()["A"]["ChangeSetId"])
    for call in (change_set.client.execute_change_set, change_set.client.delete_change_set):
        message = aws.refusal(call, ChangeSetName=a["ChangeSetId"])
        assert change_set.id in message
    change_set.client.delete_change_set(ChangeSetName=change_set.id)
    describe = change_set.client.describe_change_set
    assert "does not exist" in aws.refusal(describe, ChangeSetName=a["ChangeSetId"])
    describe_stack = change_set.client.describe_stacks
    assert "does not exist" in aws.refusal(describe_stack, StackName=a["StackId"])
    assert aws.status(change_set.stack) == "REVIEW_IN_PROGRESS"


def test_change_sets_are_listed_by_the_name_and_the_id_of_their_stack(aws: EmbeddedAws) -> None:
    change_set = ChangeSet(aws, {"Resources": {"Queue": QUEUE}})
    for stack in (change_set.stack, aws.stack(change_set.stack)["StackId"]):
        listed = change_set.client.list_change_sets(StackName=stack)["Summaries"]
        assert [each["ChangeSetId"] for each in listed] == [change_set.id]
    change_set.client.delete_stack(StackName=change_set.stack)


def test_deleting_a_stack_in_review_leaves_no_announced_stack(aws: EmbeddedAws) -> None:
    change_set = ChangeSet(aws, {"Resources": {"A": nested(aws.upload(child()))}})
    a = change_set.describe(change_set.changes()["A"]["ChangeSetId"])["StackId"]
    assert aws.delete(change_set.stack) == "DELETE_COMPLETE"
    describe_stack = change_set.client.describe_stacks
    assert "does not exist" in aws.refusal(describe_stack, StackName=a)


def test_nested_stacks_that_a_failing_creation_does_not_reach_are_forgotten(
    aws: EmbeddedAws,
) -> None:
    broken = {"Type": "Custom::X", "Properties": {"ServiceToken": "arn:aws:lambda:::missing"}}
    late = {**nested(aws.upload(child())), "DependsOn": "B"}
    change_set = ChangeSet(aws, {"Resources": {"A": late, "B": broken}})
    a = change_set.describe(change_set.changes()["A"]["ChangeSetId"])["StackId"]
    assert change_set.execute() == "ROLLBACK_COMPLETE"
    assert "does not exist" in aws.refusal(change_set.client.describe_stacks, StackName=a)


def test_broken_nested_template_fails_the_tree_and_can_be_read_why(aws: EmbeddedAws) -> None:
    broken = aws.upload({"Resources": {"Q": queue(DelaySeconds={"Ref": "Nobody"})}})
    middle = aws.upload({"Resources": {"B": nested(broken)}})
    described = ChangeSet(aws, {"Resources": {"M": nested(middle)}}).describe()
    for _unused in ("M", "B"):
        assert (described["Status"], described["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")
        reason = described["StatusReason"]
        assert "was not successfully created: Currently in FAILED." in reason
        nested_id = reason.split()[3]
        described = aws.client("cloudformation").describe_change_set(ChangeSetName=nested_id)
    assert "Unresolved resource dependencies [Nobody]" in described["StatusReason"]


def test_change_set_shows_the_name_of_an_ssm_parameter(aws: EmbeddedAws) -> None:
    aws.client("ssm").put_parameter(Name="/test/set", Value="5", Type="String", Overwrite=True)
    ssm = {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/test/set"}
    template = {"Parameters": {"D": ssm}, "Resources": {"Q": queue(DelaySeconds={"Ref": "D"})}}
    shown = ChangeSet(aws, template).describe()["Parameters"]
    assert json.dumps(shown) == json.dumps(
        [{"ParameterKey": "D", "ParameterValue": "/test/set", "ResolvedValue": "5"}]
    )
