# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""C-MOVE: a peer sends what it has to a third one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .association import associate
from .errors import DicomError, Reason
from .packages import pydicom, pynetdicom
from .peer import Peer
from .query import query_context
from .status import Status, failure, read_status

STUDY_ROOT_MOVE = "1.2.840.10008.5.1.4.1.2.2.2"  # PS3.4, C.6.2.3
UNKNOWN_DESTINATION = 0xA801  # PS3.4, C.4.2.1.5
INCOMPLETE = 0xB000  # the same
DESTINATION_FAILED = 0xC110  # Dicoogle's, for whatever stands between it and the destination

# What send_c_move of pynetdicom yields: responses with their identifiers.
Answers = list[tuple[Any, Any]]


@dataclass(frozen=True)
class Selection:
    """What to move: a study, one of its series, or one image of that."""

    study_instance_uid: str
    series_instance_uid: str | None
    sop_instance_uid: str | None

    @property
    def level(self) -> str:
        """The query/retrieve level, V(study), V(series) or V(image)."""
        if self.sop_instance_uid:
            return "image"
        return "series" if self.series_instance_uid else "study"


@dataclass(frozen=True)
class Counts:
    """Sub-operations by outcome, as the peer counts them; None where it does not."""

    completed: int | None
    failed: int | None
    warning: int | None
    remaining: int | None

    @property
    def matched(self) -> int | None:
        """How many images the peer found, None when it does not count."""
        return _total(self.completed, self.failed, self.warning, self.remaining)

    @property
    def not_moved(self) -> int | None:
        """How many did not arrive, None when the peer does not count."""
        return None if self.matched is None else _total(self.failed, self.remaining) or 0

    def result(self) -> dict[str, Any]:
        """Return the counts under the names that the module returns."""
        return {
            "matched": self.matched,
            "completed": self.completed,
            "not_moved": self.not_moved,
            "warning": self.warning,
            "remaining": self.remaining,
        }


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) else None


def _total(*counts: int | None) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


NOTHING = Counts(completed=0, failed=0, warning=0, remaining=0)


@dataclass(frozen=True)
class Outcome:
    """What the answers to a C-MOVE say in the end."""

    status: Status
    counts: Counts
    not_moved_uids: list[str]


def move(peer: Peer, selection: Selection, destination: str) -> tuple[Status, Counts]:
    """Have the peer send the selection to `destination`, and return its final answer.

    Raises DicomError: it refuses, or an image did not arrive.
    """
    with associate(peer, [query_context(STUDY_ROOT_MOVE)]) as session:
        answers = session.association.send_c_move(
            build_identifier(selection), destination, STUDY_ROOT_MOVE
        )
        outcome = read(list(answers))
        if outcome is None:
            raise session.lost("C-MOVE")
    check(peer, destination, outcome)
    return outcome.status, outcome.counts


def read(answers: Answers) -> Outcome | None:
    """Return the outcome of a C-MOVE, None when there was no final answer.

    Dicoogle counts nothing when it has found nothing.
    """
    *pending, (response, identifier) = answers
    status = read_status(response, pynetdicom.status.QR_MOVE_SERVICE_CLASS_STATUS)
    if status is None:
        return None
    names = ("Completed", "Failed", "Warning", "Remaining")
    counts = Counts(*(_count(response.get(f"NumberOf{name}Suboperations")) for name in names))
    if status.succeeded and counts.matched is None and not pending:
        counts = NOTHING
    uids = identifier.get("FailedSOPInstanceUIDList") if identifier else None
    return Outcome(status, counts, [uids] if isinstance(uids, str) else list(map(str, uids or [])))


def check(peer: Peer, destination: str, outcome: Outcome) -> None:
    """Fail unless all images have arrived, whatever the status says.

    Raises DicomError: the peer refuses, or an image did not arrive.
    """
    status, counts = outcome.status, outcome.counts
    if status.code == UNKNOWN_DESTINATION:
        raise DicomError(
            Reason.UNKNOWN_DESTINATION,
            f"{peer}: the peer does not know the destination {destination}. "
            "Add its AE title, address and port to the move destinations of the peer.",
        )
    if counts.not_moved or status.code == INCOMPLETE:
        raise failure(
            peer,
            "C-MOVE",
            status,
            Reason.SUBOPERATIONS,
            f"{counts.not_moved} of {counts.matched} images did not arrive at {destination}. See "
            "that it is up, that the peer has its right address, and that it takes these SOP "
            "classes.",
            not_moved_uids=outcome.not_moved_uids,
            **counts.result(),
        )
    if status.code == DESTINATION_FAILED:
        raise failure(
            peer,
            "C-MOVE",
            status,
            Reason.DESTINATION_FAILED,
            _advice(peer, destination, status),
            **counts.result(),
        )
    if not status.succeeded:
        raise failure(peer, "C-MOVE", status, **counts.result())


def _advice(peer: Peer, destination: str, status: Status) -> str:
    if "A-ASSOCIATE-RJ" in status.text:
        return (
            f"{destination} rejects the association. See that what listens there is called "
            f"{destination} and lets {peer.called_ae_title} in."
        )
    return (
        f"Nothing was sent to {destination}. Dicoogle says the same of a destination that it does "
        "not know and of one that is down: see that it is among the move destinations, in the same "
        "capitals and with the right address, and that something listens there."
    )


def build_identifier(selection: Selection) -> Any:
    """Return the data set that selects what to move."""
    identifier = pydicom.Dataset()
    identifier.QueryRetrieveLevel = selection.level.upper()
    identifier.StudyInstanceUID = selection.study_instance_uid
    if selection.series_instance_uid:
        identifier.SeriesInstanceUID = selection.series_instance_uid
    if selection.sop_instance_uid:
        identifier.SOPInstanceUID = selection.sop_instance_uid
    return identifier
