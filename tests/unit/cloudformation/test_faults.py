# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Each known fault of the deployment that this one replaces, as a rule that keeps it out."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml
from support import CHECKOUT
from support.cloudformation_templates import (
    FOLDER,
    NESTED,
    ROOT,
    TEMPLATES,
    attributes,
    command,
    containers,
    documents,
    ingress,
    leaves,
    properties,
    resources,
)

LOAD_BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"
TARGET_GROUP = "AWS::ElasticLoadBalancingV2::TargetGroup"
KEPT = {
    "bootstrap.Key",
    "import.EmergencyRole",
    "import.ImagesBucketPolicy",
    "import.LogGroup",
    "logs.AuditPolicy",
    "logs.AuditRole",
    "logs.ImagesLogBucket",
    "logs.ImagesLogBucketPolicy",
    "logs.LogBucket",
    "logs.LogBucketPolicy",
    "lookup.LogGroup",
    "monitoring.EmergencyRoleTaken",
    "monitoring.Topic",
    "monitoring.TopicPolicy",
    "network.FlowLogGroup",
    "storage.BackupPlan",
    "storage.BackupRole",
    "storage.BackupSelection",
    "storage.BackupVault",
    "storage.FileSystem",
    "storage.ImagesBucket",
    "task.LogGroup",
}


def service() -> dict[str, Any]:
    return properties("AWS::ECS::Service")["service.Service"]


def settings(container: str) -> dict[str, Any]:
    """The variables of a container that are no secrets."""
    return {each["Name"]: each["Value"] for each in containers()[container]["Environment"]}


def secrets(container: str) -> dict[str, str]:
    """The variables of a container that are secrets, and where their values come from."""
    return {
        each["Name"]: each["ValueFrom"]["Fn::Sub"] for each in containers()[container]["Secrets"]
    }


def alarm(name: str) -> dict[str, Any]:
    return properties("AWS::CloudWatch::Alarm")[f"monitoring.{name}"]


# ---- The stack can be created, in every region, more than once ----


def test_no_bucket_uses_access_control_lists() -> None:
    for where, bucket in properties("AWS::S3::Bucket").items():
        assert "AccessControl" not in bucket, where
        rules = bucket["OwnershipControls"]["Rules"]
        assert rules == [{"ObjectOwnership": "BucketOwnerEnforced"}], where


