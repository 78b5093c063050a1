# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A stand-in for the module of the same name: keeps the secrets in a file instead of in AWS.

The tag `store` names the file. Like the module it refuses empty texts, but not in check mode.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "prefix": {"type": "str", "required": True},
            "secrets": {"type": "dict", "required": True, "no_log": True},
            "kms_key_id": {"type": "str"},
            "tags": {"type": "dict", "default": {}},
        },
        supports_check_mode=True,
    )
    store = Path(module.params["tags"]["store"])
    stored = json.loads(store.read_text()) if store.exists() else {}
    wanted = {
        module.params["prefix"] + name: value for name, value in module.params["secrets"].items()
    }
    if not module.check_mode:
        empty = [name for name, value in wanted.items() if not all(value.values())]
        if empty:
            module.fail_json(msg=f"empty: {empty}")
        store.write_text(json.dumps(wanted))
    module.exit_json(
        changed=stored != wanted,
        secrets={
            name: {
                "arn": f"arn:{full}" if full in stored or not module.check_mode else None,
                "digest": hashlib.sha256(json.dumps(wanted[full]).encode()).hexdigest(),
            }
            for name, full in zip(module.params["secrets"], wanted, strict=True)
        },
    )


if __name__ == "__main__":
    main()
