# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Dicoogle's web API, as far as the keeper needs it. It asks nobody for a password."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from .journal import path_of, uri_of
from .settings import Settings

SECONDS = 10.0  # for one answer
BATCH = 100  # URIs in one request; Dicoogle's form may have 3 MB


class NoAnswerError(Exception):
    """Dicoogle does not answer, or with something else than was hoped for."""


@dataclass(frozen=True)
class Tasks:
    """Dicoogle's index tasks: how many have not ended, all, and the reports of those that have."""

    running: int
    known: set[str]
    reports: dict[str, tuple[int, int]]  # by task: images indexed, errors


class Dicoogle:
    """The Dicoogle of this container."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def answers(self) -> bool:
        """Whether its web API answers."""
        with contextlib.suppress(NoAnswerError):
            self._ask("GET", "/ext/version", [])
            return True
        return False

    def services_listen(self) -> bool:
        """Whether both DICOM services accept connections."""
        ports = (self._settings.storage_port, self._settings.query_port)
        return all(self._listens(port) for port in ports)

    def open_storage(self) -> None:
        """Have it accept new associations for C-STORE."""
        self._ask("POST", "/management/dicom/storage", [("running", "true")])

    def close_storage(self) -> None:
        """Have it refuse new associations for C-STORE; those that are open go on."""
        self._ask("POST", "/management/dicom/storage", [("running", "false")])

    def index(self, paths: list[str]) -> list[str]:
        """Have it index files or folders; the identities of the tasks."""
        tasks = []
        for begin in range(0, len(paths), BATCH):
            fields = [("uri", uri_of(path)) for path in paths[begin : begin + BATCH]]
            answer = self._ask("POST", "/management/tasks/index", fields)
            tasks += [task["uid"] for task in answer["tasks"]]
        return tasks

    def unindex(self, path: str) -> None:
        """Have it take a file out of its index."""
        self._ask("POST", "/management/tasks/unindex", [("uri", uri_of(path))])

    def tasks(self) -> Tasks:
        """Return the index tasks."""
        answer = self._ask("GET", "/index/task", [])
        reports = {
            task["taskUid"]: (task.get("nIndexed", 0), task.get("nErrors", 0))
            for task in answer["results"]
            if task.get("complete") or task.get("canceled")
        }
        return Tasks(answer["count"], {task["taskUid"] for task in answer["results"]}, reports)

    def find(self, uids: list[str]) -> dict[str, list[str]]:
        """Return the paths of each of these SOP instances that is in the index."""
        query = " OR ".join(f'SOPInstanceUID:"{uid}"' for uid in uids)
        fields = [("query", query), ("field", "SOPInstanceUID"), ("provider", "lucene")]
        found: dict[str, list[str]] = {}
        for each in self._ask("GET", "/search", fields)["results"]:
            uid = each["fields"]["SOPInstanceUID"]
            found.setdefault(uid, []).append(path_of(each["uri"]))
        return found

    def _listens(self, port: int) -> bool:
        with contextlib.suppress(OSError):
            socket.create_connection((self._settings.host, port), SECONDS).close()
            return True
        return False

    def _ask(self, method: str, path: str, fields: list[tuple[str, str]]) -> dict[str, Any]:
        connection = http.client.HTTPConnection(
            self._settings.host, self._settings.web_port, timeout=SECONDS
        )
        form = urlencode(fields)
        try:
            if method == "POST":
                headers = {"Content-Type": "application/x-www-form-urlencoded"}
                connection.request(method, path, form, headers)
            else:
                connection.request(method, f"{path}?{form}" if form else path)
            response = connection.getresponse()
            body = response.read()
            if response.status != http.HTTPStatus.OK:
                raise NoAnswerError(f"{method} {path} was answered with {response.status}")
            return dict(json.loads(body))
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NoAnswerError(f"{method} {path} was not answered: {error}") from error
        finally:
            connection.close()
