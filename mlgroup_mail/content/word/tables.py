"""Tables of a document as Markdown tables: one line a row, the first row as their head."""

import re
from collections.abc import Sequence

from bs4 import Tag
from bs4.element import PageElement

from mlgroup_mail.content.word.inline import inline
from mlgroup_mail.content.word.remarks import Remark, look, quoted

WIDEST = 60
"""Columns, with those that merged cells cover."""
_NUMBER = re.compile(r"(?:[+\-−]|\\[+\-])?[€$£]?[ \xa0]?\d[\d., \xa0\u202f'’]*(?:[ \xa0\u202f]?[%€$£])?")
_PARAGRAPHS = ("p", "li", "h1", "h2", "h3", "h4", "h5", "h6")


def is_layout(element: Tag) -> bool:
    """Whether a table only frames running text: it has one column."""
    return all(len(_cells(row)) <= 1 for row in _rows(element))


def table(element: Tag) -> tuple[str, list[Remark]]:
    """A table as Markdown, and what it lost."""
    rows = _grid(element)
    width = max(map(len, rows), default=0)
    head, *others = [[*row, *[""] * (width - len(row))] for row in rows]
    marks = ["---:" if _is_numeric(column) else "---" for column in zip(*others, strict=True)] or ["---"] * width
    lines = [_line(head), _line(marks), *map(_line, others)]
    return "\n".join(lines), _remarks(element, head)


def _is_numeric(column: Sequence[str]) -> bool:
    """Whether a column stands right, digit below digit: every cell below its head that says anything is a number."""
    said = [cell for cell in column if cell]
    return bool(said) and all(_NUMBER.fullmatch(cell) for cell in said)


def _remarks(element: Tag, head: list[str]) -> list[Remark]:
    name = f"the table that begins {quoted(element.get_text(' '), 40)}"
    told = []
    if any(cell.get("colspan") or cell.get("rowspan") for cell in element.find_all(["td", "th"])):
        told.append(look(f"{name} has merged cells: their text stands in the first of them"))
    if any(len(_paragraphs(cell)) > 1 for cell in element.find_all(["td", "th"])):
        told.append(look(f"{name} has cells of several paragraphs: each is one line now"))
    if element.find("table"):
        told.append(look(f"{name} has a table in a cell: its text is running text there"))
    if not all(head):
        told.append(look(f"{name} has columns without a name: its first row is its head"))
    return told


def _grid(element: Tag) -> list[list[str]]:
    """The rows as lists of Markdown, merged cells empty but for the first."""
    rows: list[list[str]] = []
    covered: dict[int, int] = {}
    for row in _rows(element):
        cells: list[str] = []
        for cell in _cells(row):
            while covered.get(len(cells), 0):
                covered[len(cells)] -= 1
                cells.append("")
            span, down = _span(cell, "colspan"), _span(cell, "rowspan")
            for column in range(len(cells), len(cells) + span):
                covered[column] = down - 1
            cells += [_text(cell), *[""] * (span - 1)]
        while covered.get(len(cells), 0):
            covered[len(cells)] -= 1
            cells.append("")
        rows.append(cells[:WIDEST])
    return [row for row in rows if any(row)]


def _rows(element: Tag) -> list[Tag]:
    return [row for row in element.find_all("tr") if row.find_parent("table") is element]


def _cells(row: Tag) -> list[Tag]:
    return row.find_all(["td", "th"], recursive=False)


def _span(cell: Tag, name: str) -> int:
    text = str(cell.get(name) or "1")
    return min(int(text), WIDEST) if text.isdecimal() and int(text) else 1


def _paragraphs(cell: Tag) -> list[list[PageElement]]:
    """What stands in a cell, paragraph by paragraph, those of lists and tables within it too."""
    found = ([each for each in part.children if not _is_block(each)] for part in cell.find_all(_PARAGRAPHS))
    return [part for part in found if any(_is_shown(each) for each in part)]


def _is_block(element: PageElement) -> bool:
    return isinstance(element, Tag) and element.name in (*_PARAGRAPHS, "ul", "ol", "table")


def _is_shown(element: PageElement) -> bool:
    if isinstance(element, Tag) and (element.name == "img" or element.find("img")):
        return True
    return bool(element.get_text().strip())


def _text(cell: Tag) -> str:
    return "; ".join(inline(part).markdown for part in _paragraphs(cell)).replace("|", "\\|")


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
