# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tells a whole DICOM file from one that was cut off, without reading its pixels.

A data set has no end mark. One that was cut between two elements is known by the pixels that its
Rows announce; before these it is taken for whole. So is what inflates to more than the keeper has
memory for.

DICOM PS3.10 (files) and PS3.5 (data elements). The `pydicom` library takes a cut value for a
whole one, so it cannot be asked.
"""

from __future__ import annotations

import contextlib
import io
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

IMPLICIT_LITTLE = "1.2.840.10008.1.2"
DEFLATED_LITTLE = "1.2.840.10008.1.2.1.99"
EXPLICIT_BIG = "1.2.840.10008.1.2.2"

_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = (0xFFFE, 0xE000), (0xFFFE, 0xE00D), (0xFFFE, 0xE0DD)
_TRANSFER_SYNTAX, _META_UID = (0x0002, 0x0010), (0x0002, 0x0003)
_UID, _MODALITY = (0x0008, 0x0018), (0x0008, 0x0060)
_ROWS = (0x0028, 0x0010)
_PIXELS = {(0x7FE0, 0x0008), (0x7FE0, 0x0009), (0x7FE0, 0x0010)}
_WANTED = {_TRANSFER_SYNTAX, _META_UID, _UID, _MODALITY}
_LONGEST_WANTED = 1024  # bytes
_DEEPEST = 64  # sequences in sequences
_LARGEST_INFLATED = 64 * 2**20  # bytes that are looked at; 1 MB may inflate to 1 GB
# PS3.5, 7.1.2: these have a reserved field and a length of 4 bytes.
_LONG_VRS = set(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())


@dataclass(frozen=True)
class Examination:
    """What a file is. `problem` says why Dicoogle cannot index it, None if it can."""

    sop_instance_uid: str
    whole: bool
    problem: str | None


class _CutError(Exception):
    """The file ends in the middle of something."""


class _NotDicomError(Exception):
    """The file is something else."""


def examine(path: Path) -> Examination:
    """Return what a file is.

    Raises OSError: it cannot be read, or is gone.
    """
    values: dict[tuple[int, int], str] = {}
    problem: str | None = None
    with path.open("rb") as stream:
        try:
            _walk(stream, values)
        except _CutError:
            problem = "it ends in the middle"
        except _NotDicomError as error:
            problem = f"it is no DICOM file: {error}"
    uid = values.get(_UID) or values.get(_META_UID) or ""
    whole = problem is None
    if whole and not uid:
        problem = "it has no SOP Instance UID (0008,0018)"
    elif whole and not values.get(_MODALITY):
        problem = "it has no Modality (0008,0060)"
    return Examination(uid, whole, problem)


def _walk(stream: BinaryIO, values: dict[tuple[int, int], str]) -> None:
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    head = stream.read(132)
    if len(head) == 132 and head[128:] != b"DICM":
        raise _NotDicomError("bytes 128 to 132 are not DICM")
    if len(head) < 132:
        raise _CutError
    reader = _Reader(stream, size, "<", explicit=True, values=values)
    reader.elements(until_group=0x0002)
    if reader.at_end():
        raise _CutError
    syntax = values.get(_TRANSFER_SYNTAX, "")
    if not syntax:
        raise _NotDicomError("it names no transfer syntax")
    if syntax == DEFLATED_LITTLE:
        data = _inflate(stream.read())
        reader = _Reader(io.BytesIO(data), len(data), "<", explicit=True, values=values)
        if len(data) == _LARGEST_INFLATED:
            with contextlib.suppress(_CutError):
                reader.elements()
            return
    else:
        order = ">" if syntax == EXPLICIT_BIG else "<"
        reader = _Reader(stream, size, order, syntax != IMPLICIT_LITTLE, values)
    reader.elements()
    if reader.seen & {_ROWS} and not reader.seen & _PIXELS:
        raise _CutError


def _inflate(data: bytes) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        inflated = inflater.decompress(data, _LARGEST_INFLATED)
    except zlib.error as error:
        raise _NotDicomError(f"its deflated part cannot be read ({error})") from error
    if not inflater.eof and not inflater.unconsumed_tail:
        raise _CutError
    return inflated


class _Reader:
    """Goes from element to element, past their values."""

    def __init__(
        self,
        stream: BinaryIO,
        size: int,
        order: str,
        explicit: bool,
        values: dict[tuple[int, int], str],
    ) -> None:
        self._stream = stream
        self._size = size
        self._order = order
        self._explicit = explicit
        self._values = values
        self.seen: set[tuple[int, int]] = set()

    def at_end(self) -> bool:
        return self._stream.tell() >= self._size

    def elements(self, until_group: int | None = None) -> None:
        """Pass all elements, or only those of the group that the file begins with."""
        while not self.at_end():
            begin = self._stream.tell()
            tag = self._tag()
            if until_group is not None and tag[0] != until_group:
                self._stream.seek(begin)
                return
            vr, length = self._vr_and_length()
            if tag in _WANTED and length <= _LONGEST_WANTED and tag not in self._values:
                text = self._bytes(length).decode("ascii", errors="replace")
                self._values[tag] = text.strip(" \0")
            else:
                self._pass(vr, length)
            self.seen.add(tag)
            if tag in _PIXELS:  # what follows is padding
                return

    def _pass(self, vr: bytes | None, length: int, depth: int = 0) -> None:
        if length != _UNDEFINED:
            self._skip(length)
            return
        if depth > _DEEPEST:
            raise _NotDicomError(f"its sequences are more than {_DEEPEST} deep")
        # PS3.5, 6.2.2, note 2: unknown values of undefined length are implicit inside.
        explicit, self._explicit = self._explicit, self._explicit and vr != b"UN"
        self._items(depth)
        self._explicit = explicit

    def _items(self, depth: int) -> None:
        while (tag := self._tag()) != _SEQUENCE_END:
            length = self._number("I")
            if tag != _ITEM:
                raise _NotDicomError("a sequence holds something else than items")
            if length != _UNDEFINED:
                self._skip(length)
                continue
            while (inner := self._tag()) != _ITEM_END:
                if inner == _SEQUENCE_END:
                    raise _NotDicomError("an item is not ended")
                self._pass(*self._vr_and_length(), depth + 1)
            self._skip(4)
        self._skip(4)

    def _vr_and_length(self) -> tuple[bytes | None, int]:
        if not self._explicit:
            return None, self._number("I")
        vr = self._bytes(2)
        if not vr.isalpha():
            raise _NotDicomError("an element has no value representation")
        if vr in _LONG_VRS:
            self._skip(2)
            return vr, self._number("I")
        return vr, self._number("H")

    def _tag(self) -> tuple[int, int]:
        return self._number("H"), self._number("H")

    def _number(self, form: str) -> int:
        data = self._bytes(struct.calcsize(form))
        return int(struct.unpack(f"{self._order}{form}", data)[0])

    def _bytes(self, count: int) -> bytes:
        data = self._stream.read(count)
        if len(data) < count:
            raise _CutError
        return data

    def _skip(self, count: int) -> None:
        if self._stream.tell() + count > self._size:
            raise _CutError
        self._stream.seek(count, io.SEEK_CUR)
