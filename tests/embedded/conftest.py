# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One embedded AWS for a whole test session, started by the code that users start it by."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from harness import SOURCE, VENV, EmbeddedAws
from support.collection import install_loader
from support.playbook_runs import NO_ENGINE


def pytest_configure() -> None:
    """Let the collection and the embedded AWS be imported."""
    sys.path.append(str(SOURCE))
    install_loader()


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAws]:
    """An embedded AWS with nothing in it when the session starts.

    It finds no container engine, as most images in these tests do not exist.
    """
    from ansible_collections.openpacs.dicoogle.plugins.module_utils._embedded import lifecycle
    from ansible_collections.openpacs.dicoogle.plugins.module_utils._embedded.layout import Layout

    layout = Layout(path=tmp_path_factory.mktemp("embedded"), venv=VENV)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in NO_ENGINE.items():
            patch.setenv(name, value)
        lifecycle.reach(lifecycle.Desired("started", SOURCE), layout)
    yield EmbeddedAws(layout.path)
    lifecycle.reach(lifecycle.Desired("stopped", SOURCE), layout)
