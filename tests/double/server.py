# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A port that takes associations."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

from double import log
from double.log import Log
from double.settings import Service
from double.upper_layer import (
    ASSOCIATE_RQ,
    C_ECHO,
    CALLED_TITLE_UNKNOWN,
    RESPONSE,
    TOO_MANY,
    Association,
    EndedError,
    Message,
    accept,
    read_request,
    reject,
)

ACCEPT_SECONDS = 5  # for a client to say who it is; until then it counts as an association


class Server:
    """Listens, and hands every message to a service."""

    def __init__(
        self,
        service: Service,
        titles: set[str],
        most: int,
        syntaxes: dict[str, list[str]],
        handle: Callable[[Association, Message], None],
        log_: Log,
    ) -> None:
        self._address = (service.host, service.port)
        self._titles = titles
        self._most = most
        self._syntaxes = syntaxes
        self._handle = handle
        self._log = log_
        self._open = 0
        self._lock = threading.Lock()
        self._listener = socket.create_server(self._address, backlog=128)
        self._log.say(log.LISTENING, *self._address)
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        """Close the port; open associations go on."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._log.say(log.NOT_LISTENING, *self._address)

    def _accept(self) -> None:
        while True:
            try:
                connection, peer = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(connection, peer), daemon=True).start()

    def _serve(self, connection: socket.socket, peer: tuple[str, int]) -> None:
        with self._lock:
            self._open += 1
            full = self._open > self._most
        association = Association(connection)
        self._log.say(log.ASSOCIATED, association.serial, *peer, self._address[1])
        try:
            connection.settimeout(ACCEPT_SECONDS)
            kind, content = association.read_pdu()
            if kind != ASSOCIATE_RQ:
                return
            connection.settimeout(None)
            request = read_request(content)
            threading.current_thread().name = f"Association-{request.calling}"
            if full:
                reject(association, TOO_MANY)
            elif request.called not in self._titles:
                reject(association, CALLED_TITLE_UNKNOWN)
            else:
                accept(association, request, self._syntaxes)
                self._converse(association)
        except EndedError as error:
            if error.aborted and association.accepted:
                self._log.say(log.BROKEN_CONNECTION, cause=f"java.io.IOException: {error}")
        finally:
            association.close()
            with self._lock:
                self._open -= 1

    def _converse(self, association: Association) -> None:
        for message in association.messages():
            if message.command.get("CommandField") == C_ECHO:
                association.send_message(message.context, response(message, 0))
            else:
                self._handle(association, message)


def response(message: Message, status: int) -> dict[str, object]:
    """Return the response to a request."""
    answer: dict[str, object] = {
        "AffectedSOPClassUID": message.command["AffectedSOPClassUID"],
        "CommandField": message.command["CommandField"] | RESPONSE,
        "MessageIDBeingRespondedTo": message.command["MessageID"],
        "Status": status,
    }
    if "AffectedSOPInstanceUID" in message.command:
        answer["AffectedSOPInstanceUID"] = message.command["AffectedSOPInstanceUID"]
    return answer
