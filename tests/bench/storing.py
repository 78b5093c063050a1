# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Send images with DCMTK, side by side, and count which are found.

The images are CT slices of 512 x 512 pixels. Nobody waits for delayed acknowledgements
(TCP_NODELAY), which take 40 ms an image and would hide all else.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydicom import Dataset, dcmread
from pydicom.data import get_testdata_file
from pydicom.uid import generate_uid
from support.ports import await_port
from support.programs import dcmtk

PDU = 16384  # bytes; about what Dicoogle takes
ENVIRONMENT = {**os.environ, "TCP_NODELAY": "1"}


@dataclass(frozen=True)
class Study:
    """Images of one study, as files."""

    uid: str
    files: list[Path]

    def __len__(self) -> int:
        return len(self.files)


def make_study(folder: Path, count: int) -> Study:
    """Write the images, each an object of its own."""
    folder.mkdir()
    dataset: Dataset = dcmread(str(get_testdata_file("CT_small.dcm", download=False)))
    dataset.StudyInstanceUID = generate_uid()
    dataset.Rows = dataset.Columns = 512
    dataset.PixelData = os.urandom(512 * 512 * 2)
    files = []
    for number in range(count):
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        files.append(folder / f"{number}.dcm")
        dataset.save_as(files[-1])
    return Study(dataset.StudyInstanceUID, files)


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


@dataclass(frozen=True)
class Peer:
    """A DICOM service as DCMTK reaches it."""

    title: str
    port: int
    tls: tuple[str, ...] = ()  # options of DCMTK

    def store(self, study: Study, senders: int) -> float:
        """Send a study side by side; the seconds. Ends the run when an image is refused."""
        begin = time.monotonic()
        processes = [
            subprocess.Popen(
                self._command("storescu", "-v", files=study.files[number::senders]),
                env=ENVIRONMENT,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            for number in range(senders)
        ]
        said = [process.communicate()[0] for process in processes]
        seconds = time.monotonic() - begin
        stored = sum(each.count("Response (Success)") for each in said)
        if stored != len(study):
            sys.exit(f"{self.title} has stored {stored} of {len(study)} images:\n{said[0][-2000:]}")
        return seconds

    def found(self, study: Study) -> int:
        """Return how many images of the study a C-FIND finds."""
        keys = ["QueryRetrieveLevel=IMAGE", f"StudyInstanceUID={study.uid}", "SOPInstanceUID"]
        options = [option for key in keys for option in ("-k", key)]
        with tempfile.TemporaryDirectory() as answers:
            command = self._command("findscu", "-S", "-X", "-od", answers, *options)
            subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
            return len(list(Path(answers).iterdir()))

    def _command(self, name: str, *options: str, files: list[Path] | None = None) -> list[str]:
        common = ["-aec", self.title, "--max-pdu", str(PDU), *self.tls]
        address = ["127.0.0.1", str(self.port)]
        return [str(dcmtk(name)), *options, *common, *address, *map(str, files or [])]
