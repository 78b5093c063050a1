# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Measure what the keeper costs: images a second, from the first C-STORE until all are found.

One archive is started by our entry point; the other without the keeper, with the same configuration
but no journal. They take turns, and while one is measured the other is halted. The ratio is the
median of those of the rounds. The archive is the double, or a real Dicoogle where one is given:

    export PYTHONPATH=docker/dicoogle:tests
    DICOOGLE_ARCHIVE=/path/Dicoogle_v3.5.1.zip JAVA=/path/java python tests/bench/keeping.py
"""

from __future__ import annotations

import os
import shutil
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from storing import Peer, make_study
from support.kept_archive import KeptArchive
from support.releases import given_release, unpack
from support.running_archive import TITLE, RunningArchive

SENDERS = 4
IMAGES = 480
ROUNDS = 9
GOAL = 0.97
POLL_SECONDS = 0.05
FOUND_SECONDS = 300.0


class BareArchive(RunningArchive):
    """An archive without keeper and journal."""

    def __post_init__(self) -> None:
        super().__post_init__()
        configuration = self.home / "log4j2.xml"
        configuration.write_text(without_journal(configuration.read_text()))
        (self.data / "index" / "journal").touch()  # no folder, so the double keeps none


@dataclass(frozen=True)
class Result:
    """Images a second in each round."""

    kept: list[float]
    bare: list[float]

    @property
    def ratio(self) -> float:
        """What remains with the keeper."""
        return statistics.median(
            one / other for one, other in zip(self.kept, self.bare, strict=True)
        )

    def __str__(self) -> str:
        kept, bare = (statistics.median(each) for each in (self.kept, self.bare))
        return f"{kept:.1f} images/s with the keeper, {bare:.1f} without: {self.ratio:.3f}"


def without_journal(configuration: str) -> str:
    """Return a configuration of log4j2 that writes to the console only."""
    root = ElementTree.fromstring(configuration)
    (appenders,) = root.iter("Appenders")
    journals = appenders.findall("RollingFile")
    names = {each.get("name") for each in journals}
    for each in journals:
        appenders.remove(each)
    for logger in root.iter("Logger"):
        for reference in logger.findall("AppenderRef"):
            if reference.get("ref") in names:
                logger.remove(reference)
                logger.set("level", "info")
    return ElementTree.tostring(root, encoding="unicode")


def signal_all(archive: RunningArchive, number: int) -> None:
    """Send a signal to an archive and its keeper."""
    assert archive.process
    if isinstance(archive, KeptArchive):
        os.killpg(archive.process.pid, number)
    else:
        archive.process.send_signal(number)


@contextmanager
def halted(archive: RunningArchive) -> Iterator[None]:
    """Start an archive; it stands still unless it is measured."""
    archive.start()
    try:
        signal_all(archive, signal.SIGSTOP)
        yield
    finally:
        signal_all(archive, signal.SIGKILL)


def rate(archive: RunningArchive, folder: Path) -> float:
    """Return images a second, and remove the files. Ends the run when an image is not found."""
    study = make_study(folder / "study", IMAGES)
    signal_all(archive, signal.SIGCONT)
    begin = time.monotonic()
    Peer(TITLE, archive.storage_port).store(study, SENDERS)
    query = Peer(TITLE, archive.query_port)
    while (found := query.found(study)) < IMAGES:
        if time.monotonic() - begin > FOUND_SECONDS:
            sys.exit(f"{IMAGES} images were stored, {found} are found in {FOUND_SECONDS:g} s")
        time.sleep(POLL_SECONDS)
    seconds = time.monotonic() - begin
    signal_all(archive, signal.SIGSTOP)
    shutil.rmtree(folder / "study")
    for path in archive.images.rglob("*.dcm"):
        path.unlink()
    return IMAGES / seconds


def run() -> Result:
    """Start both archives, and measure."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        release, java = given_release()
        program = unpack(release, folder)
        kept = KeptArchive(folder / "kept", program, java)
        bare = BareArchive(folder / "bare", program, java)
        with halted(kept), halted(bare):
            for archive in (kept, bare):
                rate(archive, folder)  # Java compiles what is used
            result = Result([], [])
            for number in range(ROUNDS):
                pair = [(kept, result.kept), (bare, result.bare)]
                for archive, rates in pair if number % 2 else reversed(pair):
                    rates.append(rate(archive, folder))
            return result


def main() -> Any:
    """Print the result; fail below the goal."""
    result = run()
    print(result)
    return 0 if result.ratio >= GOAL else f"below {GOAL}"


if __name__ == "__main__":
    sys.exit(main())
