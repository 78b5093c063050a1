# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The attacker is in the AWS account and wants images, or that nobody sees what was done.

The embedded AWS keeps policies and does not enforce them, so the policies that a deployment
leaves there are read back and asked, as AWS would.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from support.iam_policies import Request, says
from support.playbook_runs import Account, Run, share_embedded_venv

ENVIRONMENT = {"dicoogle_environment": "attacked", "dicoogle_topology": "provider_only"}
ADMINISTRATOR = "arn:aws:iam::000000000000:role/Administrator"
TLS = {"aws:SecureTransport": "true"}
MFA = {"aws:MultiFactorAuthPresent": "true", "aws:RequestedRegion": "us-east-1"}
HEADER = "s3:x-amz-server-side-encryption"


@dataclass
class Deployed:
    """What a deployment has made, and what `destroy` says of it when it is gone."""

    account: Account
    outputs: dict[str, str]
    destroyed: list[Run] = field(default_factory=list)
    clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        """A client, which takes long to make."""
        if service not in self.clients:
            self.clients[service] = self.account.client(service)
        return self.clients[service]

    def bucket_policy(self, output: str) -> str:
        """The policy of a bucket."""
        s3 = self.client("s3")
        return str(s3.get_bucket_policy(Bucket=self.outputs[output])["Policy"])

    def role(self, output: str) -> dict[str, Any]:
        """A role, as IAM knows it."""
        name = self.outputs[output].rpartition("/")[2]
        return dict(self.client("iam").get_role(RoleName=name)["Role"])

    def permissions(self, output: str) -> dict[str, Any]:
        """What the one policy of a role allows."""
        name = self.outputs[output].rpartition("/")[2]
        iam = self.client("iam")
        (policy,) = iam.list_role_policies(RoleName=name)["PolicyNames"]
        found = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        return dict(found)

    def bucket_says(self, output: str, action: str, key: str, **context: str) -> set[str]:
        """What the policy of a bucket says to a request over TLS."""
        arn = f"arn:aws:s3:::{self.outputs[output]}" + (f"/{key}" if key else "")
        given = {name.replace("__", ":"): value for name, value in context.items()}
        return says(self.bucket_policy(output), Request(action, arn, TLS | given))


