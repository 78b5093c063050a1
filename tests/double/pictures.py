# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An image as PNG: its first frame, gray, if it is not compressed."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

from pydicom import dcmread
from pydicom.errors import InvalidDicomError

from double.settings import UNCOMPRESSED

THUMBNAIL = 64  # pixels a side


class PictureError(Exception):
    """A file that is no image, or one that cannot be decoded."""


def png(path: Path, *, thumbnail: bool) -> bytes:
    """Return the picture of a file."""
    try:
        image = dcmread(path)
    except (InvalidDicomError, OSError) as error:
        raise PictureError(str(error)) from None
    if "PixelData" not in image or image.file_meta.TransferSyntaxUID not in UNCOMPRESSED:
        raise PictureError("not decodable")
    rows, columns = int(image.Rows), int(image.Columns)
    size = rows * columns
    kind = {8: "B", 16: "h" if image.PixelRepresentation else "H"}[int(image.BitsAllocated)]
    samples = struct.unpack_from(f"<{size}{kind}", image.PixelData)
    low, high = min(samples), max(samples)
    gray = bytes((each - low) * 255 // max(high - low, 1) for each in samples)
    if not thumbnail:
        lines = [gray[place : place + columns] for place in range(0, size, columns)]
        return encode(lines, columns, color=0)
    lines = []
    for row in range(THUMBNAIL):
        begin = row * rows // THUMBNAIL * columns
        picked = (gray[begin + each * columns // THUMBNAIL] for each in range(THUMBNAIL))
        lines.append(bytes(value for sample in picked for value in (sample,) * 3))
    return encode(lines, THUMBNAIL, color=2)


def encode(lines: list[bytes], width: int, *, color: int) -> bytes:
    """Write a PNG of 8 bits a sample."""

    def chunk(name: bytes, content: bytes) -> bytes:
        checked = name + content
        return struct.pack(">L", len(content)) + checked + struct.pack(">L", zlib.crc32(checked))

    head = struct.pack(">LLBBBBB", width, len(lines), 8, color, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + line for line in lines))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )
