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
        counts = (self.completed, self.failed, self.warning, self.remaining)
        known = [count for count in counts if count is not None]
        return sum(known) if known else None


def move(peer: Peer, selection: Selection, destination: str) -> tuple[Status, Counts]:
    """Have the peer send the selection to C(destination), and return its final answer.

    :raises DicomError: it refuses, or an image did not arrive.
    """
    with associate(peer, [query_context(STUDY_ROOT_MOVE)]) as session:
        answers = session.association.send_c_move(
            build_identifier(selection), destination, STUDY_ROOT_MOVE
        )
        *_pending, (response, identifier) = answers
        status = read_status(response, pynetdicom.status.QR_MOVE_SERVICE_CLASS_STATUS)
        if status is None:
            raise session.lost("C-MOVE")
    counts = _counts(response)
    if status.code == UNKNOWN_DESTINATION:
        raise DicomError(
            Reason.UNKNOWN_DESTINATION,
            f"{peer}: the peer does not know the destination {destination}. "
            "Add its AE title, address and port to the move destinations of the peer.",
        )
    if counts.failed or status.code == 0xB000:
        raise _incomplete(peer, destination, status, counts, identifier)
    if not status.succeeded:
        raise failure(peer, "C-MOVE", status, **counts_result(counts))
    return status, counts


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


def counts_result(counts: Counts) -> dict[str, int | None]:
    """Return the counts under the names that the module returns."""
    return {
        "matched": counts.matched,
        "completed": counts.completed,
        "not_moved": counts.failed,
        "warning": counts.warning,
        "remaining": counts.remaining,
    }


def _counts(response: Any) -> Counts:
    names = ("Completed", "Failed", "Warning", "Remaining")
    return Counts(*(response.get(f"NumberOf{name}Suboperations") for name in names))


def _incomplete(
    peer: Peer, destination: str, status: Status, counts: Counts, identifier: Any
) -> DicomError:
    uids = identifier.get("FailedSOPInstanceUIDList") if identifier else None
    return DicomError(
        Reason.SUBOPERATIONS,
        f"{peer}: {counts.failed} of {counts.matched} images did not arrive at {destination} "
        f"(status {status.text}). See that the destination is up, that the peer has its right "
        "address, and that it takes these SOP classes.",
        status=f"0x{status.code:04X}",
        status_text=status.text,
        not_moved_uids=[str(uid) for uid in ([uids] if isinstance(uids, str) else uids or [])],
        **counts_result(counts),
    )
