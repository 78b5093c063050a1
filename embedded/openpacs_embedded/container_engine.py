# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The container engine of this machine: whether it can run tasks, its images, what we left in it.

Docker by its socket. Podman answers the same calls at its own socket (DOCKER_HOST), which is not
tested here.
"""

from __future__ import annotations

import os
import re
from functools import cache
from typing import Any

import docker
from docker.errors import DockerException, ImageNotFound
from ministack.core import persistence

from openpacs_embedded import network_namespaces
from openpacs_embedded.access_key import access_key
from openpacs_embedded.admission import USER

LABEL = "openpacs.embedded-aws"  # on all that is ours; its value is the server's data folder
TIMEOUT = 60.0  # seconds for one call
ECR = re.compile(r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?/")
_from_our_registry: set[str] = set()


class EngineError(RuntimeError):
    """The engine cannot do what a task needs; the message is for the user."""


def engine() -> docker.DockerClient:
    """Return the engine. Raises EngineError when there is none that could run tasks."""
    if not _may_enter_namespaces():
        raise EngineError(
            "the embedded AWS does not run as root, which it must to reach into a task's network"
        )
    try:
        client = _client()
        client.ping()
    except DockerException as error:
        raise EngineError(f"no container engine answers ({error})") from error
    if not client.api.base_url.startswith("http+docker://"):
        raise EngineError(f"the container engine {client.api.base_url} is not on this machine")
    return client


def owner() -> dict[str, str]:
    """Return the label of everything that this server makes in the engine."""
    return {LABEL: persistence.STATE_DIR}


def registry() -> str:
    """Return what the names of images in our own registry begin with."""
    return f"127.0.0.1:{os.environ['GATEWAY_PORT']}/"


def local_name(image: str) -> str:
    """Return where the engine finds an image: what ECR has is in our own registry."""
    return ECR.sub(registry(), image)


def fetch(client: docker.DockerClient, image: str) -> str:
    """Make sure that the engine has an image and return its name there.

    Raises EngineError with the registry's own reason.
    """
    name = local_name(image)
    ours = name.startswith(registry())
    login = {"username": USER, "password": access_key().password} if ours else None
    try:
        client.images.get(name)
    except ImageNotFound:
        try:
            client.images.pull(*_repository_and_version(name), auth_config=login)
        except DockerException as error:
            raise EngineError(f"{name}: {error}") from error
    if name != image:
        _from_our_registry.add(name)
    return name


def sweep(client: docker.DockerClient) -> None:
    """Remove what is ours in the engine: containers, whatever their state, then volumes."""
    ours = {"label": f"{LABEL}={persistence.STATE_DIR}"}
    for container in client.containers.list(all=True, filters=ours, ignore_removed=True):
        container.remove(force=True, v=True)
    for volume in client.volumes.list(filters=ours):
        volume.remove(force=True)


def forget_images(client: docker.DockerClient) -> None:
    """Remove the names of images that came from our registry; layers in use elsewhere stay."""
    while _from_our_registry:
        try:
            client.images.remove(_from_our_registry.pop())
        except DockerException:  # somebody else uses the image, or has removed it
            continue


@cache
def _client() -> docker.DockerClient:
    return docker.from_env(timeout=TIMEOUT, version="auto")


@cache
def _may_enter_namespaces() -> bool:
    return network_namespaces.may_enter()


def _repository_and_version(name: str) -> tuple[str, str]:
    """Split an image's name: a/b@sha256:1 -> (a/b, sha256:1); a/b -> (a/b, latest)."""
    if "@" in name:
        repository, _unused, digest = name.partition("@")
        return repository, digest
    repository, colon, tag = name.rpartition(":")
    if colon and "/" not in tag:
        return repository, tag
    return name, "latest"


def describe(client: docker.DockerClient, containers: list[str]) -> dict[str, dict[str, Any]]:
    """Return the State of each container that still exists, by its id."""
    found: dict[str, dict[str, Any]] = {}
    for identity in containers:
        try:
            found[identity] = client.api.inspect_container(identity)["State"]
        except docker.errors.NotFound:
            continue
    return found
