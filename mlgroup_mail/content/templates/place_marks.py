"""Where each part of a rendered text was written: marks that are put in only to find the place of an error."""

import re
from collections.abc import Iterator

from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream

_MARK = re.compile("\x02([^\x02\x03]*)\x03")


class PlaceMarks(Extension):
    """Puts file and line before each line that stands in a template itself, not in an expression."""

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        """Mark what is no Jinja."""
        for token in stream:
            if token.type != "data":
                yield token
                continue
            lines = enumerate(token.value.split("\n"), start=token.lineno)
            marked = (f"\x02{stream.filename}, line {number}\x03{line}" for number, line in lines)
            yield Token(token.lineno, "data", "\n".join(marked))


def place_at(marked: str, offset: int) -> str:
    """File and line of what stands at an offset of the text without its marks; "" before the first mark."""
    place = ""
    # Of a text split at a pattern with a group, every second piece is what the group held.
    for index, piece in enumerate(_MARK.split(marked)):
        if index % 2:
            place = piece
        elif (offset := offset - len(piece)) < 0:
            break
    return place
