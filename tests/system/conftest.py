# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Playbooks of this collection against an embedded AWS of the test session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.playbook_runs import Account


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An embedded AWS that lives as long as the session, and no container engine."""
    account = Account(tmp_path_factory.mktemp("system") / "aws", engine=False)
    account.succeed("embedded")
    yield account
    account.run("embedded", dicoogle_embedded_state="stopped")
