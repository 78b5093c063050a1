# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Peers to talk to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def make_peer() -> Callable[..., Any]:
    """Return make(port, **changes), which returns a Peer with timeouts short enough for tests."""
    from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.peer import Peer

    def make(port: int, **changes: Any) -> Peer:
        options = {
            "host": "127.0.0.1",
            "port": port,
            "called_ae_title": "ARCHIVE",
            "calling_ae_title": "TEST",
            "tls": None,
            "connect_timeout": 1.0,
            "dimse_timeout": 1.0,
            "network_timeout": 1.0,
            "max_pdu": 131072,
        }
        return Peer(**{**options, **changes})

    return make
