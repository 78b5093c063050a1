# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Build the images with a container engine, on a Debian that is bootstrapped here."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from container_engine import Container, build, engine
from stand_in.archive import make

REPOSITORY = Path(__file__).parents[2]
PACKAGES = "nginx-light,curl,unzip,python3"
BASE = f"openpacs-test/debian:{hashlib.sha256(PACKAGES.encode()).hexdigest()[:12]}"


@pytest.fixture(scope="session", autouse=True)
def _engine() -> None:
    """Skip everything where no container engine runs."""
    if shutil.which("docker") is None:
        pytest.skip("no container engine here: docker is not installed")
    if engine("info", check=False).returncode != 0:
        pytest.skip("no container engine here: docker is installed but its daemon does not run")


@pytest.fixture(scope="session")
def debian(_engine: None) -> str:
    """A Debian with what the three images want of a base, Java and Ghostunnel excepted."""
    if engine("image", "inspect", BASE, check=False).returncode != 0:
        if shutil.which("mmdebstrap") is None:
            pytest.skip(f"no base image {BASE}, and mmdebstrap is not installed to make one")
        with subprocess.Popen(
            ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={PACKAGES}", "bookworm"],
            stdout=subprocess.PIPE,
        ) as bootstrap:
            engine("import", "-", BASE, stdin=bootstrap.stdout)
        assert bootstrap.returncode == 0
    return BASE


@pytest.fixture(scope="session")
def derived(debian: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path, str], str]:
    """Make a base image that has one more program."""

    def derive(program: Path, directory: str) -> str:
        context = tmp_path_factory.mktemp("base")
        shutil.copy(program, context / program.name)
        (context / "Dockerfile").write_text(
            f"FROM {debian}\nCOPY {program.name} {directory}/{program.name}\n"
        )
        return build(context, f"openpacs-test/{program.name}")

    return derive


@pytest.fixture(scope="session")
def dicoogle_context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the image is built from: `docker/dicoogle` and an archive."""
    context = tmp_path_factory.mktemp("context") / "dicoogle"
    shutil.copytree(REPOSITORY / "docker" / "dicoogle", context)
    make(context / "dicoogle.zip")
    return context


@pytest.fixture(scope="session")
def dicoogle_base(derived: Callable[[Path, str], str]) -> str:
    return derived(Path(__file__).parent / "stand_in" / "java", "/usr/local/bin")


@pytest.fixture(scope="session")
def dicoogle_image(dicoogle_context: Path, dicoogle_base: str) -> str:
    return build(dicoogle_context, "openpacs-test/dicoogle", BASE=dicoogle_base)


@pytest.fixture(scope="session")
def nginx_image(debian: str) -> str:
    return build(REPOSITORY / "docker" / "nginx", "openpacs-test/nginx", BASE=debian)


@pytest.fixture(scope="session")
def ghostunnel_image(derived: Callable[[Path, str], str]) -> str:
    """The image with the real Ghostunnel of this machine."""
    program = shutil.which("ghostunnel")
    if program is None:
        pytest.skip(
            "Ghostunnel is not installed here: "
            "go install github.com/ghostunnel/ghostunnel@v1.11.1, and put it on PATH"
        )
    base = derived(Path(program), "/usr/bin")
    return build(REPOSITORY / "docker" / "ghostunnel", "openpacs-test/ghostunnel", BASE=base)


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
