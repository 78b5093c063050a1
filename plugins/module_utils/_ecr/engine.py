# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Docker and Podman by their command lines. Private to this collection."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.openpacs.dicoogle.plugins.module_utils._aws import ModuleError
from ansible_collections.openpacs.dicoogle.plugins.module_utils._ecr.api import Login
from ansible_collections.openpacs.dicoogle.plugins.module_utils._ecr.image import (
    Image,
    write_archive,
)

ENGINES = ("docker", "podman")
PROBE_SECONDS = 20
COMMAND_SECONDS = 3600
LAST_LINES = 20
HINTS = (
    (r"expired|no basic auth|unauthorized", "The login has expired: run again."),
    (r"denied", "Allow ecr:PutImage and the upload of layers on the repository, then run again."),
    (r"name unknown|repository .*does not exist", "Create the repository first."),
    (r"no space left", "Free disk space, for example with 'system prune' of the engine."),
)


@dataclass(frozen=True)
class Engine:
    """A container engine that answers.

    program: path of docker or podman.
    environment: what its commands see; a private place for the login once logged in.
    plain_http: whether the registry is spoken to without TLS.
    """

    program: str
    environment: dict[str, str]
    plain_http: bool = False

    @property
    def is_podman(self) -> bool:
        """Tell Podman from Docker."""
        return Path(self.program).name == "podman"

    @property
    def tls_options(self) -> list[str]:
        """Docker speaks plain HTTP to loopback by itself, Podman has to be told."""
        return ["--tls-verify=false"] if self.plain_http and self.is_podman else []


def find_engine() -> Engine | None:
    """Return the first engine that answers, or None."""
    for name in ENGINES:
        program = shutil.which(name)
        if program and _answers(program):
            return Engine(program, dict(os.environ))
    return None


@contextmanager
def logged_in(engine: Engine, login: Login) -> Iterator[Engine]:
    """Log in to a registry and yield an engine that is; nothing of the login stays afterwards.

    The password goes through standard input into a folder that nobody else can read. The entry
    in auths keeps Docker from choosing the user's credential store in place of that folder.
    """
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "config.json")
        config.write_text(json.dumps({"auths": {login.registry: {}}}))
        environment = {
            **engine.environment,
            **_docker_host(engine),
            "DOCKER_CONFIG": folder,
            "REGISTRY_AUTH_FILE": str(config),
        }
        private = Engine(engine.program, environment, login.plain_http)
        command = ["login", *private.tls_options, "--username", login.username, "--password-stdin"]
        password = login.password.encode()
        _run(private, f"log in to {login.registry}", [*command, login.registry], input=password)
        yield private


def build(engine: Engine, image: Image, target: str, network: str | None) -> None:
    """Build an image under the name that it will be pushed by."""
    command = ["build", "--file", image.dockerfile, "--platform", image.platform, "--tag", target]
    for key, value in sorted(image.build_args.items()):
        command += ["--build-arg", f"{key}={value}"]
    if network:
        command += ["--network", network]
    with tempfile.TemporaryFile() as archive:
        write_archive(image, archive)
        archive.seek(0)
        _run(engine, f"build the image {image.name}", [*command, "-"], stdin=archive)


def push(engine: Engine, image: Image, target: str) -> None:
    """Push a built image to the registry that its name begins with."""
    _run(engine, f"push the image {image.name}", ["push", *engine.tls_options, target])


def _answers(program: str) -> bool:
    try:
        done = subprocess.run([program, "info"], capture_output=True, timeout=PROBE_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _docker_host(engine: Engine) -> dict[str, str]:
    """Return where the daemon is, which a private configuration folder would forget."""
    if engine.is_podman or "DOCKER_HOST" in engine.environment:
        return {}
    query = ["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]
    return {"DOCKER_HOST": _run(engine, "find the daemon of docker", query).strip()}


def _run(engine: Engine, action: str, arguments: list[str], **stdin: Any) -> str:
    """Run a command of the engine and return what it prints.

    stdin: input (bytes) or stdin (a file), as subprocess takes them.

    Raises ModuleError with the command, the last lines that it printed, and what to do next.
    """
    command = [engine.program, *arguments]
    try:
        done = subprocess.run(
            command,
            env={**engine.environment, "BUILDX_NO_DEFAULT_ATTESTATIONS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=COMMAND_SECONDS,
            **stdin,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ModuleError(f"Failed to {action}: {error}.") from error
    output = done.stdout.decode(errors="replace")
    if done.returncode:
        lines = "\n".join(output.strip().splitlines()[-LAST_LINES:])
        hint = next((hint for pattern, hint in HINTS if re.search(pattern, lines, re.I)), "")
        ended = f"'{shlex.join(command)}' ended with {done.returncode}"
        raise ModuleError(f"Failed to {action}: {ended}:\n{lines}\n{hint}".rstrip())
    return output
