# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Associations (DICOM PS3.8) and the messages in them (PS3.7), as dcm4che 2 speaks them."""

from __future__ import annotations

import contextlib
import itertools
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

ASSOCIATE_RQ, ASSOCIATE_AC, ASSOCIATE_RJ, DATA, RELEASE_RQ, RELEASE_RP, ABORT = range(1, 8)
APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1"
MOST_RECEIVED = 17364  # bytes of a PDU
IMPLEMENTATION_CLASS, IMPLEMENTATION_VERSION = "1.2.40.0.13.1.1", "dcm4che-2.0"
ACCEPTED, NO_SUCH_CLASS, NO_SUCH_SYNTAX = 0, 3, 4
CALLED_TITLE_UNKNOWN, TOO_MANY = (1, 1, 7), (2, 2, 1)
LONGEST_PDU = 1 << 26
CLOSE_SECONDS = 1

C_STORE, C_FIND, C_MOVE, C_ECHO, C_CANCEL = 0x0001, 0x0020, 0x0021, 0x0030, 0x0FFF
RESPONSE = 0x8000
NO_DATASET = 0x0101
# The elements of a command set and how their values are written.
ELEMENTS = {
    "AffectedSOPClassUID": (0x0002, "UI"),
    "CommandField": (0x0100, "US"),
    "MessageID": (0x0110, "US"),
    "MessageIDBeingRespondedTo": (0x0120, "US"),
    "MoveDestination": (0x0600, "AE"),
    "Priority": (0x0700, "US"),
    "CommandDataSetType": (0x0800, "US"),
    "Status": (0x0900, "US"),
    "OffendingElement": (0x0901, "AT"),
    "ErrorComment": (0x0902, "LO"),
    "ErrorID": (0x0903, "US"),
    "AffectedSOPInstanceUID": (0x1000, "UI"),
    "NumberOfRemainingSuboperations": (0x1020, "US"),
    "NumberOfCompletedSuboperations": (0x1021, "US"),
    "NumberOfFailedSuboperations": (0x1022, "US"),
    "NumberOfWarningSuboperations": (0x1023, "US"),
    "MoveOriginatorApplicationEntityTitle": (0x1030, "AE"),
    "MoveOriginatorMessageID": (0x1031, "US"),
}
NAMES = {number: (name, kind) for name, (number, kind) in ELEMENTS.items()}
Command = dict[str, Any]
SERIALS = itertools.count(1)


class EndedError(Exception):
    """The peer has released or aborted the association, or the connection broke."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.aborted = why != "released"


class RejectedError(Exception):
    """The peer does not want the association."""


@dataclass(frozen=True)
class Context:
    """A presentation context as it was proposed."""

    number: int
    sop_class: str
    syntaxes: tuple[str, ...]


@dataclass
class Request:
    """An A-ASSOCIATE-RQ."""

    called: str
    calling: str
    contexts: list[Context] = field(default_factory=list)
    most: int = 0  # bytes of a PDU that the peer takes, 0 for any


@dataclass
class Message:
    """A command and the data that came with it."""

    context: int
    command: Command
    pieces: list[bytes]

    @property
    def data(self) -> bytes:
        """What came with the command, in one piece."""
        return b"".join(self.pieces)


def item(kind: int, content: bytes) -> bytes:
    """Write an item."""
    return struct.pack(">BBH", kind, 0, len(content)) + content


def items(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Read the items of a PDU."""
    place = 0
    while place + 4 <= len(content):
        kind, _reserved, length = struct.unpack_from(">BBH", content, place)
        yield kind, content[place + 4 : place + 4 + length]
        place += 4 + length


def pdu(kind: int, content: bytes) -> bytes:
    """Write a PDU."""
    return struct.pack(">BBL", kind, 0, len(content)) + content


def uid(content: bytes) -> str:
    """Read a UID."""
    return content.decode("ascii", "replace").strip(" \0")


def user_information(most: int) -> bytes:
    """Write what this side is."""
    return item(
        0x50,
        item(0x51, struct.pack(">L", most))
        + item(0x52, IMPLEMENTATION_CLASS.encode())
        + item(0x55, IMPLEMENTATION_VERSION.encode()),
    )


def associate(called: str, calling: str, items_: bytes) -> bytes:
    """Write what A-ASSOCIATE-RQ and A-ASSOCIATE-AC have in common."""
    titles = f"{called:16.16}{calling:16.16}".encode()
    context = item(0x10, APPLICATION_CONTEXT.encode())
    return struct.pack(">HH", 1, 0) + titles + bytes(32) + context + items_


