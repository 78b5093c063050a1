# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter `pki_problems`: what is wrong with the input of role `pki` before anything is issued."""

from __future__ import annotations

DOCUMENTATION = r"""
name: pki_problems
version_added: 1.0.0
author: openpacs contributors (@openpacs)
short_description: Tell what is wrong with the clients and certificates that are wanted
description:
  - Checks the names of clients, and that all names fit into certificates.
  - Checks whose certificates and requests are given, and which pairs are to be revoked.
positional: _input
options:
  _input:
    description: The profiles of those who hold a certificate, by name, without the clients.
    type: dict
    required: true
  domain:
    description: The private domain that holders have their names in.
    type: str
    required: true
  clients:
    description: Names of more clients.
    type: list
    elements: str
    required: true
  own:
    description: Certificates of the user's own by holder.
    type: dict
    required: true
  csrs:
    description: Paths of certificate signing requests by holder.
    type: dict
    required: true
  revoked:
    description: Pairs that are to be revoked.
    type: list
    elements: str
    required: true
  issued:
    description: Pairs that were ever issued.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Check the clients
  ansible.builtin.assert:
    that: problems | length == 0
    fail_msg: "{{ problems | join(' ') }}"
  vars:
    problems: >-
      {{ profiles | openpacs.dicoogle.pki_problems(
           domain='pacs.internal', clients=['ct-1'], own={}, csrs={}, revoked=[], issued=[]) }}
    profiles: "{{ lookup('ansible.builtin.file', 'profiles.yml') | from_yaml }}"
"""

RETURN = r"""
_value:
  description: One sentence for each problem, with what to change; empty when all is well.
  type: list
  elements: str
"""

import re
import typing as t

LABEL = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
CLIENT = re.compile(LABEL)
DOMAIN = re.compile(rf"({LABEL}\.)+[a-z][a-z0-9-]*[a-z0-9]")
LONGEST_COMMON_NAME = 64
LONGEST_NUMBER = "9999"  # of a pair, which is part of the common name
OWN_KEYS = {"certificate", "private_key"}

Profiles = t.Mapping[str, t.Mapping[str, t.Any]]


def _domain(domain: str) -> t.Iterator[str]:
    if not DOMAIN.fullmatch(domain):
        yield (
            f'pki_private_domain_name is "{domain}". Give a DNS name in lower case with at least '
            "two labels, for example pacs.internal."
        )


def _clients(clients: t.Sequence[str], profiles: Profiles) -> t.Iterator[str]:
    for name in dict.fromkeys(clients):
        if not CLIENT.fullmatch(name) or name in profiles or clients.count(name) > 1:
            yield (
                f'pki_clients has "{name}". Use each name once, in lower-case letters, digits and '
                f"hyphens, and none of {', '.join(profiles)}, which exist already."
            )


def _lengths(holders: t.Iterable[str], domain: str) -> t.Iterator[str]:
    for name in holders:
        if len(f"{name}.{LONGEST_NUMBER}.{domain}") > LONGEST_COMMON_NAME:
            yield (
                f'"{name}.{domain}", with the number of a pair in it, has more than '
                f"{LONGEST_COMMON_NAME} characters, the most that a common name may have. Shorten "
                "the client's name or pki_private_domain_name."
            )


def _own(own: t.Mapping[str, t.Any], holders: t.Collection[str]) -> t.Iterator[str]:
    for name, paths in own.items():
        if name not in holders or not isinstance(paths, t.Mapping) or set(paths) != OWN_KEYS:
            yield (
                f'pki_own has "{name}". Name one of {", ".join(holders)}, each with the paths '
                "certificate and private_key."
            )


def _csrs(csrs: t.Iterable[str], own: t.Container[str], named: t.Sequence[str]) -> t.Iterator[str]:
    for name in csrs:
        if name not in named or name in own:
            yield (
                f'pki_csrs has "{name}". Name one of {", ".join(named)} that pki_own does not '
                "have, each with the path of a certificate signing request."
            )


def _revoked(revoked: t.Iterable[str], issued: t.Collection[str]) -> t.Iterator[str]:
    for pair in revoked:
        if pair not in issued:
            yield (
                f'pki_revoked has "{pair}". Name a pair by its holder and number, one of '
                f"{', '.join(sorted(issued))}."
            )


def pki_problems(
    profiles: Profiles,
    domain: str,
    clients: t.Sequence[str],
    own: t.Mapping[str, t.Any],
    csrs: t.Mapping[str, str],
    revoked: t.Sequence[str],
    issued: t.Sequence[str],
) -> list[str]:
    """Return a sentence for each problem. Who has services is let in by name; the others serve."""
    servers = [name for name, profile in profiles.items() if "services" not in profile]
    holders = list(dict.fromkeys([*profiles, *clients]))
    named = [name for name in holders if name not in servers]
    return [
        *_domain(domain),
        *_clients(clients, profiles),
        *_lengths(holders, domain),
        *_own(own, holders),
        *_csrs(csrs, own, named),
        *_revoked(revoked, issued),
    ]


class FilterModule:
    """Gives Ansible the filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"pki_problems": pki_problems}
