# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whatever happens to the archive: what was acknowledged is on disk and found, each image once.

Each fault happens while images are sent through the tunnels, and prints a line of figures.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import pairwise

import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.echo import echo
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.errors import DicomError
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.peer import Peer
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.query import find
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicoogle.instances import (
    find as find_uris,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicoogle.instances import remove
from peers import peer_at
from pydicom import Dataset
from support.container_engine import engine
from support.deployment import Deployment
from support.sample_images import new_study
from support.senders import Senders

IMAGES = 200
FOUND_SECONDS = 90.0
OUTAGE_BUDGET = 60.0  # seconds, without what Dicoogle itself takes to start
ECHO_PAUSE = 0.2

as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can mount a small file system")
Say = Callable[[str], None]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest) -> Say:
    """Print a figure of a test, also where it passes."""

    def print_figure(figure: str) -> None:
        with capsys.disabled():
            print(f"\n  {request.node.name}: {figure}", flush=True)

    return print_figure


@pytest.fixture
def management(deployment: Deployment) -> Peer:
    """The management entrance, as an administrator sees it."""
    return peer_at(deployment, deployment.management, deployment.holder("administrator"))


def found_uids(query: Peer, study: str, series: str) -> list[str]:
    """Return the UIDs of a series that C-FIND finds, none when nothing answers."""
    wanted = {"StudyInstanceUID": study, "SeriesInstanceUID": series, "SOPInstanceUID": ""}
    with suppress(DicomError):
        return [match["SOPInstanceUID"] for match in find(query, "image", wanted, None).matches]
    return []


def check(deployment: Deployment, query: Peer, acknowledged: list[Dataset]) -> str:
    """Acknowledged, on disk and found are the same images, each once; the figures."""
    assert acknowledged
    study, series = acknowledged[0].StudyInstanceUID, acknowledged[0].SeriesInstanceUID
    wanted = {str(each.SOPInstanceUID) for each in acknowledged}
    begin = time.monotonic()
    while not wanted <= set(found := found_uids(query, study, series)):
        assert time.monotonic() - begin < FOUND_SECONDS, f"{len(found)} of {len(wanted)} found"
        time.sleep(0.5)
    on_disk = {path.stem for path in deployment.images.rglob("*.dcm")}
    assert len(found) == len(set(found))
    assert set(found) <= on_disk
    return (
        f"{len(wanted)} acknowledged, {len(wanted & on_disk)} on disk, {len(wanted & set(found))} "
        f"found after {time.monotonic() - begin:.1f} s, nothing twice"
    )


def await_next_task(deployment: Deployment, task: str) -> None:
    """Return when another task is healthy."""
    deadline = time.monotonic() + 120
    while deployment.task().get("taskArn") in (None, task):
        assert time.monotonic() < deadline, deployment.troubles()
        time.sleep(0.2)
    deployment.await_task()


def end_task(deployment: Deployment) -> str:
    """Have ECS end the task, as it does when it wants another one; its ARN."""
    task = str(deployment.task()["taskArn"])
    deployment.client("ecs").stop_task(cluster=deployment.outputs["ClusterName"], task=task)
    return task


@contextmanager
def echoes(peer: Peer) -> Iterator[list[float]]:
    """Send a C-ECHO all the time; the times of those that succeed."""
    succeeded: list[float] = []
    ended = threading.Event()

    def send() -> None:
        while not ended.wait(ECHO_PAUSE):
            with suppress(DicomError):
                echo(peer)
                succeeded.append(time.monotonic())

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield succeeded
    finally:
        ended.set()
        thread.join()


