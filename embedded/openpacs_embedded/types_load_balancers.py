# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ELB v2: attribute texts as the API writes them, the VPC, and actions that log users in."""

from __future__ import annotations

from typing import Any

from ministack.services import acm, alb, ec2
from ministack.services.cloudformation import provisioners
from ministack.services.cloudformation.helpers import _sdk_error

from openpacs_embedded.patching import extend, replace
from openpacs_embedded.types_registry import Attributes, Properties, amend

ENFORCED = "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"
LOAD_BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"
COGNITO_MEMBERS = (
    "UserPoolArn",
    "UserPoolClientId",
    "UserPoolDomain",
    "Scope",
    "SessionCookieName",
    "SessionTimeout",
    "OnUnauthenticatedRequest",
)


def _with_attribute_texts(name: str) -> Any:
    """Booleans and numbers among the attributes become the API's `true`, `false` and digits."""

    def text(value: Any) -> str:
        return str(value).lower() if isinstance(value, bool) else str(value)

    def prepare(props: Properties) -> Properties:
        attributes = [
            {"Key": item["Key"], "Value": text(item.get("Value", ""))}
            for item in props.get(name) or []
        ]
        return {**props, name: attributes} if attributes else props

    return prepare


def _subnets(props: Properties) -> list[str]:
    mapped = [mapping["SubnetId"] for mapping in props.get("SubnetMappings") or []]
    return list(props.get("Subnets") or mapped)


def _complete_load_balancer(physical_id: str, new: Properties, _old: Properties) -> Attributes:
    load_balancer = alb._lbs[physical_id]
    load_balancer["Subnets"] = _subnets(new)
    load_balancer[ENFORCED] = new.get(ENFORCED)
    load_balancer["VpcId"] = ec2._subnets[_subnets(new)[0]]["VpcId"]
    return {"LoadBalancerFullName": physical_id.partition("loadbalancer/")[2]}


def _name_network_load_balancers() -> None:
    """MiniStack gives every load balancer the ARN of an application load balancer."""
    stock_create = provisioners._RESOURCE_HANDLERS[LOAD_BALANCER]["create"]

    def create(logical_id: str, props: Properties, stack_name: str) -> tuple[str, Attributes]:
        arn, attributes = stock_create(logical_id, props, stack_name)
        if props.get("Type") != "network":
            return arn, attributes
        network_arn = arn.replace("loadbalancer/app/", "loadbalancer/net/")
        for store in (alb._lbs, alb._lb_attrs, alb._tags):
            store[network_arn] = store.pop(arn)
        alb._lbs[network_arn]["LoadBalancerArn"] = network_arn
        return network_arn, attributes | {"Arn": network_arn, "LoadBalancerArn": network_arn}

    extend(provisioners._RESOURCE_HANDLERS, LOAD_BALANCER, create=create)


def _refuse_protected(physical_id: str, _props: Properties) -> None:
    attributes = {a["Key"]: a["Value"] for a in alb._lb_attrs.get(physical_id, [])}
    if attributes.get("deletion_protection.enabled") == "true":
        message = f"Load balancer '{physical_id}' has deletion protection enabled"
        raise ValueError(_sdk_error(message, "ElasticLoadBalancingV2", 400))


def _refuse_used_group(physical_id: str, _props: Properties) -> None:
    listeners = [*alb._listeners.values(), *alb._rules.values()]
    for listener in listeners:
        actions = listener.get("DefaultActions") or listener.get("Actions") or []
        if any(action.get("TargetGroupArn") == physical_id for action in actions):
            message = f"Target group '{physical_id}' is currently in use by a listener or a rule"
            raise ValueError(_sdk_error(message, "ElasticLoadBalancingV2", 400))


def _complete_target_group(physical_id: str, new: Properties, old: Properties) -> Attributes:
    """Register the targets that stand in the template; those of services come on their own."""
    targets = [(t["Id"], int(t.get("Port") or new["Port"])) for t in new.get("Targets") or []]
    before = [target["Id"] for target in old.get("Targets") or []]
    alb.set_targets_for_group(physical_id, targets, before)
    return {}


def _check_listener(new: Properties, _old: Properties) -> None:
    for certificate in new.get("Certificates") or []:
        arn = certificate["CertificateArn"]
        if arn.split(":")[2] == "acm" and arn not in acm._certificates:
            message = f"Certificate ARN '{arn}' is not valid"
            raise ValueError(_sdk_error(message, "ElasticLoadBalancingV2", 400))


def listener_actions(
    original: Any, props: Properties, lb_arn: str, prop: str = "DefaultActions"
) -> Any:
    """The actions of a listener or rule with the Cognito log-in that MiniStack leaves out."""
    actions = original(props, lb_arn, prop)
    for action, wanted in zip(actions, props.get(prop) or [], strict=True):
        if config := wanted.get("AuthenticateCognitoConfig"):
            action["AuthenticateCognitoConfig"] = dict(config)
    return actions


def action_xml(original: Any, action: dict[str, Any]) -> str:
    """An action as DescribeListeners and DescribeRules tell it."""
    element = original(action)
    if config := action.get("AuthenticateCognitoConfig"):
        members = "".join(
            f"<{name}>{config[name]}</{name}>" for name in COGNITO_MEMBERS if name in config
        )
        cognito = f"<AuthenticateCognitoConfig>{members}</AuthenticateCognitoConfig>"
        return element.removesuffix("</member>") + cognito + "</member>"
    return element


def load_balancer_xml(original: Any, load_balancer: dict[str, Any]) -> str:
    """DescribeLoadBalancers with the zones of the subnets and the rule for PrivateLink traffic."""
    element = original(load_balancer)
    head, _unused, rest = element.partition("<AvailabilityZones>")
    _unused, _unused, tail = rest.partition("</AvailabilityZones>")
    zones = "".join(
        f"<member><ZoneName>{ec2._subnets[subnet]['AvailabilityZone']}</ZoneName>"
        f"<SubnetId>{subnet}</SubnetId><LoadBalancerAddresses/></member>"
        for subnet in load_balancer["Subnets"]
        if subnet in ec2._subnets
    )
    if enforced := load_balancer.get(ENFORCED):
        tail = tail.removesuffix("</member>") + f"<{ENFORCED}>{enforced}</{ENFORCED}></member>"
    return f"{head}<AvailabilityZones>{zones}</AvailabilityZones>{tail}"


def install() -> None:
    replace("_elbv2_listener_actions", listener_actions, provisioners)
    replace("_action_xml", action_xml, alb)
    replace("_lb_xml", load_balancer_xml, alb)
    _name_network_load_balancers()
    amend(
        LOAD_BALANCER,
        prepare=_with_attribute_texts("LoadBalancerAttributes"),
        complete=_complete_load_balancer,
        release=_refuse_protected,
    )
    amend(
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        prepare=_with_attribute_texts("TargetGroupAttributes"),
        complete=_complete_target_group,
        release=_refuse_used_group,
    )
    amend("AWS::ElasticLoadBalancingV2::Listener", check=_check_listener)
