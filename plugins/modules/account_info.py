#!/usr/bin/python
# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: account_info
version_added: 1.0.0
short_description: Tell whether an AWS account is fit for an environment
description:
  - Returns who the caller is, the partition, and the availability zones of the region.
  - On request looks up a public hosted zone, and compares quotas with what an environment needs.
  - Fails with a sentence that says what to change when credentials, region, availability zones,
    hosted zone or quotas do not fit.
  - Needs two calls, one more for O(hosted_zone), one for O(quotas_unless_stack), and
    two for each entry of O(quotas).
options:
  hosted_zone:
    description: Domain name of the public hosted zone to look up.
    type: str
  availability_zones:
    description: Names of availability zones that must exist, at least two.
    type: list
    elements: str
  quotas:
    description:
      - How many resources of each kind a new environment needs.
      - A limit that cannot be read is a warning, not a failure.
    type: dict
    suboptions:
      vpcs:
        description: Number of VPCs.
        type: int
      internet_gateways:
        description: Number of internet gateways.
        type: int
      elastic_ips:
        description: Number of Elastic IP addresses.
        type: int
  quotas_unless_stack:
    description: Leave O(quotas) out when this stack exists, as its resources count already.
    type: str
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
- name: Look at the account
  openpacs.dicoogle.account_info:
    region: eu-west-1
    hosted_zone: example.org
    quotas:
      vpcs: 3
      internet_gateways: 3
  register: account

- name: Show the first two availability zones
  ansible.builtin.debug:
    var: account.availability_zones[:2]
"""

RETURN = r"""
account:
  description: The account's ID.
  returned: success
  type: str
  sample: "123456789012"
arn:
  description: ARN of the caller.
  returned: success
  type: str
  sample: arn:aws:iam::123456789012:user/operator
partition:
  description: The partition that the account belongs to.
  returned: success
  type: str
  sample: aws
region:
  description: The region that was looked at.
  returned: success
  type: str
  sample: eu-west-1
dns_suffix:
  description: What the names of the partition's services end with.
  returned: success
  type: str
  sample: amazonaws.com
availability_zones:
  description:
    - Names of the region's availability zones that the account may use, sorted.
    - Their momentary state does not matter.
  returned: success
  type: list
  elements: str
  sample: [eu-west-1a, eu-west-1b, eu-west-1c]
hosted_zone_id:
  description: ID of the public hosted zone; V(null) without O(hosted_zone).
  returned: success
  type: str
  sample: Z0123456789ABCDEFGHIJ
quotas:
  description: The entries of O(quotas) by name.
  returned: success
  type: dict
  contains:
    limit:
      description: The limit; V(null) when it cannot be read.
      type: int
    used:
      description: How many exist.
      type: int
    needed:
      description: How many more are needed.
      type: int
    free:
      description: How many more are possible; V(null) when the limit cannot be read.
      type: int
"""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.openpacs.dicoogle.plugins.module_utils._account import api, checks
from ansible_collections.openpacs.dicoogle.plugins.module_utils._aws import dns_suffix
from ansible_collections.openpacs.dicoogle.plugins.module_utils._cloudformation.api import (
    describe_stack,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._errors import ModuleError


def build_argument_spec() -> dict[str, Any]:
    """Return the options of this module."""
    return {
        "hosted_zone": {"type": "str"},
        "availability_zones": {"type": "list", "elements": "str"},
        "quotas": {"type": "dict", "options": {name: {"type": "int"} for name in checks.QUOTAS}},
        "quotas_unless_stack": {"type": "str"},
    }


def identity(module: AnsibleAWSModule) -> dict[str, str]:
    """Return account, ARN, partition and its DNS suffix."""
    caller = api.caller_identity(module.client("sts"), module.region)
    partition = caller["Arn"].split(":")[1]
    return {
        "account": caller["Account"],
        "arn": caller["Arn"],
        "partition": partition,
        "dns_suffix": dns_suffix(partition),
    }


def zones(ec2: Any, region: str, wanted: list[str] | None) -> list[str]:
    """Return the availability zones after a check of those that are wanted."""
    available = checks.usable_zones(api.availability_zones(ec2, region))
    checks.check_zones(region, available, wanted)
    return available


def hosted_zone_id(route53: Any, domain: str) -> str:
    """Return the ID of the domain's public hosted zone."""
    zone_id = checks.public_zone_id(domain, api.hosted_zones_from(route53, domain))
    if zone_id is None:
        raise ModuleError(checks.unknown_zone_message(domain, api.hosted_zones(route53)))
    return zone_id


def quotas(
    ec2: Any, service_quotas: Any, needed: dict[str, int | None], warn: Callable[[str], None]
) -> dict[str, checks.QuotaState]:
    """Return the state of every quota that something is needed of."""
    states = {}
    for name, count in needed.items():
        if count is None:
            continue
        limit = None
        try:
            limit = api.quota_limit(service_quotas, checks.QUOTAS[name])
        except ModuleError as error:
            warn(f"{error} The quota is not checked.")
        states[name] = checks.QuotaState(limit, api.count_used(ec2, name), count)
    return states


def is_deployed(module: AnsibleAWSModule) -> bool:
    """Tell whether the stack exists that takes from the quotas what is needed."""
    name = module.params["quotas_unless_stack"]
    return bool(name) and describe_stack(module.client("cloudformation"), name) is not None


def main() -> None:
    """Describe the account and refuse what does not fit."""
    module = AnsibleAWSModule(argument_spec=build_argument_spec(), supports_check_mode=True)
    if not module.region:
        module.fail_json(msg="No region is known. Set the option region, or AWS_REGION.")
    params, region = module.params, module.region
    result: dict[str, Any] = {"region": region, "hosted_zone_id": None, "quotas": {}}
    try:
        result.update(identity(module))
        ec2 = module.client("ec2")
        result["availability_zones"] = zones(ec2, region, params["availability_zones"])
        if params["hosted_zone"]:
            result["hosted_zone_id"] = hosted_zone_id(
                module.client("route53"), params["hosted_zone"]
            )
        if params["quotas"] and not is_deployed(module):
            states = quotas(ec2, module.client("service-quotas"), params["quotas"], module.warn)
            checks.check_quotas(region, states)
            result["quotas"] = {
                name: {**asdict(state), "free": state.free} for name, state in states.items()
            }
    except ModuleError as error:
        module.fail_json(**error.result())
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
