# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""After a stack has been created and deleted, every call that lists something answers as before."""

from __future__ import annotations

from typing import Any

from stock_cases import STOCK_CASES
from type_cases import CASES, REFUSED, template

CALLS = [
    ("acm", "list_certificates", {}),
    ("application-autoscaling", "describe_scalable_targets", {"ServiceNamespace": "ecs"}),
    ("application-autoscaling", "describe_scaling_policies", {"ServiceNamespace": "ecs"}),
    ("backup", "list_backup_plans", {}),
    ("backup", "list_backup_vaults", {}),
    ("cloudwatch", "describe_alarms", {}),
    ("cognito-idp", "list_user_pools", {"MaxResults": 60}),
    ("datasync", "list_locations", {}),
    ("datasync", "list_tasks", {}),
    ("ec2", "describe_addresses", {}),
    ("ec2", "describe_flow_logs", {}),
    ("ec2", "describe_iam_instance_profile_associations", {}),
    ("ec2", "describe_instances", {}),
    ("ec2", "describe_internet_gateways", {}),
    ("ec2", "describe_key_pairs", {}),
    ("ec2", "describe_launch_templates", {}),
    ("ec2", "describe_nat_gateways", {}),
    ("ec2", "describe_network_acls", {}),
    ("ec2", "describe_network_interfaces", {}),
    ("ec2", "describe_route_tables", {}),
    ("ec2", "describe_security_group_rules", {}),
    ("ec2", "describe_security_groups", {}),
    ("ec2", "describe_subnets", {}),
    ("ec2", "describe_tags", {}),
    ("ec2", "describe_volumes", {}),
    ("ec2", "describe_vpc_endpoint_connections", {}),
    ("ec2", "describe_vpc_endpoint_service_configurations", {}),
    ("ec2", "describe_vpc_endpoints", {}),
    ("ec2", "describe_vpc_peering_connections", {}),
    ("ec2", "describe_vpcs", {}),
    ("ecr", "describe_repositories", {}),
    ("ecs", "list_clusters", {}),
    ("ecs", "list_task_definitions", {}),
    ("ecs", "list_task_definitions", {"status": "INACTIVE"}),
    ("efs", "describe_access_points", {}),
    ("efs", "describe_file_systems", {}),
    ("elbv2", "describe_load_balancers", {}),
    ("elbv2", "describe_target_groups", {}),
    ("events", "list_rules", {}),
    ("iam", "list_instance_profiles", {}),
    ("iam", "list_policies", {"Scope": "Local"}),
    ("iam", "list_roles", {}),
    ("kms", "list_aliases", {}),
    ("lambda", "list_functions", {}),
    ("logs", "describe_log_groups", {}),
    ("logs", "describe_metric_filters", {}),
    ("logs", "describe_resource_policies", {}),
    ("resourcegroupstaggingapi", "get_resources", {}),
    ("route53", "list_hosted_zones", {}),
    ("s3", "list_buckets", {}),
    ("secretsmanager", "list_secrets", {}),
    ("sns", "list_subscriptions", {}),
    ("sns", "list_topics", {}),
    ("ssm", "describe_parameters", {}),
    ("wafv2", "list_web_acls", {"Scope": "REGIONAL"}),
]


def everything(aws: Any) -> dict[str, Any]:
    """What each of the calls answers."""
    answers = {}
    for service, call, arguments in CALLS:
        answer = getattr(aws.client(service), call)(**arguments)
        del answer["ResponseMetadata"]
        answers[f"{service} {call} {arguments}"] = answer
    tagged = answers["resourcegroupstaggingapi get_resources {}"]["ResourceTagMappingList"]
    tagged[:] = [entry for entry in tagged if ":kms:" not in entry["ResourceARN"]]
    return answers  # without keys, which Amazon too keeps for a month


def differences(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    return {call: after[call] for call in before if before[call] != after[call]}


def test_no_type_leaves_anything_behind(aws: Any) -> None:
    before = everything(aws)
    for case in [*CASES, *STOCK_CASES]:
        name = aws.deploy(template(case))
        assert aws.status(name) == "CREATE_COMPLETE", (case.type, aws.events(name))
        aws.delete(name)
    assert differences(before, everything(aws)) == {}


def test_no_failed_creation_leaves_anything_behind(aws: Any) -> None:
    before = everything(aws)
    for case in [*CASES, *STOCK_CASES]:
        name = aws.deploy(template(case, extra=REFUSED))
        assert aws.status(name) == "ROLLBACK_COMPLETE", (case.type, aws.events(name))
        aws.delete(name)
    assert differences(before, everything(aws)) == {}


def test_a_leak_would_be_seen(aws: Any) -> None:
    before = everything(aws)
    group = {"Type": "AWS::Logs::LogGroup", "DeletionPolicy": "Retain"}
    name = aws.deploy({"Resources": {"Kept": group}})
    kept = aws.resources(name)["Kept"]
    aws.delete(name)
    assert list(differences(before, everything(aws))) == ["logs describe_log_groups {}"]
    aws.client("logs").delete_log_group(logGroupName=kept)
