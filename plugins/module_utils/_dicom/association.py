# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Associations with a peer that always end, and always say why when they fail."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from .errors import DicomError, Reason
from .packages import pynetdicom
from .peer import Peer
from .tls import build_context, diagnose

MAX_CONTEXTS = 128  # PS3.8, 9.3.2.2: presentation context IDs are the odd numbers up to 255
QUEUED_PDUS = 32

# (source, diagnostic) of an A-ASSOCIATE-RJ, PS3.8, 9.3.4
_REJECTIONS = {
    (1, 3): Reason.REJECTED_CALLING_AE,
    (1, 7): Reason.REJECTED_CALLED_AE,
    (3, 1): Reason.REJECTED_BUSY,
    (3, 2): Reason.REJECTED_BUSY,
}
_ADVICE = {
    Reason.REJECTED_CALLING_AE: "Let the peer allow calling_ae_title={calling}, or use one that it "
    "allows",
    Reason.REJECTED_CALLED_AE: "called_ae_title={called} is not the peer's AE title; capitals "
    "matter",
    Reason.REJECTED_BUSY: "The peer has too many associations. Try again later",
    Reason.REJECTED: "Look into the log of the peer",
}


@dataclass(frozen=True)
class Context:
    """What one presentation context proposes: a SOP class in one or more transfer syntaxes."""

    sop_class: str
    transfer_syntaxes: tuple[str, ...]


class _Observer:
    """Remembers what tells one kind of failure from another."""

    def __init__(self) -> None:
        self.connected = False
        self.primitive: Any = None
        self._gave_up = False
        self._last_data = time.monotonic()
        self._unsent = 0

    def handlers(self) -> list[Any]:
        """Return what to bind to an association."""
        events = pynetdicom.evt
        return [
            (events.EVT_CONN_OPEN, self._on_open),
            (events.EVT_PDU_RECV, self._on_pdu),
            (events.EVT_ACSE_RECV, self._on_primitive),
            (events.EVT_ACSE_SENT, self._on_own_primitive),
            (events.EVT_DATA_SENT, self._on_sent),
            (events.EVT_DATA_RECV, self._on_received),
            (events.EVT_PDU_SENT, self._on_attempt),
        ]

    def idle(self) -> float:
        """Return the seconds since data last went either way, but for our own abort."""
        return time.monotonic() - self._last_data

    @property
    def stuck(self) -> bool:
        """Whether the last PDU could not be sent: the library swallows the error."""
        return self._unsent > 0

    def _on_open(self, event: Any) -> None:
        self.connected = True

    def _on_pdu(self, event: Any) -> None:
        # The library drops these when they come before it waits for them.
        if isinstance(event.pdu, (pynetdicom.pdu.A_ASSOCIATE_RJ, pynetdicom.pdu.A_ABORT_RQ)):
            self.primitive = event.pdu.to_primitive()

    def _on_primitive(self, event: Any) -> None:
        if not self._gave_up:  # what follows our own abort says nothing about the peer
            self.primitive = event.primitive

    def _on_own_primitive(self, event: Any) -> None:
        self._gave_up = isinstance(event.primitive, pynetdicom.pdu_primitives.A_ABORT)

    def _on_sent(self, event: Any) -> None:
        self._touch()
        self._unsent -= 1

    def _on_attempt(self, event: Any) -> None:
        self._unsent += 1

    def _on_received(self, event: Any) -> None:
        self._touch()

    def _touch(self) -> None:
        if not self._gave_up:
            self._last_data = time.monotonic()


