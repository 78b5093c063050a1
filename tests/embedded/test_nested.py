# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Nested stacks: each way an operation on their root can go, and what it leaves behind."""

from __future__ import annotations

from typing import Any

from harness import EmbeddedAws, Template


def queue(**properties: Any) -> dict[str, Any]:
    """Return a queue: updated in place by everything but its name and FifoQueue."""
    return {"Type": "AWS::SQS::Queue", "Properties": properties}


def broken() -> dict[str, Any]:
    """Return a resource that is accepted, and fails when its turn comes."""
    missing = "arn:aws:lambda:us-east-1:000000000000:function:missing"
    return {"Type": "Custom::Broken", "Properties": {"ServiceToken": missing}}


def nested(url: str, **more: Any) -> dict[str, Any]:
    """Return a nested stack."""
    return {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": url}, **more}


def template(outputs: dict[str, Any] | None = None, **resources: Any) -> Template:
    """Return a template of these resources."""
    return {"Resources": resources, **({"Outputs": outputs} if outputs else {})}


def queues(aws: EmbeddedAws) -> set[str]:
    """Return the URLs of all queues."""
    return set(aws.client("sqs").list_queues().get("QueueUrls", []))


def delay(aws: EmbeddedAws, url: str) -> str:
    """Return the delay of a queue in seconds."""
    answer = aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["DelaySeconds"])
    return str(answer["Attributes"]["DelaySeconds"])


def statuses(aws: EmbeddedAws, stack: str, logical_id: str) -> list[str]:
    """Return the statuses through which a resource of a stack has gone."""
    return [e["ResourceStatus"] for e in aws.events(stack) if e["LogicalResourceId"] == logical_id]


def test_create_hands_outputs_up_and_delete_removes_the_tree(aws: EmbeddedAws) -> None:
    before = queues(aws)
    grandchild = aws.upload(template({"Url": {"Value": {"Ref": "Q"}}}, Q=queue()))
    child = aws.upload(
        template({"Url": {"Value": {"Fn::GetAtt": ["G", "Outputs.Url"]}}}, G=nested(grandchild))
    )
    root = template({"Url": {"Value": {"Fn::GetAtt": ["C", "Outputs.Url"]}}}, C=nested(child))
    name = aws.deploy(root)
    assert aws.outputs(name)["Url"] in queues(aws) - before
    ids = [s["StackId"] for s in (aws.stack(name), aws.stack(aws.resources(name)["C"]))]
    deepest = aws.stack(aws.resources(ids[1])["G"])
    assert (deepest["RootId"], deepest["ParentId"]) == (ids[0], ids[1])
    listed = aws.client("cloudformation").get_paginator("describe_stacks").paginate()
    assert {s["StackId"] for page in listed for s in page["Stacks"]} >= {*ids, deepest["StackId"]}
    assert aws.delete(name) == "DELETE_COMPLETE"
    assert [aws.status(i) for i in [*ids, deepest["StackId"]]] == ["DELETE_COMPLETE"] * 3
    assert queues(aws) == before


def test_failing_create_names_the_culprit_and_leaks_nothing(aws: EmbeddedAws) -> None:
    before = queues(aws)
    child = aws.upload(template(A=queue(), B={**broken(), "DependsOn": "A"}))
    name = aws.deploy(template(Q=queue(), C=nested(child)))
    assert aws.status(name) == "ROLLBACK_COMPLETE"
    failed = [e for e in aws.events(name) if e["ResourceStatus"] == "CREATE_FAILED"]
    assert failed[0]["LogicalResourceId"] == "C"
    assert (
        "was not successfully created: The following resource(s) failed to create: [B]"
        in (failed[0]["ResourceStatusReason"])
    )
    assert statuses(aws, name, "C")[-2:] == ["DELETE_IN_PROGRESS", "DELETE_COMPLETE"]
    assert queues(aws) == before


def test_failing_create_without_rollback_keeps_the_nested_stack_to_look_at(
    aws: EmbeddedAws,
) -> None:
    before = queues(aws)
    child = aws.upload(template(A=queue(), B={**broken(), "DependsOn": "A"}))
    name = aws.deploy(template(C=nested(child)), DisableRollback=True)
    assert aws.status(name) == "CREATE_FAILED"
    assert aws.status(aws.resources(name)["C"]) == "CREATE_FAILED"
    assert aws.delete(name) == "DELETE_COMPLETE"
    assert queues(aws) == before


