# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A small archive on 127.0.0.1 to test against: C-ECHO, C-STORE, C-FIND and C-MOVE on one port.

As a program: dicom_archive.py FOLDER [--port N] [--ae-title T] [--destination AET=PORT ...]
It writes its port to FOLDER/port and serves until the folder is gone.
"""

from __future__ import annotations

import argparse
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from pydicom import Dataset, dcmread
from pydicom.uid import AllTransferSyntaxes
from pynetdicom import AE, AllStoragePresentationContexts, evt
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    PatientRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelMove,
    Verification,
)


class Archive:
    """Keeps what it gets in a folder, one file for each object, in the encoding it came in."""

    def __init__(
        self,
        folder: Path,
        ae_title: str = "ARCHIVE",
        port: int = 0,
        context: ssl.SSLContext | None = None,
        storage_classes: list[str] | None = None,
    ) -> None:
        self.folder = folder
        self.destinations: dict[str, int] = {}
        self.associations = 0
        self.store_status: dict[str, int] = {}
        self.alter: Callable[[Dataset], None] = lambda dataset: None  # what is sent on
        self.entity = AE(ae_title)
        self.entity.require_called_aet = True
        self.entity.add_supported_context(Verification)
        for model in (
            PatientRootQueryRetrieveInformationModelFind,
            StudyRootQueryRetrieveInformationModelFind,
            StudyRootQueryRetrieveInformationModelMove,
        ):
            self.entity.add_supported_context(model)
        for sop_class in storage_classes or [
            str(each.abstract_syntax) for each in AllStoragePresentationContexts
        ]:
            self.entity.add_supported_context(sop_class, AllTransferSyntaxes)
        self._lock = threading.Lock()
        self._server: Any = self.entity.start_server(
            ("127.0.0.1", port),
            block=False,
            ssl_context=context,
            evt_handlers=[
                (evt.EVT_ESTABLISHED, self._on_established),
                (evt.EVT_C_STORE, self._on_store),
                (evt.EVT_C_FIND, self._on_find),
                (evt.EVT_C_MOVE, self._on_move),
            ],
        )
        self.port: int = self._server.server_address[1]

    def stop(self) -> None:
        """End all associations and close the port."""
        self._server.shutdown()

    def files(self) -> list[Path]:
        """Return the files of the stored objects."""
        return sorted(self.folder.glob("*.dcm"))

    def _on_established(self, _event: Any) -> None:
        with self._lock:
            self.associations += 1

    def _on_store(self, event: Any) -> int:
        uid = event.request.AffectedSOPInstanceUID
        status = self.store_status.get(uid, 0x0000)
        if status < 0x0100 or status >= 0xB000:
            (self.folder / f"{uid}.dcm").write_bytes(event.encoded_dataset())
        return status

    def _matching(self, identifier: Dataset) -> Iterator[Dataset]:
        for path in self.files():
            dataset = dcmread(path)
            if all(
                element.value in ("", None)
                or fnmatchcase(str(dataset.get(element.tag, element).value), str(element.value))
                for element in identifier
                if element.keyword not in ("QueryRetrieveLevel", "SpecificCharacterSet")
            ):
                yield dataset

    def _on_find(self, event: Any) -> Iterator[tuple[int, Dataset | None]]:
        for dataset in self._matching(event.identifier):
            if event.is_cancelled:
                yield 0xFE00, None
                return
            match = Dataset()
            if "PatientName" in event.identifier and "SpecificCharacterSet" in dataset:
                match.SpecificCharacterSet = dataset.SpecificCharacterSet
            for element in event.identifier:
                if element.keyword in dataset:
                    match[element.tag] = dataset[element.tag]
            yield 0xFF00, match
        yield 0x0000, None

    def _on_move(self, event: Any) -> Iterator[Any]:
        port = self.destinations.get(event.move_destination)
        if port is None:
            yield None, None
            return
        found = list(self._matching(event.identifier))
        contexts = {(each.SOPClassUID, each.file_meta.TransferSyntaxUID) for each in found}
        requestor = AE(self.entity.ae_title)
        for sop_class, syntax in contexts or {(Verification, "1.2.840.10008.1.2")}:
            requestor.add_requested_context(sop_class, syntax)
        yield (
            "127.0.0.1",
            port,
            {"ae_title": event.move_destination, "contexts": requestor.requested_contexts},
        )
        yield len(found)
        for dataset in found:
            self.alter(dataset)
            yield 0xFF00, dataset


def main() -> None:
    """Serve as long as the folder exists."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--ae-title", default="ARCHIVE")
    parser.add_argument("--destination", action="append", default=[], metavar="AET=PORT")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    archive = Archive(arguments.folder, arguments.ae_title, arguments.port)
    archive.destinations = {
        title: int(port) for title, port in (each.split("=") for each in arguments.destination)
    }
    (arguments.folder / "port").write_text(str(archive.port))
    while arguments.folder.exists():
        time.sleep(0.2)


if __name__ == "__main__":
    main()
