# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whatever becomes of a call, the modules end well or say why, and the next run converges."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from conftest import Proxy
from support.module_runs import RunModule
from support.playbook_runs import Account

TEMPLATE = Path(__file__).parent / "templates" / "root.template"


@dataclass
class Environment:
    """What a deployment does with AWS, in small: each method runs a module."""

    run: RunModule
    name: str = field(default_factory=lambda: f"fault-{uuid4().hex[:8]}")

    @property
    def lock(self) -> dict[str, Any]:
        """The options for the lock."""
        return {"bucket": self.name, "key": "lock"}

    def upload(self) -> dict[str, Any]:
        """Upload the templates."""
        return self.run("cloudformation_package", template=str(TEMPLATE), bucket=self.name)

    def deploy(self, package: dict[str, Any], days: int = 7) -> dict[str, Any]:
        """Create or update the stack."""
        return self.run(
            "cloudformation_stack",
            name=self.name,
            template_url=package["template_url"],
            template_body=package["template_body"],
            parameters={"Days": days},
            termination_protection=True,
            timeout=120,
        )

    def store(self, value: str = "first value") -> dict[str, Any]:
        """Create or rotate the secrets."""
        return self.run("secretsmanager_secrets", prefix=f"{self.name}/", secrets={"key": value})

    def remove(self) -> list[dict[str, Any]]:
        """Remove the stack and the secrets."""
        stack = {"name": self.name, "state": "absent", "termination_protection": False}
        secrets = {"prefix": f"{self.name}/", "secrets": {"key": ""}, "state": "absent"}
        return [
            self.run("cloudformation_stack", **stack, timeout=120),
            self.run("secretsmanager_secrets", **secrets),
        ]

    def converge(self, days: int = 7, value: str = "first value") -> list[dict[str, Any]]:
        """Bring everything to its desired state."""
        taken = self.run("s3_lock", **self.lock, duration=600)
        package = self.upload()
        results = [taken, package, self.deploy(package, days), self.store(value)]
        return [*results, self.run("s3_lock", **self.lock, state="absent", etag=taken["etag"])]


@pytest.fixture
def environment(account: Account, run: RunModule) -> Iterator[Environment]:
    """An environment of which there is nothing yet but its bucket."""
    environment = Environment(run)
    account.client("s3").create_bucket(Bucket=environment.name)
    yield environment
    assert not [result for result in environment.remove() if result.get("failed")]


def changed(results: list[dict[str, Any]]) -> list[bool]:
    """Return what each module has changed; none may have failed."""
    assert [result["msg"] for result in results if result.get("failed")] == []
    return [result["changed"] for result in results]


def holdings(account: Account, name: str) -> dict[str, list[str]]:
    """Return what an account holds of an environment, without the names that AWS makes up."""
    client = account.client
    stacks = client("cloudformation").describe_stacks()["Stacks"]
    groups = client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    topics = client("sns").list_topics()["Topics"]
    secrets = client("secretsmanager").list_secrets()["SecretList"]
    objects = client("s3").list_objects_v2(Bucket=name).get("Contents", [])
    return {
        "stacks": [each["StackStatus"] for each in stacks if each["StackName"].startswith(name)],
        "protected": [each["StackName"] for each in stacks if each["EnableTerminationProtection"]],
        "log groups": [str(each["retentionInDays"]) for each in groups],
        "topics": [name for each in topics if f":{name}-" in each["TopicArn"]],
        "secrets": [each["Name"] for each in secrets if each["Name"].startswith(f"{name}/")],
        "objects": sorted(each["Key"].rpartition("/")[2] for each in objects),
    }


def undisturbed(name: str, status: str, days: int) -> dict[str, list[str]]:
    """Return what an account holds after runs that nothing has disturbed."""
    return {
        "stacks": [status, status],
        "protected": [name],
        "log groups": [str(days)],
        "topics": [name],
        "secrets": [f"{name}/key"],
        "objects": ["logs.template", "root.template"],
    }


@pytest.mark.parametrize(
    "fault", ["lost call", "lost answer", "slow", "throttled", "unavailable", "broken"]
)
def test_a_fault_of_the_first_call_of_each_kind_is_overcome(
    account: Account, proxy: Proxy, environment: Environment, fault: str
) -> None:
    name = environment.name
    with proxy.spoils(fault, first=1) as spoiled:
        changed(environment.converge())
    assert spoiled() >= {"CreateChangeSet", "ExecuteChangeSet", "PutObject", "CreateSecret"}
    assert holdings(account, name) == undisturbed(name, "CREATE_COMPLETE", days=7)

    with proxy.spoils(fault, first=1) as spoiled:
        results = environment.converge(days=14, value="second value")
    assert changed(results)[1:4] == [False, True, True]
    assert spoiled() >= {"GetTemplate", "ListChangeSets", "HeadObject", "PutSecretValue"}
    assert holdings(account, name) == undisturbed(name, "UPDATE_COMPLETE", days=14)
    again = changed(environment.converge(days=14, value="second value"))
    assert again == [True, False, False, False, True]  # the lock alone, taken and released

    with proxy.spoils(fault, first=1) as spoiled:
        assert changed(environment.remove()) == [True, True]
    assert spoiled() >= {"DeleteStack", "DeleteSecret"}
    left = holdings(account, name)
    assert {kind for kind, found in left.items() if found} == {"objects"}


