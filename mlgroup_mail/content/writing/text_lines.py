"""Which line of the author's file each line of a rendered text comes from.

Jinja moves lines: a condition drops some, a loop repeats others. So every line that its author wrote carries a mark
through Jinja, and the marks are read and taken away before the text is looked at as Markdown.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream

_MARK = re.compile("\x02(\\d+)\x03")
# What was left out between two marks has a mark and no words: the last one before the words is theirs.
_FIRST_MARKS = re.compile("(?:\x02(\\d+)\x03)+")
_CAPTURES = ("set", "macro", "call", "filter")
_CAPTURE_ENDS = tuple(f"end{name}" for name in _CAPTURES)
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class LineMarks(Extension):
    """Puts its number before each line that stands in a text itself, not in an expression."""

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        """Mark what is no Jinja; what is captured stays as it is, because a text may compare it."""
        captured = 0
        tag: list[Token] = []
        for token in stream:
            if token.type == "block_begin":
                tag = []
            elif token.type == "block_end":
                captured += _captures(tag)
            else:
                tag.append(token)
            if token.type != "data" or captured > 0:
                yield token
                continue
            yield Token(token.lineno, "data", marked(token.value, token.lineno))


def _captures(tag: list[Token]) -> int:
    """1 for a tag that begins to capture text, -1 for one that ends it, else 0."""
    name = tag[0].value if tag else ""
    if name in _CAPTURE_ENDS:
        return -1
    # {% set name = value %} captures nothing.
    return int(name in _CAPTURES and not any(token.type == "assign" for token in tag))


@dataclass(frozen=True, kw_only=True, slots=True)
class TextLines:
    """Lines of a text after Jinja, each with its number in the author's file, `place` (as shown to people)."""

    place: str
    lines: tuple[str, ...]
    numbers: tuple[int, ...]

    @property
    def text(self) -> str:
        """The lines as one text."""
        return "\n".join(self.lines)

    def where(self, index: int) -> str:
        """File and line of the line with that index; of the last one where it lies behind."""
        return f"{self.place}, line {self.numbers[min(index, len(self.numbers) - 1)]}" if self.numbers else self.place

    def part(self, begin: int, end: int | None = None) -> "TextLines":
        """Some of the lines, by index."""
        return TextLines(place=self.place, lines=self.lines[begin:end], numbers=self.numbers[begin:end])

    def without_blank_ends(self) -> "TextLines":
        """The same from its first line that says something to its last."""
        filled = [index for index, line in enumerate(self.lines) if line.strip()]
        return self.part(filled[0], filled[-1] + 1) if filled else self.part(0, 0)


def marked(text: str, first: int) -> str:
    """A part of a text with its number before each line, of which the first is `first`."""
    return "\n".join(f"\x02{number}\x03{line}" for number, line in enumerate(text.split("\n"), start=first))


def unmarked(rendered: str, *, place: str) -> TextLines:
    """A text that was rendered with LineMarks, without the marks and without blank lines at its ends."""
    lines, numbers, number = [], [], 1
    for line in rendered.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if found := _FIRST_MARKS.search(line):
            number = int(found[1])
        lines.append(_CONTROLS.sub(" ", _MARK.sub("", line)))
        numbers.append(number)
    return TextLines(place=place, lines=tuple(lines), numbers=tuple(numbers)).without_blank_ends()
