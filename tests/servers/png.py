"""Reading the colours of a picture, for the tests that look at one."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """A PNG of eight bits a channel, not interlaced, as browsers write it."""

    width: int
    height: int
    channels: int
    rows: list[bytes]

    def pixel(self, x: int, y: int) -> tuple[int, ...]:
        """Red, green and blue of the pixel in column `x` and row `y`, from the top left."""
        start = x * self.channels
        return tuple(self.rows[y][start : start + 3])


def read_png(path: Path) -> Picture:
    """https://www.w3.org/TR/png-3/"""
    data = path.read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n"), f"{path} is no PNG"
    chunks = list(_chunks(data))
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", chunks[0][1])
    assert (depth, interlaced) == (8, 0), "only the kind of PNG that browsers write is read here"
    channels = {2: 3, 6: 4}[colour]
    packed = zlib.decompress(b"".join(body for kind, body in chunks if kind == b"IDAT"))
    stride = width * channels
    rows: list[bytes] = []
    previous = bytearray(stride)
    for y in range(height):
        start = y * (stride + 1)
        previous = _unfilter(packed[start], bytearray(packed[start + 1 : start + 1 + stride]), previous, channels)
        rows.append(bytes(previous))
    return Picture(width=width, height=height, channels=channels, rows=rows)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = 8
    while position < len(data):
        length, kind = struct.unpack(">I4s", data[position : position + 8])
        yield kind, data[position + 8 : position + 8 + length]
        position += length + 12


def _unfilter(kind: int, row: bytearray, above: bytearray, channels: int) -> bytearray:
    """Each byte is stored as its difference from its neighbours to the left and above."""
    if kind == 0:
        return row
    if kind == 2 and not any(row):  # the same as the row above, as on a plain background
        return above
    for i in range(len(row)):
        left = row[i - channels] if i >= channels else 0
        corner = above[i - channels] if i >= channels else 0
        guess = (0, left, above[i], (left + above[i]) // 2, _paeth(left, above[i], corner))[kind]
        row[i] = (row[i] + guess) & 0xFF
    return row


def _paeth(left: int, above: int, corner: int) -> int:
    estimate = left + above - corner
    return min((left, above, corner), key=lambda value: abs(estimate - value))
