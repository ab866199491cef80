"""Where addresses stand in a text: beside names and comments, in brackets and quotation marks, one or several.

The rule of caution: letters that belong to nothing may belong to the address (a blank for a full stop, a line break
in it, a comma typed for a full stop), so a text with such letters is not read. Only brackets and quotation marks tell
where an address begins and ends.
"""

import re
from collections.abc import Iterator

from mlgroup_mail.addresses.validating import AddressError

LINE_BREAK = "[\n\r\x0b\x0c\x85\u2028\u2029]"

OTHER_TEXT = "a blank or line break stands inside the address, or other text beside it"
_QUOTED_LOCAL = "the part before the @ stands in quotation marks: hardly any server takes such an address"

_TOKEN = re.compile(
    rf"""(?P<angle><[^<>]*(?:>|$)) | (?P<quote>"[^"]*") | (?P<bracket>\([^()]*\)|\[[^\[\]]*\])
    | (?P<end>[;,、،؛]|{LINE_BREAK}) | (?P<word>[^\s<>()\[\]",;、،؛]+(?:(?<=@)\[[^\[\]]*\])?)""",
    re.VERBOSE,
)
_SLASH = re.compile(r"[/|&\\]")
_BETWEEN = """
or and ou et oder und o y e og eller en of i lub a nebo és vagy ve veya и или та або または と 和 或
"""


def meant_in(text: str) -> list[str]:
    """What is meant as an address, in the order in which it counts: that in angle brackets before that in the name.

    Each has an @ and is not validated yet; those with a blank in them have other words beside them. Raises
    AddressError where there is none, or where other text may belong to it.
    """
    pieces = list(_pieces(text))
    several = sum(piece.at_signs for piece in pieces) > 1
    found = [piece.meant(several=several) for piece in pieces]
    backwards = list(zip(pieces, found, strict=True))[::-1]
    # Names stand before an address in brackets, or behind the last one.
    named = next((piece.marked for piece, meant in backwards if meant), False)
    for piece, meant in backwards:
        if meant:
            named = piece.marked
        elif piece.telling(several=several) and not named:
            raise AddressError(OTHER_TEXT)
    if not any(found):
        raise AddressError(OTHER_TEXT)
    return [each for meant in found for each in meant]


class _Piece:
    """What stands between two commas, semicolons or line breaks.

    `words` are in their order, with the addresses in brackets and quotation marks among them; those in angle brackets
    are apart, and the words before them were a name if no address is among them.
    """

    def __init__(self) -> None:
        self.words: list[str] = []
        self._angled: list[str] = []
        self._bracketed: list[str] = []
        self._has_address = False

    @property
    def marked(self) -> bool:
        """Whether brackets or quotation marks single out an address."""
        return bool(self._angled or self._bracketed)

    @property
    def at_signs(self) -> int:
        """How many there are in what may be an address."""
        return "".join((*self._angled, *self.words)).count("@")

    def add(self, kind: str | None, token: str) -> None:
        """Take in the next token of the text."""
        if kind == "word":
            self._add_word(token)
        elif "@" in token and kind == "angle":
            self._angled += _inside(token.strip("<>"), certain=True)
            self.words = self.words if self._has_address else []
        elif "@" in token:
            inside = _inside(token[1:-1], certain=False)
            self._bracketed += inside
            for each in inside:
                self._add_word(each)

    def _add_word(self, word: str) -> None:
        self.words.append(word)
        self._has_address = self._has_address or _is_like_address(word)

    def telling(self, *, several: bool) -> list[str]:
        """The words without bullets, dashes, and the "or" between two addresses."""
        return [
            word
            for word in self.words
            if any(char.isalnum() or char == "@" for char in word)
            and not (several and word.casefold() in _BETWEEN.split())
        ]

    def meant(self, *, several: bool) -> list[str]:
        """The addresses; words that stand beside one without brackets spoil it."""
        words = self.telling(several=several)
        if all("@" in word for word in words):
            return self._angled + [part for word in words for part in _apart(word)]
        unmarked = [word for word in words if word not in self._bracketed]
        spoilt = [" ".join(unmarked)] if any("@" in word for word in unmarked) else []
        return self._angled + self._bracketed + spoilt


def _pieces(text: str) -> Iterator[_Piece]:
    piece = _Piece()
    for token in _TOKEN.finditer(text):
        if token.lastgroup == "end":
            yield piece
            piece = _Piece()
        elif token.lastgroup == "quote" and text[token.end() : token.end() + 1] == "@":
            raise AddressError(_QUOTED_LOCAL)
        else:
            piece.add(token.lastgroup, token[0])
    yield piece


def _inside(text: str, *, certain: bool) -> list[str]:
    """The addresses between brackets. Where it is not certain that one is meant, other text makes a comment of all."""
    try:
        found = meant_in(text)
    except AddressError:
        found = [text]
    return found if certain or all(len(each.split()) == 1 for each in found) else []


def _is_like_address(word: str) -> bool:
    local, _, host = word.partition("@")
    return bool(local) and "@" not in host and "." in host[1:-1]


def _apart(word: str) -> list[str]:
    """ "a@b/c@d" as two; a slash is also a letter of local parts."""
    parts = _SLASH.split(word)
    return parts if len(parts) > 1 and all(part.count("@") == 1 for part in parts) else [word]