def test_logs_are_delivered_to_services_not_to_accounts_of_a_table() -> None:
    policies = properties("AWS::S3::BucketPolicy")
    allowed = [
        statement
        for where in ("logs.LogBucketPolicy", "logs.ImagesLogBucketPolicy")
        for statement in policies[where]["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    ]
    balancers, s3 = allowed
    assert balancers["Principal"]["Service"] == "logdelivery.elasticloadbalancing.amazonaws.com"
    assert s3["Principal"] == {"Service": "logging.s3.amazonaws.com"}
    assert s3["Condition"]["StringEquals"]["aws:SourceAccount"] == {"Ref": "AWS::AccountId"}
    assert "aws:SourceArn" in s3["Condition"]["ArnLike"]


def test_lock_is_on_the_bucket_that_can_have_one() -> None:
    """S3 delivers no access log of a bucket to one with Object Lock."""
    locked = {w for w, b in properties("AWS::S3::Bucket").items() if "ObjectLockEnabled" in b}
    assert locked == {"logs.LogBucket"}
    images = properties("AWS::S3::Bucket")["storage.ImagesBucket"]["LoggingConfiguration"]
    assert images["DestinationBucketName"] == {"Ref": "ImagesLogBucketName"}


def test_no_table_of_regions() -> None:
    regions = re.compile(r"^[a-z]{2}(-[a-z]+)+-\d$")
    for name, template in TEMPLATES.items():
        assert not [k for k in leaves(template.get("Mappings", {})) if regions.match(str(k))], name


@pytest.mark.parametrize("name", TEMPLATES)
def test_no_partition_is_written_down(name: str) -> None:
    text = (FOLDER / f"{name}.template").read_text()
    assert not re.search(r"arn:aws[a-z-]*:(?!\[)[a-z0-9*]", text.replace("arn:aws[a-z-]*:", ""))


def test_names_are_left_to_cloudformation_or_carry_the_environment() -> None:
    """Two environments live in one account and region."""
    named = re.compile(
        r"(Bucket|Cluster|Role|Function|LogGroup|Topic|Policy|Repository|Alias|BackupVault|"
        r"Key|Service|Alarm|UserPool)Name|Family|Name|Domain"
    )
    inside_something_named = {
        "AWS::IAM::Policy",  # of a role
        "AWS::Route53::HostedZone",
        "AWS::Route53::RecordSet",
    }
    for template, content in TEMPLATES.items():
        for logical_id, resource in content["Resources"].items():
            if resource["Type"] in inside_something_named:
                continue
            for key, value in resource.get("Properties", {}).items():
                if named.fullmatch(key) and value != "vpc":
                    assert isinstance(value, dict), f"{template}.{logical_id}.{key} is {value}"


def test_what_is_kept_does_not_block_an_environment_of_the_same_name() -> None:
    (vault,) = properties("AWS::Backup::BackupVault").values()
    assert "AWS::StackId" in leaves(vault["BackupVaultName"])
    (plan,) = properties("AWS::Backup::BackupPlan").values()
    assert plan["BackupPlan"]["BackupPlanName"] == {"Ref": "BackupVault"}
    fixed = re.compile(r"(Bucket|Role|LogGroup|Topic)Name|Name")
    named = {
        where
        for where in KEPT
        for template, name in [where.split(".")]
        for key in TEMPLATES[template]["Resources"][name].get("Properties", {})
        if fixed.fullmatch(key)
    }
    assert named == set()


# ---- C2: one writer ----


def test_exactly_one_task_writes_the_index() -> None:
    assert len(resources("AWS::ECS::Service")) == 1
    assert service()["DesiredCount"] == 1
    deployment = service()["DeploymentConfiguration"]
    assert (deployment["MinimumHealthyPercent"], deployment["MaximumPercent"]) == (0, 100)


def test_nothing_starts_a_second_task() -> None:
    kinds = {r["Type"] for t in TEMPLATES.values() for r in t["Resources"].values()}
    assert not [kind for kind in kinds if "AutoScaling" in kind]
    assert service()["AvailabilityZoneRebalancing"] == "DISABLED"
    assert service()["ServiceName"] == {"Ref": "EnvironmentName"}  # forbids replacement


# ---- C3, H1: mutual TLS with named clients on both DICOM services ----


@pytest.mark.parametrize(
    ("container", "tunnel", "service_port", "clients"),
    [
        ("ghostunnel-storage", "StorageTunnelPort", "StoragePort", "StorageClients"),
        ("ghostunnel-query", "QueryTunnelPort", "QueryPort", "QueryClients"),
    ],
)
def test_dicom_service_is_behind_a_tunnel_for_named_clients(
    container: str, tunnel: str, service_port: str, clients: str
) -> None:
    arguments = command(container)
    assert arguments[0] == "server"
    assert f"--listen=0.0.0.0:${{{tunnel}}}" in arguments
    assert f"--target=127.0.0.1:${{{service_port}}}" in arguments
    assert "--allow-cn=${Clients}" in arguments
    values = containers()[container]["Command"]["Fn::Split"][1]["Fn::Sub"][1]
    assert values["Clients"] == {"Fn::Join": [" --allow-cn=", {"Ref": clients}]}


def test_no_tunnel_lets_everyone_in() -> None:
    text = (FOLDER / "task.template").read_text()
    assert "--allow-all" not in text
    assert "--disable-authentication" not in text


def test_names_of_clients_cannot_smuggle_in_arguments() -> None:
    for parameter in ("StorageClients", "QueryClients", "Administrators"):
        pattern = re.compile(ROOT["Parameters"][parameter]["AllowedPattern"])
        assert pattern.fullmatch("modality-1.hospital.example")
        for bad in ("", "a b", "a --allow-all", "--allow-all", "a,b", "a=b", "x" * 65):
            assert not pattern.fullmatch(bad), bad


def test_administrators_come_in_by_their_certificates_only() -> None:
    assert settings("nginx")["NGINX_ADMINISTRATORS"] == {"Ref": "Administrators"}
    assert "Default" not in ROOT["Parameters"]["Administrators"]
    assert "NGINX_CA_BUNDLE" in secrets("nginx")


def test_dicoogle_is_reachable_inside_the_task_only() -> None:
    assert "PortMappings" not in containers()["dicoogle"]
    assert settings("dicoogle")["DICOOGLE_HOST"] == "127.0.0.1"


def test_no_security_group_admits_the_plain_ports() -> None:
    plain = {"Loopback", *TEMPLATES["task"]["Mappings"]["Ports"]["Loopback"].values()}
    assert {"6666", "1045", "8080", "17777", "8082"} < plain
    for where, rule in ingress():
        assert not plain & {str(leaf) for leaf in leaves(rule)}, where


def test_tunnels_and_load_balancer_agree() -> None:
    published = [(e["ContainerName"], e["ContainerPort"]) for e in service()["LoadBalancers"]]
    assert dict(published).keys() == {"nginx", "ghostunnel-storage", "ghostunnel-query"}
    for name in dict(published):
        ports = [mapping["ContainerPort"] for mapping in containers()[name]["PortMappings"]]
        assert ports == [port for container, port in published if container == name], name


# ---- C6: patient data outlives everything ----


def test_data_and_what_is_needed_to_read_it_is_kept() -> None:
    kept = {
        f"{template}.{name}"
        for template, content in TEMPLATES.items()
        for name, resource in content["Resources"].items()
        if resource.get("DeletionPolicy") == "RetainExceptOnCreate"
        and resource.get("UpdateReplacePolicy") == "Retain"
    }
    assert kept == KEPT


def test_files_are_backed_up_every_day() -> None:
    (plan,) = properties("AWS::Backup::BackupPlan").values()
    (rule,) = plan["BackupPlan"]["BackupPlanRule"]
    assert rule["ScheduleExpression"] == "cron(0 3 * * ? *)"
    assert ROOT["Parameters"]["BackupRetentionDays"]["Default"] >= 30
    (selection,) = properties("AWS::Backup::BackupSelection").values()
    assert "FileSystem.Arn" in ".".join(map(str, leaves(selection["BackupSelection"]["Resources"])))


def test_buckets_keep_versions() -> None:
    for where, bucket in properties("AWS::S3::Bucket").items():
        assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}, where


def test_key_can_be_saved_for_thirty_days() -> None:
    (key,) = properties("AWS::KMS::Key").values()
    assert key["PendingWindowInDays"] == 30
    assert key["EnableKeyRotation"] is True


# ---- H2, H3: secrets and people ----


def test_tunnels_take_up_new_certificates_while_running() -> None:
    for name in ("ghostunnel-storage", "ghostunnel-query", "ghostunnel-outbound"):
        assert "--timed-reload=300s" in command(name)


def test_first_administrator_has_a_password_of_ours() -> None:
    assert secrets("dicoogle").keys() == {"DICOOGLE_ADMIN_PASSWORD_HASH"}


def test_containers_read_what_the_role_stores_under_the_same_names() -> None:
    store = yaml.safe_load((FOLDER.parent / "roles/secrets/tasks/store.yml").read_text())[0]
    stored = store["openpacs.dicoogle.secretsmanager_secrets"]["secrets"]
    for container in containers():
        image = container.partition("-")[0]
        assert secrets(container) == {
            f"{image}_{key}".upper(): f"${{{image.title()}SecretArn}}:{key}::"
            for key in stored[image]
        }


def test_starting_the_task_needs_its_three_secrets_only() -> None:
    policies = TEMPLATES["task"]["Resources"]["ExecutionRole"]["Properties"]["Policies"]
    (reading,) = (
        statement
        for policy in policies
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Action"] == "secretsmanager:GetSecretValue"
    )
    of_images = [f"{image}SecretArn" for image in ("Nginx", "Ghostunnel", "Dicoogle")]
    assert reading["Resource"] == [{"Ref": name} for name in of_images]


def test_web_page_needs_a_user_made_by_an_administrator_and_a_second_factor() -> None:
    (pool,) = properties("AWS::Cognito::UserPool").values()
    assert pool["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": True}
    assert pool["EnabledMfas"] == ["SOFTWARE_TOKEN_MFA"]
    assert ROOT["Parameters"]["MfaConfiguration"]["Default"] == "ON"
    listener = properties("AWS::ElasticLoadBalancingV2::Listener")["service.WebListener"]
    kinds = [
        action["Type"] for action in sorted(listener["DefaultActions"], key=lambda a: a["Order"])
    ]
    assert kinds == ["authenticate-cognito", "forward"]


def test_secrets_pass_as_names_not_as_values() -> None:
    for name, parameter in ROOT["Parameters"].items():
        if name.endswith("SecretArn"):
            assert "secretsmanager" in parameter["AllowedPattern"]


# ---- H4: files only for named roles, by TLS, through access points ----


def test_file_system_refuses_anonymous_and_plain_clients() -> None:
    (file_system,) = properties("AWS::EFS::FileSystem").values()
    statements = file_system["FileSystemPolicy"]["Statement"]
    assert {statement["Effect"] for statement in statements} == {"Deny"}
    conditions = [statement["Condition"] for statement in statements]
    assert {"Bool": {"aws:SecureTransport": "false"}} in conditions
    assert {"Null": {"elasticfilesystem:AccessPointArn": "true"}} in conditions
    assert file_system["Encrypted"] is True


def test_task_mounts_by_tls_role_and_access_point() -> None:
    (definition,) = properties("AWS::ECS::TaskDefinition").values()
    volumes = [v["EFSVolumeConfiguration"] for v in definition["Volumes"] if len(v) > 1]
    assert len(volumes) == 4
    for volume in volumes:
        assert volume["TransitEncryption"] == "ENABLED"
        assert volume["AuthorizationConfig"]["IAM"] == "ENABLED"
        assert "AccessPointId" in volume["AuthorizationConfig"]


def test_import_mounts_by_tls_role_and_access_point() -> None:
    (location,) = properties("AWS::DataSync::LocationEFS").values()
    assert location["InTransitEncryption"] == "TLS1_2"
    assert {"AccessPointArn", "FileSystemAccessRoleArn"} <= location.keys()


def test_roles_are_limited_to_what_they_are_for() -> None:
    """Only actions without resource-level permissions may name every resource."""
    everywhere = {"ecr:GetAuthorizationToken", "ec2:DescribeManagedPrefixLists"}
    for where, role in properties("AWS::IAM::Role").items():
        for document in documents(role.get("Policies", [])):
            for statement in document["Statement"]:
                actions = statement["Action"]
                actions = {actions} if isinstance(actions, str) else set(actions)
                assert not [action for action in actions if "*" in action], where
                if statement["Resource"] == "*":
                    assert actions <= everywhere, where


def test_services_assume_roles_for_this_account_only() -> None:
    # These are not documented to send a source account when they assume a role.
    exempt = {"backup.amazonaws.com", "ec2.amazonaws.com", "lambda.amazonaws.com"}
    for where, role in properties("AWS::IAM::Role").items():
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        caller = statement["Principal"].get("Service")
        if caller and caller not in exempt:
            condition = statement["Condition"]["StringEquals"]
            assert condition == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}, where


