# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""IAM: Ref of an instance profile is its name, and managed policies must exist."""

from __future__ import annotations

from ministack.core.responses import get_account_id
from ministack.services import iam
from ministack.services.cloudformation import provisioners
from ministack.services.cloudformation.helpers import _sdk_error

from openpacs_embedded.patching import extend
from openpacs_embedded.types_registry import Attributes, Properties, amend

PROFILE = "AWS::IAM::InstanceProfile"


def _arn(name: str) -> str:
    profile = iam._instance_profiles.get(name)
    return str(profile["Arn"]) if profile else ""


def _name_instance_profiles() -> None:
    """MiniStack makes the ARN the physical id, Amazon the name."""
    handlers = provisioners._RESOURCE_HANDLERS[PROFILE]
    stock_create, stock_update, stock_delete = (
        handlers[name] for name in ("create", "update", "delete")
    )

    def named(result: tuple[str, Attributes]) -> tuple[str, Attributes]:
        arn, attributes = result
        return arn.rpartition("/")[2], attributes

    def create(logical_id: str, props: Properties, stack_name: str) -> tuple[str, Attributes]:
        return named(stock_create(logical_id, props, stack_name))

    def update(name: str, *arguments: object) -> tuple[str, Attributes]:
        return named(stock_update(_arn(name), *arguments))

    def delete(name: str, props: Properties) -> None:
        stock_delete(_arn(name), props)

    extend(provisioners._RESOURCE_HANDLERS, PROFILE, create=create, update=update, delete=delete)


def _check_roles(new: Properties, _old: Properties) -> None:
    for role in new["Roles"]:
        if role not in iam._roles:
            message = f"The role with name {role} cannot be found."
            raise ValueError(_sdk_error(message, "Iam", 404))


def _check_policies(new: Properties, _old: Properties) -> None:
    """A customer managed policy must exist; Amazon's own are taken at their word."""
    for arn in new.get("ManagedPolicyArns") or []:
        if f"::{get_account_id()}:" in arn and arn not in iam._policies:
            message = f"Policy {arn} does not exist or is not attachable."
            raise ValueError(_sdk_error(message, "Iam", 404))


def install() -> None:
    _name_instance_profiles()
    amend(PROFILE, check=_check_roles)
    amend("AWS::IAM::Role", check=_check_policies)
