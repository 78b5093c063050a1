# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import dns.resolver
import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._account.delegation import (
    check_delegation,
    public_name_servers,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._errors import ModuleError

OWN = ["ns-1.awsdns-1.org", "ns-2.awsdns-2.com"]


@pytest.mark.parametrize("found", [set(OWN), {"ns-2.awsdns-2.com"}, None])
def test_a_delegated_domain_passes_and_so_does_one_of_which_nothing_is_known(
    found: set[str] | None,
) -> None:
    check_delegation("pacs.example.org", found, OWN)


@pytest.mark.parametrize(
    ("found", "now"), [({"ns.example"}, "leads to ns.example"), (set(), "has no name servers")]
)
def test_the_refusal_says_what_is_and_what_to_enter(found: set[str], now: str) -> None:
    with pytest.raises(ModuleError, match=f"the domain {now}.*: ns-1.awsdns-1.org, ns-2.awsdns"):
        check_delegation("pacs.example.org", found, OWN)


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (["NS-1.awsdns-1.org."], {"ns-1.awsdns-1.org"}),
        (dns.resolver.NXDOMAIN(), set()),
        (dns.resolver.NoResolverConfiguration(), None),
        (dns.resolver.LifetimeTimeout(timeout=5, errors=[]), None),
        (dns.resolver.NoNameservers(), None),
    ],
)
def test_a_resolver_that_does_not_answer_tells_nothing(
    monkeypatch: pytest.MonkeyPatch, answer: list[str] | Exception, found: set[str] | None
) -> None:
    def resolve(domain: str, kind: str, lifetime: float) -> list[str]:
        assert (domain, kind) == ("example.org", "NS")
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(dns.resolver, "resolve", resolve)
    assert public_name_servers("example.org") == found
