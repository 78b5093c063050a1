# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Build images and push them, side by side. Private to this collection."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from ansible_collections.openpacs.dicoogle.plugins.module_utils._aws import ModuleError, in_threads
from ansible_collections.openpacs.dicoogle.plugins.module_utils._ecr.api import (
    StoredImage,
    find_image,
    registry_login,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._ecr.engine import (
    Engine,
    build,
    logged_in,
    push,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._ecr.image import Image


def publish_images(
    client: Any, engine: Engine, images: Sequence[Image], network: str | None
) -> list[StoredImage]:
    """Build and push images and return them as ECR shows them, in the same order."""
    with ExitStack() as stack:
        registries = {}
        for repository in {image.repository.account: image.repository for image in images}.values():
            login = registry_login(client, repository)
            private = stack.enter_context(logged_in(engine, login))
            registries[repository.account] = (login.registry, private)

        def publish(image: Image) -> StoredImage:
            registry, private = registries[image.repository.account]
            target = f"{registry}/{image.repository.name}:{image.tag}"
            build(private, image, target, network)
            return _push(client, private, image, target)

        return in_threads(publish, images)


def _push(client: Any, engine: Engine, image: Image, target: str) -> StoredImage:
    """Push one image; that another run has pushed the same tag meanwhile is as good.

    What the registry then shows decides, not what the push prints.
    """
    failure = ModuleError(
        f"The image {image.name} was pushed to {target}, but ECR does not show it. Run again."
    )
    try:
        push(engine, image, target)
    except ModuleError as error:
        failure = error
    stored = find_image(client, image.repository, image.tag)
    if stored is None:
        raise failure
    return stored
