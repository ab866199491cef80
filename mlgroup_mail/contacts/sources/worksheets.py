"""One sheet of an Excel workbook, streamed row by row (ECMA-376 part 1, section 18.3)."""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import unquote
from xml.etree.ElementTree import Element

from openpyxl.utils.cell import column_index_from_string, range_boundaries

from mlgroup_mail.archives import ForbiddenXmlError
from mlgroup_mail.contacts.fields import Field
from mlgroup_mail.contacts.sources.grids import Grid, GridBuilder, filled_down, is_blank, replaced
from mlgroup_mail.contacts.sources.limits import MOST_SHEET_ROWS, WIDEST

if TYPE_CHECKING:
    from mlgroup_mail.contacts.sources.workbooks import Workbook

HIDDEN_ROW = "this row is hidden in the workbook"
NO_VALUE = "a formula without a computed value: open the workbook in Excel and save it"
FROM_LINK = "the address comes from the cell's link"

MOST_MERGED = 100_000
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


class Worksheet:
    """A sheet of cells; nothing is read before it is asked for."""

    guess = ""

    def __init__(self, book: "Workbook", part: str, *, title: str, hidden: bool) -> None:
        self.title, self.hidden = title, hidden
        self._book, self._part = book, part
        self._columns: dict[str, int] = {}

    def first_rows(self, count: int) -> list[list[str]]:
        """The cells of the first `count` rows, fewer where the sheet ends before."""
        rows: list[list[str]] = []
        for element in self._elements("row"):
            number = _row_number(element, len(rows))
            if number > count:
                break
            rows += [[] for _ in range(number - len(rows))]
            for position, cell in self._cells(element):
                rows[-1] += [""] * (position + 1 - len(rows[-1]))
                rows[-1][position] = self._text(cell)
        return rows

    def read(self, columns: Mapping[Field, int], header_row: int) -> Grid:
        """The columns at these positions; a merged cell's value stands in each of its rows."""
        builder = GridBuilder(columns, where=self._book.where)
        wanted = {position: (place, field) for place, (field, position) in enumerate(columns.items())}
        merged: list[tuple[Field, int, int]] = []
        links: dict[int, str] = {}
        number = 0
        for element in self._elements("row", "mergeCell", "hyperlink"):
            if element.tag.endswith("}row"):
                number = _row_number(element, number)
                if number > header_row:
                    self._add(element, number, wanted, builder)
                continue
            left, top, _, bottom = range_boundaries(element.attrib["ref"])
            if left - 1 in wanted:
                if element.tag.endswith("}mergeCell"):
                    merged.append((wanted[left - 1][1], top, bottom))
                elif left - 1 == columns[Field.EMAIL]:
                    links[top] = _link_id(element)
            if len(merged) + len(links) > MOST_MERGED:
                raise ForbiddenXmlError("merged cells without end")
        return filled_down(self._linked(builder, links), merged)

    def _add(self, row: Element, number: int, wanted: Mapping[int, tuple[int, Field]], builder: GridBuilder) -> None:
        texts = [""] * len(wanted)
        others = []
        for position, cell in self._cells(row):
            if position not in wanted:
                others.append(cell)
                continue
            place, field = wanted[position]
            texts[place] = self._text(cell)
            if not texts[place] and (reason := _missing(cell)):
                builder.remark(number, reason, field)
        if is_blank(texts) and is_blank(map(self._text, others)):
            return
        builder.add(number, texts)
        if row.get("hidden") in ("1", "true"):
            builder.remark(number, HIDDEN_ROW)

    def _linked(self, builder: GridBuilder, links: Mapping[int, str]) -> Grid:
        """Where the cell of an address only says "write", the link behind it has the address."""
        grid = builder.grid()
        if not links:
            return grid
        targets = {link: target for link, (_, target) in self._book.relations(self._part).items()}
        column = grid.frame[Field.EMAIL.value]
        written = {row for row, text in column.items() if "@" in text}
        found = {
            row: unquote(targets[link][len("mailto:") :].partition("?")[0])
            for row, link in links.items()
            if row not in written and targets.get(link, "").casefold().startswith("mailto:")
        }
        return replaced(grid, Field.EMAIL, found, reason=FROM_LINK)

    def _elements(self, *names: str) -> Iterator[Element]:
        for element, around in self._book.elements(self._part, *names):
            # Drawings have elements of this name too.
            if not element.tag.endswith("}row") or around[-1].tag.endswith("}sheetData"):
                yield element

    def _cells(self, row: Element) -> Iterator[tuple[int, Element]]:
        position = -1
        for cell in row:
            if reference := cell.get("r"):
                letters = reference.rstrip("0123456789")
                if letters not in self._columns:
                    self._columns[letters] = column_index_from_string(letters) - 1
                position = self._columns[letters]
            else:
                position += 1
            if position >= WIDEST:
                raise ValueError("a cell outside the sheet")
            yield position, cell

    def _text(self, cell: Element) -> str:
        kind = cell.get("t", "n")
        if kind == "inlineStr":
            inline = cell.find("{*}is")
            return rich_text(inline) if inline is not None else ""
        value = _value(cell)
        if not value or kind == "e":
            return ""
        if kind == "s":
            return self._book.texts[int(value)]
        if kind == "n":
            return self._book.number(value, cell.get("s"))
        if kind == "b":
            return "TRUE" if value == "1" else "FALSE"
        return value.removesuffix("T00:00:00") if kind == "d" else unescaped(value)


def _value(cell: Element) -> str:
    for child in cell:
        if child.tag.endswith("}v"):
            return child.text or ""
    return ""


def _missing(cell: Element) -> str:
    """Why a cell that is not empty has no text; "" for one that is."""
    kind = cell.get("t", "n")
    if kind == "e":
        return f"the cell shows the error {_value(cell)[:20]}"
    # A formula whose value is an empty text is of the kind "str".
    has_formula = any(child.tag.endswith("}f") for child in cell)
    return NO_VALUE if kind != "str" and has_formula and not _value(cell) else ""


def _row_number(row: Element, last: int) -> int:
    number = int(row.get("r", last + 1))
    if not last < number <= MOST_SHEET_ROWS:
        raise ValueError("rows out of order, or outside the sheet")
    return number


def _link_id(element: Element) -> str:
    return next((value for key, value in element.items() if key.endswith("}id")), "")


def rich_text(element: Element) -> str:
    """The text of a shared or an inline string: its runs, without the reading aids that stand over them (rPh)."""
    runs = (child if child.tag.endswith("}t") else child.find("{*}t") for child in element if child.tag[-3:] != "rPh")
    return unescaped("".join(run.text or "" for run in runs if run is not None))


def unescaped(text: str) -> str:
    """A text without Excel's way of writing control characters, "_x000D_" (ECMA-376 part 1, 22.9.2.19)."""
    return _ESCAPED.sub(_character, text) if "_x" in text else text


def _character(match: re.Match[str]) -> str:
    code = int(match[1], 16)
    return match[0] if 0xD800 <= code <= 0xDFFF else chr(code)
