# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""C-STORE: success for whatever becomes of the file."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
from collections.abc import Callable

from double import log
from double.documents import read_bytes
from double.files import Files
from double.log import AppenderFailedError, Log
from double.server import Server, response
from double.settings import UNCOMPRESSED, VERIFICATION, Settings
from double.upper_layer import (
    C_STORE,
    IMPLEMENTATION_CLASS,
    IMPLEMENTATION_VERSION,
    Association,
    Command,
    EndedError,
    Message,
)

PROCESSING_FAILURE = 0x0110
OUT_OF_MEMORY = "-XX:OnOutOfMemoryError"


def element(number: int, kind: str, value: bytes) -> bytes:
    """Write an element of the file meta information."""
    if len(value) % 2:
        value += b"\0" if kind in ("UI", "OB") else b" "
    length = struct.pack("<HL", 0, len(value)) if kind == "OB" else struct.pack("<H", len(value))
    return struct.pack("<HH", 2, number) + kind.encode() + length + value


def file_head(command: Command, syntax: str, titles: tuple[str, str] | None) -> bytes:
    """Write the beginning of a file, with the titles of sender and receiver if wished."""
    meta = element(0x0001, "OB", b"\0\1")
    meta += element(0x0002, "UI", command["AffectedSOPClassUID"].encode())
    meta += element(0x0003, "UI", command["AffectedSOPInstanceUID"].encode())
    meta += element(0x0010, "UI", syntax.encode())
    meta += element(0x0012, "UI", IMPLEMENTATION_CLASS.encode())
    meta += element(0x0013, "SH", IMPLEMENTATION_VERSION.encode())
    if titles:
        meta += element(0x0017, "AE", titles[0].encode("latin-1"))
        meta += element(0x0018, "AE", titles[1].encode("latin-1"))
    return bytes(128) + b"DICM" + element(0, "UL", struct.pack("<L", len(meta))) + meta


class Memory:
    """The heap of Java, where `-Xmx` gives it: an object that does not fit ends its association."""

    def __init__(self) -> None:
        given = re.search(r"-Xmx(\d+)m", os.environ.get("JAVA_TOOL_OPTIONS", ""))
        self._bytes = int(given[1]) << 20 if given else None
        words = [each.partition("=") for each in sys.argv]
        self._command = next((run for name, _is, run in words if name == OUT_OF_MEMORY), None)

    def holds(self, size: int) -> bool:
        """Say whether an object fits; the first that does not has Java run its command."""
        if self._bytes is None or size < self._bytes:
            return True
        print("java.lang.OutOfMemoryError: Java heap space", flush=True)
        if self._command:
            subprocess.run(self._command, shell=True, check=True)
            self._command = None
        return False


class Storage:
    """The service on the storage port."""

    def __init__(
        self, settings: Settings, files: Files, stored: Callable[[str], None], log_: Log
    ) -> None:
        self._settings = settings
        self._files = files
        self._stored = stored
        self._log = log_
        self._memory = Memory()

    def listen(self) -> Server:
        """Open the port with the settings of now; OSError when it is taken."""
        settings = self._settings
        syntaxes = {each: list(accepted) for each, accepted in settings.accepted.items()}
        return Server(
            settings.storage,
            {settings.title, settings.node_name},
            settings.count("dicoogle.cstore.maxScpAssociations", 50),
            syntaxes | {VERIFICATION: UNCOMPRESSED},
            self.handle,
            self._log,
        )

    def handle(self, association: Association, message: Message) -> None:
        """Answer a C-STORE-RQ; abort for a title that may not store."""
        if message.command.get("CommandField") != C_STORE:
            association.abort()
            raise EndedError("released")
        if self._settings.allowed_title not in ("", association.calling):
            self._log.say(log.NOT_PERMITTED, association.calling)
            association.abort()
            raise EndedError("released")
        if not self._memory.holds(sum(map(len, message.pieces))):
            association.abort()
            raise EndedError("released")
        command = message.command
        syntax = association.accepted[message.context][1]
        about = (association.calling, association.serial)
        uids = (command["AffectedSOPClassUID"], command["AffectedSOPInstanceUID"])
        number = command["MessageID"]
        self._log.say(
            log.STORE_REQUEST, *about, number, message.context, command["Priority"], *uids, syntax
        )
        status = self._store(association, message, syntax)
        association.send_message(message.context, response(message, status))
        self._log.say(log.STORE_RESPONSE, *about, number, message.context, status, *uids)

    def _store(self, association: Association, message: Message, syntax: str) -> int:
        titles = (association.calling, association.called)
        head = file_head(message.command, syntax, titles if self._settings.save_titles else None)
        try:
            content = b"".join([head, *message.pieces])
            message.pieces.clear()  # it may be half a gigabyte
            uri = self._files.store(read_bytes(content), content)
        except AppenderFailedError as error:
            self._log.say(log.STORE_FAILED, cause=f"{log.APPENDER_FAILED}: {error}")
            return PROCESSING_FAILURE
        except OSError as error:  # the data are none
            self._log.say(log.STORE_FAILED, cause=f"java.io.IOException: {error}")
            return PROCESSING_FAILURE
        if uri:
            self._stored(uri)
        return 0
