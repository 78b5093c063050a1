# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Does the internet ask the name servers of a hosted zone? Private to this collection."""

from __future__ import annotations

from collections.abc import Collection

from .._errors import ModuleError
from .checks import bare_domain

try:
    import dns.exception
    import dns.resolver

    HAS_DNSPYTHON = True
except ImportError:
    HAS_DNSPYTHON = False

PATIENCE = 5  # seconds; a resolver that is there answers in less


def public_name_servers(domain: str) -> set[str] | None:
    """Return the name servers that this machine's resolver finds, None when it does not answer."""
    try:
        found = dns.resolver.resolve(domain, "NS", lifetime=PATIENCE)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return set()
    except dns.exception.DNSException:
        return None
    return {bare_domain(str(server)) for server in found}


def check_delegation(domain: str, found: Collection[str] | None, own: Collection[str]) -> None:
    """Refuse a zone to which the domain is not delegated; say nothing when that is not known.

    found: name servers as the resolver tells, None when it did not answer.
    own: name servers of the hosted zone.
    """
    if found is None or set(found) & {bare_domain(server) for server in own}:
        return
    now = f"leads to {', '.join(sorted(found))}" if found else "has no name servers"
    raise ModuleError(
        f"{domain} is not delegated to its hosted zone, so that AWS would wait for its certificate "
        f"in vain: in DNS, the domain {now}. Enter the name servers of the zone where the domain "
        f"is registered: {', '.join(sorted(own))}. Should only this machine see the domain "
        "otherwise, do not check the delegation (prerequisites_check_delegation: false)."
    )
