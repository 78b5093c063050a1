# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""C-STORE: files go to a peer, and each one has an outcome."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .association import MAX_CONTEXTS, Context, Session, associate
from .errors import DicomError, Reason
from .files import DICOMDIR, UID_LENGTH, DicomFile, is_uid, read_file
from .packages import pynetdicom
from .peer import Peer
from .status import Status, failure, read_status

_REFUSED = (Reason.UNSUPPORTED_SOP_CLASS, Reason.UNSUPPORTED_TRANSFER_SYNTAX)


@dataclass(frozen=True)
class Outcome:
    """What became of one file: stored with a status, or an error."""

    path: Path
    file: DicomFile | None = None
    status: Status | None = None
    error: DicomError | None = None

    @property
    def stored(self) -> bool:
        """Whether the peer said that it has the object."""
        return self.status is not None and self.error is None


def check_files(paths: list[Path]) -> tuple[list[DicomFile], list[Outcome]]:
    """Return the files that can be sent, and the outcomes of those that cannot."""
    good: list[DicomFile] = []
    bad: list[Outcome] = []
    for path in paths:
        try:
            file = read_file(path)
        except DicomError as error:
            bad.append(Outcome(path, error=error))
            continue
        if objection := _objection(file):
            bad.append(Outcome(path, file, error=objection))
        else:
            good.append(file)
    return good, bad


def _objection(file: DicomFile) -> DicomError | None:
    """Return why a whole file cannot be sent, or None."""
    if file.sop_class == DICOMDIR:
        return DicomError(
            Reason.UNSUPPORTED_SOP_CLASS,
            f"{file.path} is a DICOMDIR, the index of a medium. Name the folder that it is in.",
        )
    outer = {
        "MediaStorageSOPClassUID": file.sop_class,
        "MediaStorageSOPInstanceUID": file.sop_instance_uid,
        "TransferSyntaxUID": file.transfer_syntax,
    }
    for keyword, uid in outer.items():
        if not is_uid(uid):
            return DicomError(
                Reason.INVALID_UID,
                f"{file.path}: its {keyword} is {uid!r}, which is no UID: numbers with a dot "
                f"between them, of 1 to {UID_LENGTH} characters. Correct it where it was made.",
            )
    inner = {"SOPClassUID": file.inner_sop_class, "SOPInstanceUID": file.inner_sop_instance_uid}
    for keyword, own in inner.items():
        stated = outer[f"MediaStorage{keyword}"]
        if own != stated:
            return DicomError(
                Reason.INCONSISTENT,
                f"{file.path}: its {keyword} is {own or 'missing'}, but its meta information says "
                f"{stated}. Correct one of them.",
            )
    return None


def next_batch(files: list[DicomFile]) -> list[DicomFile]:
    """Return the first files that need no more presentation contexts than an association has."""
    contexts: set[tuple[str, str]] = set()
    for count, file in enumerate(files):
        contexts.add((file.sop_class, file.transfer_syntax))
        if len(contexts) > MAX_CONTEXTS:
            return files[:count]
    return files


def store(peer: Peer, files: list[DicomFile]) -> list[Outcome]:
    """Send the files, and return the outcome of each, in their order.

    One association carries all that its presentation contexts allow. When the peer ends it over
    one file, a new one carries the rest. When the peer hangs or cannot be reached, the rest is
    not sent.
    """
    outcomes: list[Outcome] = []
    while len(outcomes) < len(files):
        rest = files[len(outcomes) :]
        try:
            outcomes += _store_batch(peer, next_batch(rest))
        except DicomError as error:
            return outcomes + [Outcome(file.path, file, error=error) for file in rest]
        last = outcomes[-1].error
        if last and last.reason is Reason.TIMEOUT:
            break
    return outcomes + [_not_sent(file) for file in files[len(outcomes) :]]


def _store_batch(peer: Peer, batch: list[DicomFile]) -> list[Outcome]:
    pairs = dict.fromkeys((file.sop_class, file.transfer_syntax) for file in batch)
    contexts = [Context(sop_class, (syntax,)) for sop_class, syntax in pairs]
    outcomes: list[Outcome] = []
    try:
        with associate(peer, contexts) as session:
            for file in batch:
                outcomes.append(_store_file(session, file))
                if not session.association.is_established:
                    break
    except DicomError as error:
        if error.reason not in _REFUSED:
            raise
        return [Outcome(file.path, file, error=error) for file in batch]
    return outcomes


def _store_file(session: Session, file: DicomFile) -> Outcome:
    refusal = session.refusal(file.sop_class, file.transfer_syntax)
    if refusal:
        return Outcome(file.path, file, error=refusal)
    operation = f"C-STORE of {file.path}"
    pynetdicom._config.STORE_SEND_CHUNKED_DATASET = True  # read and send piece by piece
    try:
        response = session.association.send_c_store(file.path)
    except OSError as error:  # the file is gone by now, or its disk fails
        session.association.abort()
        message = f"{file.path} cannot be read any more: {error.strerror}."
        return Outcome(file.path, file, error=DicomError(Reason.UNREADABLE, message))
    except Exception as error:  # pynetdicom sets no limit to what an odd file raises
        session.association.abort()
        message = f"{file.path} was not sent: {error}."
        return Outcome(file.path, file, error=DicomError(Reason.NOT_SENT, message))
    status = read_status(response, pynetdicom.status.STORAGE_SERVICE_CLASS_STATUS)
    if status is None:
        return Outcome(file.path, file, error=session.lost(operation))
    if not status.succeeded:
        return Outcome(file.path, file, status, failure(session.peer, operation, status))
    return Outcome(file.path, file, status)


def _not_sent(file: DicomFile) -> Outcome:
    error = DicomError(
        Reason.NOT_SENT, f"{file.path} was not sent, as the peer had stopped answering."
    )
    return Outcome(file.path, file, error=error)