def outputs(account: Account) -> dict[str, str]:
    """The outputs of the deployed root stack."""
    (stack,) = account.client("cloudformation").describe_stacks(StackName="attacked")["Stacks"]
    return {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """An environment on an embedded AWS."""
    account = Account(tmp_path_factory.mktemp("account") / "aws", engine=False)
    share_embedded_venv(account.folder)
    account.succeed("embedded")
    try:
        account.succeed("site", **ENVIRONMENT)
        yield Deployed(account, outputs(account))
    finally:
        account.run("embedded", dicoogle_embedded_state="stopped")


@pytest.fixture(scope="module", params=["running", "destroyed"])
def deployed(request: pytest.FixtureRequest, running: Deployed) -> Deployed:
    """The environment, while it runs and after it was removed."""
    if request.param == "destroyed" and not running.destroyed:
        removed = running.account.succeed("destroy", dicoogle_environment="attacked")
        running.destroyed.append(removed)
    return running


LINES = {
    "task/ghostunnel-storage/1": [
        "[1] 2026/01/31 08:00:00 opening pipe: tcp:10.0.1.7:5011 "
        "[CN=scanner.attacked.internal] <-> tcp:127.0.0.1:6666 [no tls] "
    ],
    "task/dicoogle/1": [
        "2026-01-31T08:00:00.000Z INFO  Association [main] Association(7) accepted "
        "Socket[addr=/127.0.0.1,port=40722,localport=6666]",
        "2026-01-31T08:00:00.000Z INFO  PDUEncoder [pool-1] MOD(7) << 1:C-STORE-RSP[pcid=1, "
        "status=0H\\n\tcuid=1.2.840.10008.5.1.4.1.1.2\\n\tiuid=1.2.3]",
    ],
    "task/nginx/1": [
        '203.0.113.9 "GET /dic2png HTTP/1.1" 200 8 bytes 0.1 s upstream 200 '
        'person "9f8c" image "1.2.3"',
        '203.0.113.9 "GET /dic2png HTTP/1.1" 200 8 bytes 0.1 s upstream 200 '
        'person "9f8c" image "1.2.4"',
    ],
}


@pytest.fixture(scope="module")
def logged(running: Deployed) -> Deployed:
    """The environment after an image was stored and two were looked at."""
    logs, group = running.client("logs"), running.outputs["LogGroupName"]
    now = int(time.time() * 1000)
    for stream, lines in LINES.items():
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
        logs.put_log_events(
            logGroupName=group,
            logStreamName=stream,
            logEvents=[{"timestamp": now, "message": line} for line in lines],
        )
    return running


class TestWhoeverTouchesAnImage:
    def test_is_told_by_the_playbook(self, logged: Deployed) -> None:
        asked = {"dicoogle_environment": "attacked", "dicoogle_audit_images": ["1.2.3"]}
        told = logged.account.succeed("audit", **asked).output
        assert "scanner.attacked.internal, as MOD" in told
        assert "person 9f8c" in told
        assert "1.2.4" not in told

    def test_cannot_be_asked_about_nothing(self, running: Deployed) -> None:
        run = running.account.run("audit", dicoogle_environment="attacked")
        assert run.failed
        assert "dicoogle_audit_study" in run.output


class TestAnAdministratorOfTheAccountWantsTheImages:
    @pytest.mark.parametrize(
        "action",
        ["GetObject", "GetObjectVersion", "DeleteObject", "DeleteObjectVersion", "PutObject"],
    )
    def test_images_are_denied(self, deployed: Deployed, action: str) -> None:
        asked = {"aws__PrincipalArn": ADMINISTRATOR}
        assert "Deny" in deployed.bucket_says("ImagesBucketName", f"s3:{action}", "x", **asked)

    @pytest.mark.parametrize(
        "action", ["ListBucket", "ListBucketVersions", "ListBucketMultipartUploads"]
    )
    def test_their_names_are_denied(self, deployed: Deployed, action: str) -> None:
        asked = {"aws__PrincipalArn": ADMINISTRATOR}
        assert "Deny" in deployed.bucket_says("ImagesBucketName", f"s3:{action}", "", **asked)

    def test_cloudformation_still_sees_the_bucket(self, deployed: Deployed) -> None:
        asked = {
            "aws__PrincipalArn": ADMINISTRATOR,
            "aws__CalledVia": "cloudformation.amazonaws.com",
        }
        said = deployed.bucket_says("ImagesBucketName", "s3:ListBucket", "", **asked)
        assert "Deny" not in said

    def test_plain_http_is_denied_to_everyone(self, deployed: Deployed) -> None:
        arn = f"arn:aws:s3:::{deployed.outputs['ImagesBucketName']}/x"
        context = {
            "aws:PrincipalArn": deployed.outputs["EmergencyRoleArn"],
            "aws:SecureTransport": "false",
        }
        asked = Request("s3:GetObject", arn, context)
        assert "Deny" in says(deployed.bucket_policy("ImagesBucketName"), asked)


class TestAnUploaderWantsToDecideWhoReadsTheImage:
    @pytest.mark.parametrize(
        "encryption",
        [
            {HEADER: "AES256"},
            {HEADER: "aws:kms"},
            {HEADER: "aws:kms", f"{HEADER}-aws-kms-key-id": "arn:aws:kms:us-east-1:1:key/x"},
            {f"{HEADER}-customer-algorithm": "AES256"},
        ],
    )
    def test_another_key_is_denied(self, deployed: Deployed, encryption: dict[str, str]) -> None:
        said = self.put(deployed, encryption)
        assert "Deny" in said

    def test_the_key_of_the_bucket_is_not(self, deployed: Deployed) -> None:
        s3 = deployed.client("s3")
        bucket = deployed.outputs["ImagesBucketName"]
        rules = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]
        key = rules["Rules"][0]["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"]
        named = {HEADER: "aws:kms", f"{HEADER}-aws-kms-key-id": key}
        assert "Deny" not in self.put(deployed, named)
        assert "Deny" not in self.put(deployed, {})

    @staticmethod
    def put(deployed: Deployed, encryption: dict[str, str]) -> set[str]:
        """What is said to one whom the policy lets upload."""
        arn = f"arn:aws:s3:::{deployed.outputs['ImagesBucketName']}/x"
        who = {"aws:PrincipalArn": deployed.outputs["EmergencyRoleArn"]}
        asked = Request("s3:PutObject", arn, TLS | who | encryption)
        return says(deployed.bucket_policy("ImagesBucketName"), asked)


class TestAStolenKeyWantsTheEmergencyRole:
    @pytest.mark.parametrize(
        ("context", "said"),
        [
            (MFA, {"Allow"}),
            ({"aws:RequestedRegion": "us-east-1"}, set()),
            ({**MFA, "aws:MultiFactorAuthPresent": "false"}, set()),
            # STS of another region tells a rule in that region, where there is none.
            ({**MFA, "aws:RequestedRegion": "eu-west-1"}, set()),
        ],
    )
    def test_it_needs_a_second_factor_here(
        self, deployed: Deployed, context: dict[str, str], said: set[str]
    ) -> None:
        trust = deployed.role("EmergencyRoleArn")["AssumeRolePolicyDocument"]
        assert says(trust, Request("sts:AssumeRole", "", context)) == said

    def test_it_lets_read_and_never_remove_for_good(self, deployed: Deployed) -> None:
        arn = f"arn:aws:s3:::{deployed.outputs['ImagesBucketName']}/x"
        allowed = deployed.permissions("EmergencyRoleArn")
        assert says(allowed, Request("s3:GetObject", arn)) == {"Allow"}
        assert says(allowed, Request("s3:DeleteObjectVersion", arn)) == set()

    def test_each_use_is_told(self, deployed: Deployed) -> None:
        events = deployed.client("events")
        (rule,) = [
            each
            for each in events.list_rules()["Rules"]
            if deployed.outputs["EmergencyRoleArn"] in each.get("EventPattern", "")
        ]
        pattern = json.loads(rule["EventPattern"])
        assert pattern["detail"]["eventName"] == ["AssumeRole"]
        assert rule["State"] == "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
        (target,) = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
        assert target["Arn"] == deployed.outputs["AlarmTopicArn"]

    def test_the_topic_takes_it_from_this_rule_only(self, deployed: Deployed) -> None:
        topic = deployed.outputs["AlarmTopicArn"]
        sns = deployed.client("sns")
        policy = sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"]
        rule = "arn:aws:events:us-east-1:000000000000:rule/of-somebody-else"
        foreign = Request("sns:Publish", topic, {"aws:SourceArn": rule})
        assert says(policy, foreign) == set()


