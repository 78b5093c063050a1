# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One command deploys, the same again changes nothing, and a change changes only its own."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from observed import calls, copy_of_the_checkout, physical_ids, secrets, tree_of, updated
from support.playbook_runs import Account, Run, ansible_command, run_to_its_end

FIRST = {"dicoogle_environment": "first"}
CALLS_OF_AN_UNCHANGED_RUN = 17  # two of them for the lock


@pytest.fixture(scope="module")
def first(account: Account) -> Iterator[Run]:
    """The environment `first`, deployed. An account has room for five VPCs."""
    yield account.succeed("site", **FIRST)
    account.succeed("destroy", **FIRST)


def test_the_first_run_creates_the_root_and_every_nested_stack(
    account: Account, first: Run
) -> None:
    statuses = {name: stack["StackStatus"] for name, stack in tree_of(account, "first").items()}
    assert len(statuses) > 10
    assert set(statuses.values()) == {"CREATE_COMPLETE"}
    assert "https://first-us-east-1.example.org/" in first.output
    ecs = account.client("iam").list_roles(PathPrefix="/aws-service-role/ecs.amazonaws.com/")
    assert len(ecs["Roles"]) == 1


def test_the_same_command_again_changes_nothing_and_costs_little(
    account: Account, first: Run
) -> None:
    before, start = len(calls(account)), time.monotonic()
    again = account.succeed("site", **FIRST)
    seconds = time.monotonic() - start
    made = [call for call in calls(account)[before:] if not call["internal"]]
    print(f"unchanged run: {len(made)} calls, {seconds:.1f} s")
    assert again.changed == 0
    assert len(made) <= CALLS_OF_AN_UNCHANGED_RUN, [f"{c['service']}:{c['action']}" for c in made]


def test_a_plan_changes_nothing_and_says_so(account: Account, first: Run) -> None:
    before = physical_ids(account, "first")
    assert account.succeed("plan", **FIRST).changed == 0
    assert physical_ids(account, "first") == before


def test_a_changed_parameter_is_planned_and_then_changes_only_what_depends_on_it(
    account: Account, first: Run
) -> None:
    before = physical_ids(account, "first")
    longer = {**FIRST, "stack_parameters": {"LogRetentionDays": "731"}}
    plan = account.succeed("plan", **longer)
    assert "RetentionInDays" in plan.output
    assert physical_ids(account, "first") == before
    assert account.succeed("site", **longer).changed == 1
    assert physical_ids(account, "first") == before
    assert account.succeed("site", **longer).changed == 0
    account.succeed("site", **FIRST)


def test_a_changed_template_updates_only_its_own_stack(
    account: Account, first: Run, tmp_path: Path
) -> None:
    before = tree_of(account, "first")
    changed = dataclasses.replace(account, checkout=copy_of_the_checkout(tmp_path))
    template = changed.checkout / "cloudformation" / "monitoring.template"
    text = template.read_text()
    assert "AlarmDescription: " in text
    template.write_text(text.replace("AlarmDescription: ", "AlarmDescription: Changed. ", 1))

    plan = changed.succeed("plan", **FIRST)
    assert "AlarmDescription" in plan.output
    assert tree_of(account, "first") == before

    changed.succeed("site", **FIRST)
    after = tree_of(account, "first")
    assert {name for name in after if updated(after[name]) != updated(before[name])} == {
        "first",
        "Monitoring",
    }
    account.succeed("site", **FIRST)


def test_a_due_certificate_renews_its_secrets_and_starts_the_task_anew(
    account: Account, first: Run
) -> None:
    before, stacks = secrets(account, "first"), tree_of(account, "first")
    lost = {**FIRST, "pki_revoked": ["nginx.1"]}

    plan = account.succeed("plan", **lost)
    assert "nginx: value changed" in plan.output
    assert "first/Task/TaskDefinition" in plan.output
    assert secrets(account, "first") == before

    account.succeed("site", **lost)
    after, renewed = secrets(account, "first"), tree_of(account, "first")
    assert {name for name in after if after[name] != before[name]} == {
        "first/identity",
        "first/nginx",
    }
    assert {name for name in renewed if updated(renewed[name]) != updated(stacks[name])} == {
        "first",
        "Service",
        "Task",
    }
    assert account.succeed("site", **FIRST).changed == 0


COMPARE = """---
- hosts: localhost
  gather_facts: false
  module_defaults:
    group/openpacs.dicoogle.dicoogle: "{{ dicoogle_aws }}"
  tasks:
    - ansible.builtin.import_role:
        name: openpacs.dicoogle.stack
        tasks_from: compare
"""


def test_what_was_changed_outside_is_shown_left_and_brought_back(
    account: Account, first: Run, tmp_path: Path
) -> None:
    playbook = tmp_path / "compare.yml"  # the last part of verify, which needs a running task
    playbook.write_text(COMPARE)

    def compare() -> Run:
        given = {"dicoogle_embedded_dir": str(account.folder), **FIRST}
        command = ansible_command(str(playbook), **given)
        return run_to_its_end(command, account.checkout, account.environment)

    assert "Everything is as it was deployed." in compare().output
    ec2, ids = account.client("ec2"), physical_ids(account, "first")
    group = next(each for name, each in ids.items() if name.endswith("/WebSecurityGroup"))
    world = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22}
    ec2.authorize_security_group_ingress(
        GroupId=group, IpPermissions=[{**world, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    )

    found = compare()
    assert found.failed
    assert f"first/LoadBalancers/WebSecurityGroup (AWS::EC2::SecurityGroup, {group}): modified" in (
        found.output
    )
    assert "/SecurityGroupIngress/1: expected null, actual" in found.output
    plan = account.succeed("plan", **FIRST)
    assert plan.changed == 0
    assert f"first/LoadBalancers/WebSecurityGroup (AWS::EC2::SecurityGroup, {group})" in plan.output
    assert "stack_revert_drift=true" in plan.output
    assert account.succeed("site", **FIRST).changed == 0

    back = {**FIRST, "stack_revert_drift": True}
    assert "/WebSecurityGroup" in account.succeed("plan", **back).output
    assert account.succeed("site", **back).changed == 1
    (after,) = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    assert [rule["FromPort"] for rule in after["IpPermissions"]] == [443]
    assert account.succeed("site", **back).changed == 0
    assert "Changed outside" not in account.succeed("plan", **FIRST).output


def test_an_environment_without_its_bootstrap_stack_is_not_taken_for_a_new_one(
    account: Account, first: Run
) -> None:
    client, s3 = account.client("cloudformation"), account.client("s3")
    bootstrap = tree_of(account, "first-bootstrap")["first-bootstrap"]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in bootstrap["Outputs"]}
    bucket = outputs["ArtifactsBucketName"]
    listed = s3.list_object_versions(Bucket=bucket)
    for version in listed["Versions"] + listed["DeleteMarkers"]:
        s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
    client.update_termination_protection(
        StackName="first-bootstrap", EnableTerminationProtection=False
    )
    client.delete_stack(StackName="first-bootstrap")
    client.get_waiter("stack_delete_complete").wait(
        StackName=bootstrap["StackId"], WaiterConfig={"Delay": 1}
    )

    plan = account.succeed("plan", **FIRST)

    assert "no environment" not in plan.output
    assert "The stack first exists, but first-bootstrap is gone" in plan.output
