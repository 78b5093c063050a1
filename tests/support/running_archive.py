# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An archive that runs on this machine, configured and started as our image does it."""

from __future__ import annotations

import http.client
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import bcrypt
from pydicom import Dataset
from pynetdicom import AE, DEFAULT_TRANSFER_SYNTAXES, evt
from pynetdicom.association import Association
from pynetdicom.pdu import A_ASSOCIATE_RJ
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    PatientRootQueryRetrieveInformationModelFind,
    PatientRootQueryRetrieveInformationModelMove,
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelMove,
    Verification,
)

from support.image_entry_points import DOCKER, image_environment
from support.ports import free_port

CONTEXT = DOCKER / "dicoogle"
TITLE = "DICOOGLE-STORAGE"
PROCESSING_FAILURE = 0x0110  # of a C-STORE
PASSWORD = "a password"
VERSION = "3.5.1"
START_SECONDS = 60.0
PATIENT_FIND = PatientRootQueryRetrieveInformationModelFind
STUDY_FIND = StudyRootQueryRetrieveInformationModelFind
PATIENT_MOVE = PatientRootQueryRetrieveInformationModelMove
STUDY_MOVE = StudyRootQueryRetrieveInformationModelMove
RENDER = """
. "$DICOOGLE_HOME/configuration.sh"
check_settings
server_xml > confs/server.xml
luceneset_xml > Plugins/settings/luceneset.xml
file_storage_xml > Plugins/settings/file-storage.xml
users_xml users.xml > users.new
mv users.new users.xml
"""


def java_options(home: Path) -> list[str]:
    """Return what our entry point starts Java with."""
    text = (CONTEXT / "entrypoint.sh").read_text()
    options = re.findall(r"^ +(-[DX].+) \\$", text, re.MULTILINE)
    return [shlex.split(each.replace("$DICOOGLE_HOME", str(home)))[0] for each in options]


def eventually(told: Callable[[], Any], seconds: float = 20.0) -> Any:
    """Return what is told, once it is something, or when the time is over."""
    deadline = time.monotonic() + seconds
    while not (value := told()) and time.monotonic() < deadline:
        time.sleep(0.002)
    return value


def _note_rejection(event: evt.Event) -> None:
    """Keep a rejection, which pynetdicom drops when it comes before it is waited for."""
    if isinstance(event.pdu, A_ASSOCIATE_RJ):
        event.assoc.acceptor.primitive = event.pdu.to_primitive()


