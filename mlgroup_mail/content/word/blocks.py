"""A document as blocks: what the steps work on, and what becomes Markdown in the end."""

from dataclasses import dataclass, replace
from enum import StrEnum

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString

from mlgroup_mail.content.word.inline import Inline, inline, lines_of
from mlgroup_mail.content.word.paragraph_styles import LIST_MARK
from mlgroup_mail.content.word.remarks import Remark, look, quoted
from mlgroup_mail.content.word.tables import is_layout, table
from mlgroup_mail.content.word.to_html import CAPTION_CLASS, NOTE_PREFIXES, TITLE_CLASS

SAME_PARAGRAPH = -1
"""The gap before a line that a line break begins."""


class BlockKind(StrEnum):
    """What a block is."""

    HEADING = "heading"
    """A heading."""
    TEXT = "text"
    """A paragraph, or a line of one."""
    ITEM = "item"
    """An item of a list."""
    QUOTE = "quote"
    """A quotation."""
    TABLE = "table"
    """A table: its Markdown has many lines."""
    CAPTION = "caption"
    """Words that the document puts below or above a picture or a table."""
    FIGURE = "figure"
    """A picture with its caption: its Markdown has many lines."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """A block as it stands in the document.

    `markdown`, `light`, `words`, `bold` and `trailing` as in `Inline`. `level` is a heading's (0: the document's
    title) or an item's depth (0: the outermost). `number` is a numbered item's (0: none). `gap` counts the empty
    paragraphs before it, or is SAME_PARAGRAPH.
    """

    kind: BlockKind
    markdown: str
    words: str
    light: str = ""
    level: int = 0
    number: int = 0
    gap: int = 0
    trailing: int = 0
    bold: bool = False

    def __str__(self) -> str:
        return quoted(self.words)


Blocks = tuple[Block, ...]
Step = tuple[Blocks, tuple[Remark, ...]]
"""What a step gives: the blocks after it, and what is told about it."""


def read_blocks(soup: BeautifulSoup) -> Step:
    """The blocks of mammoth's HTML."""
    reader = _Reader()
    for each in soup.find_all(recursive=False):
        reader.read(each)
    return tuple(reader.blocks), tuple(reader.remarks)


class _Reader:
    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.remarks: list[Remark] = []
        self._gap = 0
        self._numbers: dict[tuple[str, int], int] = {}

    def read(self, element: Tag) -> None:
        """Add the blocks of a top-level element."""
        match element.name:
            case "h1" | "h2" | "h3" | "h4" | "h5" | "h6":
                is_title = TITLE_CLASS in element.get_attribute_list("class")
                self._add(BlockKind.HEADING, inline(element.children), level=0 if is_title else int(element.name[1]))
            case "ul" | "ol" if (_first_id(element) or "").startswith(NOTE_PREFIXES):
                self._notes(element)
            case "ul" | "ol":
                self._list(element, 0)
            case "table":
                self._table(element)
            case "blockquote":
                for each in element.find_all("p"):
                    self._lines(BlockKind.QUOTE, each)
            case "p":
                is_caption = CAPTION_CLASS in element.get_attribute_list("class")
                self._lines(BlockKind.CAPTION if is_caption else BlockKind.TEXT, element)
            case _:
                self._add(BlockKind.TEXT, inline([element]))

    def _lines(self, kind: BlockKind, paragraph: Tag) -> None:
        whole = self._gap
        for position, line in enumerate(lines_of(paragraph)):
            if position and self._gap == whole and self.blocks:
                self._gap = SAME_PARAGRAPH
            self._add(kind, line)

    def _add(self, kind: BlockKind, line: Inline, **more: int) -> None:
        if not line.markdown:
            self._gap = max(self._gap, 0) + 1
            return
        block = Block(
            kind=kind,
            markdown=line.light if kind is BlockKind.HEADING else line.markdown,
            light=line.light,
            words=line.words,
            bold=line.bold,
            trailing=line.trailing,
            gap=self._gap,
        )
        self.blocks.append(replace(block, **more))  # type: ignore[arg-type]
        self._gap = 0

    def _list(self, element: Tag, depth: int) -> None:
        for item in element.find_all("li", recursive=False):
            own = [each for each in item.children if not (isinstance(each, Tag) and each.name in ("ul", "ol"))]
            line = inline(own)
            if line.markdown:
                series, styled = _series(item)
                level = max(depth, styled)
                number = self._number(series, level) if element.name == "ol" else 0
                self._add(BlockKind.ITEM, line, level=level, number=number)
            for inner in item.find_all(["ul", "ol"], recursive=False):
                self._list(inner, depth + 1 if line.markdown else depth)

    def _number(self, series: str, depth: int) -> int:
        """Word counts on after a paragraph in between; an inner list begins again under each outer item."""
        number = self._numbers.get((series, depth), 0) + 1
        self._numbers = {key: count for key, count in self._numbers.items() if key[0] != series or key[1] < depth}
        self._numbers[series, depth] = number
        return number

    def _table(self, element: Tag) -> None:
        if is_layout(element):
            self.remarks.append(look(f"a frame of one column is running text now: {quoted(element.get_text(' '))}"))
            for cell in element.find_all(["td", "th"]):
                if cell.find_parent("table") is element:
                    for each in cell.find_all(recursive=False):
                        self.read(each)
            return
        markdown, remarks = table(element)
        self.remarks += remarks
        words = " ".join(element.get_text(" ").split())
        self._add(BlockKind.TABLE, Inline(markdown=markdown, light=markdown, words=words))

    def _notes(self, element: Tag) -> None:
        items = element.find_all("li", recursive=False)
        for number, item in enumerate(items, start=1):
            for back in item.find_all("a", string="↑"):
                back.decompose()
            line = inline(child for each in item.find_all("p") for child in (*each.children, NavigableString(" ")))
            self._add(
                BlockKind.TEXT,
                replace(line, markdown=f"\\[{number}\\] {line.markdown}", words=f"[{number}] {line.words}"),
            )
        if items:
            self.remarks.append(
                look(f"foot- and endnotes ({len(items)}) stand at the end of the text, by their numbers")
            )


def _first_id(element: Tag) -> str | None:
    item = element.find("li")
    return str(item.get("id") or "") if isinstance(item, Tag) else None


def _series(item: Tag) -> tuple[str, int]:
    """The list that an item belongs to, and the depth that its style names."""
    marks = (str(each.get("id") or "") for each in item.find_all("a", recursive=False))
    mark = next((mark for mark in marks if mark.startswith(LIST_MARK)), "")
    series, _, depth = mark.rpartition("-")
    return series, int(depth or 0)
