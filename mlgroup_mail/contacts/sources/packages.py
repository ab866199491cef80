"""Workbooks are archives of XML. This opens them within bounds, and reads their parts piece by piece: elements are
dropped as soon as they have been looked at.
"""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from xml.etree.ElementTree import Element, TreeBuilder, XMLParser

from mlgroup_mail.archives import (
    CHUNK,
    DEEPEST,
    ArchiveError,
    ArchiveFault,
    ArchiveLimits,
    ForbiddenXmlError,
    check_prolog,
    opened_archive,
)
from mlgroup_mail.contacts.sources.limits import LARGEST_FILE, LARGEST_UNPACKED, LONGEST_ROW, too_much
from mlgroup_mail.contacts.sources.signatures import OLE, ZIP, told_kind
from mlgroup_mail.errors import ContactSourceError

_MOST_ENTRIES = 10_000
_MOST_TAGS = 500_000
"""Tags within one row: 16,384 cells have a tenth of it."""
_MOST_TAGS_IN_ALL = 200_000_000

Found = tuple[Element, list[Element]]
"""An element, and those that it stands in, the outermost first."""


@contextmanager
def opened_package(path: Path, *, what: str) -> Iterator[zipfile.ZipFile]:
    """Open the archive that a workbook is; `what` names its kind.

    Raises ContactSourceError where it is none, protected, damaged, or far too large, whatever is done inside.
    """
    where = str(path)
    size = path.stat().st_size
    if not size:
        raise ContactSourceError("the file is empty", where=where)
    if size > LARGEST_FILE:
        raise too_much(f"the file has {size // 1_000_000:,} MB", where=where)
    kind = told_kind(path)
    if kind is OLE:
        raise ContactSourceError(f"this is {OLE.name}", where=where, mend=OLE.mend)
    if kind is not ZIP:
        raise ContactSourceError(
            f"this is not {what}, whatever its name ends in", where=where, mend="Save it as XLSX or CSV."
        )
    try:
        with opened_archive(path, ArchiveLimits(entries=_MOST_ENTRIES, unpacked=LARGEST_UNPACKED)) as archive:
            yield archive
    except ArchiveError as error:
        raise _explained(error, where=where) from None


def _explained(error: ArchiveError, *, where: str) -> ContactSourceError:
    match error.fault:
        case ArchiveFault.TOO_MANY_PARTS:
            return too_much(f"this workbook has {error.detail:,} parts", where=where)
        case ArchiveFault.UNPACKS_TOO_LARGE:
            return too_much(f"this workbook unpacks to {int(error.detail) // 1_000_000} MB", where=where)
        case ArchiveFault.PROTECTED:
            return ContactSourceError(
                "this workbook is protected by a password", where=where, mend="Save it without one."
            )
        case ArchiveFault.FORBIDDEN:
            return ContactSourceError(
                f"this workbook holds what no program writes: {error.detail}",
                where=where,
                mend="Ask where it comes from. Open it in a spreadsheet, and save the list alone as CSV.",
            )
        case ArchiveFault.DAMAGED:
            return ContactSourceError(
                "this workbook is damaged",
                where=where,
                mend="Open it in Excel, let it repair the file, and save it again.",
            )


def elements(stream: IO[bytes], *wanted: str) -> Iterator[Found]:
    """The elements of a part with these names (without namespace), each whole, with those that it stands in.

    An element is forgotten when the next one is asked for. Raises ForbiddenXmlError for what is built like a bomb,
    and ParseError for what is no XML.
    """
    chunk = stream.read(CHUNK)
    check_prolog(chunk)
    harvest = _Harvest(frozenset(wanted))
    # Its dangers are entities and size: the first are refused above, the second is bounded below.
    parser = XMLParser(target=TreeBuilder(element_factory=harvest.make))  # noqa: S314
    pending = tags = total = 0
    while chunk:
        parser.feed(chunk)
        begun = chunk.count(b"<")
        pending, tags, total = pending + len(chunk), tags + begun, total + begun
        harvest.took = False
        yield from harvest.finished(harvest.root, [])
        if harvest.took:
            # Whatever is still open began in this chunk.
            pending, tags = len(chunk), begun
        if pending > LONGEST_ROW or tags > _MOST_TAGS or total > _MOST_TAGS_IN_ALL:
            raise ForbiddenXmlError("a row without end")
        chunk = stream.read(CHUNK)
    parser.close()
    yield from harvest.whole(harvest.root, [])


class _Harvest:
    """Takes finished elements out of a tree while it grows: quicker than being told of each element's end."""

    def __init__(self, wanted: frozenset[str]) -> None:
        self.root = Element("")
        self.took = False
        self._begun = False
        self._wanted = wanted

    def make(self, tag: str, attributes: dict[str, str]) -> Element:
        """Make an element for the tree; the first is its root."""
        element = Element(tag, attributes)
        if not self._begun:
            self.root, self._begun = element, True
        return element

    def finished(self, growing: Element, around: list[Element]) -> Iterator[Found]:
        """What is finished within an element that is not: all but the last, at each depth."""
        if not len(growing):
            return
        around = self._deeper(around, growing)
        for child in growing[:-1]:
            self.took = True
            yield from self.whole(child, around)
        del growing[:-1]
        if _name(growing[0]) not in self._wanted:
            yield from self.finished(growing[0], around)

    def whole(self, element: Element, around: list[Element]) -> Iterator[Found]:
        """What is wanted of a finished element."""
        if _name(element) in self._wanted:
            yield element, around
        elif len(element):
            around = self._deeper(around, element)
            for child in element:
                yield from self.whole(child, around)

    def _deeper(self, around: list[Element], element: Element) -> list[Element]:
        if len(around) >= DEEPEST:
            raise ForbiddenXmlError("elements in elements without end")
        return [*around, element]


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]
