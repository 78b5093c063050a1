# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The lines that Dicoogle logs, and where log4j2.xml of the image sends them."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

LEVELS = ("DEBUG", "INFO", "WARN", "ERROR", "OFF")
DICOOGLE = "pt.ua.dicoogle"
STORAGE_PLUGIN = "pt.ua.ieeta.filestorageplugin.FileStoragePlugin"
PLUGINS = f"{DICOOGLE}.plugins.PluginController"
SERVICES = f"{DICOOGLE}.server.ControlServices"
STORAGE = f"{DICOOGLE}.server.DicomStorage"
MOVE = f"{DICOOGLE}.server.queryretrieve.CMoveServiceSCP"
SEND = f"{DICOOGLE}.server.queryretrieve.DicoogleDcmSend"
INDEXER = "dicoogle.lucene.LuceneIndexer"
QUERY = "dicoogle.lucene.LuceneQuery"


@dataclass(frozen=True)
class Line:
    """A line of the log: its level, the logger that says it, and its text with {} for values."""

    level: str
    logger: str
    text: str


STARTING_PLUGINS = Line("INFO", PLUGINS, "Creating PluginController Instance")
SETTINGS_UNREADABLE = Line(
    "ERROR",
    f"{DICOOGLE}.Main",
    "A critical error occurred: cannot initialize server settings.",
)
USERS_UNREADABLE = Line(
    "ERROR",
    f"{DICOOGLE}.server.users.UsersXML",
    "Error reading users XML configuration file.",
)
STORAGE_STARTED = Line("INFO", SERVICES, "Starting DICOM Storage SCP")
STORAGE_NOT_STARTED = Line("ERROR", SERVICES, "Failed to start the DICOM storage service")
STORAGE_STOPPED = Line("INFO", SERVICES, "Stopping DICOM Storage SCP")
QUERY_STARTED = Line("INFO", SERVICES, "Starting DICOM QueryRetrieve")
QUERY_STOPPED = Line("INFO", SERVICES, "Stopping DICOM QueryRetrieve")
WEB_STARTING = Line("INFO", SERVICES, "Starting WebServer")
WEB_STARTED = Line(
    "INFO",
    f"{DICOOGLE}.server.web.DicoogleWeb",
    "Dicoogle Web Services available at http://{}:{}",
)
WEB_NOT_STARTED = Line(
    "ERROR", f"{DICOOGLE}.server.web.DicoogleWeb", "Dicoogle Web Services failed to start"
)
LISTENING = Line("INFO", "org.dcm4che2.net.NetworkConnection", "Start listening on /{}:{}")
NOT_LISTENING = Line("INFO", "org.dcm4che2.net.NetworkConnection", "Stop listening on /{}:{}")
ASSOCIATED = Line(
    "INFO",
    "org.dcm4che2.net.Association",
    "Association({}) accepted Socket[addr=/{},port={},localport={}]",
)
BROKEN_CONNECTION = Line("WARN", "org.dcm4che2.net.Association", "i/o exception in State Sta6")
STORE_REQUEST = Line(
    "INFO",
    "org.dcm4che2.net.PDUDecoder",
    "{}({}) >> {}:C-STORE-RQ[pcid={}, prior={}\n\tcuid={}\n\tiuid={}\n\tts={}]",
)
STORE_RESPONSE = Line(
    "INFO",
    "org.dcm4che2.net.PDUEncoder",
    "{}({}) << {}:C-STORE-RSP[pcid={}, status={:X}H\n\tcuid={}\n\tiuid={}]",
)
NOT_PERMITTED = Line("WARN", STORAGE, "Client association with {} NOT permitted!")
STORE_FAILED = Line("ERROR", STORAGE, "DICOM storage service failure:")
TRYING = Line("DEBUG", STORAGE_PLUGIN, "Trying to store file to FS path {}")
ASSIGNED = Line("DEBUG", STORAGE_PLUGIN, "Assigning new file to URI {}")
NO_FOLDER = Line("ERROR", STORAGE_PLUGIN, "Failed to create directories for file {}")
NOT_WRITTEN = Line("ERROR", STORAGE_PLUGIN, "Failed to store file {}")
TO_BE_INDEXED = Line("INFO", PLUGINS, "Starting Indexing procedure for {}")
NO_PLUGIN = Line("ERROR", PLUGINS, "No storage plugin detected")
TASK_COMPLETE = Line("INFO", PLUGINS, "Task [{}] complete on {}")
FILE_KNOWN = Line("INFO", INDEXER, "File {} already exists, ignoring")
UID_KNOWN = Line("INFO", INDEXER, "SOPInstanceUID already exists, ignoring: {}")
NO_DOCUMENT = Line("ERROR", INDEXER, "Failed to produce a document for the index")
FILE_FAILED = Line("ERROR", INDEXER, "ERROR Indexing: {},{},{}")
FILE_INDEXED = Line("INFO", INDEXER, "Finished Indexing: {},{},{},{}")
TASK_FAILED = Line("ERROR", INDEXER, "ERROR in Indexing Task")
TASK_INDEXED = Line("INFO", INDEXER, "Finished Index Task: {},{}")
INDEX_UNREADABLE = Line("ERROR", INDEXER, "Failed to open index")
UNINDEX_FAILED = Line("ERROR", INDEXER, "Failed to unindex, attempting close")
QUERY_UNREADABLE = Line("ERROR", QUERY, "Error parsing query")
QUERIED = Line("INFO", QUERY, "Finished opening result stream, Query: 0,{},{}")
INDEX_CLOSED = Line("WARN", QUERY, "Trying to open index file")
UNINDEXING = Line("INFO", PLUGINS, "Starting unindexing procedure for {}")
UNINDEXED = Line("INFO", PLUGINS, "Finished unindexing {}")
UNINDEXING_ITEMS = Line("INFO", PLUGINS, "[lucene] Starting unindexing procedure for {} items")
UNINDEXING_COMPLETE = Line("INFO", PLUGINS, "Unindexing task [{}] complete")
UNINDEXED_FILES = Line(
    "INFO",
    f"{DICOOGLE}.server.web.servlets.management.UnindexServlet",
    "Finished unindexing {} out of {} files",
)
REMOVED = Line("INFO", PLUGINS, "Finished removing {}")
NOT_REMOVED = Line("WARN", STORAGE_PLUGIN, "Failed to delete file at {}")
NO_PLUGIN_FOR = Line("ERROR", PLUGINS, "Could not find storage plugin to handle URI: {}")
FIND_QUERY = Line("INFO", f"{DICOOGLE}.server.SearchDicomResult", "QUERY: {}")
FIND_LEVEL = Line("INFO", f"{DICOOGLE}.server.SearchDicomResult", "QUERYLEVEL: {}")
SERVICE_USED = Line("INFO", f"{DICOOGLE}.DicomLog.LogDICOM", "[{}] {} {} -- {}")
MOVE_PERMITTED = Line("INFO", MOVE, "Client association with {} is permitted!")
MOVE_FAILED = Line("ERROR", MOVE, "Failed to send files to DICOM node {}")
NOT_SENT = Line("WARN", SEND, "{} not supported by {}, skip file {}")
NOT_TAKEN = Line(
    "ERROR", SEND, "Received RSP with Status  {:X}H for {}, cuid={}, tsuid={} (Command: {{}})"
)
BROKEN_SENDING = Line("ERROR", SEND, "Fatal I/O error while sending {}")

