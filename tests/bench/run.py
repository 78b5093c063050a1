# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Measure what has a budget, and print one table.

make bench
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dicom
from creation_time import Stack
from deployment import Deployment

TESTS = Path(__file__).parents[1]
ORIGINAL_SECONDS = 1186  # creation of the original's templates in the same model
RUNS = 3


@dataclass(frozen=True)
class Figure:
    """One measured value, its budget, and what it is measured against."""

    name: str
    value: float
    budget: float
    against: str
    at_least: bool = False

    @property
    def kept(self) -> bool:
        """Whether the value keeps to its budget."""
        return self.value >= self.budget if self.at_least else self.value <= self.budget

    def __str__(self) -> str:
        sign = ">=" if self.at_least else "<="
        verdict = "" if self.kept else "MISSED"
        return (
            f"{self.name:44}{self.value:9.2f}  {sign} {self.budget:<7g}{self.against:34}{verdict}"
        )


def unchanged_run() -> Iterator[Figure]:
    """Deploy without a container engine, then run again: calls from the access log, best time."""
    with tempfile.TemporaryDirectory() as folder:
        deployment = Deployment(Path(folder, "aws"))
        deployment.play("embedded", engine=False)
        try:
            deployment.play("site", engine=False)
            before = len(calls(deployment))
            seconds = min(timed(deployment) for _unused in range(RUNS))
            made = calls(deployment)[before:]
        finally:
            deployment.play("embedded", engine=False, dicoogle_embedded_state="stopped")
    uploads = [service for service in made if service == "s3"]
    yield Figure("unchanged site.yml, AWS calls", len(made) / RUNS, 12, "stock modules: 146")
    yield Figure("unchanged site.yml, seconds", seconds, 5, "stock modules: 18")
    yield Figure("of these, to upload templates, calls", len(uploads) / RUNS, 1, "aws s3 cp: 13")


def calls(deployment: Deployment) -> list[str]:
    """Return the service of each call that was made so far."""
    lines = (deployment.folder / "data" / "access.log").read_text().splitlines()
    return [call["service"] for call in map(json.loads, lines) if not call["internal"]]


def timed(deployment: Deployment) -> float:
    """Return the seconds of a run that changes nothing."""
    begin = time.monotonic()
    run = deployment.play("site", engine=False)
    assert run.changed == 0, run.output
    return time.monotonic() - begin


def creation() -> Iterator[Figure]:
    """Return the time of creation in the model."""
    seconds = Stack(TESTS.parent / "cloudformation" / "root.template").duration
    yield Figure(
        "creation of the stack in the model, seconds",
        seconds,
        0.4 * ORIGINAL_SECONDS,
        f"the original: {ORIGINAL_SECONDS}",
    )


def tunnels() -> Iterator[Figure]:
    """Return what remains of C-STORE's throughput in the tunnels."""
    for each in dicom.run():
        yield Figure(
            f"C-STORE in the tunnels, {each.senders} senders, ratio",
            each.ratio,
            dicom.GOAL,
            f"{each.tunnelled:.0f} of {each.plain:.0f} images/s",
            at_least=True,
        )


def main() -> int:
    """Print each figure as it comes; 1 when a budget is missed."""
    if missing := dicom.missing_programs():
        sys.exit(f"not on PATH: {', '.join(missing)}")
    kept = True
    for measured in (creation, unchanged_run, tunnels):
        for figure in measured():
            print(figure, flush=True)
            kept = kept and figure.kept
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
