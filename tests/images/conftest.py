# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Build the images with a container engine, on a Debian that is bootstrapped here."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from double.release import make
from support import CHECKOUT, base_images
from support.container_engine import Container, build, engine


@pytest.fixture(scope="session", autouse=True)
def _engine() -> None:
    base_images.require_engine()


@pytest.fixture(scope="session")
def debian(_engine: None) -> str:
    return base_images.bootstrap(base_images.COMMON)


def context_of(image: str, folder: Path) -> Path:
    """Make the folder that an image is built from."""
    context = Path(shutil.copytree(CHECKOUT / "docker" / image, folder / image))
    shutil.copy(CHECKOUT / "docker" / "sbom.sh", context)
    return context


@pytest.fixture(scope="session")
def dicoogle_context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the image is built from: `docker/dicoogle` and an archive."""
    context = context_of("dicoogle", tmp_path_factory.mktemp("context"))
    make(context / "dicoogle.zip")
    return context


@pytest.fixture(scope="session")
def dicoogle_base(_engine: None) -> str:
    return base_images.java(base_images.bootstrap(base_images.DICOOGLE))


@pytest.fixture(scope="session")
def dicoogle_image(dicoogle_context: Path, dicoogle_base: str) -> str:
    return build(dicoogle_context, "openpacs-test/dicoogle", BASE=dicoogle_base)


@pytest.fixture(scope="session")
def nginx_image(debian: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    context = context_of("nginx", tmp_path_factory.mktemp("context"))
    return build(context, "openpacs-test/nginx", BASE=debian)


@pytest.fixture(scope="session")
def ghostunnel_image(debian: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    context = context_of("ghostunnel", tmp_path_factory.mktemp("context"))
    return build(context, "openpacs-test/ghostunnel", BASE=base_images.ghostunnel(debian))


@pytest.fixture
def volume() -> Iterator[str]:
    """A volume that outlives containers."""
    name = engine("volume", "create").stdout.strip()
    yield name
    engine("volume", "rm", "--force", name)


@pytest.fixture
def run(volume: str) -> Iterator[Callable[..., Container]]:
    """Start containers that are removed after the test, before the volume that they use."""
    started: list[Container] = []

    def start(image: str, *command: str, volumes: dict[str, str] | None = None, **env: str):  # type: ignore[no-untyped-def]
        started.append(Container.start(image, command, volumes or {}, env))
        return started[-1]

    yield start
    for container in started:
        engine("rm", "--force", "--volumes", container.identity)