class _SendQueue(queue.Queue):
    """Makes who reads a file wait for the network, so that no file has to fit into memory."""

    def __init__(self, sender: Any) -> None:
        super().__init__(QUEUED_PDUS)
        self._sender = sender

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Wait for room as long as somebody makes some; then drop the item."""
        while self._sender.is_alive():
            try:
                return super().put(item, timeout=0.1)
            except queue.Full:
                continue


class Session:
    """An established association."""

    def __init__(self, peer: Peer, association: Any, observer: _Observer) -> None:
        self.peer = peer
        self.association = association
        self._observer = observer

    def refusal(self, sop_class: str, transfer_syntax: str) -> DicomError | None:
        """Return why a proposed context was not accepted, or None when it was.

        The transfer syntax in a refusal means nothing (PS3.8, 9.3.3.2).
        """
        if any(
            context.abstract_syntax == sop_class and transfer_syntax in context.transfer_syntax
            for context in self.association.accepted_contexts
        ):
            return None
        rejected = self.association.rejected_contexts
        return _no_context(
            self.peer, [context for context in rejected if context.abstract_syntax == sop_class]
        )

    def lost(self, operation: str) -> DicomError:
        """Return why an operation got no answer. The association is over then."""
        idle = self._observer.idle()
        self.association.join(self.peer.connect_timeout)
        return _silence(self.peer, operation, self._observer, idle)


def _silence(peer: Peer, operation: str, observer: _Observer, idle: float) -> DicomError:
    if isinstance(observer.primitive, pynetdicom.pdu_primitives.A_ABORT):
        return DicomError(
            Reason.ABORTED,
            f"{peer}: the peer aborted the association during {operation}. "
            "Look into the log of the peer.",
        )
    if observer.stuck and idle >= peer.network_timeout:
        return DicomError(
            Reason.TIMEOUT,
            f"{peer}: the peer took no more data for {idle:.0f} s during {operation}. "
            "If it only is slow, raise network_timeout.",
        )
    if isinstance(observer.primitive, pynetdicom.pdu_primitives.A_P_ABORT):
        return DicomError(
            Reason.CLOSED, f"{peer}: the peer closed the connection during {operation}."
        )
    if idle >= peer.dimse_timeout:
        return DicomError(
            Reason.TIMEOUT,
            f"{peer}: the peer did not answer {operation} for {idle:.0f} s. "
            "If it only needs longer, raise dimse_timeout.",
        )
    return DicomError(
        Reason.INVALID_RESPONSE, f"{peer}: the peer's answer to {operation} is not valid."
    )


@contextmanager
def associate(peer: Peer, contexts: list[Context]) -> Iterator[Session]:
    """Open an association for the contexts, and release it at the end.

    Raises DicomError: the association cannot be had.
    """
    observer = _Observer()
    association = _request(peer, contexts, observer)
    if not association.is_established:
        raise _refusal(peer, association, observer)
    _bound(peer, association)
    try:
        yield Session(peer, association, observer)
    finally:
        association.release()


def _request(peer: Peer, contexts: list[Context], observer: _Observer) -> Any:
    entity = pynetdicom.AE(peer.calling_ae_title)
    entity.connection_timeout = entity.acse_timeout = peer.connect_timeout
    entity.dimse_timeout = peer.dimse_timeout
    entity.network_timeout = None  # _bound watches the connection
    tls = (build_context(peer.tls), peer.tls.server_name) if peer.tls else None
    try:
        return entity.associate(
            peer.host,
            peer.port,
            [
                pynetdicom.build_context(context.sop_class, list(context.transfer_syntaxes))
                for context in contexts
            ],
            ae_title=peer.called_ae_title,
            max_pdu=peer.max_pdu,
            tls_args=tls,
            evt_handlers=observer.handlers(),
        )
    except OSError as error:  # the name of the host
        raise diagnose(peer) or error from error


def _bound(peer: Peer, association: Any) -> None:
    """Bound what an association takes: memory, and time while the peer reads nothing."""
    for item in association.acceptor.user_information:
        if isinstance(item, pynetdicom.pdu_primitives.MaximumLengthNotification):
            # 0 stands for no limit, and would put a whole file into one PDU.
            length = item.maximum_length_received or peer.max_pdu
            item.maximum_length_received = min(length, peer.max_pdu)
    association.dul.to_provider_queue = _SendQueue(association.dul)
    association.dul.socket.socket.settimeout(peer.network_timeout)


def _refusal(peer: Peer, association: Any, observer: _Observer) -> DicomError:
    primitive = observer.primitive
    if isinstance(primitive, pynetdicom.pdu_primitives.A_ASSOCIATE) and primitive.result != 0:
        return _rejection(peer, primitive)
    if association.rejected_contexts:
        return _no_context(peer, association.rejected_contexts)
    if isinstance(primitive, pynetdicom.pdu_primitives.A_ABORT):
        return DicomError(
            Reason.ABORTED,
            f"{peer}: the peer aborted the association while it was requested. "
            "Look into the log of the peer.",
        )
    if observer.connected and primitive is None:
        return DicomError(
            Reason.TIMEOUT,
            f"{peer}: the peer took the connection, but did not answer the request for an "
            f"association within {peer.connect_timeout:g} s.",
        )
    return diagnose(peer) or DicomError(
        Reason.CLOSED,
        f"{peer}: the peer closed the connection instead of answering the request for an "
        "association. Is this a DICOM port, and is the service behind a tunnel up?",
    )


def _rejection(peer: Peer, primitive: Any) -> DicomError:
    key = (primitive.result_source, primitive.diagnostic)
    reason = _REJECTIONS.get(key, Reason.REJECTED)
    advice = _ADVICE[reason].format(calling=peer.calling_ae_title, called=peer.called_ae_title)
    return DicomError(
        reason,
        f"{peer}: the peer rejected the association: {primitive.reason_str} "
        f"({primitive.result_str}, {primitive.source_str}). {advice}.",
    )


def _no_context(peer: Peer, contexts: list[Any]) -> DicomError:
    names = ", ".join(sorted({context.abstract_syntax.name for context in contexts}))
    # 4: transfer syntaxes not supported, PS3.8, 9.3.3.2
    if any(context.result == 4 for context in contexts):
        return DicomError(
            Reason.UNSUPPORTED_TRANSFER_SYNTAX,
            f"{peer}: the peer takes {names}, but in none of the transfer syntaxes offered.",
        )
    return DicomError(
        Reason.UNSUPPORTED_SOP_CLASS,
        f"{peer}: the peer does not support {names}. Is this the port of the right service?",
    )
