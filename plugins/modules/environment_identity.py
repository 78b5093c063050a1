#!/usr/bin/python
# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: environment_identity
version_added: 1.0.0
short_description: Keep what identifies an environment in its AWS account
description:
  - Keeps the folders of the CA, the certificates and the administrator's password in the secret
    C(<environment>/identity) of AWS Secrets Manager, so that every control node has the same.
  - The folders on the control node are a cache. An unchanged run compares a digest, which is a
    tag of the secret, in one call and reads no value.
  - Refuses a folder with another CA than the account's, and a first CA where the environment
    exists and neither side knows its CA.
  - A resource policy keeps everybody but the deployers and the account's root user from reading
    the secret.
options:
  environment:
    description: Name of the environment.
    type: str
    required: true
  folders:
    description:
      - The folders on the control node.
      - They are for nothing else. Whatever lies there is kept, and goes when the account has newer
        content.
    type: dict
    required: true
    suboptions:
      pki:
        description: Path of the folder of the CA and the certificates.
        type: path
        required: true
      secrets:
        description: Path of the folder of the administrator's password.
        type: path
        required: true
  home:
    description:
      - V(account) keeps them in the account.
      - V(local) leaves them to the user. Then O(state=fetched) fetches nothing.
    type: str
    choices: [account, local]
    default: account
  state:
    description:
      - V(fetched) brings the folders to what the account has.
      - V(kept) stores what the folders hold. When another run has stored other certificates
        meanwhile, those win and are fetched.
      - V(absent) schedules the deletion of the secret, and leaves the folders alone.
    type: str
    choices: [fetched, kept, absent]
    default: fetched
  authority:
    description:
      - Whether the environment needs a CA of its own.
      - Then O(state=fetched) fails when the environment's stack exists and no CA is known.
    type: bool
    default: true
  deployers:
    description:
      - ARNs of the users and roles that may read the secret.
      - Without them the one who creates the secret may, and an existing policy stays.
    type: list
    elements: str
    default: []
  kms_key_id:
    description:
      - ID, alias or ARN of the KMS key to encrypt the secret with.
      - Without it a new secret gets the key that AWS manages, and an existing one keeps its own.
    type: str
  tags:
    description: Tags of the secret. Other tags stay.
    type: dict
    default: {}
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
    details: O(state=fetched) fills the folders, which are a cache, in check mode, too.
  diff_mode:
    support: full
    details: Says what happens to the secret, never a value.
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
- name: Fetch what identifies the environment
  openpacs.dicoogle.environment_identity:
    environment: radiology
    folders:
      pki: ~/.openpacs/radiology/pki
      secrets: ~/.openpacs/radiology/secrets
  register: identity

- name: Keep it
  openpacs.dicoogle.environment_identity:
    environment: radiology
    folders:
      pki: ~/.openpacs/radiology/pki
      secrets: ~/.openpacs/radiology/secrets
    state: kept
    kms_key_id: alias/radiology
  when: not identity.kept
"""

RETURN = r"""
kept:
  description:
    - Whether the account holds what the folders hold, for O(deployers) only.
    - V(true) for O(home=local).
  returned: success
  type: bool
fetched:
  description: Whether the folders were filled from the account.
  returned: success
  type: bool
kms_key_id:
  description: ID or ARN of the secret's key; V(null) without a key of one's own, or a secret.
  returned: success
  type: str
secret:
  description: Name of the secret.
  returned: success
  type: str
  sample: radiology/identity
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.openpacs.dicoogle.plugins.module_utils._account.api import caller_identity
from ansible_collections.openpacs.dicoogle.plugins.module_utils._aws import attempt, build_client
from ansible_collections.openpacs.dicoogle.plugins.module_utils._errors import reporting_failures
from ansible_collections.openpacs.dicoogle.plugins.module_utils._identity import folders, keeping
from ansible_collections.openpacs.dicoogle.plugins.module_utils._identity.loss import refuse_loss
from ansible_collections.openpacs.dicoogle.plugins.module_utils._secrets import api
from ansible_collections.openpacs.dicoogle.plugins.module_utils._texts import plain_text

NOTHING = keeping.Outcome(False, False, None, [])
THE_USERS = keeping.Outcome(True, False, None, [])


def build_argument_spec() -> dict[str, Any]:
    """Return the options of this module."""
    return {
        "environment": {"type": "str", "required": True},
        "folders": {
            "type": "dict",
            "required": True,
            "options": {
                "pki": {"type": "path", "required": True},
                "secrets": {"type": "path", "required": True, "no_log": False},
            },
        },
        "home": {"type": "str", "choices": ["account", "local"], "default": "account"},
        "state": {"type": "str", "choices": ["fetched", "kept", "absent"], "default": "fetched"},
        "authority": {"type": "bool", "default": True},
        "deployers": {"type": "list", "elements": "str", "default": []},
        "kms_key_id": {"type": "str"},
        "tags": {"type": "dict", "default": {}},
        "recovery_window_in_days": {"type": "int", "default": 30},
    }


def fetched(home: keeping.Home, module: AnsibleAWSModule) -> keeping.Outcome:
    """Bring the folders up to date, and refuse to go on where the CA is lost."""
    params = module.params
    in_account = params["home"] == "account"
    outcome = keeping.fetch(home) if in_account else THE_USERS
    if params["authority"] and (outcome is None or not in_account):
        refuse_loss(
            build_client(module, "cloudformation"),
            params["environment"],
            folders.read(home.folders),
            str(home.folders["pki"]),
            home.name if in_account else None,
        )
    return outcome or NOTHING


def kept(home: keeping.Home, module: AnsibleAWSModule) -> keeping.Outcome:
    """Store what the folders hold."""
    given = module.params["tags"]
    tags = {key: plain_text(f"The tag {key}", value) for key, value in given.items()}

    def caller() -> str:
        return caller_identity(build_client(module, "sts"), module.region)["Arn"]

    return keeping.keep(home, module.params["kms_key_id"], tags, caller, module.check_mode)


def absent(home: keeping.Home, params: Mapping[str, Any], check_mode: bool) -> keeping.Outcome:
    """Schedule the deletion of the secret."""
    stored = api.find_secret(home.client, home.name)
    if stored is None or stored.deleted:
        return NOTHING
    if not check_mode:
        api.delete_secret(home.client, home.name, params["recovery_window_in_days"])
    return keeping.Outcome(False, False, stored.kms_key_id, ["deleted"])


def run(module: AnsibleAWSModule) -> keeping.Outcome:
    """Do what the state asks for."""
    params = module.params
    home = keeping.Home(
        client=build_client(module, "secretsmanager"),
        name=f"{params['environment']}/identity",
        folders={name: Path(path) for name, path in params["folders"].items()},
        readers=params["deployers"],
    )
    if params["state"] == "fetched":
        return fetched(home, module)
    if params["state"] == "kept":
        return kept(home, module)
    return absent(home, params, module.check_mode)


def main() -> None:
    """Fetch, keep or delete, and report without any value."""
    module = AnsibleAWSModule(argument_spec=build_argument_spec(), supports_check_mode=True)
    secret = f"{module.params['environment']}/identity"
    with reporting_failures(module):
        with attempt(f"look for the secret {secret}"):
            secret.encode()
        outcome = run(module)
        lines = [f"{secret}: {', '.join(outcome.changes)}\n"] if outcome.changes else []
        module.exit_json(
            changed=bool(lines),
            kept=outcome.kept,
            fetched=outcome.fetched,
            kms_key_id=outcome.kms_key_id,
            secret=secret,
            diff={"before": "", "after": "".join(lines)},
        )


if __name__ == "__main__":
    main()
