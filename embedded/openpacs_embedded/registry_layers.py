# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Layers of images in ECR: saved once, in files named by their digests, not in every snapshot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ministack.core import persistence
from ministack.services import ecr

from openpacs_embedded.patching import replace

State = dict[str, Any]


def get_state(original: Callable[[], State]) -> State:
    """Return ECR's state with the digests of layers instead of their bytes."""
    state = original()
    layers = state["layer_blobs"]._data
    for repository, blobs in layers.items():
        for digest, content in blobs.items():
            _write(digest, content)
        layers[repository] = sorted(blobs)
    return state


def load_persisted_state(original: Callable[[State], None], state: State) -> None:
    """Load ECR's state, the layers from their files; forget the files of layers long gone."""
    layers = state["layer_blobs"]._data
    wanted = {_file(digest) for digests in layers.values() for digest in digests}
    for file in set(_folder().glob("*")) - wanted:
        file.unlink()
    for repository, digests in layers.items():
        layers[repository] = {digest: _file(digest).read_bytes() for digest in digests}
    original(state)


def _folder() -> Path:
    return Path(persistence.STATE_DIR) / "layers"


def _file(digest: str) -> Path:
    return _folder() / digest.replace(":", "-")


def _write(digest: str, content: bytes) -> None:
    file = _file(digest)
    if file.exists():
        return
    file.parent.mkdir(exist_ok=True)
    new = file.with_suffix(".new")
    new.write_bytes(content)
    new.replace(file)


def install() -> None:
    """Save and load the layers apart from the rest."""
    replace("get_state", get_state, ecr)
    replace("load_persisted_state", load_persisted_state, ecr)