# Where a session expires, and who says so. Under way in AWS is what the run has begun.
@pytest.mark.parametrize(
    ("operation", "under_way"),
    [
        ("DescribeStacks", False),
        ("CreateChangeSet", False),
        ("DescribeChangeSet", False),
        ("ExecuteChangeSet", False),
        ("DescribeStackEvents", True),
    ],
)
def test_a_session_that_expires_is_told_and_the_next_run_converges(
    account: Account, proxy: Proxy, environment: Environment, operation: str, under_way: bool
) -> None:
    package = environment.upload()
    message = refusal_of(environment, package, proxy, "expired", operation)
    assert "The session has expired: sign in again, for example with 'aws sso login'." in message
    assert ("goes on in AWS: run again to wait for it" in message) is under_way
    converges(account, environment)


STACK = ["DescribeStacks", "CreateChangeSet", "DescribeChangeSet", "ExecuteChangeSet"]


@pytest.mark.parametrize(
    "operation", [*STACK, "DescribeStackEvents", "UpdateTerminationProtection"]
)
def test_an_action_that_is_denied_while_a_stack_is_created_is_named(
    account: Account, proxy: Proxy, environment: Environment, operation: str
) -> None:
    message = refusal_of(environment, environment.upload(), proxy, "denied", operation)
    assert f"Allow cloudformation:{operation}." in message
    assert environment.name in message or operation == "DescribeStacks"
    converges(account, environment)


def refusal_of(
    environment: Environment, package: dict[str, Any], proxy: Proxy, fault: str, operation: str
) -> str:
    """Return how a deployment fails when an operation always does."""
    with proxy.spoils(fault, operation) as spoiled:
        result = environment.deploy(package)
    assert spoiled() == {operation}
    assert result["failed"]
    return str(result["msg"])


def converges(account: Account, environment: Environment) -> None:
    """Check that the next run brings all that is desired, and the one after nothing."""
    changed(environment.converge())
    assert changed(environment.converge()) == [True, False, False, False, True]
    after = undisturbed(environment.name, "CREATE_COMPLETE", days=7)
    assert holdings(account, environment.name) == after


@pytest.mark.parametrize("operation", ["GetTemplate", "ListChangeSets"])
def test_an_action_that_is_denied_while_a_stack_is_updated_is_named(
    proxy: Proxy, environment: Environment, operation: str
) -> None:
    package = environment.upload()
    changed([environment.deploy(package)])
    with proxy.spoils("denied", operation):
        result = environment.deploy(package, days=14)
    assert f"Allow cloudformation:{operation}." in result["msg"]
    assert environment.name in result["msg"]
    assert changed([environment.deploy(package, days=14)]) == [True]


@pytest.mark.parametrize("operation", ["DescribeStacks", "DeleteStack", "DescribeStackEvents"])
def test_an_action_that_is_denied_while_a_stack_is_deleted_is_named(
    proxy: Proxy, environment: Environment, operation: str
) -> None:
    changed([environment.deploy(environment.upload())])
    with proxy.spoils("denied", operation):
        result = environment.remove()[0]
    assert f"Allow cloudformation:{operation}." in result["msg"]


@pytest.mark.parametrize(
    ("operation", "named"),
    [
        ("HeadObject", "Allow s3:GetObject and s3:ListBucket"),
        ("PutObject", "Allow s3:PutObject"),
    ],
)
def test_an_action_that_is_denied_while_templates_are_uploaded_is_named(
    proxy: Proxy, environment: Environment, operation: str, named: str
) -> None:
    with proxy.spoils("denied", operation):
        result = environment.upload()
    assert named in result["msg"]
    assert environment.name in result["msg"]
    assert changed([environment.upload()]) == [True]


@pytest.mark.parametrize(
    ("operation", "value"),
    [
        ("ListSecrets", "first value"),
        ("CreateSecret", "first value"),
        ("PutSecretValue", "second value"),
        ("TagResource", "second value"),
    ],
)
def test_an_action_that_is_denied_while_secrets_are_stored_is_named(
    proxy: Proxy, environment: Environment, operation: str, value: str
) -> None:
    if value == "second value":
        changed([environment.store("first value")])
    with proxy.spoils("denied", operation) as spoiled:
        result = environment.store(value)
    assert spoiled() == {operation}
    assert f"when calling the {operation} operation" in result["msg"]
    assert "Allow the action" in result["msg"]
    assert f"{environment.name}/" in result["msg"]
    assert changed([environment.store(value)]) == [True]
    assert changed([environment.store(value)]) == [False]


@pytest.mark.parametrize("operation", ["PutObject", "GetObject", "DeleteObject"])
def test_an_action_that_is_denied_for_a_lock_is_named(
    proxy: Proxy, environment: Environment, operation: str
) -> None:
    taken = environment.run("s3_lock", **environment.lock, duration=600)
    with proxy.spoils("denied", operation):
        results = [
            environment.run("s3_lock", **environment.lock, duration=0),
            environment.run("s3_lock", **environment.lock, state="absent", etag=taken["etag"]),
        ]
    assert any(f"Allow s3:{operation}" in result.get("msg", "") for result in results)
    assert f"the lock s3://{environment.name}/lock" in str(results)


@pytest.mark.parametrize(
    ("operation", "named"),
    [
        ("GetCallerIdentity", "Allow the action GetCallerIdentity."),
        ("DescribeAvailabilityZones", "Allow ec2:DescribeAvailabilityZones."),
        ("ListHostedZonesByName", "Allow route53:ListHostedZonesByName"),
        ("DescribeVpcs", "Allow the action DescribeVpcs."),
    ],
)
def test_an_action_that_is_denied_while_the_account_is_looked_at_is_named(
    run: RunModule, proxy: Proxy, operation: str, named: str
) -> None:
    with proxy.spoils("denied", operation):
        result = run("account_info", hosted_zone="example.org", quotas={"vpcs": 1})
    assert named in result["msg"]
    assert "failed" not in run("account_info", hosted_zone="example.org", quotas={"vpcs": 1})
