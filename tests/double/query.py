# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""C-FIND and C-MOVE: both paste what they are asked for into a query of Lucene."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import datetime
from io import BytesIO
from typing import Any

from pydicom.filereader import read_dataset

from double import log
from double.archive import Archive
from double.documents import FIELDS
from double.log import Log
from double.model import Series, Study, patients
from double.moves import Report, send
from double.server import Server, response
from double.settings import FIND_AND_MOVE, IMPLICIT, UNCOMPRESSED, VERIFICATION, Settings
from double.upper_layer import C_CANCEL, C_FIND, C_MOVE, Association, EndedError, Message

MODALITIES_IN_STUDY, STUDY_DATE, STUDY_TIME = 0x00080061, 0x00080020, 0x00080030
STUDY_UID, LEVEL, CHARACTER_SET = 0x0020000D, 0x00080052, 0x00080005
PENDING, PENDING_WARNING, CANCEL, WARNING, FAILURE = 0xFF00, 0xFF01, 0xFE00, 0xB000, 0xC110
LEVELS = ("PATIENT", "STUDY", "SERIES", "IMAGE")
BIG_ENDIAN = UNCOMPRESSED[2]
Keys = dict[int, bytes]
Answer = dict[int, tuple[str, str]]  # representation and value by tag


def read_keys(data: bytes, syntax: str) -> Keys:
    """Return the elements of an identifier."""
    dataset: Any = read_dataset(BytesIO(data), syntax == IMPLICIT, syntax != BIG_ENDIAN)
    values = ((int(tag), dataset.get_item(tag).value) for tag in sorted(dataset.keys()))
    return {tag: value if isinstance(value, bytes) else b"" for tag, value in values}


def write_answer(answer: Answer, syntax: str) -> bytes:
    """Write a dataset, in Latin-1 whatever it says."""
    content, order = b"", ">" if syntax == BIG_ENDIAN else "<"
    for tag, (kind, text) in sorted(answer.items()):
        value = text.encode("latin-1", "replace")
        if len(value) % 2:
            value += b"\0" if kind == "UI" else b" "
        head = struct.pack(f"{order}HH", tag >> 16, tag & 0xFFFF)
        if syntax == IMPLICIT:
            content += head + struct.pack("<L", len(value)) + value
        else:
            content += head + kind.encode() + struct.pack(f"{order}H", len(value)) + value
    return content


def clause(tag: int, value: str) -> str:
    """Return what a key becomes in the query."""
    if tag == MODALITIES_IN_STUDY:
        return f" ({' OR '.join(f'Modality:{each}' for each in value.split(chr(92)))})"
    if tag in (STUDY_DATE, STUDY_TIME):
        dates = value.rstrip("-").split("-")
        if len(dates) == 1:
            open_end = tag == STUDY_DATE and "-" in value
            last = datetime.now().strftime("%G%m%d") if open_end else dates[0]
            return f"{FIELDS[tag]}:[{dates[0]} TO {last}]"
        return f"{FIELDS[tag]}:[{dates[0]} TO {dates[1]}]"
    return f"{FIELDS[tag]}:{value}"


def lucene_query(keys: Keys) -> str:
    """Return the query for an identifier, which is read as UTF-8 whatever it says."""
    texts = {tag: keys[tag].decode("utf-8", "replace") for tag in FIELDS if tag in keys}
    clauses = [clause(tag, text.strip(" \0")) for tag, text in texts.items() if text]
    return " AND ".join(clauses) or "*:*"


def study_answer(study: Study) -> Answer:
    """Return all that is told of a study, and of a patient."""
    first = study.series[0].modality
    return {
        CHARACTER_SET: ("CS", "ISO_IR 100"),
        0x00100010: ("PN", study.patient.name),
        0x00100020: ("LO", study.patient.identity),
        0x00100030: ("DA", study.patient.birth_date),
        0x00100040: ("CS", study.patient.sex),
        STUDY_DATE: ("DA", study.date),
        STUDY_TIME: ("TM", study.time),
        0x00200010: ("SH", study.identity),
        0x00080050: ("SH", study.accession),
        STUDY_UID: ("UI", study.uid),
        0x00081030: ("LO", study.description),
        MODALITIES_IN_STUDY: ("CS", first),
        0x00080060: ("CS", first),
        0x00080080: ("LO", study.institution),
        0x00201208: ("IS", str(sum(len(each.images) for each in study.series))),
        0x00201209: ("IS", str(len(study.series))),
    }


def series_answer(series: Series) -> Answer:
    """Return all that is told of a series."""
    return {
        CHARACTER_SET: ("CS", ""),
        LEVEL: ("CS", "SERIES"),
        0x00080080: ("LO", series.study.institution),
        STUDY_UID: ("UI", series.study.uid),
        0x0020000E: ("UI", series.uid),
        0x0008103E: ("LO", series.description),
        0x00080021: ("DA", series.date),
        0x00080060: ("CS", series.modality),
        0x00200011: ("IS", str(series.number)),
        0x00181030: ("LO", series.protocol),
        0x00201209: ("IS", str(len(series.images))),
    }