# ---- H5, H6, H7 ----


def test_certificate_is_logged_as_browsers_demand() -> None:
    (certificate,) = properties("AWS::CertificateManager::Certificate").values()
    preference = certificate.get("CertificateTransparencyLoggingPreference", "ENABLED")
    assert preference == "ENABLED"


def test_logs_are_encrypted_and_kept_for_six_years() -> None:
    retention = ROOT["Parameters"]["LogRetentionDays"]
    assert retention["Default"] >= 6 * 365.25
    assert min(retention["AllowedValues"]) == 400
    for where, group in properties("AWS::Logs::LogGroup").items():
        assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}, where
        assert group["KmsKeyId"] == {"Ref": "KmsKeyArn"}, where
    for name, stack in NESTED.items():
        nested = TEMPLATES[stack["Properties"]["TemplateURL"].removesuffix(".template")]
        if "LogRetentionDays" in nested.get("Parameters", {}):
            assert "LogRetentionDays" in stack["Properties"]["Parameters"], name


def test_every_connection_is_logged() -> None:
    (flow_log,) = properties("AWS::EC2::FlowLog").values()
    assert flow_log["TrafficType"] == "ALL"
    assert ROOT["Parameters"]["FlowLogs"]["Default"] == "true"


def test_slow_start_is_not_killed_and_bad_release_goes_back() -> None:
    assert service()["HealthCheckGracePeriodSeconds"] == 300
    breaker = service()["DeploymentConfiguration"]["DeploymentCircuitBreaker"]
    assert breaker == {"Enable": True, "Rollback": True}


