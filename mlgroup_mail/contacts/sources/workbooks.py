"""Excel workbooks (XLSX): which sheets there are, what their texts are, and which numbers are dates.

openpyxl tells what number formats mean and what dates are; the parts are read here, within bounds, because openpyxl
has none, and because hidden rows, merged cells and formulas without a value have to be seen while streaming.
Source: ECMA-376 part 1, sections 18.2 (workbook), 18.4 (shared strings) and 18.8 (styles).
"""

import posixpath
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format, is_timedelta_format
from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900, from_excel

from mlgroup_mail.archives import ForbiddenXmlError
from mlgroup_mail.contacts.sources.cell_texts import as_text
from mlgroup_mail.contacts.sources.grids import only
from mlgroup_mail.contacts.sources.packages import Found, elements, opened_package
from mlgroup_mail.contacts.sources.worksheets import Worksheet, rich_text
from mlgroup_mail.errors import ContactSourceError

_MOST_RELATIONS = 200_000
_MOST_STYLES = 100_000
_MOST_STRINGS = 500_000_000
"""Bytes that the shared texts may take in memory: some five million texts."""
_TEXT_OBJECT = 100
"""Bytes of a text in Python, besides its letters."""
_OTHER_PARTS = ("word/", "ppt/")
_ZEROS = re.compile(r"0{2,}")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Style:
    """What a cell's number format makes of a number."""

    is_date: bool = False
    is_duration: bool = False
    digits: int = 0


class Workbook:
    """The parts of a workbook that all of its sheets need."""

    def __init__(self, archive: zipfile.ZipFile, *, where: str) -> None:
        self.archive, self.where = archive, where
        self._part = self._related("", "officeDocument")
        if not self._part:
            raise KeyError("officeDocument")

    @cached_property
    def sheets(self) -> list[Worksheet]:
        """The sheets of cells, in their order."""
        targets = self.relations(self._part)
        found = []
        for sheet, _ in self.elements(self._part, "sheet"):
            link = next(value for key, value in sheet.items() if key.endswith("}id"))
            kind, part = targets[link]
            if kind == "worksheet":
                hidden = sheet.get("state", "visible") != "visible"
                found.append(Worksheet(self, part, title=sheet.attrib["name"], hidden=hidden))
        return found

    @cached_property
    def texts(self) -> list[str]:
        """The shared texts, which cells name by number."""
        part = self._related(self._part, "sharedStrings")
        texts: list[str] = []
        size = 0
        for element, _ in self.elements(part, "si") if part else ():
            text = rich_text(element)
            size += len(text) + _TEXT_OBJECT
            if size > _MOST_STRINGS:
                raise ForbiddenXmlError("more text than its cells can show")
            texts.append(text)
        return texts

    def number(self, text: str, style: str | None) -> str:
        """A number as the text that its format shows, as far as that changes what it says: dates, leading zeros."""
        known = self._styles[int(style)] if style and int(style) < len(self._styles) else _Style()
        if known.is_date:
            try:
                return as_text(from_excel(float(text), self._epoch, timedelta=known.is_duration))
            except (OverflowError, ValueError):
                return ""
        shown = text if text.isdecimal() else as_text(float(text))
        return shown.zfill(known.digits)

    def relations(self, part: str) -> dict[str, tuple[str, str]]:
        """What a part names others by: the kind, and the part or the address outside."""
        folder, name = posixpath.split(part)
        found: dict[str, tuple[str, str]] = {}
        listed = posixpath.join(folder, "_rels", f"{name}.rels")
        if listed not in self.archive.NameToInfo:
            return found
        for element, _ in self.elements(listed, "Relationship"):
            target = element.attrib["Target"]
            if element.get("TargetMode") != "External":
                target = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
            found[element.attrib["Id"]] = (element.attrib["Type"].rpartition("/")[2], target)
            if len(found) > _MOST_RELATIONS:
                raise ForbiddenXmlError("links without end")
        return found

    def elements(self, part: str, *names: str) -> Iterator[Found]:
        """The elements of a part with these names, see `packages.elements`."""
        with self.archive.open(part) as stream:
            yield from elements(stream, *names)

    def _related(self, part: str, kind: str) -> str:
        return next((target for its_kind, target in self.relations(part).values() if its_kind == kind), "")

    @cached_property
    def _epoch(self) -> datetime:
        properties = next((element for element, _ in self.elements(self._part, "workbookPr")), None)
        since_1904 = properties is not None and properties.get("date1904") in ("1", "true")
        epoch: datetime = CALENDAR_MAC_1904 if since_1904 else CALENDAR_WINDOWS_1900
        return epoch

    @cached_property
    def _styles(self) -> list[_Style]:
        part = self._related(self._part, "styles")
        formats: dict[int, str] = dict(BUILTIN_FORMATS)
        styles: list[_Style] = []
        for element, around in self.elements(part, "numFmt", "xf") if part else ():
            if element.tag.endswith("numFmt"):
                formats[int(element.attrib["numFmtId"])] = element.attrib["formatCode"]
            elif around[-1].tag.endswith("cellXfs"):
                styles.append(_style(formats.get(int(element.get("numFmtId", "0")), "")))
            if len(styles) + len(formats) > _MOST_STYLES:
                raise ForbiddenXmlError("styles without end")
        return styles


@contextmanager
def opened_workbook(path: Path, *, sheet: str | None) -> Iterator[list[Worksheet]]:
    """One sheet of a workbook, or all of them: values as texts, formulas as they were last computed.

    Raises ContactSourceError where it is no workbook, protected, damaged, far too large or without the sheet.
    """
    where = str(path)
    with opened_package(path, what="an Excel workbook") as archive:
        if "content.xml" in archive.NameToInfo:
            raise ContactSourceError(
                "this is an OpenDocument spreadsheet", where=where, mend="Let its name end in .ods."
            )
        if any(name.startswith(_OTHER_PARTS) for name in archive.NameToInfo):
            raise ContactSourceError(
                "this is a Word document or a presentation, whatever its name ends in",
                where=where,
                mend="Copy its table into Excel, and save that as XLSX.",
            )
        if "xl/workbook.bin" in archive.NameToInfo:
            raise ContactSourceError("this is a binary workbook", where=where, mend="Save it as .xlsx.")
        yield only(Workbook(archive, where=where).sheets, sheet, where=where)


def _style(code: str) -> _Style:
    digits = len(code) if _ZEROS.fullmatch(code) else 0
    return _Style(is_date=is_date_format(code), is_duration=is_timedelta_format(code), digits=digits)
