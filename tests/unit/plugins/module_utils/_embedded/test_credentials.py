# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The access key: made once, for one reader."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._embedded import credentials
from botocore.credentials import SharedCredentialProvider


@pytest.fixture(autouse=True)
def _careless_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def read(file: Path) -> tuple[str, str]:
    """Return the key as SDKs read it."""
    loaded = SharedCredentialProvider(str(file), "default").load()
    assert loaded is not None
    return loaded.access_key, loaded.secret_key


def test_sdks_read_it_and_nobody_else_may(tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    credentials.ensure(file)
    identity, secret = read(file)
    assert len(secret) == 40
    assert secret not in identity
    assert file.stat().st_mode & 0o777 == 0o600


def test_it_stays_once_it_is_made(tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    credentials.ensure(file)
    first = read(file)
    credentials.ensure(file)
    assert read(file) == first


def test_each_is_another(tmp_path: Path) -> None:
    credentials.ensure(tmp_path / "one")
    credentials.ensure(tmp_path / "two")
    assert not set(read(tmp_path / "one")) & set(read(tmp_path / "two"))


def test_what_a_killed_run_left_is_not_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "credentials.new").write_text("[defau")
    credentials.ensure(tmp_path / "credentials")
    assert read(tmp_path / "credentials")