def test_containers_are_checked_but_for_the_one_that_depends_on_the_hospital() -> None:
    unchecked = {name for name, c in containers().items() if "HealthCheck" not in c}
    assert unchecked == {"ghostunnel-outbound"}
    for name in ("nginx", "ghostunnel-storage", "ghostunnel-query"):
        waits = containers()[name]["DependsOn"]
        assert waits == [{"ContainerName": "dicoogle", "Condition": "HEALTHY"}], name
    for name in ("ghostunnel-storage", "ghostunnel-query"):
        status = f"--status=http://127.0.0.1:{containers()[name]['HealthCheck']['Command'][-1]}"
        assert status in command(name)


def test_load_balancers_see_a_dead_dicoogle_behind_a_living_tunnel() -> None:
    for where, group in properties(TARGET_GROUP).items():
        if group["TargetType"] == "ip":
            assert group["HealthCheckPath"] == "/readyz", where


@pytest.mark.parametrize(
    "name",
    [
        "NoWebTarget",
        "NoStorageTarget",
        "NoQueryTarget",
        "NoRunningTask",
        "LowMemory",
        "WebErrors",
        "CertificateExpires",
        "FileSystemBusy",
        "FileSystemLarge",
        "OldestNotFindable",
        "IndexLost",
        "StorageClosed",
        "DicoogleErrors",
        "TlsRefusals",
        "ImportErrors",
    ],
)
def test_operator_is_told(name: str) -> None:
    assert alarm(name)["AlarmActions"] == [{"Ref": "Topic"}]
    assert len(alarm(name)["AlarmDescription"]) > 30


