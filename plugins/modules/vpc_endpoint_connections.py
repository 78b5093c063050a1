#!/usr/bin/python
# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: vpc_endpoint_connections
version_added: 1.0.0
short_description: Cut off accounts that may use an endpoint service no more
description:
  - Rejects the open connections to an endpoint service of PrivateLink that belong to accounts
    that are not allowed. Taking an account out of the allowed principals of a service leaves its
    connections open.
  - AWS tells the account of a connection only. A connection stays open while any principal of its
    account is allowed.
  - A rejected endpoint stays so. When its account is allowed again, it makes a new endpoint.
  - Needs one call, and another one when there is something to reject.
options:
  service:
    description: ID of the endpoint service, or its name, which ends with the ID.
    type: str
    required: true
  allowed_principals:
    description: ARNs of the principals that may be connected.
    type: list
    elements: str
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
- name: Let only one hospital be connected
  openpacs.dicoogle.vpc_endpoint_connections:
    service: com.amazonaws.vpce.eu-west-1.vpce-svc-0123456789abcdef0
    allowed_principals: [arn:aws:iam::123456789012:root]
"""

RETURN = r"""
rejected:
  description: The connections that were rejected, or would be in check mode.
  returned: success
  type: list
  elements: dict
  contains:
    vpc_endpoint_id:
      description: The endpoint.
      type: str
      sample: vpce-0123456789abcdef0
    account:
      description: The account that has it.
      type: str
      sample: "210987654321"
"""

from dataclasses import asdict

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.openpacs.dicoogle.plugins.module_utils import _privatelink
from ansible_collections.openpacs.dicoogle.plugins.module_utils._aws import build_client
from ansible_collections.openpacs.dicoogle.plugins.module_utils._errors import reporting_failures


def main() -> None:
    """Reject what is not allowed."""
    module = AnsibleAWSModule(
        argument_spec={
            "service": {"type": "str", "required": True},
            "allowed_principals": {"type": "list", "elements": "str", "required": True},
        },
        supports_check_mode=True,
    )
    service_id = module.params["service"].rpartition(".")[2]
    with reporting_failures(module):
        ec2 = build_client(module, "ec2")
        connections = _privatelink.open_connections(ec2, service_id)
        rejected = _privatelink.not_allowed(connections, module.params["allowed_principals"])
        if rejected and not module.check_mode:
            _privatelink.reject(ec2, service_id, rejected)
        module.exit_json(changed=bool(rejected), rejected=[asdict(each) for each in rejected])


if __name__ == "__main__":
    main()
