"""PNG, JPEG and GIF: told by their content, walked to their end, never decoded."""

import io
import struct
import zlib

MEDIA_TYPES = {"image/png": "PNG", "image/jpeg": "JPEG", "image/gif": "GIF"}
"""What every mail program shows."""

_BEGINNINGS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
_CUT_OFF = "this picture is cut off: its end is missing"
_DAMAGED = "this picture is damaged"


class PictureError(ValueError):
    """A picture is not whole, or its size cannot be read."""


def media_type_of(content: bytes) -> str | None:
    """The type by the first bytes, whatever a file's name says; None for any other."""
    return next((kind for beginning, kind in _BEGINNINGS if content.startswith(beginning)), None)


def check_whole(content: bytes, media_type: str) -> tuple[int, int]:
    """Width and height in pixels as the file says: nothing is unpacked, so that no header can ask for memory.

    Raises PictureError where the file ends too early, is damaged, or gives no size.
    """
    import imagesize

    try:
        _WALKS[media_type](content)
    except (IndexError, struct.error):
        raise PictureError(_CUT_OFF) from None
    width, height = imagesize.get(io.BytesIO(content))
    if width < 1 or height < 1:
        raise PictureError(_DAMAGED)
    return int(width), int(height)


def _walk_png(content: bytes) -> None:
    """Every chunk with its checksum, to IEND (https://www.w3.org/TR/png-3/#5Chunk-layout)."""
    at, kind = 8, b""
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", content, at)
        (checksum,) = struct.unpack_from(">I", content, at + 8 + length)
        if zlib.crc32(content[at + 4 : at + 8 + length]) != checksum:
            raise PictureError(_DAMAGED)
        at += 12 + length


def _walk_jpeg(content: bytes) -> None:
    """Every segment up to the picture itself, in which no end marker can occur but its own (ITU-T T.81, B.1.1)."""
    at = 2
    while content[at] == 0xFF and content[at + 1] != 0xDA:
        # A marker may have any number of bytes FF before it.
        at += 1 if content[at + 1] == 0xFF else 2 + int.from_bytes(content[at + 2 : at + 4])
    if content[at] != 0xFF:
        raise PictureError(_DAMAGED)
    if content.find(b"\xff\xd9", at) < 0:
        raise PictureError(_CUT_OFF)


def _walk_gif(content: bytes) -> None:
    """Every block to the trailer (https://www.w3.org/Graphics/GIF/spec-gif89a.txt)."""
    at = 13 + _colours(content[10])
    while (block := content[at]) != 0x3B:
        if block == 0x2C:
            at += 10 + _colours(content[at + 9]) + 1
        elif block == 0x21:
            at += 2
        else:
            raise PictureError(_DAMAGED)
        while size := content[at]:
            at += 1 + size
        at += 1


def _colours(flags: int) -> int:
    """The bytes of a table of colours."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


_WALKS = {"image/png": _walk_png, "image/jpeg": _walk_jpeg, "image/gif": _walk_gif}