def test_silence_is_an_alarm_where_it_means_that_nothing_runs() -> None:
    targets = ("NoWebTarget", "NoStorageTarget", "NoQueryTarget")
    for name in (*targets, "NoRunningTask", "OldestNotFindable"):
        assert alarm(name)["TreatMissingData"] == "breaching"


def test_alarms_arrive_encrypted_and_cloudwatch_may_encrypt_them() -> None:
    (topic,) = properties("AWS::SNS::Topic").values()
    assert topic["KmsMasterKeyId"] == {"Ref": "KmsKeyArn"}
    (key,) = properties("AWS::KMS::Key").values()
    services = [s["Principal"].get("Service") for s in key["KeyPolicy"]["Statement"]]
    assert "cloudwatch.amazonaws.com" in services


# ---- H8, H10: what runs is current, pinned and closed ----


def test_runtimes_and_systems_are_current() -> None:
    (function,) = properties("AWS::Lambda::Function").values()
    assert function["Runtime"] == "python3.13"
    assert "/al2023-" in ROOT["Parameters"]["HostImageParameter"]["Default"]


def test_image_tags_cannot_be_moved_and_images_are_scanned() -> None:
    repositories = properties("AWS::ECR::Repository")
    assert len(repositories) == 3
    for where, repository in repositories.items():
        assert repository["ImageTagMutability"] == "IMMUTABLE", where
        assert repository["ImageScanningConfiguration"] == {"ScanOnPush": True}, where
        assert repository["EncryptionConfiguration"]["EncryptionType"] == "KMS", where
        assert json.loads(repository["LifecyclePolicy"]["LifecyclePolicyText"])["rules"], where