def test_update_in_place_reaches_only_the_changed_stack(aws: EmbeddedAws) -> None:
    other = aws.upload(template(Q=queue()))
    name = aws.deploy(template(C=nested(aws.upload(template(Q=queue()))), D=nested(other)))
    ids = aws.resources(name)
    url = aws.resources(ids["C"])["Q"]
    changed = aws.upload(template(Q=queue(DelaySeconds=7)))
    assert aws.update(name, template(C=nested(changed), D=nested(other))) == "UPDATE_COMPLETE"
    assert aws.resources(name) == ids
    assert aws.resources(ids["C"])["Q"] == url
    assert delay(aws, url) == "7"
    assert aws.status(ids["D"]) == "CREATE_COMPLETE"
    assert statuses(aws, name, name)[-2:] == [
        "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_COMPLETE",
    ]


def test_failing_update_takes_finished_nested_stacks_back(aws: EmbeddedAws) -> None:
    old = template(Same=queue(), Gone=queue(), New=queue(FifoQueue=True))
    new = template(Same=queue(DelaySeconds=9), New=queue(), Extra=queue())
    name = aws.deploy(
        template(A=nested(aws.upload(old)), Z=nested(aws.upload(template(Q=queue()))))
    )
    before, a = queues(aws), aws.resources(name)["A"]
    resources, body = aws.resources(a), aws.client("cloudformation").get_template(StackName=a)
    culprit = nested(aws.upload(template(Q=queue(), B=broken())), DependsOn="A")
    update = template(A=nested(aws.upload(new)), Z=culprit)
    assert aws.update(name, update) == "UPDATE_ROLLBACK_COMPLETE"
    assert aws.status(a) == "UPDATE_ROLLBACK_COMPLETE"
    assert aws.resources(a) == resources
    assert queues(aws) == before
    assert delay(aws, resources["Same"]) == "0"
    restored = aws.client("cloudformation").get_template(StackName=a)
    assert restored["TemplateBody"] == body["TemplateBody"]
    reasons = [e.get("ResourceStatusReason", "") for e in aws.events(name)]
    assert any("was not successfully updated" in r and "[B]" in r for r in reasons)
    assert aws.update(name, template(A=nested(aws.upload(new)))) == "UPDATE_COMPLETE"


def test_update_deletes_the_replaced_and_the_removed_after_all_has_succeeded(
    aws: EmbeddedAws,
) -> None:
    old = template(Replaced=queue(FifoQueue=True), Removed=queue())
    name = aws.deploy(
        template(C=nested(aws.upload(old)), D=nested(aws.upload(template(Q=queue()))))
    )
    c, d = aws.resources(name)["C"], aws.resources(name)["D"]
    replaced, removed = (aws.resources(c)[k] for k in ("Replaced", "Removed"))
    new = template(Replaced=queue())
    assert aws.update(name, template(C=nested(aws.upload(new)))) == "UPDATE_COMPLETE"
    assert not {replaced, removed} & queues(aws)
    assert aws.status(d) == "DELETE_COMPLETE"
    assert statuses(aws, c, "Removed")[-1] == "DELETE_COMPLETE"
    events = aws.events(c)
    end = [e["Timestamp"] for e in events if e["ResourceStatus"] == "UPDATE_COMPLETE"][-1]
    deleted = [e["Timestamp"] for e in events if e["ResourceStatus"] == "DELETE_COMPLETE"]
    assert deleted
    assert max(deleted) <= end


def test_change_of_a_template_at_the_same_url_is_found_and_undone(aws: EmbeddedAws) -> None:
    url = aws.upload(template(Q=queue()))
    root = template(C=nested(url))
    name = aws.deploy(root)
    cloudformation = aws.client("cloudformation")
    refused = aws.refusal(cloudformation.update_stack, StackName=name, **aws.request(root, None))
    assert refused == "No updates are to be performed."
    aws.put(url, template(Q=queue(DelaySeconds=3)))
    assert aws.update(name, root) == "UPDATE_COMPLETE"
    q = aws.resources(aws.resources(name)["C"])["Q"]
    assert delay(aws, q) == "3"
    aws.put(url, template(Q=queue(DelaySeconds=5)))
    failing = template(C=nested(url), Z={**broken(), "DependsOn": "C"})
    assert aws.update(name, failing) == "UPDATE_ROLLBACK_COMPLETE"
    assert delay(aws, q) == "3"


