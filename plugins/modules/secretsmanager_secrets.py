#!/usr/bin/python
# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: secretsmanager_secrets
version_added: 1.0.0
short_description: Keep a set of secrets in AWS Secrets Manager
description:
  - Creates, rotates, restores and deletes the secrets of a set that share the start of their names.
  - A tag, C(openpacs:digest), holds a salted scrypt digest of the value. An unchanged set costs one
    call, and no stored value is ever read.
  - A secret that is scheduled for deletion is restored and brought up to date.
  - A run that was stopped half-way is completed by the next one.
options:
  prefix:
    description:
      - What the names of all secrets of the set start with.
      - Secrets that start with it but are not in O(secrets) are left alone.
    type: str
    required: true
  secrets:
    description:
      - The values by name. A name does not repeat O(prefix).
      - A value is text, or a dictionary of texts, which is stored as JSON.
      - In check mode a text may be empty. It stands for one that is not known yet and counts as
        changed.
      - With O(state=absent) the values do not matter.
    type: dict
    required: true
  kms_key_id:
    description:
      - ID, alias or ARN of the KMS key to encrypt the secrets with.
      - Without it new secrets get the key that AWS manages, and existing ones keep theirs.
    type: str
  tags:
    description: Tags of every secret of the set. Other tags of a secret stay.
    type: dict
    default: {}
  state:
    description: Whether the secrets exist.
    type: str
    choices: [present, absent]
    default: present
  recovery_window_in_days:
    description:
      - How long a deleted secret can be restored, from 7 to 30 days.
      - V(0) deletes at once and for good.
      - Used with O(state=absent).
    type: int
    default: 30
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: Says what happens to each secret, never a value.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - openpacs.dicoogle.attributes
  - openpacs.dicoogle.attributes.aws
author:
  - openpacs contributors (@openpacs)
"""

EXAMPLES = r"""
- name: Store a certificate with its key, and a password
  openpacs.dicoogle.secretsmanager_secrets:
    prefix: dicoogle/
    secrets:
      nginx:
        certificate: "{{ lookup('ansible.builtin.file', 'nginx.crt') }}"
        private_key: "{{ lookup('ansible.builtin.file', 'nginx.key') }}"
      password: "{{ vault_password }}"
    kms_key_id: alias/dicoogle
  register: stored

- name: Show where the certificate is stored
  ansible.builtin.debug:
    var: stored.secrets.nginx.arn

- name: Delete both, for good in a week
  openpacs.dicoogle.secretsmanager_secrets:
    prefix: dicoogle/
    secrets:
      nginx: ""
      password: ""
    state: absent
    recovery_window_in_days: 7
