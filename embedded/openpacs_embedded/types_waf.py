# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""AWS::WAFv2::WebACLAssociation, through WAF's own calls."""

from __future__ import annotations

import json

from ministack.services import waf
from ministack.services.cloudformation.helpers import _sdk_error

from openpacs_embedded.types_registry import Attributes, Properties, ResourceType, register


def _associate(_logical_id: str, props: Properties, _stack: str) -> tuple[str, Attributes]:
    status, _headers, body = waf._associate_web_acl(props)
    if status >= 400:
        raise ValueError(_sdk_error(json.loads(body)["message"], "Wafv2", status))
    return f"{props['ResourceArn']}|{props['WebACLArn']}", {}


def _update(_physical_id: str, _old: Properties, _new: Properties) -> Attributes:
    raise ValueError("AWS::WAFv2::WebACLAssociation has no property that can change in place")


def _dissociate(_physical_id: str, props: Properties) -> None:
    """A resource has one web ACL: the one of a replacement stays."""
    if waf._associations.get(props["ResourceArn"]) == props["WebACLArn"]:
        waf._disassociate_web_acl({"ResourceArn": props["ResourceArn"]})


def install() -> None:
    register(
        "AWS::WAFv2::WebACLAssociation",
        ResourceType(_associate, _update, _dissociate, ("ResourceArn", "WebACLArn"), tags=None),
    )
