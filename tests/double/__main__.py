# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Run the double where Java would run Dicoogle: `python -m double -Dname=value ... -s`."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path
from xml.etree import ElementTree

from double import log, settings
from double.archive import Archive
from double.http_server import WebServer
from double.log import Log
from double.query import Query
from double.services import QUERY_LINES, STORAGE_LINES, Switch
from double.storage import Storage
from double.users import Users
from double.watcher import watch
from double.web import Web

START_SECONDS = float(os.environ.get("DOUBLE_START_SECONDS", "0"))
SETTINGS_STATUS, USERS_STATUS, SIGTERM_STATUS = 255, 1, 143


def properties(arguments: list[str]) -> dict[str, str]:
    """Return what Java is given as -Dname=value."""
    given = (each[2:].partition("=") for each in arguments if each.startswith("-D"))
    return {name: value for name, _equals, value in given}


def serve_web(web: Web, address: settings.Service, log_: Log) -> None:
    """Open the web port; one that is taken stops nothing."""
    log_.say(log.WEB_STARTING)
    try:
        server = WebServer((address.host, address.port), web.routes())
    except OSError as error:
        log_.say(log.WEB_NOT_STARTED, cause=f"java.net.BindException: {error.strerror}")
        return
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    host = "localhost" if address.host == "127.0.0.1" else address.host
    log_.say(log.WEB_STARTED, host, address.port)


def main() -> int:
    """Start everything, and wait for SIGTERM, which ends it at once and loses the queue."""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(SIGTERM_STATUS))
    log_ = Log(Path(os.environ.get("DICOOGLE_DATA", "."), "index", "journal"))
    try:
        known = settings.read(properties(sys.argv[1:]))
    except settings.SettingsError as error:
        log_.say(log.SETTINGS_UNREADABLE, cause=str(error))
        return SETTINGS_STATUS
    time.sleep(START_SECONDS)
    try:
        users = Users()
    except ElementTree.ParseError as error:
        log_.say(log.USERS_UNREADABLE, cause=f"org.xml.sax.SAXParseException: {error}")
        return USERS_STATUS
    log_.say(log.STARTING_PLUGINS)
    archive = Archive(known, log_)
    archive.indexer.start()
    storage = Storage(known, archive.files, archive.indexer.stored, log_)
    switches = {
        "storage": Switch(storage.listen, STORAGE_LINES, log_),
        "query": Switch(Query(known, archive, log_).listen, QUERY_LINES, log_),
    }
    for name, service in (("storage", known.storage), ("query", known.query)):
        if service.autostart:
            switches[name].start()
    serve_web(Web(known, archive, users, switches, log_), known.web, log_)
    if known.watcher:
        arguments = (known.watch_directory, archive.indexer)
        threading.Thread(target=watch, args=arguments, daemon=True).start()
    while True:
        signal.pause()


if __name__ == "__main__":
    sys.exit(main())