class TestWhoDidItWantsTheLogsGoneOrRead:
    BUCKETS = ("LogBucketName", "ImagesLogBucketName")

    @pytest.mark.parametrize("bucket", BUCKETS)
    @pytest.mark.parametrize(
        ("action", "key"), [("GetObject", "x"), ("GetObjectVersion", "x"), ("ListBucket", "")]
    )
    def test_only_auditors_read_them(
        self, deployed: Deployed, bucket: str, action: str, key: str
    ) -> None:
        asked = {"aws__PrincipalArn": ADMINISTRATOR}
        assert "Deny" in deployed.bucket_says(bucket, f"s3:{action}", key, **asked)
        auditor = {"aws__PrincipalArn": deployed.outputs["AuditRoleArn"]}
        assert "Deny" not in deployed.bucket_says(bucket, f"s3:{action}", key, **auditor)

    @pytest.mark.parametrize("bucket", BUCKETS)
    @pytest.mark.parametrize("who", ["AuditRoleArn", "EmergencyRoleArn"])
    def test_nobody_deletes_them(self, deployed: Deployed, bucket: str, who: str) -> None:
        asked = {"aws__PrincipalArn": deployed.outputs[who]}
        for action in ("s3:DeleteObject", "s3:DeleteObjectVersion"):
            assert "Deny" in deployed.bucket_says(bucket, action, "x", **asked)

    def test_auditors_need_a_second_factor(self, deployed: Deployed) -> None:
        trust = deployed.role("AuditRoleArn")["AssumeRolePolicyDocument"]
        assert says(trust, Request("sts:AssumeRole", "")) == set()
        mfa = {"aws:MultiFactorAuthPresent": "true"}
        assert says(trust, Request("sts:AssumeRole", "", mfa)) == {"Allow"}

    def test_logs_are_there_for_six_years(self, deployed: Deployed) -> None:
        logs = deployed.client("logs").describe_log_groups()["logGroups"]
        kept = {each["logGroupName"]: each.get("retentionInDays") for each in logs}
        for output in ("LogGroupName", "ImportLogGroupName", "FlowLogGroupName"):
            assert kept[deployed.outputs[output]] == 2192
        s3 = deployed.client("s3")
        for bucket in self.BUCKETS:
            configuration = s3.get_bucket_lifecycle_configuration(Bucket=deployed.outputs[bucket])
            assert configuration["Rules"][0]["Expiration"]["Days"] == 2192


class TestADestroyedEnvironment:
    def test_its_images_are_backed_up_as_before(self, deployed: Deployed) -> None:
        backup = deployed.client("backup")
        vault = deployed.outputs["BackupVaultName"]
        (plan,) = [
            each
            for each in backup.list_backup_plans()["BackupPlansList"]
            if each["BackupPlanName"] == vault
        ]
        (selected,) = backup.list_backup_selections(BackupPlanId=plan["BackupPlanId"])[
            "BackupSelectionsList"
        ]
        role = selected["IamRoleArn"].rpartition("/")[2]
        assert deployed.client("iam").get_role(RoleName=role)["Role"]["Arn"]

    def test_says_what_stays_and_where_the_keys_are(self, running: Deployed) -> None:
        (run,) = running.destroyed
        for output in (
            "ImagesBucketName",
            "LogBucketName",
            "ImagesLogBucketName",
            "FileSystemId",
            "BackupVaultName",
            "LogGroupName",
            "ImportLogGroupName",
            "FlowLogGroupName",
            "AlarmTopicArn",
        ):
            assert running.outputs[output] in run.output, output
        for output in ("EmergencyRoleArn", "AuditRoleArn"):
            assert running.outputs[output].rpartition("/")[2] in run.output, output
        folder = running.account.folder / "attacked"
        assert (folder / "secrets" / "admin-password").is_file()
        assert str(folder / "secrets") in run.output
        assert str(folder / "pki") in run.output

    def test_the_same_name_can_be_deployed_again(self, running: Deployed) -> None:
        assert running.destroyed
        before = running.outputs
        running.account.succeed("site", **ENVIRONMENT)
        after = outputs(running.account)
        for output in ("ImagesBucketName", "EmergencyRoleArn", "FlowLogGroupName"):
            assert after[output] != before[output]
