# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Layers of images in ECR: in files named by their digests, neither in memory nor in snapshots.

A layer is in memory while it is pushed or pulled. Images have the size of what they consist of.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ministack.core import persistence
from ministack.core.responses import json_response
from ministack.services import ecr

from openpacs_embedded.patching import replace

State = dict[str, Any]
Answer = tuple[int, dict[str, str], Any]


@dataclass(frozen=True)
class Layer:
    """Takes the place of a layer's bytes in MiniStack's store."""

    digest: str

    @property
    def file(self) -> Path:
        """The file that holds the layer."""
        return _folder() / self.digest.replace(":", "-")

    def __len__(self) -> int:
        return self.file.stat().st_size

    def __bytes__(self) -> bytes:
        return self.file.read_bytes()


def take_upload(original: Callable[..., Answer], repository: str, *arguments: Any) -> Answer:
    """Receive a layer, or its last part, and move what is complete into files."""
    answer = original(repository, *arguments)
    layers = ecr._layer_blobs.get(repository) or {}
    for digest, content in layers.items():
        if isinstance(content, bytes):
            _write(Layer(digest), content)
            layers[digest] = Layer(digest)
    return answer


def get_blob(original: Callable[[str, str], Answer], repository: str, digest: str) -> Answer:
    """Send a layer."""
    status, headers, body = original(repository, digest)
    return status, headers, bytes(body)


def describe_images(original: Callable[[State], Answer], data: State) -> Answer:
    """DescribeImages with the size of configuration and layers, not that of the manifest."""
    status, headers, body = original(data)
    answer = json.loads(body)
    for detail in answer.get("imageDetails", []):
        manifests = ecr._manifest_blobs.get(detail["repositoryName"]) or {}
        size = image_size(manifests.get(detail["imageDigest"], b"{}"))
        detail["imageSizeInBytes"] = size or detail["imageSizeInBytes"]
    return json_response(answer, status) if "imageDetails" in answer else (status, headers, body)


def image_size(manifest: bytes) -> int:
    """Return the bytes of an image as they are stored, 0 for an index or an artifact."""
    content = json.loads(manifest)
    parts = [content.get("config", {}), *content.get("layers", [])]
    return sum(int(part.get("size", 0)) for part in parts)


def delete_repository(original: Callable[[State], Answer], data: State) -> Answer:
    """Delete a repository with its layers."""
    answer = original(data)
    if answer[0] < 300:
        ecr._layer_blobs.pop(data["repositoryName"], None)
        ecr._manifest_blobs.pop(data["repositoryName"], None)
        _remove_unused()
    return answer


def get_state(original: Callable[[], State]) -> State:
    """Return ECR's state with the digests of layers in place of the layers."""
    state = original()
    layers = state["layer_blobs"]._data
    for repository, blobs in layers.items():
        layers[repository] = sorted(blobs)
    return state


def load_persisted_state(original: Callable[[State], None], state: State) -> None:
    """Load ECR's state; forget the files of layers long gone."""
    layers = state["layer_blobs"]._data
    for repository, digests in layers.items():
        layers[repository] = {digest: Layer(digest) for digest in digests}
    original(state)
    _remove_unused()


def reset(original: Callable[[], None]) -> None:
    """Forget all images."""
    original()
    shutil.rmtree(_folder(), ignore_errors=True)


def _folder() -> Path:
    return Path(persistence.STATE_DIR) / "layers"


def _write(layer: Layer, content: bytes) -> None:
    if layer.file.exists():
        return
    layer.file.parent.mkdir(exist_ok=True)
    new = layer.file.with_suffix(".new")
    new.write_bytes(content)
    new.replace(layer.file)


def _remove_unused() -> None:
    used = {
        Layer(digest).file for _unused, blobs in ecr._layer_blobs.all_items() for digest in blobs
    }
    for file in set(_folder().glob("*")) - used:
        file.unlink()


def install() -> None:
    """Keep layers in files."""
    replace("_v2_start_blob_upload", take_upload, ecr)
    replace("_v2_complete_blob_upload", take_upload, ecr)
    replace("_v2_get_blob", get_blob, ecr)
    replace("_describe_images", describe_images, ecr)
    replace("_delete_repository", delete_repository, ecr)
    replace("get_state", get_state, ecr)
    replace("load_persisted_state", load_persisted_state, ecr)
    replace("reset", reset, ecr)