# What the loggers say on the console when they are quieter than the root, which says INFO.
CONSOLE = {FIND_QUERY.logger: "WARN", SERVICE_USED.logger: "WARN", QUERY: "OFF"}
# The journal: a line of the first kind that cannot be written is an error for who logs it.
STORED_LINES = (ASSIGNED, NO_FOLDER, NOT_WRITTEN)
INDEXED_LINES = (
    *(FILE_INDEXED, TASK_INDEXED, INDEX_UNREADABLE, TASK_COMPLETE, UNINDEXING, UNINDEXING_ITEMS),
)
JOURNAL_BYTES = 1 << 20
APPENDER_FAILED = "org.apache.logging.log4j.core.appender.AppenderLoggingException"


class AppenderFailedError(Exception):
    """A line could not be written where it must be; whoever logs gets to know it."""


def wanted(line: Line, threshold: str) -> bool:
    """Say whether a logger with the threshold says the line."""
    return LEVELS.index(line.level) >= LEVELS.index(threshold)


def leads_out(line: Line, text: str) -> bool:
    """Say whether a file is about to be written to a path with `..` in it."""
    return line == TRYING and "/../" in text


def one_line(text: str) -> str:
    """Escape the ends of lines as log4j2 does."""
    return text.replace("\r", "\\r").replace("\n", "\\n")


class Journal:
    """The file that keeps what is stored and what is indexed; rolled when it is full."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "journal.log"
        self._lock = threading.Lock()

    def write(self, line: Line, text: str) -> None:
        """Append a line."""
        name = line.logger.rpartition(".")[2]
        with self._lock:
            if self.path.exists() and self.path.stat().st_size > JOURNAL_BYTES:
                self.path.rename(self.folder / f"journal-{self._last() + 1}.log")
            with self.path.open("a", encoding="utf-8") as stream:
                stream.write(
                    f"{time.time_ns() // 1_000_000} {line.level} {name} {one_line(text)}\n"
                )

    def _last(self) -> int:
        names = [each.stem.rpartition("-")[2] for each in self.folder.glob("journal-*.log")]
        return max((int(each) for each in names if each.isdecimal()), default=0)


class Log:
    """The console, and the journal where its folder can be made."""

    def __init__(self, journal: Path) -> None:
        self._journal: Journal | None = None
        with contextlib.suppress(OSError):
            journal.mkdir(parents=True, exist_ok=True)
            (journal / "journal.log").touch()
            self._journal = Journal(journal)

    def say(self, line: Line, *values: object, cause: str = "") -> None:
        """Log a line, with the exception that caused it."""
        text = line.text.format(*values)
        if wanted(line, CONSOLE.get(line.logger, "INFO")):
            now = datetime.now().astimezone().isoformat(timespec="milliseconds")
            head = f"{now.replace('+00:00', 'Z')} {line.level:5} {line.logger.rpartition('.')[2]}"
            thrown = f"{cause}\n\tat {line.logger}\n" if cause else ""
            thread = one_line(threading.current_thread().name)
            print(f"{head} [{thread}] {one_line(text)}\n{thrown}", end="")
            sys.stdout.flush()
        if self._journal and (line in STORED_LINES + INDEXED_LINES or leads_out(line, text)):
            try:
                self._journal.write(line, text)
            except OSError as error:
                if line in STORED_LINES:
                    raise AppenderFailedError(str(error)) from None
            if line in (NO_FOLDER, NOT_WRITTEN) or leads_out(line, text):
                raise AppenderFailedError("No space left on device")
