# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import typing as t

import pytest
from ansible_collections.openpacs.dicoogle.plugins.filter.pki_problems import pki_problems

PROFILES: dict[str, dict[str, t.Any]] = {
    "nginx": {"uses": ["serverAuth"]},
    "client": {"services": ["store", "query"]},
}
PAIR = {"certificate": "a.pem", "private_key": "a.key"}
WELL: dict[str, t.Any] = {
    "domain": "pacs.internal",
    "clients": ["ct-1"],
    "own": {"nginx": PAIR},
    "csrs": {"ct-1": "ct-1.csr"},
    "revoked": ["client.1"],
    "issued": ["client.1", "client.2", "nginx.1"],
}


def test_good_input_has_no_problem():
    assert pki_problems(PROFILES, **WELL) == []


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"domain": "Internal"}, 'pki_private_domain_name is "Internal". Give a DNS name in lower'),
        ({"domain": "internal"}, "at least two labels"),
        ({"domain": "pacs.internal\n"}, "Give a DNS name in lower case"),
        ({"domain": f"{'d' * 50}.internal"}, '"nginx.ddd'),
        ({"clients": ["CT 1"], "csrs": {}}, 'pki_clients has "CT 1". Use each name once'),
        ({"clients": ["ct-1\n"], "csrs": {}}, "in lower-case letters, digits and hyphens"),
        ({"clients": ["ct-1", "ct-1"]}, 'pki_clients has "ct-1". Use each name once'),
        ({"clients": ["ct-1", "nginx"]}, "none of nginx, client, which exist already"),
        ({"clients": ["ct-1", "c" * 60]}, "has more than 64 characters"),
        ({"own": {"ngnix": PAIR}}, 'pki_own has "ngnix". Name one of nginx, client, ct-1'),
        ({"own": {"nginx": "a.pem"}}, "each with the paths certificate and private_key"),
        ({"own": {"nginx": {"certificate": "a"}}}, "each with the paths certificate and"),
        ({"csrs": {"nginx": "n.csr"}}, 'pki_csrs has "nginx". Name one of client, ct-1 that'),
        ({"csrs": {"client": "c.csr"}, "own": {"client": PAIR}}, "that pki_own does not have"),
        ({"revoked": ["client.3"]}, 'pki_revoked has "client.3". Name a pair by its holder and'),
        ({"revoked": ["nginx.2"]}, "one of client.1, client.2"),
    ],
)
def test_what_is_wrong_is_named_with_what_to_do(wrong, sentence):
    assert sentence in pki_problems(PROFILES, **WELL | wrong)[0]
