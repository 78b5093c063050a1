# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Hashes of passwords."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.openpacs.dicoogle.plugins.filter.bcrypt import (
    bcrypt_hash,
    bcrypt_verifies,
)


def test_hash_is_one_that_dicoogle_verifies() -> None:
    hashed = bcrypt_hash("correct horse")
    assert hashed.startswith("$2b$12$")
    assert bcrypt_verifies("correct horse", hashed)
    assert not bcrypt_verifies("wrong horse", hashed)


def test_each_hash_has_its_own_salt() -> None:
    assert bcrypt_hash("a", cost=4) != bcrypt_hash("a", cost=4)


def test_longest_password_is_counted_in_bytes() -> None:
    assert bcrypt_verifies("ä" * 35 + "a", bcrypt_hash("ä" * 35 + "a", cost=4))
    with pytest.raises(AnsibleFilterError, match="has 72 bytes"):
        bcrypt_hash("ä" * 36, cost=4)


def test_empty_password_is_refused() -> None:
    with pytest.raises(AnsibleFilterError, match="has 0 bytes"):
        bcrypt_hash("")


@pytest.mark.parametrize("hashed", ["", "no hash", "$2b$12$short"])
def test_what_is_no_hash_does_not_verify(hashed: str) -> None:
    assert not bcrypt_verifies("a", hashed)