"""

RETURN = r"""
secrets:
  description: The secrets by name, without O(prefix).
  returned: success
  type: dict
  contains:
    arn:
      description: ARN of the secret; V(null) for one that does not exist.
      type: str
      sample: arn:aws:secretsmanager:eu-west-1:123456789012:secret:dicoogle/nginx-AbCdEf
    changed:
      description: Whether the secret changed, or would in check mode.
      type: bool
    changes:
      description: What happened, such as V(created), V(value changed) or V(deleted).
      type: list
      elements: str
    digest:
      description: Changes with the value, which it does not tell; V(null) for O(state=absent).
      type: str
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.openpacs.dicoogle.plugins.module_utils._aws import (
    build_client,
    in_threads,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._errors import (
    ModuleError,
    reporting_failures,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._secrets.api import (
    delete_secret,
    list_secrets,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._secrets.apply import apply_plan
from ansible_collections.openpacs.dicoogle.plugins.module_utils._secrets.plan import (
    Secret,
    digest,
    plan_secret,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._texts import plain_text


@dataclass(frozen=True)
class Outcome:
    """What became of a secret; `arn` and `digest` are None where there is none."""

    arn: str | None
    digest: str | None
    changes: list[str]


def build_argument_spec() -> dict[str, Any]:
    """Return the options of this module."""
    return {
        "prefix": {"type": "str", "required": True},
        "secrets": {"type": "dict", "required": True, "no_log": True},
        "kms_key_id": {"type": "str"},
        "tags": {"type": "dict", "default": {}},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "recovery_window_in_days": {"type": "int", "default": 30},
    }


def secret_text(name: str, value: Any, check_mode: bool) -> str:
    """Return what is stored: the text, or the JSON of a dictionary of texts.

    Raises ModuleError for anything else, and for a text that is empty outside check mode.
    """
    texts = list(value.values()) if isinstance(value, dict) else [value]
    if not texts or not all(isinstance(text, str) and (text or check_mode) for text in texts):
        raise ModuleError(
            f"The value of the secret {name} must be text, or a dictionary of texts, and no text "
            "may be empty. Quote numbers."
        )
    return json.dumps(value, sort_keys=True) if isinstance(value, dict) else texts[0]


def build_secret(name: str, value: Any, params: Mapping[str, Any], check_mode: bool) -> Secret:
    """Return one secret as it should be."""
    full_name = params["prefix"] + name
    text = secret_text(name, value, check_mode)
    tags = {key: plain_text(f"The tag {key}", value) for key, value in params["tags"].items()}
    return Secret(full_name, text, params["kms_key_id"], tags, digest(full_name, text))


def ensure_present(client: Any, params: Mapping[str, Any], check_mode: bool) -> dict[str, Outcome]:
    """Create, restore and update the secrets, side by side."""
    names = sorted(params["secrets"])

    def build(name: str) -> Secret:
        return build_secret(name, params["secrets"][name], params, check_mode)

    desired = in_threads(build, names)
    listed = list_secrets(client, params["prefix"])

    def ensure(secret: Secret) -> Outcome:
        stored = listed.get(secret.name)
        plan = plan_secret(secret, stored)
        if plan.changes and not check_mode:
            stored, plan = apply_plan(client, secret, stored, plan)
        return Outcome(stored.arn if stored else None, secret.digest, plan.changes)

    return dict(zip(names, in_threads(ensure, desired), strict=True))


def ensure_absent(client: Any, params: Mapping[str, Any], check_mode: bool) -> dict[str, Outcome]:
    """Delete the secrets, side by side."""
    names = sorted(params["secrets"])
    listed = list_secrets(client, params["prefix"])

    def ensure(name: str) -> Outcome:
        stored = listed.get(params["prefix"] + name)
        if stored is None or stored.deleted:
            return Outcome(None, None, [])
        if not check_mode:
            delete_secret(client, stored.name, params["recovery_window_in_days"])
        return Outcome(None, None, ["deleted"])

    return dict(zip(names, in_threads(ensure, names), strict=True))


def report(outcomes: Mapping[str, Outcome]) -> dict[str, Any]:
    """Return the module's result, without any value."""
    secrets = {
        name: {
            "arn": outcome.arn,
            "digest": outcome.digest,
            "changed": bool(outcome.changes),
            "changes": outcome.changes,
        }
        for name, outcome in outcomes.items()
    }
    lines = [
        f"{name}: {', '.join(outcome.changes)}\n"
        for name, outcome in outcomes.items()
        if outcome.changes
    ]
    return {
        "changed": bool(lines),
        "secrets": secrets,
        "diff": {"before": "", "after": "".join(lines)},
    }


def main() -> None:
    """List the set, decide, change what differs."""
    module = AnsibleAWSModule(argument_spec=build_argument_spec(), supports_check_mode=True)
    with reporting_failures(module):
        client = build_client(module, "secretsmanager")
        ensure = ensure_present if module.params["state"] == "present" else ensure_absent
        outcomes = ensure(client, module.params, module.check_mode)
        module.exit_json(**report(outcomes))


if __name__ == "__main__":
    main()
