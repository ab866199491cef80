"""Tables as mail programs of any width show them: names before cells, sides, and words that stay whole."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from markdown_it.token import Token
from markupsafe import escape

from mlgroup_mail.content.writing.plain_text import to_line

_LABEL_STYLE = "display:none;mso-hide:all"
_SIDES = {"text-align:left": "text-align:right", "text-align:right": "text-align:left"}
_WIDTH_OF_A_LETTER = 9
_BESIDE_A_CELL = 12
"""CSS pixels: of a bold letter of 16 pixels, a bit more than the usual; and between two cells."""
_SHORTEST = 4


def prepare_tables(tokens: Sequence[Token], *, width: int, right_to_left: bool) -> None:
    """Change the cells of each table, whose pictures and links are prepared already; it has `width` CSS pixels.

    Columns are as wide as their longest word, and only words that leave others no room break. “:--” is the side on
    which a line begins, so in Arabic the right one.
    """
    for table in _tables(tokens):
        table[0].attrSet("class", "data")
        rows = _rows(table)
        names = [to_line([words]) for _, words in rows[0]]
        longest = _longest_that_stays(rows, width)
        for number, row in enumerate(rows):
            for name, (cell, words) in zip(names, row, strict=True):
                _take_side(cell, right_to_left=right_to_left)
                words.children = list(_with_long_words_marked(words.children or [], longest))
                if number and name:
                    words.children.insert(0, _label(name))


Cell = tuple[Token, Token]
"""What opens a cell, and the words in it."""


def _tables(tokens: Sequence[Token]) -> Iterator[Sequence[Token]]:
    begin = 0
    for index, token in enumerate(tokens):
        if token.type == "table_open":
            begin = index
        elif token.type == "table_close":
            yield tokens[begin:index]


def _rows(table: Sequence[Token]) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    for token, words in pairwise(table):
        if token.type == "tr_open":
            rows.append([])
        elif token.type in ("th_open", "td_open"):
            rows[-1].append((token, words))
    return rows


def _take_side(cell: Token, *, right_to_left: bool) -> None:
    # In plain text the line itself runs from right to left, and its first side is the one it begins on.
    if side := cell.attrs.get("style"):
        cell.meta["side"] = side
        cell.attrs["style"] = _SIDES.get(str(side), side) if right_to_left else side


def _label(name: str) -> Token:
    """The name of the column, which only narrow screens show: there each row becomes a small block.

    A style that writes the names from an attribute would be shorter, and works in hardly any mail program.
    """
    return Token("html_inline", "", 0, content=f'<span class="label" style="{_LABEL_STYLE}">{escape(name)}: </span>')


def _longest_that_stays(rows: list[list[Cell]], width: int) -> int:
    """How many letters a word may have and stay whole, so that all columns stand side by side."""
    columns = [max(map(_longest_word, cells)) for cells in zip(*rows, strict=True)]
    room = (width - _BESIDE_A_CELL * len(columns)) // _WIDTH_OF_A_LETTER
    stays = range(_SHORTEST, max(columns, default=0) + 1)
    return max((size for size in stays if sum(min(size, each) for each in columns) <= room), default=_SHORTEST)


def _longest_word(cell: Cell) -> int:
    return max((len(word) for child in cell[1].children or () for word in child.content.split()), default=0)


def _with_long_words_marked(children: Sequence[Token], longest: int) -> Iterator[Token]:
    """The class `long` is for words that may break anywhere, and that make no column wide."""
    for child in children:
        if child.type != "text":
            yield child
            continue
        for number, part in enumerate(re.split(rf"(\S{{{longest + 1},}})", child.content)):
            # What was split by stands at every second place.
            if number % 2:
                yield Token("html_inline", "", 0, content='<span class="long">')
            if part:
                yield child.copy(content=part)
            if number % 2:
                yield Token("html_inline", "", 0, content="</span>")
