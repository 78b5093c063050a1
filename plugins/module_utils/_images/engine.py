# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Docker and Podman by their command lines. Private to this collection."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from .._errors import ModuleError
from .image import Image, write_context

RunCommand = Callable[..., tuple[int, str, str]]  # run_command of AnsibleModule

ENGINES = ("docker", "podman")
LAST_LINES = 20
HINTS = (
    (r"expired|no basic auth|unauthorized", "The login has expired: run again."),
    (r"denied", "Allow ecr:PutImage and the upload of layers on the repository, then run again."),
    (r"name unknown|repository .*does not exist", "Create the repository first."),
    (r"no space left", "Free disk space, for example with 'system prune' of the engine."),
)


@dataclass(frozen=True)
class Login:
    """How to log in to a registry.

    registry: host, with the port where it is not 443.
    plain_http: a registry on the loopback interface, without TLS.
    """

    registry: str
    username: str
    password: str = field(repr=False)
    plain_http: bool


@dataclass(frozen=True)
class Engine:
    """A container engine that answers.

    program: path of docker or podman.
    environment: what its commands see besides the module's own; once logged in, a private place.
    plain_http: whether the registry is spoken to without TLS.
    """

    program: str
    run_command: RunCommand
    environment: dict[str, str] = field(default_factory=dict)
    plain_http: bool = False

    @property
    def is_podman(self) -> bool:
        """Tell Podman from Docker."""
        return Path(self.program).name == "podman"

    @property
    def tls_options(self) -> list[str]:
        """Docker speaks plain HTTP to loopback by itself, Podman has to be told."""
        return ["--tls-verify=false"] if self.plain_http and self.is_podman else []


def find_engine(run_command: RunCommand) -> Engine | None:
    """Return the first engine that answers, or None."""
    for name in ENGINES:
        program = shutil.which(name)
        if program and _answers(run_command, program):
            return Engine(program, run_command)
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
            **_docker_host(engine),
            "DOCKER_CONFIG": folder,
            "REGISTRY_AUTH_FILE": str(config),
        }
        private = replace(engine, environment=environment, plain_http=login.plain_http)
        command = ["login", *private.tls_options, "--username", login.username, "--password-stdin"]
        _run(private, f"log in to {login.registry}", [*command, login.registry], login.password)
        yield private


def build(engine: Engine, image: Image, target: str, network: str | None, anew: bool) -> None:
    """Build an image under the name that it will be pushed by.

    anew: without the engine's cache, whose layers hold the packages of the day they were made.
    """
    command = ["build", "--platform", image.platform, "--tag", target]
    if anew:
        command.append("--no-cache")
    for key, value in sorted(image.build_args.items()):
        command += ["--build-arg", f"{key}={value}"]
    if network:
        command += ["--network", network]
    with tempfile.TemporaryDirectory() as folder:
        write_context(image, Path(folder))
        dockerfile = ["--file", str(Path(folder, image.dockerfile))]
        _run(engine, f"build the image {image.name}", [*command, *dockerfile, folder])


def push(engine: Engine, image: Image, target: str) -> None:
    """Push a built image to the registry that its name begins with."""
    _run(engine, f"push the image {image.name}", ["push", *engine.tls_options, target])


def _answers(run_command: RunCommand, program: str) -> bool:
    try:
        return run_command([program, "info"], handle_exceptions=False)[0] == 0
    except OSError:
        return False


def _docker_host(engine: Engine) -> dict[str, str]:
    """Return where the daemon is, which a private configuration folder would forget."""
    if engine.is_podman or "DOCKER_HOST" in os.environ:
        return {}
    query = ["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]
    return {"DOCKER_HOST": _run(engine, "find the daemon of docker", query).strip()}


def _run(engine: Engine, action: str, arguments: list[str], stdin: str | None = None) -> str:
    """Run a command of the engine and return its standard output.

    Without attestations of BuildKit, with which a push is an index of manifests, and not the image
    that ECR scans and the digest names.

    Raises ModuleError with the command, the last lines that it printed, and what to do next.
    """
    command = [engine.program, *arguments]
    try:
        code, output, errors = engine.run_command(
            command,
            data=stdin,
            binary_data=True,
            environ_update={**engine.environment, "BUILDX_NO_DEFAULT_ATTESTATIONS": "1"},
            handle_exceptions=False,
        )
    except OSError as error:
        raise ModuleError(f"Failed to {action}: {error}.") from error
    if code:
        lines = "\n".join(f"{output}\n{errors}".strip().splitlines()[-LAST_LINES:])
        hint = next((hint for pattern, hint in HINTS if re.search(pattern, lines, re.I)), "")
        ended = f"'{shlex.join(command)}' ended with {code}"
        raise ModuleError(f"Failed to {action}: {ended}:\n{lines}\n{hint}".rstrip())
    return output
