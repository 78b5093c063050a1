# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A storage SCP for as long as one C-MOVE takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import DicomError, Reason
from .files import is_uid
from .packages import pynetdicom

STORED = 0x0000
REFUSED = 0xC001  # PS3.4, B.2.3: cannot understand


@dataclass(frozen=True)
class Receiver:
    """Where to listen, on 127.0.0.1 alone, and the folder for what arrives."""

    ae_title: str
    port: int
    folder: Path


@contextmanager
def receiving(receiver: Receiver) -> Iterator[list[Path]]:
    """Accept every object that is sent to the receiver, and list the files as they arrive.

    Raises DicomError: the folder is not there, or the port is taken.
    """
    if not receiver.folder.is_dir():
        raise DicomError(
            Reason.INVALID_INPUT, f"receive.path: {receiver.folder} is not an existing folder."
        )
    arrived: list[Path] = []
    pynetdicom._config.UNRESTRICTED_STORAGE_SERVICE = True  # private storage classes too
    entity = pynetdicom.AE(receiver.ae_title)
    entity.require_called_aet = True
    entity.supported_contexts = [
        pynetdicom.build_context(str(context.abstract_syntax), pynetdicom.ALL_TRANSFER_SYNTAXES)
        for context in pynetdicom.AllStoragePresentationContexts
    ]
    try:
        server: Any = entity.start_server(
            ("127.0.0.1", receiver.port),
            block=False,
            evt_handlers=[(pynetdicom.evt.EVT_C_STORE, _keep, [receiver.folder, arrived])],
        )
    except OSError as error:
        raise DicomError(
            Reason.INVALID_INPUT,
            f"receive.port: cannot listen on 127.0.0.1:{receiver.port}: "
            f"{error.strerror}. Choose another one.",
        ) from error
    try:
        yield arrived
    finally:
        server.shutdown()


def _keep(event: Any, folder: Path, arrived: list[Path]) -> int:
    uid = str(event.request.AffectedSOPInstanceUID)
    if not is_uid(uid):  # what it is called becomes a file name
        return REFUSED
    path = folder / f"{uid}.dcm"
    path.write_bytes(event.encoded_dataset())
    arrived.append(path)
    return STORED
