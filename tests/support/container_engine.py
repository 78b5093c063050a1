# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The container engine, by its command line."""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any


def engine(
    *arguments: str, check: bool = True, stdin: IO[bytes] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one command of the engine."""
    command = ["docker", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, stdin=stdin, check=False)
    assert done.returncode == 0 or not check, f"docker {arguments}: {done.stdout}{done.stderr}"
    return done


def build_output(context: Path, tag: str, **arguments: str) -> tuple[int, str]:
    """Build an image: exit status and everything that was said."""
    options = [word for name in arguments for word in ("--build-arg", f"{name}={arguments[name]}")]
    command = ("build", "--force-rm", "--network", "host", "--tag", tag, *options, str(context))
    done = engine(*command, check=False)
    return done.returncode, done.stdout + done.stderr


def build(context: Path, tag: str, **arguments: str) -> str:
    """Build an image that must succeed; its name."""
    status, said = build_output(context, tag, **arguments)
    assert status == 0, said
    return tag


def inspect(name: str) -> dict[str, Any]:
    """What the engine knows of a container or an image."""
    return dict(json.loads(engine("inspect", name).stdout)[0])


@dataclass
class Container:
    """A container that runs as on Fargate: read-only root, no privileges, one shared network."""

    identity: str

    @classmethod
    def start(
        cls, image: str, command: tuple[str, ...], volumes: dict[str, str], env: dict[str, str]
    ) -> Container:
        """Start it with volumes (path -> volume) and settings, and a quick health check."""
        options = [
            *("--detach", "--read-only", "--network", "host", "--cap-drop", "ALL"),
            *("--security-opt", "no-new-privileges"),
            *("--health-interval", "1s", "--health-retries", "2", "--health-start-period", "0s"),
            *(word for path, name in volumes.items() for word in ("--volume", f"{name}:{path}")),
            *(word for name, value in env.items() for word in ("--env", f"{name}={value}")),
        ]
        return cls(engine("run", *options, image, *command).stdout.strip())

    def health(self, wanted: str) -> str:
        """The health check's word, once it is the wanted one or 60 seconds are over."""
        for _unused in range(240):
            state = inspect(self.identity)["State"]
            if state["Health"]["Status"] == wanted or not state["Running"]:
                break
            time.sleep(0.25)
        return str(state["Health"]["Status"]) if state["Running"] else f"ended: {self.logs()}"

    def logs(self) -> str:
        """Everything that it wrote to its console."""
        done = engine("logs", self.identity)
        return done.stdout + done.stderr

    def execute(self, *command: str) -> str:
        """What a command inside says."""
        return engine("exec", self.identity, *command).stdout

    def stop(self) -> int:
        """Stop it as ECS does; the exit status (137 if it had to be killed)."""
        engine("stop", "--time", "20", self.identity)
        return self.ended()

    def ended(self) -> int:
        """Wait for its end; the exit status."""
        return int(engine("wait", self.identity).stdout)
