# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The attacker sits down where somebody else has signed in, or has a script try the web page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support.cloudformation_templates import ROOT, properties
from support.image_entry_points import needs_nginx
from support.running_nginx import Proxy, an_upstream, running_nginx

LISTENER = properties("AWS::ElasticLoadBalancingV2::Listener")["service.WebListener"]
RULES = properties("AWS::ElasticLoadBalancingV2::ListenerRule")
ACL = properties("AWS::WAFv2::WebACL")["service.WebAcl"]


def paths(rule: dict[str, Any]) -> list[str]:
    """The paths that a rule is about."""
    (condition,) = rule["Conditions"]
    return list(condition["PathPatternConfig"]["Values"])


def actions(path: str) -> list[dict[str, Any]]:
    """What the load balancer does with a path, in order."""
    for rule in sorted(RULES.values(), key=lambda each: each["Priority"]):
        if path in paths(rule):
            return list(rule["Actions"])
    return list(LISTENER["DefaultActions"])


def without_a_session(path: str) -> str:
    """What happens to a request without a session."""
    (first, *_rest) = actions(path)
    config = first.get("AuthenticateCognitoConfig", {})
    return str(config.get("OnUnauthenticatedRequest", first["Type"]))


class TestASessionThatWasLeftOpen:
    def test_ends_within_the_hour_by_default(self) -> None:
        parameter = ROOT["Parameters"]["SessionTimeout"]
        assert parameter["Default"] == 3600
        for path in ("/", "/search"):
            (sign_in, _forward) = actions(path)
            timeout = sign_in["AuthenticateCognitoConfig"]["SessionTimeout"]
            assert timeout == {"Ref": "SessionTimeout"}

    @pytest.mark.parametrize("path", ["/", "/index.html"])
    def test_leads_to_the_sign_in_page_when_the_page_is_opened(self, path: str) -> None:
        assert without_a_session(path) == "authenticate"

    @pytest.mark.parametrize(
        "path",
        [
            "/dic2png",
            "/dump",
            "/exportFile",
            "/login",
            "/presets/admin",
            "/providers",
            "/searchDIM",
            "/webui",
            "/welcome",
            "/of-a-plugin",
        ],
    )
    def test_gives_the_page_a_plain_refusal(self, path: str) -> None:
        assert without_a_session(path) == "deny"

    def test_can_be_ended_at_cognito_too(self) -> None:
        assert without_a_session("/sign-out") == "authenticate"
        (redirect,) = actions("/signed-out")
        target = redirect["RedirectConfig"]
        assert target["Host"] == {"Ref": "UserPoolDomain"}
        assert target["Path"] == "/logout"
        # Cognito sends back to addresses that its client names, and to no others.
        back = target["Query"]["Fn::Sub"].partition("logout_uri=")[2]
        (client,) = properties("AWS::Cognito::UserPoolClient").values()
        assert client["LogoutURLs"] == [{"Fn::Sub": back}]

    def test_has_an_address_to_end_it_at_that_the_load_balancer_takes(self) -> None:
        longest = {"UserPoolClientId": "x" * 26, "WebHostName": "h" * 64}
        (redirect,) = actions("/signed-out")
        query = redirect["RedirectConfig"]["Query"]["Fn::Sub"]
        for name, value in longest.items():
            query = query.replace(f"${{{name}}}", value)
        assert len(query) <= 128


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    """The web entrance."""
    with an_upstream() as dicoogle, running_nginx(dicoogle.port) as started:
        yield started


@needs_nginx
class TestSigningOut:
    @pytest.mark.parametrize("site", [{}, {"Sec-Fetch-Site": "none"}])
    def test_takes_the_session_away_and_leads_on(self, proxy: Proxy, site: dict[str, str]) -> None:
        response, _unused = proxy.ask("/sign-out", headers=site)
        assert (response.status, response.headers["Location"]) == (302, "/signed-out")
        expired = [
            cookie.partition("=")[0]
            for cookie in response.headers.get_all("Set-Cookie") or []
            if "; Max-Age=0; Path=/; Secure" in cookie
        ]
        assert expired == [f"AWSELBAuthSessionCookie-{part}" for part in range(4)]
        assert response.headers["Clear-Site-Data"] == '"cookies", "storage"'

    def test_is_nothing_that_another_site_can_do(self, proxy: Proxy) -> None:
        forged = {"Sec-Fetch-Site": "cross-site"}
        response, _unused = proxy.ask("/sign-out", headers=forged)
        assert response.status == 403
        assert not response.headers.get_all("Set-Cookie")


class TestAScriptThatTriesTheWebPage:
    def test_meets_the_rules_of_aws_by_default(self) -> None:
        assert ROOT["Parameters"]["WebAclArn"]["Default"] == ""
        groups = {
            rule["Statement"]["ManagedRuleGroupStatement"]["Name"]: rule for rule in ACL["Rules"]
        }
        assert set(groups) == {
            "AWSManagedRulesAmazonIpReputationList",
            "AWSManagedRulesCommonRuleSet",
            "AWSManagedRulesKnownBadInputsRuleSet",
        }
        assert all(rule["OverrideAction"] == {"None": {}} for rule in groups.values())

    def test_leaves_no_query_with_a_name_in_samples(self) -> None:
        for each in (ACL, *ACL["Rules"]):
            assert each["VisibilityConfig"]["SampledRequestsEnabled"] is False

    def test_is_before_one_or_the_other_acl(self) -> None:
        (association,) = properties("AWS::WAFv2::WebACLAssociation").values()
        own, given = association["WebACLArn"]["Fn::If"][1:]
        assert (own, given) == ({"Fn::GetAtt": ["WebAcl", "Arn"]}, {"Ref": "WebAclArn"})