def test_sigkill(deployment: Deployment, storage_port: int, query: Peer, say: Say) -> None:
    task = str(deployment.task()["taskArn"])
    senders = Senders(storage_port, new_study(IMAGES))
    senders.await_acknowledged(IMAGES // 2)
    engine("kill", f"ecs-{task.rpartition('/')[2]}-dicoogle")
    acknowledged = senders.join()
    await_next_task(deployment, task)
    say(check(deployment, query, acknowledged))


def test_sigterm(deployment: Deployment, storage_port: int, query: Peer, say: Say) -> None:
    senders = Senders(storage_port, new_study(IMAGES))
    senders.await_acknowledged(IMAGES // 2)
    task = end_task(deployment)
    acknowledged = senders.join()
    await_next_task(deployment, task)
    say(check(deployment, query, acknowledged))


def test_a_deployment(
    deployment: Deployment,
    storage_port: int,
    storage: Peer,
    query: Peer,
    say: Say,
    record_property: Callable[[str, object], None],
) -> None:
    task = str(deployment.task()["taskArn"])
    senders = Senders(storage_port, new_study(IMAGES))
    senders.await_acknowledged(IMAGES // 2)
    with echoes(replace(storage, dimse_timeout=2.0, network_timeout=2.0)) as succeeded:
        while not succeeded:
            time.sleep(ECHO_PAUSE)
        deployment.client("ecs").update_service(
            cluster=deployment.outputs["ClusterName"],
            service=deployment.outputs["ServiceName"],
            forceNewDeployment=True,
        )
        acknowledged = senders.join()
        await_next_task(deployment, task)
        healthy = time.monotonic()
        while succeeded[-1] < healthy:
            time.sleep(ECHO_PAUSE)
    outage = max(later - earlier for earlier, later in pairwise(succeeded))
    record_property("outage_seconds", outage)  # for `make bench`
    say(f"no C-ECHO succeeded for {outage:.1f} s; {check(deployment, query, acknowledged)}")
    assert outage <= OUTAGE_BUDGET


def test_files_come_while_the_task_is_down(deployment: Deployment, query: Peer, say: Say) -> None:
    images = new_study(10)
    task = end_task(deployment)
    for number, image in enumerate(images):
        path = deployment.images / "froms3" / f"IM{number}.dcm"
        image.save_as(path)
        os.chown(path, 1001, 1001)
    await_next_task(deployment, task)
    deadline = time.monotonic() + FOUND_SECONDS
    first = images[0]
    while len(found := found_uids(query, first.StudyInstanceUID, first.SeriesInstanceUID)) < 10:
        assert time.monotonic() < deadline, f"{len(found)} of 10 found"
        time.sleep(0.5)
    assert sorted(found) == sorted(str(each.SOPInstanceUID) for each in images)
    say(f"{len(images)} came, {len(found)} found, nothing twice")


def test_an_image_is_removed_and_stored_again(
    deployment: Deployment, storage_port: int, query: Peer, management: Peer, say: Say
) -> None:
    images = new_study(4)
    assert len(Senders(storage_port, images).join()) == 4
    check(deployment, query, images)
    uid = str(images[1].SOPInstanceUID)
    remove(management, uid, find_uris(management, uid))
    begin = time.monotonic()
    assert len(Senders(storage_port, [images[1]] * 4).join()) == 4
    say(f"{check(deployment, query, images)}, {time.monotonic() - begin:.0f} s after it was stored")


@as_root
class TestDisk:
    """The images lie on a small file system of their own for a while."""

    @pytest.fixture(autouse=True)
    def _small(self, deployment: Deployment) -> Iterator[None]:
        folder = deployment.images
        options = "size=24m,uid=1001,gid=1001,mode=0750"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)
        await_next_task(deployment, end_task(deployment))
        yield
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        await_next_task(deployment, end_task(deployment) if deployment.task() else "")

    def test_full(self, deployment: Deployment, storage_port: int, query: Peer, say: Say) -> None:
        images = new_study(IMAGES, PixelData=os.urandom(512 * 512 * 2), Rows=512, Columns=512)
        acknowledged = Senders(storage_port, images).join()
        say(f"{IMAGES} sent; {check(deployment, query, acknowledged)}")
        assert len(acknowledged) < IMAGES
        uids = {str(each.SOPInstanceUID) for each in acknowledged}
        kept = [path for path in deployment.images.rglob("*.dcm") if path.stem in uids]
        assert min(path.stat().st_size for path in kept) > 512 * 512 * 2
        assert deployment.log("could not be written")

    def test_read_only(self, deployment: Deployment, storage_port: int, say: Say) -> None:
        mounted = ["mount", "-o", "remount,ro", str(deployment.images)]
        subprocess.run(mounted, check=True)
        acknowledged = Senders(storage_port, new_study(IMAGES)).join()
        say(f"{IMAGES} sent, {len(acknowledged)} acknowledged")
        assert not acknowledged


def test_nothing_was_lost_by_all_this(
    deployment: Deployment, storage_port: int, query: Peer, say: Say
) -> None:
    images = new_study(4)
    assert len(Senders(storage_port, images).join()) == 4
    say(check(deployment, query, images))