def test_containers_write_only_where_volumes_are_and_hold_no_privileges() -> None:
    for name, container in containers().items():
        assert container["ReadonlyRootFilesystem"] is True, name
        assert container["LinuxParameters"]["Capabilities"] == {"Drop": ["ALL"]}, name
    assert service()["EnableExecuteCommand"] is False


def test_hosts_require_session_tokens_and_encrypt_their_volume() -> None:
    (instance,) = properties("AWS::EC2::Instance").values()
    assert instance["MetadataOptions"]["HttpTokens"] == "required"
    (device,) = instance["BlockDeviceMappings"]
    assert device["Ebs"]["Encrypted"] is True


def test_ssh_is_off_and_never_open_to_the_internet() -> None:
    parameter = ROOT["Parameters"]["SshLocation"]
    assert parameter["Default"] == ""
    pattern = re.compile(parameter["AllowedPattern"])
    assert pattern.fullmatch("203.0.113.7/32")
    for wide in ("0.0.0.0/0", "1.2.3.4/0", "0.0.0.0/1", "10.0.0.0/7"):
        assert not pattern.fullmatch(wide), wide
    for where, rule in ingress():
        if rule["FromPort"] == 22:
            assert where == "host.SshIngress"
            assert rule["CidrIp"] == {"Ref": "SshLocation"}


def test_only_the_web_page_is_open_to_networks_that_a_person_names() -> None:
    open_rules = {
        where: rule["CidrIp"]
        for where, rule in ingress()
        if "CidrIp" in rule and rule["CidrIp"] not in ({"Ref": "VpcCidr"}, {"Ref": "ClientCidr"})
    }
    assert open_rules == {
        "loadbalancers.WebSecurityGroup": {"Ref": "WebClientCidr"},
        "host.SshIngress": {"Ref": "SshLocation"},
    }


def test_hosts_cannot_delete_images() -> None:
    text = json.dumps(properties("AWS::IAM::Role")["host.Role"])
    assert "Delete" not in text
    assert "session manager" in ROOT["Parameters"]["KeyName"]["Description"].lower()


# ---- M1 to M12 ----


def test_nat_is_off_and_has_a_route_per_zone() -> None:
    assert ROOT["Parameters"]["NatGateways"]["Default"] == "false"
    assert NESTED["Nat"]["Condition"] == "HasNatGateways"
    routes = {
        json.dumps(route["RouteTableId"]): json.dumps(route["NatGatewayId"])
        for route in properties("AWS::EC2::Route").values()
        if "NatGatewayId" in route
    }
    assert len(routes) == len(set(routes.values())) == 2


def test_provider_is_peered_with_nobody() -> None:
    (connection,) = properties("AWS::EC2::VPCPeeringConnection").values()
    assert connection["VpcId"] == {"Ref": "OnPremisesVpcId"}
    assert connection["PeerVpcId"] == {"Ref": "ConsumerVpcId"}
    assert "ProviderNetwork" not in json.dumps(NESTED["Peering"])


def test_images_of_a_move_come_back_through_privatelink() -> None:
    returns = NESTED["ReturnLink"]["Properties"]["Parameters"]
    assert "OnPremises.Outputs.LoadBalancerArn" in ".".join(leaves(returns["LoadBalancerArn"]))
    assert returns["PrivateName"] == {"Fn::Sub": "storage.${PrivateDomainName}"}
    task = NESTED["Task"]["Properties"]["Parameters"]
    assert task["StorageHostName"] == returns["PrivateName"]
    assert "--target=${StorageHostName}:${StorageHostPort}" in command("ghostunnel-outbound")


def test_endpoint_services_name_who_may_connect() -> None:
    (permissions,) = properties("AWS::EC2::VPCEndpointServicePermissions").values()
    assert permissions["AllowedPrincipals"] == {"Ref": "AllowedPrincipals"}
    for link in ("ArchiveLink", "ReturnLink"):
        principals = NESTED[link]["Properties"]["Parameters"]["AllowedPrincipals"]
        assert "*" not in leaves(principals)


def test_network_load_balancers_admit_privatelink_only() -> None:
    admitted = {where for where, _unused in ingress()}
    for where, balancer in properties(LOAD_BALANCER).items():
        if balancer["Type"] == "network":
            assert balancer["Scheme"] == "internal", where
            assert balancer["EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"] == "off"
    assert not {"loadbalancers.DicomSecurityGroup", "onpremises.SecurityGroup"} & admitted


