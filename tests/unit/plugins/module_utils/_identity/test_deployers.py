# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import json

import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._identity import deployers

USER = "arn:aws:iam::123456789012:user/it/alice"
SESSION = "arn:aws-us-gov:sts::123456789012:assumed-role/Deploy/alice"
ROOT = "arn:aws:iam::123456789012:root"


def allowed(*arns: str) -> list[str]:
    (statement,) = json.loads(deployers.policy(arns))["Statement"]
    assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
    return statement["Condition"]["ArnNotLike"]["aws:PrincipalArn"]


def test_everybody_is_denied_but_the_deployer_and_the_root_user() -> None:
    assert allowed(USER) == [ROOT, USER]


def test_a_session_is_known_by_its_role_whatever_its_path_and_partition() -> None:
    assert allowed(SESSION) == [
        "arn:aws-us-gov:iam::123456789012:role/*/Deploy",
        "arn:aws-us-gov:iam::123456789012:role/Deploy",
        "arn:aws-us-gov:iam::123456789012:root",
    ]


def test_the_policy_guards_itself() -> None:
    (statement,) = json.loads(deployers.policy([USER]))["Statement"]
    guarded = {"GetSecretValue", "PutSecretValue", "PutResourcePolicy", "DeleteResourcePolicy"}
    assert {f"secretsmanager:{action}" for action in guarded} <= set(statement["Action"])


def test_the_order_of_deployers_does_not_matter() -> None:
    other = "arn:aws:iam::123456789012:role/deploy"
    assert deployers.policy([USER, other]) == deployers.policy([other, USER])


@pytest.mark.parametrize(
    ("named", "caller", "included"),
    [
        (USER, USER, True),
        (USER, USER.replace("alice", "bob"), False),
        ("arn:aws:iam::123456789012:role/ops/Deploy", SESSION.replace("-us-gov", ""), True),
        ("arn:aws:iam::123456789012:role/Deploy", SESSION.replace("-us-gov", ""), True),
        ("arn:aws:iam::123456789012:role/Other", SESSION.replace("-us-gov", ""), False),
        (USER, ROOT, True),
    ],
)
def test_who_is_included(named: str, caller: str, included: bool) -> None:
    assert deployers.includes([named], caller) is included
