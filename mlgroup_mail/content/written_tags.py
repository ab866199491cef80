"""A page's tags as they are written: where the values of their attributes stand."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser

URL_ATTRIBUTES = frozenset({"href", "src", "action", "formaction", "background", "poster", "cite", "srcset"})
"""Attributes whose value is an address."""

CONDITIONAL = re.compile(r"\[if [^\]]*\]>(?P<content>.*)<!\[endif\]\Z", re.DOTALL | re.IGNORECASE)
"""A comment that Outlook reads as part of the page."""

_ATTRIBUTE = re.compile(
    r"""\s*(?P<name>[^\s=>"'/]+)(?:\s*=\s*(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>[^\s>]+)))?/?"""
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Attribute:
    """An attribute that has a value, as written; `start` is the offset of the value."""

    name: str
    value: str
    start: int
    quoted: bool


def attributes_of(tag: str, written: str, start: int = 0) -> Iterator[Attribute]:
    """The attributes of one start tag; `written` is the whole of it, which begins at the offset `start`.

    HTMLParser gives attributes without their places: they are found again here.
    """
    position = 1 + len(tag)
    while (found := _ATTRIBUTE.match(written, position)) and found.end() > position:
        for group in ("double", "single", "bare"):
            if found[group]:
                yield Attribute(
                    name=found["name"].lower(),
                    value=found[group],
                    start=start + found.start(group),
                    quoted=group != "bare",
                )
        position = found.end()


@dataclass(frozen=True, kw_only=True, slots=True)
class Tags:
    """A page's attributes in order, and its style sheets, each with its offset; Outlook's comments included."""

    attributes: list[Attribute]
    sheets: list[tuple[int, str]]


def tags_of(page: str) -> Tags:
    """Read a page's tags as they are written."""
    reader = _Reader(page, 0)
    reader.feed(page)
    reader.close()
    return reader.found


class PlacedParser(HTMLParser):
    """An HTMLParser that knows the offset of what it reads, in a text that begins at the offset `offset`."""

    def __init__(self, text: str, offset: int) -> None:
        super().__init__(convert_charrefs=False)
        self._offset = offset
        self._lines = [0, *(found.end() for found in re.finditer("\n", text))]

    def at(self) -> int:
        """The offset of what is being handled."""
        line, column = self.getpos()
        return self._offset + self._lines[line - 1] + column


class _Reader(PlacedParser):
    def __init__(self, page: str, offset: int) -> None:
        super().__init__(page, offset)
        self.found = Tags(attributes=[], sheets=[])

    # The attributes as parsed have lost their places.
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self.found.attributes.extend(attributes_of(tag, self.get_starttag_text() or "", self.at()))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "style":
            self.found.sheets.append((self.at(), data))

    def handle_comment(self, data: str) -> None:
        if conditional := CONDITIONAL.match(data):
            inner = _Reader(conditional["content"], self.at() + len("<!--") + conditional.start("content"))
            inner.feed(conditional["content"])
            inner.close()
            self.found.attributes.extend(inner.found.attributes)
            self.found.sheets.extend(inner.found.sheets)
