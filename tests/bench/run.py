# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Measure what has a budget: `make bench` prints one table and writes `build/bench.json`.

The keys of the file: `noop_calls`, `noop_seconds` and `noop_tasks` of a `site` that changes
nothing; `critical_path_ratio`, the modelled creation time to the original's; the lowest
`tunnel_ratio_native_tls` and `tunnel_ratio_plain` of all cases; `keeper_ratio`; `outage_seconds` of
a deployment.
"""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import dicom
import keeping
from creation_time import Stack
from support import CHECKOUT
from support.deployment import Deployment
from support.playbook_runs import Run

RESULTS = CHECKOUT / "build" / "bench.json"
FAULTS = CHECKOUT / "tests" / "dataplane" / "deployed" / "test_faults.py"
ORIGINAL_SECONDS = 1186  # creation of the original's templates in the same model
RUNS = 3


@dataclass(frozen=True)
class Figure:
    """One measured value, its budget, and what it is measured against.

    results: what the file keeps of it.
    """

    name: str
    value: float
    budget: float
    against: str
    results: dict[str, float]
    at_least: bool = False

    @property
    def kept(self) -> bool:
        """Whether the value keeps to its budget."""
        return self.value >= self.budget if self.at_least else self.value <= self.budget

    def __str__(self) -> str:
        sign = ">=" if self.at_least else "<="
        verdict = "" if self.kept else "MISSED"
        return (
            f"{self.name:46}{self.value:9.2f}  {sign} {self.budget:<7g}{self.against:44}{verdict}"
        )


def unchanged_run() -> Iterator[Figure]:
    """Deploy without a container engine, then run again: calls from the access log, best time."""
    with tempfile.TemporaryDirectory() as folder:
        deployment = Deployment(Path(folder, "aws"))
        deployment.play("embedded", engine=False)
        try:
            deployment.play("site", engine=False)
            before = len(calls(deployment))
            runs = [timed(deployment) for _unused in range(RUNS)]
            made = calls(deployment)[before:]
        finally:
            deployment.play("embedded", engine=False, dicoogle_embedded_state="stopped")
    uploads = [service for service in made if service == "s3"]
    count = len(made) / RUNS
    seconds = min(each for each, _run in runs)
    tasks = len(re.findall(r"^TASK \[", runs[0][1].output, re.MULTILINE))
    yield Figure(
        "unchanged site.yml, AWS calls", count, 17, "stock modules: 146", {"noop_calls": count}
    )
    yield Figure(
        "unchanged site.yml, seconds", seconds, 5, "stock modules: 18", {"noop_seconds": seconds}
    )
    yield Figure("unchanged site.yml, tasks", tasks, 50, "", {"noop_tasks": tasks})
    yield Figure(
        "of these, to upload templates, calls", len(uploads) / RUNS, 1, "aws s3 cp: 13", {}
    )


def calls(deployment: Deployment) -> list[str]:
    """Return the service of each call that was made so far."""
    lines = (deployment.folder / "data" / "access.log").read_text().splitlines()
    return [call["service"] for call in map(json.loads, lines) if not call["internal"]]


def timed(deployment: Deployment) -> tuple[float, Run]:
    """Return the seconds of a run that changes nothing, and the run."""
    begin = time.monotonic()
    run = deployment.play("site", engine=False)
    seconds = time.monotonic() - begin
    assert run.changed == 0, run.output
    return seconds, run


def creation() -> Iterator[Figure]:
    """Return the time of creation in the model."""
    seconds = Stack(CHECKOUT / "cloudformation" / "root.template").duration
    yield Figure(
        "creation of the stack in the model, seconds",
        seconds,
        0.4 * ORIGINAL_SECONDS,
        f"the original: {ORIGINAL_SECONDS}",
        {"critical_path_ratio": seconds / ORIGINAL_SECONDS},
    )


def tunnels() -> Iterator[Figure]:
    """Return what the tunnels reach of native DICOM TLS."""
    for each in dicom.run():
        delay = f", {each.delay} ms" if each.delay else ""
        yield Figure(
            f"tunnels to native TLS, {each.senders} senders{delay}, ratio",
            each.ratio("tls"),
            dicom.GOAL,
            f"{each.rate('tunnels'):.0f} of {each.rate('tls'):.0f} images/s; "
            f"{each.ratio('plain'):.2f} of plain",
            {
                "tunnel_ratio_native_tls": each.ratio("tls"),
                "tunnel_ratio_plain": each.ratio("plain"),
            },
            at_least=True,
        )


def keeper() -> Iterator[Figure]:
    """Return what remains of images a second, stored and found, with the keeper."""
    result = keeping.run()
    yield Figure(
        "stored and found with the keeper, ratio",
        result.ratio,
        keeping.GOAL,
        f"{statistics.median(result.kept):.0f} of {statistics.median(result.bare):.0f} images/s",
        {"keeper_ratio": result.ratio},
        at_least=True,
    )


def outage() -> Iterator[Figure]:
    """Return for how long no C-ECHO succeeds while the deployed task is replaced."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.xml")
        command = ["pytest", "-q", str(FAULTS), "-k", "test_a_deployment", f"--junitxml={report}"]
        subprocess.run(command, cwd=CHECKOUT, check=True, stdout=subprocess.DEVNULL)
        (measured,) = ElementTree.parse(report).iter("property")
    seconds = float(measured.attrib["value"])
    yield Figure(
        "outage of a deployment, seconds",
        seconds,
        60,
        "without Dicoogle's own start",
        {"outage_seconds": seconds},
    )


def keep(results: dict[str, float], figure: Figure) -> None:
    """Add the figure's results; of several of one name, the lowest counts."""
    for name, value in figure.results.items():
        results[name] = round(min(value, results.get(name, value)), 3)


def main() -> int:
    """Print each figure as it comes and write them to a file; 1 when a budget is missed."""
    if missing := dicom.missing_programs():
        sys.exit(f"not on PATH: {', '.join(missing)}")
    figures = []
    results: dict[str, float] = {}
    for measured in (creation, unchanged_run, outage, keeper, tunnels):
        for figure in measured():
            print(figure, flush=True)
            figures.append(figure)
            keep(results, figure)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")
    return 0 if all(figure.kept for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
