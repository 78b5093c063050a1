# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""C-FIND: what a peer has."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from .association import Context, Session, associate
from .errors import DicomError, Reason
from .packages import pydicom, pynetdicom
from .peer import Peer
from .status import failure, read_status

PATIENT_ROOT_FIND = "1.2.840.10008.5.1.4.1.2.1.1"  # PS3.4, C.6.1.3
STUDY_ROOT_FIND = "1.2.840.10008.5.1.4.1.2.2.1"  # PS3.4, C.6.2.3

# The key that identifies an entity of each level, PS3.4, C.6.1.1
UNIQUE_KEYS = {
    "patient": "PatientID",
    "study": "StudyInstanceUID",
    "series": "SeriesInstanceUID",
    "image": "SOPInstanceUID",
}


@dataclass(frozen=True)
class Matches:
    """Matches as dictionaries of keyword to value, and whether there are more than asked for."""

    matches: list[dict[str, Any]]
    limited: bool


def build_identifier(level: str, query: dict[str, Any]) -> Any:
    """Return the data set of a query. An empty value asks for the attribute of each match.

    Raises DicomError: a keyword is unknown or one of a sequence, or does not take its value.
    """
    identifier = pydicom.Dataset()
    if not str(query).isascii():
        identifier.SpecificCharacterSet = "ISO_IR 192"
    identifier.QueryRetrieveLevel = level.upper()
    for keyword, value in {UNIQUE_KEYS[level]: "", **query}.items():
        tag = pydicom.datadict.tag_for_keyword(keyword)
        if tag is None or pydicom.datadict.dictionary_VR(tag) == "SQ":
            raise DicomError(
                Reason.INVALID_INPUT,
                f"query: {keyword} is not the keyword of an attribute with a plain value. "
                "Keywords stand in PS3.6, for example PatientName.",
            )
        try:
            setattr(identifier, keyword, _text(value))
            pydicom.filewriter.write_dataset(_implicit_buffer(), identifier)
        except Exception as error:  # pydicom sets no limit to what an odd value raises
            raise DicomError(
                Reason.INVALID_INPUT,
                f"query: {keyword} cannot be asked for with this value, as its value "
                f"representation is {pydicom.datadict.dictionary_VR(tag)}. Leave it empty, or out.",
            ) from error
    return identifier


def _implicit_buffer() -> Any:
    buffer = pydicom.filebase.DicomBytesIO()
    buffer.is_implicit_VR = buffer.is_little_endian = True
    return buffer


def _text(value: Any) -> str | list[str]:
    if isinstance(value, list):
        return [str(each) for each in value]
    return "" if value is None else str(value)


def to_dict(dataset: Any) -> dict[str, Any]:
    """Return the attributes that have a keyword and fit into JSON; sequences as lists."""
    values = {element.keyword: _plain(element.value) for element in dataset if element.keyword}
    return {keyword: value for keyword, value in values.items() if not isinstance(value, bytes)}


def _plain(value: Any) -> Any:
    if isinstance(value, pydicom.Sequence):
        return [to_dict(item) for item in value]
    if isinstance(value, pydicom.multival.MultiValue):
        return [_plain(each) for each in value]
    if value is None or isinstance(value, bytes):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float | pydicom.valuerep.DSdecimal):
        return float(value)
    return str(value)


def find(peer: Peer, level: str, query: dict[str, Any], limit: int | None) -> Matches:
    """Return what matches the query, at most `limit`.

    Raises DicomError: the peer cannot be asked, or refuses.
    """
    identifier = build_identifier(level, query)
    model = PATIENT_ROOT_FIND if level == "patient" else STUDY_ROOT_FIND
    with associate(peer, [query_context(model)]) as session:
        return _collect(session, identifier, model, limit)


def query_context(model: str) -> Context:
    """Return a context in the two transfer syntaxes that everybody has."""
    syntaxes = (pydicom.uid.ExplicitVRLittleEndian, pydicom.uid.ImplicitVRLittleEndian)
    return Context(model, syntaxes)


def _collect(session: Session, identifier: Any, model: str, limit: int | None) -> Matches:
    association = session.association
    table = pynetdicom.status.QR_FIND_SERVICE_CLASS_STATUS
    matches: list[dict[str, Any]] = []
    deadline: float | None = None
    for response, match in association.send_c_find(identifier, model):
        status = read_status(response, table)
        if status is None:
            raise session.lost("C-FIND")
        if not status.pending:
            if deadline is None and not status.succeeded:
                raise failure(session.peer, "C-FIND", status)
            break
        if match is None:
            association.abort()
            raise DicomError(
                Reason.INVALID_RESPONSE, f"{session.peer}: a match of C-FIND cannot be decoded."
            )
        if limit is None or len(matches) < limit:
            matches.append(to_dict(match))
        elif deadline is None:
            association.send_c_cancel(1, query_model=model)
            deadline = time.monotonic() + session.peer.dimse_timeout
        elif time.monotonic() > deadline:
            association.abort()
            break
    return Matches(matches, limited=deadline is not None)