def read_request(content: bytes) -> Request:
    """Read an A-ASSOCIATE-RQ."""
    titles = content[4:36].decode("latin-1")
    request = Request(titles[:16].strip(" \0"), titles[16:].strip(" \0"))
    for kind, body in items(content[68:]):
        if kind == 0x20:
            proposed = list(items(body[4:]))
            sop_class = next((uid(each) for name, each in proposed if name == 0x30), "")
            syntaxes = tuple(uid(each) for name, each in proposed if name == 0x40)
            request.contexts.append(Context(body[0], sop_class, syntaxes))
        elif kind == 0x50:
            request.most = most_received(body)
    return request


def most_received(user_items: bytes) -> int:
    """Read the longest PDU that a peer takes."""
    sizes = (struct.unpack(">L", body)[0] for kind, body in items(user_items) if kind == 0x51)
    return next(sizes, 0)


def write_command(command: Command) -> bytes:
    """Write a command set, always implicit and little endian."""
    content = b""
    for name in sorted(command, key=lambda each: ELEMENTS[each][0]):
        number, kind = ELEMENTS[name]
        value = command[name]
        if kind == "US":
            written = struct.pack("<H", value)
        elif kind == "AT":
            written = struct.pack("<HH", value >> 16, value & 0xFFFF)
        else:
            written = str(value).encode("latin-1", "replace")
            if len(written) % 2:
                written += b"\0" if kind == "UI" else b" "
        content += struct.pack("<HHL", 0, number, len(written)) + written
    return struct.pack("<HHLL", 0, 0, 4, len(content)) + content


def read_command(content: bytes) -> Command:
    """Read a command set."""
    command: Command = {}
    place = 0
    while place + 8 <= len(content):
        _group, number, length = struct.unpack_from("<HHL", content, place)
        value = content[place + 8 : place + 8 + length]
        place += 8 + length
        name, kind = NAMES.get(number, ("", ""))
        if kind == "US":
            command[name] = struct.unpack("<H", value)[0]
        elif name:
            command[name] = value.decode("latin-1").strip(" \0")
    return command


class Association:
    """One association, whichever side asked for it."""

    def __init__(self, connection: socket.socket) -> None:
        self.serial = next(SERIALS)
        self.connection = connection
        self._stream = connection.makefile("rb", buffering=1 << 16)
        self.accepted: dict[int, tuple[str, str]] = {}  # class and syntax by context
        self.most_sent = MOST_RECEIVED
        self.called = self.calling = ""

    def read_pdu(self) -> tuple[int, bytes]:
        """Read a PDU."""
        try:
            head = self._stream.read(6)
            if len(head) < 6:
                raise EndedError("closed")
            kind, _reserved, length = struct.unpack(">BBL", head)
            if not ASSOCIATE_RQ <= kind <= ABORT or length > LONGEST_PDU:
                raise EndedError("no DICOM")
            content = self._stream.read(length)
        except OSError as error:
            raise EndedError(str(error)) from None
        if len(content) < length:
            raise EndedError("closed")
        return kind, content

    def send(self, content: bytes) -> None:
        """Send bytes."""
        try:
            self.connection.sendall(content)
        except OSError as error:
            raise EndedError(str(error)) from None

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()
        self.connection.close()

    def messages(self) -> Iterator[Message]:
        """Read messages until the association ends."""
        command, data = bytearray(), list[bytes]()
        received: Command | None = None
        while True:
            kind, content = self.read_pdu()
            if kind == RELEASE_RQ:
                self.send(pdu(RELEASE_RP, bytes(4)))
                raise EndedError("released")
            if kind != DATA:
                raise EndedError("aborted")
            place = 0
            while place + 6 <= len(content):
                length, context, flags = struct.unpack_from(">LBB", content, place)
                piece = content[place + 6 : place + 4 + length]
                place += 4 + length
                if flags & 1:
                    command += piece
                    if flags & 2:
                        received = read_command(bytes(command))
                        command.clear()
                else:
                    data.append(piece)
                without_data = received and received.get("CommandDataSetType") == NO_DATASET
                if received and (without_data or (flags & 2 and not flags & 1)):
                    yield Message(context, received, data)
                    data, received = [], None

    def send_message(self, context: int, command: Command, data: bytes | memoryview = b"") -> None:
        """Send a command, and the data that belong to it."""
        command["CommandDataSetType"] = 0x0102 if data else NO_DATASET
        self._send_fragments(context, 1, write_command(command))
        if data:
            self._send_fragments(context, 0, data)

    def _send_fragments(self, context: int, kind: int, content: bytes | memoryview) -> None:
        size = (self.most_sent or MOST_RECEIVED) - 6
        view, sent = memoryview(content), bytearray()
        for place in range(0, len(content), size):
            piece = view[place : place + size]
            last = 2 if place + size >= len(content) else 0
            sent += struct.pack(
                ">BBLLBB", DATA, 0, len(piece) + 6, len(piece) + 2, context, kind | last
            )
            sent += piece
            if len(sent) > 1 << 18:
                self.send(bytes(sent))
                sent.clear()
        self.send(bytes(sent))

    def abort(self) -> None:
        """Abort as dcm4che does, without saying why."""
        self.send(pdu(ABORT, bytes(4)))
        self.await_close()

    def await_close(self) -> None:
        """Leave it to the peer to close the connection, for a while (PS3.8, state 13)."""
        self.connection.settimeout(CLOSE_SECONDS)
        with contextlib.suppress(OSError):
            while self.connection.recv(1 << 16):
                pass


