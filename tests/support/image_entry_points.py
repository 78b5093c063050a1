# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Run the images' entry points on this machine, with stand-in programs in the children's place."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from support import CHECKOUT

DOCKER = CHECKOUT / "docker"
HASH = "$2b$12$" + "abcdefghijklmnopqrstuv" + "ABCDEFGHIJKLMNOPQRSTUVWXYZ01234"

NGINX = ["/bin/sh", str(DOCKER / "nginx" / "entrypoint.sh")]
NGINX_PATH = f"{os.environ['PATH']}:/usr/sbin"
needs_nginx = pytest.mark.skipif(
    shutil.which("nginx", path=NGINX_PATH) is None,
    reason="nginx is not installed here (Debian: apt-get install nginx-light)",
)

# Takes the child's place: notes how it was started, then waits for SIGTERM and leaves with 7.
# An image may start several; each writes a file of its own before it takes the record's name.
CHILD = f"""#!{sys.executable}
import json, os, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
record = os.environ["RECORD"]
noted = {{"argv": sys.argv[1:], "environ": dict(os.environ)}}
noted |= {{"cwd": os.getcwd(), "pid": os.getpid()}}
whole = f"{{record}}.{{os.getpid()}}"
with open(whole, "w") as file:
    file.write(json.dumps(noted))
os.rename(whole, record)
while True:
    signal.pause()
"""


def image_environment(image: str) -> dict[str, str]:
    """The variables that the image's Dockerfile sets."""
    text = (DOCKER / image / "Dockerfile").read_text().replace("\\\n", " ")
    settings: dict[str, str] = {}
    for line in re.findall(r"^ENV (.*)$", text, re.MULTILINE):
        settings |= dict(word.split("=", 1) for word in shlex.split(line))
    return settings


def nginx_settings(run: Path) -> dict[str, str]:
    """The image's own variables, for files of this machine; nginx writes to the folder."""
    return {
        **image_environment("nginx"),
        "NGINX_RUN": str(run),
        "NGINX_CONFIGURATION": str(DOCKER / "nginx"),
    }


def nginx_environment(run: Path, **settings: str) -> dict[str, str]:
    """What the entry point needs to start this machine's nginx."""
    return {**nginx_settings(run), "PATH": NGINX_PATH, **settings}


@dataclass
class Started:
    """A container's process that is running."""

    process: subprocess.Popen[str]
    record: Path

    def child(self) -> dict[str, Any]:
        """What the child noted at its start."""
        for _unused in range(6000):
            if self.record.exists():
                return dict(json.loads(self.record.read_text()))
            if self.process.poll() is not None:
                raise AssertionError(f"left with {self.process.returncode}: {self.errors()}")
            time.sleep(0.01)
        raise AssertionError("the child did not start")

    def errors(self) -> str:
        """What the process wrote to standard error until it ended."""
        return self.process.communicate(timeout=60)[1]

    def kill(self) -> None:
        """End the process and whatever it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate(timeout=60)

    def stop(self) -> int:
        """Ask the process to end as a container engine does; its exit status."""
        self.process.terminate()
        return self.process.wait(timeout=60)


@dataclass
class Container:
    """An image's entry point, its settings and its folders below `root`."""

    image: str
    root: Path
    settings: dict[str, str]
    started: list[Started] = field(default_factory=list)

    def start(self, *arguments: str, **settings: str) -> Started:
        """Start the entry point with these settings on top of the image's own."""
        record = self.root / f"record-{len(self.started)}.json"
        process = subprocess.Popen(
            ["/bin/sh", str(DOCKER / self.image / "entrypoint.sh"), *arguments],
            env={
                "PATH": f"{self.root}/bin:{os.environ['PATH']}",
                "RECORD": str(record),
                **self.settings,
                **settings,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.started.append(Started(process, record))
        return self.started[-1]

    def refusal(self, **settings: str) -> str:
        """Start with settings that are wrong: the sentence it refuses them with."""
        started = self.start(**settings)
        errors = started.errors()
        assert started.process.returncode == 64, errors
        assert not started.record.exists(), "the child was started all the same"
        return errors
