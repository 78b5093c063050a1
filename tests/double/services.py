# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Starts and stops the DICOM services. A port that is taken stops nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable

from double import log
from double.log import Line, Log
from double.server import Server


class Switch:
    """A service that is on or off; it counts as on when its port was taken."""

    def __init__(
        self, listen: Callable[[], Server], lines: tuple[Line, Line, Line], log_: Log
    ) -> None:
        self._listen = listen
        self._started, self._stopped, self._failed = lines
        self._log = log_
        self._server: Server | None = None
        self._lock = threading.Lock()
        self.running = False

    def start(self) -> bool:
        """Start it, unless it runs."""
        with self._lock:
            if self.running:
                return False
            self.running = True
            try:
                self._server = self._listen()
            except OSError as error:
                self._log.say(self._failed, cause=f"java.net.BindException: {error.strerror}")
            else:
                self._log.say(self._started)
            return True

    def stop(self) -> None:
        """Close its port, if it runs."""
        with self._lock:
            if self._server:
                self._server.stop()
            if self.running:
                self._log.say(self._stopped)
            self._server, self.running = None, False


STORAGE_LINES = (log.STORAGE_STARTED, log.STORAGE_STOPPED, log.STORAGE_NOT_STARTED)
QUERY_LINES = (log.QUERY_STARTED, log.QUERY_STOPPED, log.QUERY_STARTED)