def answer(context: Context, syntaxes: dict[str, list[str]]) -> tuple[int, str]:
    """Decide on a proposed context: the first of the own syntaxes that was offered."""
    if context.sop_class not in syntaxes:
        return NO_SUCH_CLASS, context.syntaxes[0] if context.syntaxes else ""
    for syntax in syntaxes[context.sop_class]:
        if syntax in context.syntaxes:
            return ACCEPTED, syntax
    return NO_SUCH_SYNTAX, context.syntaxes[0] if context.syntaxes else ""


def accept(association: Association, request: Request, syntaxes: dict[str, list[str]]) -> None:
    """Answer a request with what is accepted of it."""
    answered = b""
    for context in request.contexts:
        result, syntax = answer(context, syntaxes)
        if result == ACCEPTED:
            association.accepted[context.number] = (context.sop_class, syntax)
        head = struct.pack(">BBBB", context.number, 0, result, 0)
        answered += item(0x21, head + item(0x40, syntax.encode()))
    association.called, association.calling = request.called, request.calling
    association.most_sent = min(request.most or MOST_RECEIVED, MOST_RECEIVED)
    association.send(
        pdu(
            ASSOCIATE_AC,
            associate(request.called, request.calling, answered + user_information(MOST_RECEIVED)),
        )
    )


def reject(association: Association, reason: tuple[int, int, int]) -> None:
    """Reject an association with result, source and reason."""
    association.send(pdu(ASSOCIATE_RJ, bytes((0, *reason))))
    association.await_close()


def connect(
    host: str, port: int, called: str, calling: str, contexts: list[Context]
) -> Association:
    """Ask a peer for an association; OSError or RejectedError when there is none."""
    association = Association(socket.create_connection((host, port), 10))
    association.connection.settimeout(300)
    association.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    proposed = b""
    for each in contexts:
        body = struct.pack(">BBBB", each.number, 0, 0, 0) + item(0x30, each.sop_class.encode())
        body += b"".join(item(0x40, syntax.encode()) for syntax in each.syntaxes)
        proposed += item(0x20, body)
    content = associate(called, calling, proposed + user_information(MOST_RECEIVED))
    association.send(pdu(ASSOCIATE_RQ, content))
    kind, content = association.read_pdu()
    if kind == ASSOCIATE_RJ:
        association.close()
        raise RejectedError(rejection(*content[1:4]))
    if kind != ASSOCIATE_AC:
        association.close()
        raise EndedError("aborted")
    classes = {each.number: each.sop_class for each in contexts}
    for name, body in items(content[68:]):
        if name == 0x21 and body[2] == ACCEPTED:
            syntax = next((uid(each) for sub, each in items(body[4:]) if sub == 0x40), "")
            association.accepted[body[0]] = (classes[body[0]], syntax)
        elif name == 0x50:
            association.most_sent = most_received(body) or MOST_RECEIVED
    return association


def rejection(result: int, source: int, reason: int) -> str:
    """Say a rejection as dcm4che does."""
    length = {1: "permanent", 2: "transient"}.get(result, "")
    meaning = {
        (1, 2): "application-context-name-not-supported",
        (1, 3): "calling-AE-title-not-recognized",
        (1, 7): "called-AE-title-not-recognized",
        (3, 1): "temporary-congestion",
        (3, 2): "local-limit-exceeded",
    }.get((source, reason), "no-reason-given")
    return f"A-ASSOCIATE-RJ[result={result}, source={source}, reason={reason}]: {length} {meaning}"


def release(association: Association) -> None:
    """End an association that this side asked for."""
    try:
        association.send(pdu(RELEASE_RQ, bytes(4)))
        association.read_pdu()
    except EndedError:
        pass
    association.close()
