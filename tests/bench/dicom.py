# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Measure C-STORE through the tunnels, as a ratio to the same without them.

DCMTK sends CT slices of 512 x 512 pixels to an archive, Orthanc, which keeps and indexes them: what
a hospital waits for. Sender, both tunnels and archive share the cores of one machine.
Nobody waits for delayed acknowledgements (TCP_NODELAY), which take 40 ms an image and would hide
what the tunnels cost. Plain and tunnelled rounds alternate, and the ratio is the median of those of
the rounds. Every image that was answered with success must be found by C-FIND afterwards.

    PYTHONPATH=tests:tests/dicom:tests/dataplane python tests/bench/dicom.py
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dicom_certificates import Authority
from ports import await_port, free_port
from programs import ARCHIVE, CLIENT, Tunnels, dcmtk
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.uid import generate_uid

SENDERS = (1, 8, 16)
IMAGES = 480
ROUNDS = 5
GOAL = 0.9
PDU = ("--max-pdu", "16384")  # about what Dicoogle takes
ENVIRONMENT = {**os.environ, "TCP_NODELAY": "1"}
STUDY = generate_uid()


@dataclass(frozen=True)
class Result:
    """Images a second for a number of senders, the medians of all rounds."""

    senders: int
    plain: float
    tunnelled: float
    ratio: float


def make_images(folder: Path, count: int) -> list[Path]:
    """Write CT slices of 512 x 512 pixels, each an object of its own."""
    dataset = dcmread(str(get_testdata_file("CT_small.dcm", download=False)))
    dataset.StudyInstanceUID = STUDY
    dataset.Rows = dataset.Columns = 512
    dataset.PixelData = os.urandom(512 * 512 * 2)
    paths = []
    for number in range(count):
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        paths.append(folder / f"{number}.dcm")
        dataset.save_as(paths[-1])
    return paths


@contextmanager
def program(port: int, command: list[str]) -> Iterator[None]:
    """Run a program that listens on a port."""
    with subprocess.Popen(
        command, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            await_port(port, process)
            yield
        finally:
            process.terminate()


def send(port: int, images: list[Path], senders: int) -> tuple[int, float]:
    """Send the images side by side: how many were answered with success, in how many seconds."""
    command = [str(dcmtk("storescu")), "-v", "-aec", "ARCHIVE", *PDU, "127.0.0.1", str(port)]
    begin = time.monotonic()
    processes = [
        subprocess.Popen(
            [*command, *map(str, images[number::senders])],
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for number in range(senders)
    ]
    said = [process.communicate()[0] for process in processes]
    return sum(each.count("Response (Success)") for each in said), time.monotonic() - begin


@dataclass(frozen=True)
class Archive:
    """Orthanc with its state in a folder."""

    folder: Path
    port: int
    web_port: int

    def command(self) -> list[str]:
        """Return the command that runs it."""
        configuration = {
            "DicomAet": "ARCHIVE",
            "DicomPort": self.port,
            "DicomAlwaysAllowFind": True,
            "DicomAlwaysAllowStore": True,
            "HttpPort": self.web_port,
            "RemoteAccessAllowed": False,
            "StorageDirectory": str(self.folder),
        }
        file = self.folder / "orthanc.json"
        file.write_text(json.dumps(configuration))
        return ["Orthanc", str(file)]

    def found(self) -> int:
        """Return how many images of the study a C-FIND finds."""
        with tempfile.TemporaryDirectory() as answers:
            keys = ["QueryRetrieveLevel=IMAGE", f"StudyInstanceUID={STUDY}", "SOPInstanceUID"]
            options = ["-S", "-X", "-od", answers, "-aec", "ARCHIVE"]
            for key in keys:
                options += ["-k", key]
            command = [str(dcmtk("findscu")), *options, "127.0.0.1", str(self.port)]
            subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
            return len(list(Path(answers).iterdir()))

    def clear(self) -> None:
        """Remove all images."""
        studies = f"http://127.0.0.1:{self.web_port}/studies"
        with urllib.request.urlopen(studies) as answer:
            for study in json.load(answer):
                request = urllib.request.Request(f"{studies}/{study}", method="DELETE")
                urllib.request.urlopen(request).close()


def measure(port: int, archive: Archive, images: list[Path], senders: int) -> float:
    """Return images a second. Ends the run when an image is missing."""
    stored, seconds = send(port, images, senders)
    found = archive.found()
    if not stored == found == len(images):
        sys.exit(f"{len(images)} images sent, {stored} stored, {found} found afterwards")
    archive.clear()
    return len(images) / seconds


def compare(plain: Callable[[int], float], tunnelled: Callable[[int], float]) -> Iterator[Result]:
    """Measure both ways in turn."""
    for senders in SENDERS:
        rounds = [(plain(senders), tunnelled(senders)) for _unused in range(ROUNDS)]
        yield Result(
            senders,
            statistics.median(one for one, _unused in rounds),
            statistics.median(other for _unused, other in rounds),
            statistics.median(other / one for one, other in rounds),
        )


def run() -> list[Result]:
    """Start the archive and the tunnels, and measure."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        kept, sources = folder / "kept", folder / "sources"
        kept.mkdir()
        sources.mkdir()

        def start(port: int, command: list[str]) -> None:
            stack.enter_context(program(port, command))

        authority = Authority(folder / "pki", "Bench CA")
        tunnels = Tunnels(start, authority)
        archive = Archive(kept, free_port(), free_port())
        start(archive.port, archive.command())
        inbound = tunnels.server(authority.issue(ARCHIVE), archive.port, CLIENT)
        outbound = tunnels.client(authority.issue(CLIENT), inbound, ARCHIVE)
        images = make_images(sources, IMAGES)

        def at(port: int) -> Callable[[int], float]:
            return lambda senders: measure(port, archive, images, senders)

        return list(compare(at(archive.port), at(outbound)))


def table(results: list[Result]) -> Iterator[str]:
    """Lines to print."""
    yield f"{'senders':>7}  {'plain':>12}  {'tunnelled':>12}  ratio (goal {GOAL})"
    for each in results:
        yield (
            f"{each.senders:7}  {each.plain:8.1f} im/s  {each.tunnelled:8.1f} im/s  "
            f"{each.ratio:.2f}"
        )


def missing_programs() -> list[str]:
    """Return what the measurement needs and the machine has not."""
    found = {
        "DCMTK (apt-get install dcmtk)": dcmtk("storescu"),
        "Orthanc (apt-get install orthanc)": shutil.which("Orthanc"),
        "ghostunnel (tests/tools/ghostunnel)": shutil.which("ghostunnel"),
    }
    return [name for name, path in found.items() if path is None]


def main() -> Any:
    """Print the table; fail below the goal."""
    if missing := missing_programs():
        return f"not on PATH: {', '.join(missing)}"
    results = run()
    print(*table(results), sep="\n")
    return 0 if all(each.ratio >= GOAL for each in results) else f"below {GOAL}"


if __name__ == "__main__":
    sys.exit(main())
