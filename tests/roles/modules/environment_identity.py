# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A stand-in for the module of the same name, in an account that has no environment yet."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "environment": {"type": "str"},
            "folders": {"type": "dict"},
            "home": {"type": "str", "choices": ["local"]},
            "authority": {"type": "bool"},
            "deployers": {"type": "list"},
        },
        supports_check_mode=True,
    )
    module.exit_json(changed=False, kept=True, fetched=False)


if __name__ == "__main__":
    main()