def test_access_logs_are_asked_of_load_balancers_that_write_them() -> None:
    for where, balancer in properties(LOAD_BALANCER).items():
        logged = "access_logs.s3.enabled" in attributes(balancer)
        assert logged == (balancer["Type"] == "application"), where


def test_import_runs_by_itself_and_never_overwrites_an_indexed_image() -> None:
    (task,) = properties("AWS::DataSync::Task").values()
    assert task["Schedule"] == {"ScheduleExpression": {"Ref": "ImportSchedule"}}
    assert ROOT["Parameters"]["ImportSchedule"]["Default"] == "rate(1 hour)"
    assert task["Options"]["OverwriteMode"] == "NEVER"


def test_images_are_imported_from_the_folder_that_datasync_writes_to() -> None:
    folder = settings("dicoogle")["DICOOGLE_IMPORT_DIRECTORY"]
    mounted = {
        m["ContainerPath"]: m["SourceVolume"] for m in containers()["dicoogle"]["MountPoints"]
    }
    assert mounted[folder] == "import"
    point = properties("AWS::EFS::AccessPoint")["storage.ImportAccessPoint"]
    assert folder.endswith(point["RootDirectory"]["Path"])


def test_an_outage_by_a_deployment_is_short() -> None:
    for where, group in properties(TARGET_GROUP).items():
        if group["TargetType"] == "ip":
            assert attributes(group)["deregistration_delay.timeout_seconds"] == "30", where
    for name in containers():
        if name.startswith("ghostunnel"):
            assert "--shutdown-timeout=30s" in command(name)


def test_dicoogle_has_time_to_index_what_it_has_stored() -> None:
    assert containers()["dicoogle"]["StopTimeout"] == 120  # the most that Fargate allows


def test_administrators_reach_the_keeper() -> None:
    address, values = settings("nginx")["NGINX_KEEPER"]["Fn::Sub"]
    assert address == "127.0.0.1:${KeeperPort}"
    assert values["KeeperPort"] == settings("dicoogle")["KEEPER_PORT"]


def test_alarms_see_what_the_keeper_measures() -> None:
    namespace = settings("dicoogle")["KEEPER_METRICS_NAMESPACE"]
    assert namespace == {"Fn::Sub": "openpacs/${LogGroup}"}
    told = NESTED["Monitoring"]["Properties"]["Parameters"]["LogGroupName"]
    assert told == {"Fn::GetAtt": ["Task", "Outputs.LogGroupName"]}
    assert TEMPLATES["task"]["Outputs"]["LogGroupName"]["Value"] == {"Ref": "LogGroup"}
    for name in ("OldestNotFindable", "IndexLost", "StorageClosed"):
        assert alarm(name)["Namespace"] == {"Fn::Sub": "openpacs/${LogGroupName}"}, name
        assert alarm(name)["MetricName"] == name
        assert "Dimensions" not in alarm(name), name


def test_a_deployment_raises_no_alarm_of_the_keeper_that_is_silent_or_closed_meanwhile() -> None:
    oldest, closed = alarm("OldestNotFindable"), alarm("StorageClosed")
    assert oldest["Period"] * oldest["EvaluationPeriods"] >= 600
    assert closed["Period"] * closed["DatapointsToAlarm"] >= 180


def test_alarms_of_the_archive_say_what_to_run() -> None:
    for name in ("OldestNotFindable", "IndexLost"):
        assert "playbooks/reindex.yml" in alarm(name)["AlarmDescription"], name
    assert (CHECKOUT / "playbooks" / "reindex.yml").exists()


def test_every_bucket_takes_tls_only() -> None:
    policies = properties("AWS::S3::BucketPolicy")
    assert len(policies) == len(resources("AWS::S3::Bucket"))
    for where, policy in policies.items():
        statement = policy["PolicyDocument"]["Statement"][0]
        assert statement["Effect"] == "Deny", where
        assert statement["Action"] == "s3:*", where
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}, where
        assert len(statement["Resource"]) == 2, where


