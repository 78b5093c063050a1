# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The whole environment, deployed once: images built and pushed, the task running."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from double.release import make
from support import base_images
from support.container_engine import engine
from support.deployment import DOMAIN, Deployment
from support.dicom_fixtures import raw_server
from support.ports import await_port, free_port
from support.programs import dcmtk

__all__ = ["dcmtk", "raw_server"]  # fixtures of others


@pytest.fixture(scope="session")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Return an environment whose Dicoogle is the double; everything else is what ships."""
    base_images.require_engine()
    if dcmtk("storescu") is None:
        pytest.skip("DCMTK is not installed: apt-get install dcmtk")
    debian = base_images.bootstrap(base_images.COMMON)
    folder = tmp_path_factory.mktemp("dataplane")
    archive = folder / "dicoogle.zip"
    make(archive)
    deployment = Deployment(
        folder / "aws",
        {
            "images_build_network": "host",
            "images_dicoogle_archive": archive.as_uri(),
            "images_bases": {
                "dicoogle": base_images.java(base_images.bootstrap(base_images.DICOOGLE)),
                "nginx": debian,
                "ghostunnel": base_images.ghostunnel(debian),
            },
        },
    )
    deployment.play("embedded")
    try:
        deployment.play("site")
        deployment.await_task()
        yield deployment
    finally:
        registry = deployment.account.endpoint_url.partition("://")[2]
        deployment.play("embedded", dicoogle_embedded_state="stopped")
        names = "{{.Repository}}:{{.Tag}} {{.Repository}}@{{.Digest}}"
        listed = engine("images", "--digests", "--format", names, f"{registry}/*/*").stdout.split()
        engine("rmi", *(each for each in listed if "<none>" not in each), check=False)


@pytest.fixture
def received(
    deployment: Deployment, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, subprocess.Popen[bytes]]]:
    """Return the folder of the hospital's storage host, which is DCMTK behind a Ghostunnel."""
    folder, port = tmp_path_factory.mktemp("received"), free_port()
    program = str(dcmtk("storescp"))
    command = [program, "-aet", "STORESCP", "--output-directory", str(folder), str(port)]
    host = deployment.storage_host
    with subprocess.Popen(command) as process:
        await_port(port, process)
        allowed = ("--allow-cn", f"ghostunnel.{DOMAIN}")
        with deployment.tunnel("server", str(host), f"127.0.0.1:{port}", "storage", *allowed):
            yield folder, process
        process.terminate()


@pytest.fixture
def storage(deployment: Deployment) -> Any:
    """The tunnel for C-STORE, as the hospital's client sees it."""
    from peers import peer_at

    return peer_at(deployment, deployment.storage, deployment.holder("client"))


@pytest.fixture
def query(deployment: Deployment) -> Any:
    """The tunnel for C-FIND and C-MOVE, likewise."""
    from peers import peer_at

    return peer_at(deployment, deployment.query, deployment.holder("client"))


@pytest.fixture(scope="session")
def storage_port(deployment: Deployment) -> Iterator[int]:
    """Return the hospital's plain port for C-STORE."""
    with deployment.client_tunnel(deployment.storage) as port:
        yield port


@pytest.fixture(scope="session")
def query_port(deployment: Deployment) -> Iterator[int]:
    """Return the hospital's plain port for C-FIND and C-MOVE."""
    with deployment.client_tunnel(deployment.query) as port:
        yield port


@pytest.fixture
def run_dcmtk() -> Callable[..., str]:
    """Return run(program, port, *arguments), which must succeed, and returns what it said."""

    def run(program: str, port: int, *arguments: str) -> str:
        peer = ("-aet", "DCMTK", "-aec", "DICOOGLE-STORAGE", "127.0.0.1", str(port))
        options = [each for each in arguments if not Path(each).is_file()]
        files = [each for each in arguments if Path(each).is_file()]
        done = subprocess.run(
            [str(dcmtk(program)), *options, *peer, *files],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run