@dataclass(frozen=True)
class Reply:
    """An answer over HTTP."""

    status: int
    reason: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Return what a JSON body holds."""
        return json.loads(self.body)


@dataclass
class RunningArchive:
    """An archive with its folders below `root`; `program` is unpacked, `java` runs it."""

    root: Path
    program: Path
    java: Path
    settings: dict[str, str] = field(default_factory=dict)
    edit: Callable[[ElementTree.Element], None] | None = None  # of server.xml, after each rendering
    options: list[str] = field(default_factory=list)  # of Java, besides those of our image
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.home, self.data, self.run = (self.root / each for each in ("home", "data", "run"))
        shutil.copytree(self.program, self.home)
        for name in ("configuration.sh", "sop-classes.txt", "transfer-syntaxes.txt", "log4j2.xml"):
            shutil.copy(CONTEXT / name, self.home)
        for folder in (
            *(self.data / "images" / "froms3", self.data / "index", self.run / "confs"),
            *(self.run / "Plugins" / "settings", self.root / "tmp"),
        ):
            folder.mkdir(parents=True)
        for jar in (self.home / "Plugins").glob("*.jar"):
            shutil.copy(jar, self.run / "Plugins")
        self.web_port, self.storage_port, self.query_port, keeper_port = ports(4)
        hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
        self.environment = {
            **image_environment("dicoogle"),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "DICOOGLE_HOME": str(self.home),
            "DICOOGLE_DATA": str(self.data),
            "DICOOGLE_ADMIN_PASSWORD_HASH": hashed,
            "DICOOGLE_IMPORT_DIRECTORY": "",
            "DICOOGLE_WEB_PORT": str(self.web_port),
            "DICOOGLE_STORAGE_PORT": str(self.storage_port),
            "DICOOGLE_QUERY_PORT": str(self.query_port),
            "KEEPER_PORT": str(keeper_port),
            **self.settings,
        }

    @property
    def images(self) -> Path:
        """The folder of images."""
        return self.data / "images"

    @property
    def index(self) -> Path:
        """The folder of the index."""
        return self.data / "index" / "indexed"

    @property
    def journal(self) -> Path:
        """The journal that log4j2.xml keeps."""
        return self.data / "index" / "journal" / "journal.log"

    def launch(self, **settings: str) -> None:
        """Render the configuration and start the process."""
        shell = ["/bin/sh", "-euc", RENDER]
        subprocess.run(shell, cwd=self.run, env=self.environment, check=True)
        if self.edit:
            server = ElementTree.parse(self.run / "confs" / "server.xml")
            self.edit(server.getroot())
            server.write(self.run / "confs" / "server.xml")
        self.relaunch(**settings)

    def relaunch(self, **settings: str) -> None:
        """Start the process with the configuration that is there."""
        options = [*java_options(self.home), f"-Djava.io.tmpdir={self.root}/tmp", *self.options]
        with (self.root / "console").open("ab") as console:
            self.process = subprocess.Popen(
                [str(self.java), *options, "-jar", str(self.home / "dicoogle.jar"), "-s"],
                cwd=self.run,
                env=self.environment | settings,
                stdout=console,
                stderr=subprocess.STDOUT,
            )

    def start(self, **settings: str) -> RunningArchive:
        """Start it; it is ready afterwards."""
        self.launch(**settings)
        self.await_ready()
        return self

    def await_ready(self) -> None:
        """Return when the web API answers."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            assert self.process
            assert self.process.poll() is None, self.console()
            try:
                if self.ask("GET", "/ext/version").status == 200:
                    return
            except OSError:
                assert time.monotonic() < deadline, self.console()
            time.sleep(0.05)

    def end(self, number: int = signal.SIGTERM) -> int:
        """End it with a signal; its exit status."""
        assert self.process
        self.process.send_signal(number)
        return self.process.wait(30)

    def restart(self, number: int = signal.SIGTERM) -> None:
        """End it and start it again."""
        self.end(number)
        self.start()

    def ended(self) -> int:
        """Wait until it ends by itself; its exit status."""
        assert self.process
        return self.process.wait(START_SECONDS)

    def console(self) -> str:
        """Return all that it wrote to its console."""
        return (self.root / "console").read_text()

    def lines(self, *words: str) -> list[str]:
        """Return the lines of the console that hold all the words."""
        return [each for each in self.console().splitlines() if all(word in each for word in words)]

    def journal_lines(self, *words: str) -> list[str]:
        """Return the lines of the journal that hold all the words."""
        lines = self.journal.read_text().splitlines()
        return [each for each in lines if all(word in each for word in words)]

    # ---- The web API ----

    def ask(self, method: str, path: str, **fields: Any) -> Reply:
        """Ask by HTTP; a form for POST, a query for everything else. `token` becomes a header."""
        token = fields.pop("token", None)
        headers = {"Authorization": token} if token else {}
        form = urlencode(fields, doseq=True)
        connection = http.client.HTTPConnection("127.0.0.1", self.web_port, timeout=30)
        try:
            if method == "POST":
                headers["Content-Type"] = "application/x-www-form-urlencoded"
                connection.request(method, path, form, headers)
            else:
                connection.request(method, f"{path}?{form}" if form else path, headers=headers)
            response = connection.getresponse()
            names = dict(response.getheaders())
            return Reply(response.status, response.reason, names, response.read())
        finally:
            connection.close()

    def search(self, query: str, **more: Any) -> list[dict[str, Any]]:
        """Return the results of a search over the web."""
        return list(self.ask("GET", "/search", query=query, **more).json["results"])

    def uri_of(self, image: Dataset) -> str | None:
        """Return the URI of an image in the index."""
        found = self.search(f'SOPInstanceUID:"{image.SOPInstanceUID}"')
        return str(found[0]["uri"]) if found else None

    def found(self, image: Dataset) -> bool:
        """Say whether an image is in the index soon."""
        return bool(eventually(lambda: self.uri_of(image)))

    def backlog(self) -> int:
        """Return how many index tasks have not ended."""
        return int(self.ask("GET", "/index/task").json["count"])

    def settle(self) -> None:
        """Return when nothing waits to be indexed."""
        quiet = 0
        while quiet < 5:
            quiet = quiet + 1 if self.backlog() == 0 else 0
            time.sleep(0.02)

    def post(self, path: str, **fields: Any) -> Any:
        """Post a form, which must be answered with 200; what its JSON holds."""
        reply = self.ask("POST", path, **fields)
        assert reply.status == 200, reply
        return reply.json if reply.body else None

    def index_again(self, uri: str) -> tuple[int, int]:
        """Have a file or folder indexed: how many images were, and how many errors there were."""
        (task,) = self.post("/management/tasks/index", uri=uri)["tasks"]

        def report() -> Any:
            tasks = self.ask("GET", "/index/task").json["results"]
            (mine,) = (each for each in tasks if each["taskUid"] == task["uid"])
            return mine if "nIndexed" in mine else None

        done = eventually(report)
        return done["nIndexed"], done["nErrors"]

    # ---- DICOM ----

    @contextmanager
    def associated(
        self,
        service: str,
        contexts: list[tuple[str, list[str]]],
        *,
        calling: str = "CONTRACT",
        called: str = TITLE,
    ) -> Iterator[Association]:
        """Give an association with the storage or query service, established or not."""
        entity = AE(calling)
        for sop_class, syntaxes in contexts:
            entity.add_requested_context(sop_class, syntaxes or DEFAULT_TRANSFER_SYNTAXES)
        port = {"storage": self.storage_port, "query": self.query_port}[service]
        association = entity.associate(
            "127.0.0.1", port, ae_title=called, evt_handlers=[(evt.EVT_PDU_RECV, _note_rejection)]
        )
        try:
            yield association
        finally:
            if association.is_established:
                association.release()

    def store(self, *images: Dataset, calling: str = "CONTRACT") -> list[int | None]:
        """Store images in one association: the status of each, None when there was no answer."""
        wanted = {(each.SOPClassUID, str(each.file_meta.TransferSyntaxUID)) for each in images}
        contexts = [(sop_class, [syntax]) for sop_class, syntax in sorted(wanted)]
        statuses = []
        with self.associated("storage", contexts, calling=calling) as association:
            for each in images:
                statuses.append(getattr(association.send_c_store(each), "Status", None))
                # pynetdicom's own thread takes the next answer for itself if it still sleeps.
                eventually(lambda: not association._is_paused, 1)
        return statuses

    def find(
        self, level: str | None, root: str = STUDY_FIND, calling: str = "CONTRACT", **keys: str
    ) -> list[tuple[Dataset, Dataset | None]]:
        """Ask by C-FIND: all answers, each with status and match."""
        identifier = Dataset()
        if level is not None:
            identifier.QueryRetrieveLevel = level
        for keyword, value in keys.items():
            setattr(identifier, keyword, value)
        with self.associated("query", [(root, [])], calling=calling) as association:
            return list(association.send_c_find(identifier, root))

    def matches(self, level: str, root: str = STUDY_FIND, **keys: str) -> list[Dataset]:
        """Return the matches of a C-FIND."""
        return [match for _status, match in self.find(level, root, **keys) if match is not None]

    def move(
        self, level: str | None, destination: str, calling: str = "CONTRACT", **keys: str
    ) -> list[Dataset]:
        """Ask by C-MOVE: the status of each answer."""
        identifier = Dataset()
        if level is not None:
            identifier.QueryRetrieveLevel = level
        for keyword, value in keys.items():
            setattr(identifier, keyword, value)
        with self.associated("query", [(STUDY_MOVE, [])], calling=calling) as association:
            answers = association.send_c_move(identifier, destination, STUDY_MOVE)
            return [status for status, _none in answers]

    def echo(self, service: str) -> int | None:
        """Ask by C-ECHO; the status, None when there was no association."""
        with self.associated(service, [(Verification, [])]) as association:
            if not association.is_established:
                return None
            return getattr(association.send_c_echo(), "Status", None)


