"""OpenDocument spreadsheets (ODS), streamed row by row.

Source: OpenDocument 1.3 part 3, sections 9 (tables) and 19.385 (values). Libraries build the whole sheet before they
give a cell, so that one cell in the far corner takes all memory; this reader never holds more than a row.
"""

import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import unquote
from xml.etree.ElementTree import Element

from mlgroup_mail.archives import ForbiddenXmlError
from mlgroup_mail.contacts.fields import Field
from mlgroup_mail.contacts.sources.cell_texts import as_text
from mlgroup_mail.contacts.sources.grids import Grid, GridBuilder, filled_down, is_blank, only
from mlgroup_mail.contacts.sources.limits import MOST_SHEET_ROWS, WIDEST
from mlgroup_mail.contacts.sources.packages import elements, opened_package
from mlgroup_mail.contacts.sources.worksheets import FROM_LINK, HIDDEN_ROW, MOST_MERGED, NO_VALUE
from mlgroup_mail.errors import ContactSourceError

_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_XLINK = "{http://www.w3.org/1999/xlink}"
_CALCEXT = "{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}"

_CONTENT = "content.xml"
_MANIFEST = "META-INF/manifest.xml"
_WHITE = {f"{_TEXT}tab": "\t", f"{_TEXT}line-break": "\n"}
_MOST_BLANKS = 100
_MOST_SHEETS = 250
_MOST_LOOKED_AT = 2_000_000
"""Cells in the first rows of all sheets, with those that one repeated cell stands for."""
_PASSWORD = b"encryption-data"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Row:
    """A row as the file has it: it stands for `count` rows from `number` on."""

    sheet: str
    number: int
    count: int
    element: Element

    @property
    def hidden(self) -> bool:
        return self.element.get(f"{_TABLE}visibility", "visible") != "visible"

    def cells(self) -> Iterator[tuple[range, Element]]:
        """Each cell, with the positions that it stands for."""
        position = 0
        for cell in self.element:
            if cell.tag in (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
                end = position + max(1, int(cell.get(f"{_TABLE}number-columns-repeated", 1)))
                yield range(position, min(end, WIDEST)), cell
                position = end


class Spreadsheet:
    """The content of an ODS file."""

    def __init__(self, archive: zipfile.ZipFile, *, where: str) -> None:
        self.archive, self.where = archive, where
        self.first_rows = cache(self._first_rows)

    def sheets(self) -> "list[OdsSheet]":
        """The sheets that have rows, in their order."""
        hidden_styles: set[str] = set()
        styles: dict[str, str] = {}
        with self.archive.open(_CONTENT) as stream:
            for element, around in elements(stream, "style", "table-row"):
                if element.tag == f"{_STYLE}style":
                    properties = element.find(f"{_STYLE}table-properties")
                    if properties is not None and properties.get(f"{_TABLE}display") == "false":
                        hidden_styles.add(element.get(f"{_STYLE}name", ""))
                elif around and (table := _table(around)) is not None:
                    styles.setdefault(table.get(f"{_TABLE}name", ""), table.get(f"{_TABLE}style-name", ""))
                if len(styles) > _MOST_SHEETS or len(hidden_styles) > _MOST_SHEETS:
                    raise ForbiddenXmlError("sheets without end")
        return [OdsSheet(self, title, hidden=style in hidden_styles) for title, style in styles.items()]

    def rows(self) -> Iterator[_Row]:
        """The rows of all sheets."""
        sheet, number = None, 1
        with self.archive.open(_CONTENT) as stream:
            for element, around in elements(stream, "table-row"):
                table = _table(around)
                if table is None:
                    continue
                if table is not sheet:
                    sheet, number = table, 1
                count = max(1, int(element.get(f"{_TABLE}number-rows-repeated", 1)))
                yield _Row(sheet=table.get(f"{_TABLE}name", ""), number=number, count=count, element=element)
                number += count

    def _first_rows(self, count: int) -> dict[str, list[list[str]]]:
        """The first rows of every sheet, found in one go."""
        found: dict[str, list[list[str]]] = {}
        looked_at = 0
        for row in self.rows():
            rows = found.setdefault(row.sheet, [])
            if row.number <= count:
                texts: list[str] = []
                for positions, cell in row.cells():
                    if text := cell_text(cell):
                        texts += [""] * (positions.start - len(texts))
                        texts += [text] * len(positions)
                times = min(row.count, count + 1 - row.number)
                looked_at += len(texts) * times
                if looked_at > _MOST_LOOKED_AT:
                    raise ForbiddenXmlError("cells without end")
                rows += [texts] * times
        return found


class OdsSheet:
    """One sheet of an ODS file."""

    guess = ""

    def __init__(self, book: Spreadsheet, title: str, *, hidden: bool) -> None:
        self.title, self.hidden = title, hidden
        self._book = book

    def first_rows(self, count: int) -> list[list[str]]:
        """The cells of the first `count` rows, fewer where the sheet ends before."""
        return self._book.first_rows(count).get(self.title, [])

    def read(self, columns: Mapping[Field, int], header_row: int) -> Grid:
        """The columns at these positions; a merged cell's value stands in each of its rows."""
        builder = GridBuilder(columns, where=self._book.where)
        wanted = {position: (place, field) for place, (field, position) in enumerate(columns.items())}
        merged: list[tuple[Field, int, int]] = []
        for row in self._book.rows():
            if row.sheet != self.title or row.number + row.count - 1 <= header_row:
                continue
            texts = [""] * len(columns)
            others, said = [], []
            for positions, cell in row.cells():
                text = cell_text(cell)
                others.append(text)
                for place, field in (wanted[position] for position in positions if position in wanted):
                    texts[place], reason = text, _missing(cell) if not text else ""
                    if field is Field.EMAIL and "@" not in text and (address := _linked(cell)):
                        texts[place], reason = address, FROM_LINK
                    if reason:
                        said.append((reason, field))
                    if (span := int(cell.get(f"{_TABLE}number-rows-spanned", 1))) > 1:
                        merged.append((field, row.number, row.number + span - 1))
            if is_blank(texts) and is_blank(others):
                continue
            if row.number + row.count - 1 > MOST_SHEET_ROWS or len(merged) > MOST_MERGED:
                raise ForbiddenXmlError("rows without end")
            for number in range(max(row.number, header_row + 1), row.number + row.count):
                builder.add(number, texts)
                for reason, field in said:
                    builder.remark(number, reason, field)
                if row.hidden:
                    builder.remark(number, HIDDEN_ROW)
        return filled_down(builder.grid(), merged)


@contextmanager
def opened_spreadsheet(path: Path, *, sheet: str | None) -> Iterator[list[OdsSheet]]:
    """One sheet of an ODS file, or all of them.

    Raises ContactSourceError where it is none, protected, damaged, far too large or without the sheet.
    """
    where = str(path)
    with opened_package(path, what="an OpenDocument spreadsheet") as archive:
        if "[Content_Types].xml" in archive.NameToInfo:
            raise ContactSourceError("this is an Excel workbook", where=where, mend="Let its name end in .xlsx.")
        if _is_encrypted(archive):
            raise ContactSourceError(
                "this workbook is protected by a password", where=where, mend="Save it without one."
            )
        yield only(Spreadsheet(archive, where=where).sheets(), sheet, where=where)


def cell_text(cell: Element) -> str:
    """What a cell holds: the value where that says more than what is shown, the paragraphs otherwise."""
    shown = "\n".join(_plain(paragraph) for paragraph in cell.findall(f"{_TEXT}p"))
    if cell.get(f"{_CALCEXT}value-type") == "error":
        return ""
    match cell.get(f"{_OFFICE}value-type"):
        case "float" | "percentage" | "currency":
            number = as_text(float(cell.get(f"{_OFFICE}value", "nan")))
            return shown if shown.isdecimal() and shown.lstrip("0") == number.lstrip("0") else number
        case "date":
            return cell.get(f"{_OFFICE}date-value", "").removesuffix("T00:00:00")
        case "boolean":
            return cell.get(f"{_OFFICE}boolean-value", "").upper()
        case "string":
            return shown or cell.get(f"{_OFFICE}string-value", "")
    return shown


def _plain(element: Element) -> str:
    """The text of a paragraph, its spans and links."""
    parts = [element.text or ""]
    for child in element:
        if child.tag == f"{_TEXT}s":
            parts.append(" " * min(int(child.get(f"{_TEXT}c", 1)), _MOST_BLANKS))
        elif child.tag in (f"{_TEXT}span", f"{_TEXT}a"):
            parts.append(_plain(child))
        else:
            parts.append(_WHITE.get(child.tag, ""))
        parts.append(child.tail or "")
    return "".join(parts)


def _missing(cell: Element) -> str:
    """Why a cell that is not empty has no text; "" for one that is."""
    if cell.get(f"{_CALCEXT}value-type") == "error":
        return f"the cell shows the error {''.join(cell.itertext())[:20]}"
    return NO_VALUE if cell.get(f"{_TABLE}formula") and cell.get(f"{_OFFICE}value-type") is None else ""


def _linked(cell: Element) -> str:
    """The address that a link in this cell writes to."""
    for link in cell.iter(f"{_TEXT}a"):
        target = link.get(f"{_XLINK}href", "")
        if target.casefold().startswith("mailto:"):
            return unquote(target[len("mailto:") :].partition("?")[0])
    return ""


def _table(around: list[Element]) -> Element | None:
    return next((element for element in around if element.tag == f"{_TABLE}table"), None)


def _is_encrypted(archive: zipfile.ZipFile) -> bool:
    if _MANIFEST not in archive.NameToInfo:
        return False
    with archive.open(_MANIFEST) as stream:
        return _PASSWORD in stream.read(1 << 20)
