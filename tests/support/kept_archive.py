# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An archive that our entry point starts on this machine, with its keeper."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from pydicom import Dataset

from support.running_archive import CONTEXT, RunningArchive, eventually

FOUND_SECONDS = 60.0


class KeptArchive(RunningArchive):
    """An archive that our entry point starts, and so its keeper."""

    def __post_init__(self) -> None:
        super().__post_init__()
        (self.home / "keeper").symlink_to(CONTEXT / "keeper")
        for folder in (self.home / "run", self.data / "confs"):
            folder.mkdir()
        self.environment["PATH"] = f"{self.java.parent}:{self.environment['PATH']}"
        self.environment["DICOOGLE_IMPORT_DIRECTORY"] = str(self.imports)
        self.environment["KEEPER_METRICS_NAMESPACE"] = "openpacs/test"

    @property
    def imports(self) -> Path:
        """The import folder."""
        return self.images / "froms3"

    def launch(self, **settings: str) -> None:
        """Start the entry point, in a process group of its own."""
        with (self.root / "console").open("ab") as console:
            self.process = subprocess.Popen(
                ["/bin/sh", str(CONTEXT / "entrypoint.sh")],
                env=self.environment | settings,
                stdout=console,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def await_ready(self) -> None:
        """Return when it takes images."""
        super().await_ready()
        assert eventually(lambda: self.keeper()["storage_open"])

    def kill(self) -> None:
        """End it and Dicoogle without a word, as the loss of a container does."""
        assert self.process
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(30)

    def keeper(self) -> dict[str, Any]:
        """Return what the keeper's page says."""
        page = f"http://127.0.0.1:{self.environment['KEEPER_PORT']}/keeper/status"
        with urllib.request.urlopen(page) as answer:
            return dict(json.load(answer))

    def reindex(self, path: Path | None = None) -> dict[str, Any]:
        """Have the keeper index a folder again, or all; its report when it is done."""
        page = f"http://127.0.0.1:{self.environment['KEEPER_PORT']}/keeper/reindex"
        form = urlencode({"path": path} if path else {}).encode()
        urllib.request.urlopen(page, form).close()

        def report() -> Any:
            said = self.keeper()["reindex"]
            return said if said["state"] == "done" else None

        return dict(eventually(report, FOUND_SECONDS))

    def healthy(self) -> str:
        """Return what the health check finds wrong."""
        check = ["/bin/sh", str(CONTEXT / "healthcheck.sh")]
        done = subprocess.run(
            check, env=self.environment, capture_output=True, text=True, check=False
        )
        return "" if done.returncode == 0 else done.stderr.strip()

    def remove(self, image: Dataset) -> None:
        """Remove an image as an administrator does."""
        for path in ("remove", "unindex"):
            self.ask("POST", f"/management/tasks/{path}", uri=self.uri_of(image))

    def files(self) -> set[str]:
        """Return the UIDs of the files of stored images."""
        return {path.stem for path in self.images.rglob("*.dcm")}

    def found_uids(self, study: str) -> list[str]:
        """Return the UIDs of a study's images in the index, none if Dicoogle does not answer."""
        try:
            found = self.search(f'StudyInstanceUID:"{study}"', field="SOPInstanceUID")
        except (OSError, ValueError):
            return []
        return [each["fields"]["SOPInstanceUID"] for each in found]

    def assert_found(self, images: list[Dataset]) -> None:
        """Each image, which are of one study, is found soon, and once."""
        wanted = sorted(str(each.SOPInstanceUID) for each in images)
        study = str(images[0].StudyInstanceUID)
        found = eventually(lambda: sorted(self.found_uids(study)) == wanted, FOUND_SECONDS)
        assert found, (len(wanted), len(self.found_uids(study)), self.keeper())
