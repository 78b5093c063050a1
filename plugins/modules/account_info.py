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
  - On request looks up a public hosted zone, and compares what the account has with what a new
    environment needs.
  - Fails with a sentence that says what to change when credentials, region, availability zones,
    hosted zone or quotas do not fit.
  - Needs two calls, one more for O(environment) and one for O(hosted_zone). For a new environment
    it needs another one for O(zone_services) and one for O(check_delegation), and two for each
    entry of O(quotas).
options:
  environment:
    description:
      - Name of the environment, which is that of its stack.
      - When the stack exists, its zones are the first of RV(availability_zones), and O(quotas),
        O(zone_services) and O(check_delegation) are left out, which matter to a new one.
      - With O(hosted_zone), the name of the web page has to fit into a certificate.
    type: str
  hosted_zone:
    description: Domain name of the public hosted zone to look up.
    type: str
  check_delegation:
    description:
      - Ask DNS whether the domain is delegated to the O(hosted_zone). A new certificate needs that.
      - Nothing is said when no resolver answers.
    type: bool
    default: false
  availability_zones:
    description: Names of availability zones that must exist, at least two.
    type: list
    elements: str
  zone_services:
    description:
      - Services of AWS, such as V(ecr.api), whose interface endpoints a new environment needs in
        each of its zones. Zones without one are left out.
    type: list
    elements: str
    default: []
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
requirements:
  - dnspython, for O(check_delegation)
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
deployed:
  description: Whether the stack of the O(environment) exists.
  returned: success
  type: bool
availability_zones:
  description:
    - Names of the region's availability zones that the account may use, sorted, those in which the
      environment is before all others.
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

from ansible.module_utils.basic import missing_required_lib
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.openpacs.dicoogle.plugins.module_utils._account import (
    api,
    checks,
    delegation,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._aws import (
    build_client,
    dns_suffix,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._cloudformation.api import (
    describe_stack,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._errors import (
    ModuleError,
    reporting_failures,
)


def build_argument_spec() -> dict[str, Any]:
    """Return the options of this module."""
    return {
        "environment": {"type": "str"},
        "hosted_zone": {"type": "str"},
        "check_delegation": {"type": "bool", "default": False},
        "availability_zones": {"type": "list", "elements": "str"},
        "zone_services": {"type": "list", "elements": "str", "default": []},
        "quotas": {"type": "dict", "options": {name: {"type": "int"} for name in checks.QUOTAS}},
    }


def identity(module: AnsibleAWSModule) -> dict[str, str]:
    """Return account, ARN, partition and its DNS suffix."""
    caller = api.caller_identity(build_client(module, "sts"), module.region)
    return {
        "account": caller["Account"],
        "arn": caller["Arn"],
        "partition": caller["Partition"],
        "dns_suffix": dns_suffix(caller["Partition"]),
    }


def zones(ec2: Any, region: str, params: dict[str, Any], stack: dict[str, Any] | None) -> list[str]:
    """Return the availability zones after a check of those that are wanted.

    stack: of the environment, None for a new one.
    """
    available = checks.usable_zones(api.availability_zones(ec2, region))
    wanted = params["availability_zones"]
    checks.check_zones(region, available, wanted)
    if stack is not None:
        taken = checks.zones_of(stack)
        return taken + [zone for zone in available if zone not in taken]
    if params["zone_services"]:
        offers = api.endpoint_zones(ec2, region, params["zone_services"])
        checks.check_offers(wanted or (), offers)
        available = checks.offering(available, offers)
        checks.check_zones(region, available, None)
    return available


def hosted_zone_id(route53: Any, domain: str, check_delegation: bool) -> str:
    """Return the ID of the domain's public hosted zone."""
    zone_id = checks.public_zone_id(domain, api.hosted_zones_from(route53, domain))
    if zone_id is None:
        raise ModuleError(checks.unknown_zone_message(domain, api.hosted_zones(route53)))
    if check_delegation:
        own = api.name_servers(route53, zone_id)
        delegation.check_delegation(domain, delegation.public_name_servers(domain), own)
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


def deployed_stack(module: AnsibleAWSModule) -> dict[str, Any] | None:
    """Return the stack of the environment, None when there is none."""
    name = module.params["environment"]
    return describe_stack(build_client(module, "cloudformation"), name) if name else None


def main() -> None:
    """Describe the account and refuse what does not fit."""
    module = AnsibleAWSModule(argument_spec=build_argument_spec(), supports_check_mode=True)
    params, region = module.params, module.region
    if params["check_delegation"] and not delegation.HAS_DNSPYTHON:
        module.fail_json(msg=missing_required_lib("dnspython"))
    result: dict[str, Any] = {"region": region, "hosted_zone_id": None, "quotas": {}}
    with reporting_failures(module):
        result.update(identity(module))
        ec2 = build_client(module, "ec2")
        stack = deployed_stack(module)
        result["deployed"] = stack is not None
        result["availability_zones"] = zones(ec2, region, params, stack)
        if params["hosted_zone"]:
            if params["environment"]:
                checks.check_host_name(f"{params['environment']}-{region}.{params['hosted_zone']}")
            result["hosted_zone_id"] = hosted_zone_id(
                build_client(module, "route53"),
                params["hosted_zone"],
                params["check_delegation"] and stack is None,
            )
        if params["quotas"] and stack is None:
            states = quotas(
                ec2, build_client(module, "service-quotas"), params["quotas"], module.warn
            )
            checks.check_quotas(region, states)
            result["quotas"] = {
                name: {**asdict(state), "free": state.free} for name, state in states.items()
            }
        module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
