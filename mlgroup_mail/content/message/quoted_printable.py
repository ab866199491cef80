"""Quoted-printable (RFC 2045, 6.7) in pieces: each is encoded on its own and stands between soft line breaks."""

import binascii
import re

SOFT_BREAK = b"=\r\n"
_LINE = 76
_TOO_LONG = re.compile(rb"^[^\r\n]{77,}", re.MULTILINE)
_AS_IT_IS = re.compile(rb"(?:[!-<>-~ ]{0,73}[!-<>-~])?")


def encode(text: str) -> bytes:
    """A text with LF line ends, encoded with CRLF. Its last line leaves room for a soft line break."""
    data = text.encode()
    if _AS_IT_IS.fullmatch(data):
        return data
    encoded = binascii.b2a_qp(data, istext=True).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    # binascii writes up to 78 columns where a blank stands before a line's end.
    return _with_room(_TOO_LONG.sub(_broken, encoded))


def _broken(line: re.Match[bytes]) -> bytes:
    """A line that is a little too long, as two."""
    # Not within an escape such as =C3, the longest thing that must stay whole.
    cut = line[0].rfind(b"=", 0, _LINE - 1)
    cut = cut if cut >= _LINE - 6 else _LINE - 4
    return line[0][:cut] + SOFT_BREAK + line[0][cut:]


def join_pieces(pieces: list[bytes]) -> list[bytes]:
    """Pieces of which every other one is filled later, as segments with the soft line breaks between them.

    The first, third, fifth ... piece is fixed text; what is put between two segments is an `encode`d value.
    """
    last = len(pieces) - 1
    return [
        (b"" if index == 0 else SOFT_BREAK)
        + piece
        + (b"" if index == last or not piece or piece.endswith(b"\r\n") else SOFT_BREAK)
        for index, piece in enumerate(pieces)
    ]


def _with_room(encoded: bytes) -> bytes:
    begin = encoded.rfind(b"\r\n") + 2 if b"\r\n" in encoded else 0
    if len(encoded) - begin < _LINE:
        return encoded
    cut = begin + _LINE - 4
    # Not within an escape such as =C3.
    for back in (1, 2):
        if encoded[cut - back : cut - back + 1] == b"=":
            cut -= back
            break
    return encoded[:cut] + SOFT_BREAK + encoded[cut:]