def test_images_are_for_the_hospital_the_import_and_emergencies() -> None:
    policy = properties("AWS::S3::BucketPolicy")["import.ImagesBucketPolicy"]["PolicyDocument"]
    deny = policy["Statement"][1]
    assert {"s3:GetObject*", "s3:PutObject*", "s3:DeleteObject*"} <= set(deny["Action"])
    assert not [action for action in deny["Action"] if "Policy" in action]  # always correctable
    told = list(leaves(deny["Condition"]))
    assert {"aws:SourceVpce", "EmergencyRole", "TransferRole"} <= {
        str(leaf).removesuffix(".Arn") for leaf in told
    }


def test_memory_is_shared_out() -> None:
    sizes = TEMPLATES["task"]["Mappings"]["TaskSizes"]
    others = sum(c["Memory"] for name, c in containers().items() if name != "dicoogle")
    for size in sizes.values():
        assert int(size["Memory"]) >= 4096
        assert int(size["DicoogleMemory"]) + others <= int(size["Memory"])


def test_sizes_are_ones_that_fargate_offers() -> None:
    offered = {"1024": range(2048, 8193, 1024), "2048": range(4096, 16385, 1024)}
    offered["4096"] = range(8192, 30721, 1024)
    for size in TEMPLATES["task"]["Mappings"]["TaskSizes"].values():
        assert int(size["Memory"]) in offered[size["Cpu"]]


def test_paths_carry_no_version() -> None:
    paths = [m["ContainerPath"] for c in containers().values() for m in c["MountPoints"]]
    assert not [path for path in paths if re.search(r"\d+\.\d", path)]


def test_function_brings_no_foreign_code() -> None:
    assert [path.name for path in (FOLDER.parent / "lambda" / "lookup").glob("*.*")] == [
        "handler.py"
    ]


def test_update_does_not_replace_the_hosts() -> None:
    """The AMI is looked up once; a parameter of an SSM type would follow each release."""
    for name, template in TEMPLATES.items():
        kinds = [p["Type"] for p in template.get("Parameters", {}).values()]
        assert not [kind for kind in kinds if "SSM" in kind], name
    (instance,) = properties("AWS::EC2::Instance").values()
    assert instance["ImageId"] == {"Ref": "ImageId"}
    assert "UserData" not in instance


def test_web_entrance_is_strict() -> None:
    balancer = properties(LOAD_BALANCER)["loadbalancers.WebLoadBalancer"]
    assert attributes(balancer)["routing.http.drop_invalid_header_fields.enabled"] == "true"
    assert balancer["Scheme"] == {"Ref": "WebScheme"}
    listener = properties("AWS::ElasticLoadBalancingV2::Listener")["service.WebListener"]
    assert "TLS13" in listener["SslPolicy"]
    authentication = listener["DefaultActions"][0]["AuthenticateCognitoConfig"]
    assert {"openid", "email"} <= set(authentication["Scope"].split())
    assert resources("AWS::WAFv2::WebACLAssociation")


def test_private_zone_shadows_no_real_domain() -> None:
    assert ROOT["Parameters"]["PrivateDomainName"]["Default"].endswith(".internal")


# ---- Low ----


def test_every_parameter_of_a_nested_stack_is_used_and_given() -> None:
    for name, stack in NESTED.items():
        template = TEMPLATES[stack["Properties"]["TemplateURL"].removesuffix(".template")]
        declared = template.get("Parameters", {})
        given = stack["Properties"].get("Parameters", {})
        required = {key for key, value in declared.items() if "Default" not in value}
        assert required <= given.keys() <= declared.keys(), name


def test_container_insights_is_on() -> None:
    (cluster,) = properties("AWS::ECS::Cluster").values()
    assert {"Name": "containerInsights", "Value": "enabled"} in cluster["ClusterSettings"]
    assert service()["PropagateTags"] == "SERVICE"


def test_health_check_numbers_leave_time_to_start() -> None:
    health = containers()["dicoogle"]["HealthCheck"]
    assert health["StartPeriod"] >= 180
    assert health["Interval"] * health["Retries"] >= 45