def test_retained_resources_of_a_nested_stack_stay(aws: EmbeddedAws) -> None:
    child = aws.upload(template(Kept={**queue(), "DeletionPolicy": "Retain"}, Gone=queue()))
    name = aws.deploy(template(C=nested(child)))
    c = aws.resources(name)["C"]
    kept, gone = (aws.resources(c)[k] for k in ("Kept", "Gone"))
    assert aws.delete(name) == "DELETE_COMPLETE"
    assert kept in queues(aws)
    assert gone not in queues(aws)
    assert statuses(aws, c, "Kept")[-1] == "DELETE_SKIPPED"
    aws.client("sqs").delete_queue(QueueUrl=kept)


def test_blocked_deletion_in_a_nested_stack_is_reported_and_can_be_repeated(
    aws: EmbeddedAws,
) -> None:
    child = aws.upload(template(R={"Type": "AWS::ECR::Repository"}, Q=queue()))
    name = aws.deploy(template(C=nested(child)))
    c = aws.resources(name)["C"]
    ecr, repository = aws.client("ecr"), aws.resources(c)["R"]
    ecr.put_image(repositoryName=repository, imageManifest="{}", imageTag="x")
    assert aws.delete(name) == "DELETE_FAILED"
    assert aws.status(c) == "DELETE_FAILED"
    assert "[C]" in aws.stack(name)["StackStatusReason"]
    ecr.batch_delete_image(repositoryName=repository, imageIds=[{"imageTag": "x"}])
    assert aws.delete(name) == "DELETE_COMPLETE"


def test_missing_template_fails_the_resource(aws: EmbeddedAws) -> None:
    name = aws.deploy(template(C=nested("https://s3.amazonaws.com/templates/missing.json")))
    assert aws.status(name) == "ROLLBACK_COMPLETE"
    reasons = [e.get("ResourceStatusReason", "") for e in aws.events(name)]
    assert any("no template at TemplateURL" in reason for reason in reasons)


def test_events_of_an_update_name_creations_and_leave_out_what_stays(aws: EmbeddedAws) -> None:
    child = aws.upload(template(Q=queue()))
    name = aws.deploy(template(Stays=queue(), Changes=queue(), C=nested(child)))
    first = len(aws.events(name))
    changed = template(Stays=queue(), Changes=queue(DelaySeconds=1), New=queue(), C=nested(child))
    assert aws.update(name, changed) == "UPDATE_COMPLETE"
    happened = [(e["LogicalResourceId"], e["ResourceStatus"]) for e in aws.events(name)[first:]]
    assert [event for event in happened if event[0] != name] == [
        ("Changes", "UPDATE_IN_PROGRESS"),
        ("Changes", "UPDATE_COMPLETE"),
        ("New", "CREATE_IN_PROGRESS"),
        ("New", "CREATE_COMPLETE"),
    ]


def test_failure_of_a_nested_stack_points_to_it(aws: EmbeddedAws) -> None:
    name = aws.deploy(template(C=nested(aws.upload(template(B=broken())))))
    failed = [e for e in aws.events(name) if e["ResourceStatus"] == "CREATE_FAILED"]
    inside = aws.events(failed[0]["PhysicalResourceId"])
    assert ("B", "CREATE_FAILED") in [(e["LogicalResourceId"], e["ResourceStatus"]) for e in inside]


def test_rollback_on_request_takes_the_tree_back(aws: EmbeddedAws) -> None:
    name = aws.deploy(template(A=nested(aws.upload(template(Q=queue())))))
    a = aws.resources(name)["A"]
    changed = nested(aws.upload(template(Q=queue(DelaySeconds=4))))
    culprit = nested(aws.upload(template(B=broken())), DependsOn="A")
    failing = template(A=changed, Z=culprit)
    assert aws.update(name, failing, DisableRollback=True) == "UPDATE_FAILED"
    q = aws.resources(a)["Q"]
    assert delay(aws, q) == "4"
    aws.client("cloudformation").rollback_stack(StackName=name)
    assert aws.wait(name) == "UPDATE_ROLLBACK_COMPLETE"
    assert delay(aws, q) == "0"


def test_parallel_creations_do_not_get_into_each_others_way(aws: EmbeddedAws) -> None:
    child = aws.upload(template(Q=queue()))
    cloudformation = aws.client("cloudformation")
    request = aws.request(template(A=nested(child), B=nested(child)), None)
    names = [f"parallel-{number}" for number in range(8)]
    for name in names:
        cloudformation.create_stack(StackName=name, **request)
    assert {aws.wait(name) for name in names} == {"CREATE_COMPLETE"}
    for name in names:
        cloudformation.delete_stack(StackName=name)
