# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who may read an identity: the policy of its secret. Private to this collection."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from fnmatch import fnmatchcase

# What gives the value away, replaces it, or lets others do so.
DENIED = [
    f"secretsmanager:{action}"
    for action in (
        "DeleteResourcePolicy",
        "DeleteSecret",
        "GetSecretValue",
        "PutResourcePolicy",
        "PutSecretValue",
        "ReplicateSecretToRegions",
        "RotateSecret",
        "UpdateSecret",
        "UpdateSecretVersionStage",
    )
]


def principals(arn: str) -> list[str]:
    """Return the patterns of aws:PrincipalArn for a user, a role or a session of a role.

    The ARN of a session does not tell the path of its role.
    """
    start, kind, rest = _split(arn)
    if kind != "assumed-role":
        return [arn]
    role = rest.partition("/")[0]
    partition, account = start.split(":")[1], start.split(":")[4]
    return [f"arn:{partition}:iam::{account}:role/{path}{role}" for path in ("", "*/")]


def policy(deployers: Iterable[str]) -> str:
    """Return the policy of a secret that these and the account's root user alone may read.

    deployers: ARNs of users, roles or sessions, at least one, all of one account.
    """
    patterns = sorted({pattern for arn in deployers for pattern in principals(arn)})
    partition, account = patterns[0].split(":")[1], patterns[0].split(":")[4]
    allowed = sorted({*patterns, f"arn:{partition}:iam::{account}:root"})
    statement = {
        "Sid": "OnlyDeployers",
        "Effect": "Deny",
        "Principal": "*",
        "Action": DENIED,
        "Resource": "*",
        "Condition": {"ArnNotLike": {"aws:PrincipalArn": allowed}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def digest(text: str) -> str:
    """Return what the tag of a policy holds."""
    return hashlib.sha256(text.encode()).hexdigest()


def includes(deployers: Iterable[str], caller: str) -> bool:
    """Tell whether the caller is among them, or is the account's root user."""
    if caller.endswith(":root"):
        return True
    mine = principals(caller)
    named = [pattern for arn in deployers for pattern in principals(arn)]
    return any(fnmatchcase(a, b) or fnmatchcase(b, a) for a in mine for b in named)


def _split(arn: str) -> tuple[str, str, str]:
    start, _colon, resource = arn.rpartition(":")
    kind, _slash, rest = resource.partition("/")
    return start, kind, rest
