# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Build images and push them, side by side. Private to this collection."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from .._aws import in_threads
from .._errors import ModuleError
from .._images.engine import Engine, build, logged_in, push
from .._images.image import Image, tag_of
from .api import StoredImage, find_image, registry_login


@dataclass(frozen=True)
class Build:
    """A build that is due. number: from 1, among the builds of the image's content."""

    image: Image
    number: int

    @property
    def tag(self) -> str:
        """The tag under which it is pushed."""
        return tag_of(self.image.content, self.number)


def publish_images(
    client: Any, engine: Engine, builds: Sequence[Build], network: str | None
) -> list[StoredImage]:
    """Build and push images and return them as ECR shows them, in the same order."""
    repositories = {build.image.repository.account: build.image.repository for build in builds}
    with ExitStack() as stack:
        registries = {}
        for repository in repositories.values():
            login = registry_login(client, repository)
            private = stack.enter_context(logged_in(engine, login))
            registries[repository.account] = (login.registry, private)

        def publish(due: Build) -> StoredImage:
            registry, private = registries[due.image.repository.account]
            target = f"{registry}/{due.image.repository.name}:{due.tag}"
            build(private, due.image, target, network, anew=due.number > 1)
            return _push(client, private, due, target)

        return in_threads(publish, builds)


def _push(client: Any, engine: Engine, due: Build, target: str) -> StoredImage:
    """Push one image; that another run has pushed the same tag meanwhile is as good.

    What the registry then shows decides, not what the push prints.
    """
    failure = ModuleError(
        f"The image {due.image.name} was pushed to {target}, but ECR does not show it. Run again."
    )
    try:
        push(engine, due.image, target)
    except ModuleError as error:
        failure = error
    stored = find_image(client, due.image.repository, due.image.content)
    if stored is None or stored.build < due.number:
        raise failure
    return stored