def image_answer(fields: dict[str, str]) -> Answer:
    """Return all that is told of an image."""
    return {
        CHARACTER_SET: ("CS", ""),
        LEVEL: ("CS", "IMAGE"),
        0x00080080: ("LO", fields.get("InstitutionName", "")),
        STUDY_UID: ("UI", fields.get("StudyInstanceUID", "")),
        0x0020000E: ("UI", fields.get("SeriesInstanceUID", "")),
        0x00080018: ("UI", fields.get("SOPInstanceUID", "")),
        0x0008103E: ("LO", fields.get("SeriesDescription", "")),
        0x00080021: ("DA", fields.get("SeriesDate", "")),
        0x00080031: ("TM", fields.get("SeriesTime", "")),
        0x00080060: ("CS", fields.get("Modality", "")),
        0x00200011: ("IS", fields.get("SeriesNumber", "")),
    }


def answers(level: str, found: list[dict[str, str]]) -> Iterator[Answer]:
    """Give an answer for each match: a patient is told once for each study."""
    if level == "IMAGE":
        yield from map(image_answer, found)
        return
    for patient in patients(found):
        for study in patient.studies:
            if level == "SERIES":
                yield from map(series_answer, study.series)
            else:
                yield study_answer(study)


class Query:
    """The service on the query port."""

    def __init__(self, settings: Settings, archive: Archive, log_: Log) -> None:
        self._settings = settings
        self._archive = archive
        self._log = log_

    def listen(self) -> Server:
        """Open the port with the settings of now; OSError when it is taken."""
        settings = self._settings
        return Server(
            settings.query,
            {settings.title},
            settings.most_query_associations,
            dict.fromkeys([*FIND_AND_MOVE, VERIFICATION], UNCOMPRESSED),
            self.handle,
            self._log,
        )

    def handle(self, association: Association, message: Message) -> None:
        """Answer a request."""
        syntax = association.accepted[message.context][1]
        match message.command.get("CommandField"):
            case command if command == C_FIND:
                self._find(association, message, read_keys(message.data, syntax), syntax)
            case command if command == C_MOVE:
                self._move(association, message, read_keys(message.data, syntax))
            case command if command == C_CANCEL:
                pass
            case _:
                association.abort()
                raise EndedError("released")

    def _search(self, keys: Keys, level: str) -> list[dict[str, str]]:
        query = lucene_query(keys)
        self._log.say(log.FIND_QUERY, query)
        self._log.say(log.FIND_LEVEL, level)
        return self._archive.search(query)

    def _find(self, association: Association, message: Message, keys: Keys, syntax: str) -> None:
        wanted = keys.get(LEVEL, b"").decode("latin-1")
        level = next((each for each in LEVELS if each in wanted), None)
        if level is None:
            refused = response(message, CANCEL)
            refused["OffendingElement"] = LEVEL
            refused["ErrorComment"] = "Query/Retrieve Level invalid or missing"
            association.send_message(message.context, refused)
            return
        asked = " ".join(value.decode("utf-8", "replace") for value in keys.values())
        caller = association.calling
        self._log.say(log.SERVICE_USED, caller, "cfind", f"{caller}({association.serial})", asked)
        for each in answers(level, self._search(keys, level)):
            complete = all(tag in each for tag in keys)
            told = {tag: each[tag] for tag in {*keys, CHARACTER_SET} if tag in each}
            pending = response(message, PENDING if complete else PENDING_WARNING)
            association.send_message(message.context, pending, write_answer(told, syntax))
        association.send_message(message.context, response(message, 0))

    def _move(self, association: Association, message: Message, keys: Keys) -> None:
        caller = association.calling
        if self._settings.allowed_title not in ("", caller):
            association.abort()
            raise EndedError("released")
        self._log.say(log.MOVE_PERMITTED, caller)
        if STUDY_UID not in keys:
            raise EndedError("released")  # of a NullPointerException
        uris = [each["uri"] for each in self._search(keys, "IMAGE")]
        answer = response(message, 0)
        if uris:
            title = message.command["MoveDestination"]
            host, port = association.connection.getpeername()[:2]
            for each in self._settings.destinations:
                if each.title == title:
                    host, port = each.host, each.port
            study = keys[STUDY_UID].decode("latin-1").strip(" \0")
            about = f"Files: {len(uris)} -- ({host}:{port})"
            self._log.say(log.SERVICE_USED, title, "cmove", about, f"studyUID={study}")
            originator = message.command["MessageID"]
            try:
                report = send(
                    uris, (host, port, title), self._settings.title, originator, self._log
                )
                answer |= counts(report)
            except OSError as error:
                self._log.say(log.MOVE_FAILED, title, cause=f"java.net.ConnectException: {error}")
                answer |= {"Status": FAILURE, "ErrorID": 10, "ErrorComment": str(error)}
        association.send_message(message.context, answer)


def counts(report: Report) -> dict[str, object]:
    """Return what a C-MOVE-RSP says: only skipped files count as failed."""
    told: dict[str, object] = {"NumberOfCompletedSuboperations": report.sent}
    if report.wanted > report.sent:
        told["NumberOfRemainingSuboperations"] = report.wanted - report.sent
    if report.skipped:
        told |= {"NumberOfFailedSuboperations": report.skipped, "Status": WARNING}
    if report.broken:
        told |= {
            "Status": FAILURE,
            "ErrorID": 1,
            "ErrorComment": "DICOM file transmission failed",
        }
    return told
