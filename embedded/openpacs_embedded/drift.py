# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Drift detection for more types, and for more properties of some that MiniStack reads.

A `Reader` finds a resource's record and tells, property by property, what it holds now. Only
properties that the template sets are compared.
"""

from __future__ import annotations

from ministack.services.cloudformation import drift

from openpacs_embedded import drift_containers, drift_network, drift_storage
from openpacs_embedded.patching import PatchError, add


def install() -> None:
    for readers in (drift_containers, drift_network, drift_storage):
        for name, reader in readers.NEW.items():
            add(drift._DRIFT_READERS, name, reader.entry())
        for name, reader in readers.EXTENDED.items():
            if name not in drift._DRIFT_READERS:
                raise PatchError(f"MiniStack no longer reads {name} for drift detection")
            drift._DRIFT_READERS[name] = reader.beside(drift._DRIFT_READERS[name])
