# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One embedded AWS for a whole test session, started by the code that users start it by."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible.utils.collection_loader import AnsibleCollectionConfig
from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder
from harness import CHECKOUT, SOURCE, VENV, EmbeddedAws
from playbook_runs import NO_ENGINE


def pytest_configure() -> None:
    """Make `ansible_collections.openpacs.dicoogle` and `openpacs_embedded` mean this checkout."""
    sys.path.append(str(SOURCE))
    if AnsibleCollectionConfig.collection_finder is not None:
        return
    namespace = Path(tempfile.mkdtemp()) / "ansible_collections" / "openpacs"
    namespace.mkdir(parents=True)
    (namespace / "dicoogle").symlink_to(CHECKOUT)
    _AnsibleCollectionFinder(paths=[str(namespace.parents[1])])._install()


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAws]:
    """An embedded AWS with nothing in it when the session starts.

    It finds no container engine, as most images in these tests do not exist.
    """
    from ansible_collections.openpacs.dicoogle.plugins.module_utils._embedded import lifecycle
    from ansible_collections.openpacs.dicoogle.plugins.module_utils._embedded.layout import Layout
    from ansible_collections.openpacs.dicoogle.plugins.module_utils._embedded.server import (
        endpoint_url,
    )

    layout = Layout(path=tmp_path_factory.mktemp("embedded"), venv=VENV)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in NO_ENGINE.items():
            patch.setenv(name, value)
        outcome = lifecycle.reach(lifecycle.Desired("started", SOURCE), layout)
    assert outcome.after.port is not None
    yield EmbeddedAws(endpoint_url(outcome.after.port), layout.access_log)
    lifecycle.reach(lifecycle.Desired("stopped", SOURCE), layout)