def ports(count: int) -> list[int]:
    """Return that many free ports."""
    found: set[int] = set()
    while len(found) < count:
        found.add(free_port())
    return sorted(found)


class Destination:
    """Where C-MOVE sends images: it keeps them, and answers as a test wishes."""

    def __init__(
        self, contexts: list[tuple[str, list[str]]], title: str = "DEST", *, only: str = ""
    ) -> None:
        self.received: list[Dataset] = []
        self.requests: list[Any] = []
        self.proposed: list[tuple[str, tuple[str, ...]]] = []
        self.statuses: dict[str, int] = {}
        self.abort_at: int | None = None
        self.callers: list[str] = []
        entity = AE(only or title)
        entity.require_called_aet = bool(only)
        for sop_class, syntaxes in contexts:
            entity.add_supported_context(sop_class, syntaxes or DEFAULT_TRANSFER_SYNTAXES)
        handlers = [(evt.EVT_C_STORE, self._store), (evt.EVT_ACCEPTED, self._accepted)]
        self._server: Any = entity.start_server(
            ("127.0.0.1", 0), block=False, evt_handlers=handlers
        )
        self.title = title
        self.port = int(self._server.server_address[1])

    def stop(self) -> None:
        """Close the port."""
        self._server.shutdown()

    def _accepted(self, event: Any) -> None:
        requestor = event.assoc.requestor
        self.callers.append(requestor.ae_title)
        self.proposed += [
            (each.abstract_syntax, tuple(each.transfer_syntax))
            for each in requestor.requested_contexts
        ]

    def _store(self, event: Any) -> int:
        if self.abort_at is not None and len(self.received) + 1 >= self.abort_at:
            event.assoc.abort()
            return 0x0110
        status = self.statuses.get(event.request.AffectedSOPInstanceUID, 0)
        self.requests.append(event.request)
        if status == 0:
            dataset = event.dataset
            dataset.file_meta = event.file_meta
            self.received.append(dataset)
        return status
