# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The sending side of C-MOVE: one association, in which each file is sent as it is."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from pydicom import dcmread
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.uid import UID

from double import log
from double.documents import read_header
from double.files import below
from double.log import Log
from double.settings import IMPLICIT, UNCOMPRESSED
from double.upper_layer import (
    C_STORE,
    Association,
    Command,
    Context,
    EndedError,
    RejectedError,
    connect,
    release,
)

STORED_ANYWAY = (0x0000, 0xB000, 0xB006, 0xB007)


@dataclass
class Report:
    """What became of the files of a C-MOVE."""

    wanted: int = 0
    sent: int = 0
    skipped: int = 0
    broken: bool = False


@dataclass(frozen=True)
class Image:
    """A file to be sent."""

    path: Path
    uri: str
    sop_class: str
    uid: str
    syntax: str


def images(uris: list[str], report: Report) -> list[Image]:
    """Look into the files; those that are gone are not missed, those that are no DICOM are."""
    found = []
    for path, uri in (each for one in uris for each in below(one)):
        try:
            with path.open("rb") as stream:
                dataset = read_header(stream)
            syntax = str(dataset.file_meta.TransferSyntaxUID)
            found.append(Image(path, uri, dataset.SOPClassUID, dataset.SOPInstanceUID, syntax))
        except (OSError, AttributeError):
            report.skipped += 1
    report.wanted = len(found)
    return found


def proposals(found: list[Image]) -> list[Context]:
    """Return for each class implicit and what is stored, each in a context of its own."""
    contexts: list[Context] = []
    for sop_class in dict.fromkeys(each.sop_class for each in found):
        stored = {each.syntax for each in found if each.sop_class == sop_class}
        for syntax in (IMPLICIT, *sorted(stored - {IMPLICIT})):
            contexts.append(Context(2 * len(contexts) + 1, sop_class, (syntax,)))
    return contexts


def acceptable(syntax: str) -> list[str]:
    """Return the syntaxes that a file can be sent in: uncompressed ones can be changed."""
    if syntax not in UNCOMPRESSED:
        return [syntax]
    return [syntax, *(each for each in UNCOMPRESSED if each != syntax)]


def dataset_bytes(image: Image, syntax: str) -> bytes | memoryview:
    """Return the dataset of a file, in another syntax if need be."""
    content = image.path.read_bytes()
    if syntax == image.syntax:
        return memoryview(content)[132 + 12 + int.from_bytes(content[140:144], "little") :]
    written = DicomBytesIO()
    written.is_implicit_VR = UID(syntax).is_implicit_VR
    written.is_little_endian = UID(syntax).is_little_endian
    write_dataset(written, dcmread(BytesIO(content)))
    return written.getvalue()


def send_image(association: Association, image: Image, number: int, originator: int) -> int | None:
    """Send a file; the status, nothing when the peer took no context for it."""
    accepted = {value: context for context, value in association.accepted.items()}
    syntax = next(
        (each for each in acceptable(image.syntax) if (image.sop_class, each) in accepted), None
    )
    if syntax is None:
        return None
    command: Command = {
        "AffectedSOPClassUID": image.sop_class,
        "CommandField": C_STORE,
        "MessageID": number,
        "Priority": 0,
        "AffectedSOPInstanceUID": image.uid,
        "MoveOriginatorApplicationEntityTitle": association.calling,
        "MoveOriginatorMessageID": originator,
    }
    context = accepted[(image.sop_class, syntax)]
    association.send_message(context, command, dataset_bytes(image, syntax))
    return int(next(association.messages()).command["Status"])


def send(
    uris: list[str], peer: tuple[str, int, str], title: str, originator: int, log_: Log
) -> Report:
    """Send files; OSError when there is no association."""
    report = Report()
    found = images(uris, report)
    host, port, called = peer
    try:
        association = connect(host, port, called, title, proposals(found))
    except RejectedError as error:
        raise OSError(str(error)) from None
    except EndedError:
        raise OSError("Connection reset") from None
    except OSError as error:
        refused = error.errno == errno.ECONNREFUSED
        raise OSError("Connection refused (Connection refused)" if refused else error) from None
    association.calling = title
    try:
        for number, image in enumerate(found, 1):
            status = send_image(association, image, number, originator)
            if status is None:
                log_.say(log.NOT_SENT, image.sop_class, called, image.uri)
            elif status in STORED_ANYWAY:
                report.sent += 1
            else:
                log_.say(log.NOT_TAKEN, status, image.uri, image.sop_class, image.syntax)
    except EndedError as error:
        log_.say(log.BROKEN_SENDING, image.uri, cause=f"java.io.IOException: {error}")
        report.broken = image is not found[-1]  # nobody misses the answer to the last
        association.close()
        return report
    release(association)
    return report
