# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Peers to talk to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pynetdicom._config
import pytest


@pytest.fixture(autouse=True)
def _settings_of_pynetdicom(monkeypatch: pytest.MonkeyPatch) -> None:
    """Undo what a module sets for its own process: a test after it would meet another receiver."""
    monkeypatch.setattr(pynetdicom._config, "UNRESTRICTED_STORAGE_SERVICE", False)


@pytest.fixture
def make_peer() -> Callable[..., Any]:
    """Return make(port, **changes), which returns a Peer that waits long enough for any test."""
    from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.peer import Peer

    def make(port: int, **changes: Any) -> Peer:
        options = {
            "host": "127.0.0.1",
            "port": port,
            "called_ae_title": "ARCHIVE",
            "calling_ae_title": "TEST",
            "tls": None,
            "connect_timeout": 10.0,
            "dimse_timeout": 10.0,
            "network_timeout": 10.0,
            "max_pdu": 131072,
        }
        return Peer(**{**options, **changes})

    return make
