# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Roles are run one at a time, with stand-ins for the modules that call AWS."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.role_runs import Runner, runner_in


@pytest.fixture(scope="session")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """Return a function that runs a role with variables and options of ansible-playbook."""
    return runner_in(tmp_path_factory.mktemp("roles"), Path(__file__).parent / "modules")
