#!/usr/bin/python
# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: iam_service_linked_role
version_added: 1.0.0
short_description: Make sure that a service of AWS has its role in the account
description:
  - Creates the service-linked role of a service, unless there is one.
  - Services create theirs when they are first used, and may need it in the same second. The first
    cluster of Amazon ECS in an account can fail for that.
  - A template cannot create such a role, because it fails where the role exists.
  - Needs one call, and another one when there is no such role yet.
options:
  service:
    description: Name of the service, as it assumes its role.
    type: str
    required: true
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
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
- name: Let Amazon ECS have its role before the first cluster
  openpacs.dicoogle.iam_service_linked_role:
    service: ecs.amazonaws.com
"""

RETURN = r"""
arn:
  description: ARN of the role; empty in check mode when there is none yet.
  returned: success
  type: str
  sample: arn:aws:iam::123456789012:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.openpacs.dicoogle.plugins.module_utils import _iam
from ansible_collections.openpacs.dicoogle.plugins.module_utils._aws import build_client
from ansible_collections.openpacs.dicoogle.plugins.module_utils._errors import reporting_failures


def main() -> None:
    """Create the role if there is none."""
    module = AnsibleAWSModule(
        argument_spec={"service": {"type": "str", "required": True}}, supports_check_mode=True
    )
    service = module.params["service"]
    with reporting_failures(module):
        iam = build_client(module, "iam")
        arn = _iam.service_linked_role(iam, service)
        missing = not arn
        if missing and not module.check_mode:
            arn = _iam.create_service_linked_role(iam, service)
        module.exit_json(changed=missing, arn=arn)


if __name__ == "__main__":
    main()
