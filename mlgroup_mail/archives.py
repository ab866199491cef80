"""Workbooks and documents of office programs are ZIP archives of XML. This opens them within bounds.

Nothing here trusts what an archive says about itself: entries are counted before the directory is read, `zipfile`
gives no more bytes than the directory states, and a part with a document type definition is refused unread (no
program writes one, and entity bombs need one).
"""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser
from xml.parsers import expat

CHUNK = 65_536
"""Bytes of a part that are read at once."""
DEEPEST = 100
"""How many elements may stand within each other."""
DAMAGE = (
    ValueError, LookupError, EOFError, NotImplementedError, RecursionError, SyntaxError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What reading a damaged archive raises. XML that is none is a SyntaxError there, a text that is none a ValueError."""

_ENTRY = b"PK\x01\x02"
"""Begins each entry of a ZIP archive's directory (APPNOTE 4.3.12)."""
_ENCRYPTED = 0x1


class ForbiddenXmlError(ValueError):
    """A part has a document type definition, or is built like a bomb."""


class ArchiveFault(StrEnum):
    """Why an archive is not opened."""

    TOO_MANY_PARTS = "too_many_parts"
    """More parts than any document of its kind has."""
    UNPACKS_TOO_LARGE = "unpacks_too_large"
    """It unpacks to more than any document of its kind."""
    PROTECTED = "protected"
    """A part is encrypted."""
    FORBIDDEN = "forbidden"
    """A part holds what no program writes."""
    DAMAGED = "damaged"
    """It cannot be read to its end."""


class ArchiveError(Exception):
    """An archive cannot be used. `detail` is a number (parts, bytes) or what is forbidden."""

    def __init__(self, fault: ArchiveFault, detail: int | str = "") -> None:
        super().__init__(f"{fault}: {detail}")
        self.fault, self.detail = fault, detail


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchiveLimits:
    """How much an archive may hold: `entries` parts, `unpacked` bytes."""

    entries: int
    unpacked: int


@contextmanager
def opened_archive(path: Path, limits: ArchiveLimits) -> Iterator[zipfile.ZipFile]:
    """Open a ZIP archive; raises ArchiveError where it is none or goes beyond the limits, whatever is done inside."""
    if (entries := _entries(path)) > limits.entries:
        raise ArchiveError(ArchiveFault.TOO_MANY_PARTS, entries)
    try:
        with zipfile.ZipFile(path) as archive:
            _look_inside(archive, limits)
            yield archive
    except ForbiddenXmlError as error:
        raise ArchiveError(ArchiveFault.FORBIDDEN, str(error)) from None
    except DAMAGE:
        raise ArchiveError(ArchiveFault.DAMAGED) from None


def xml_tree(stream: IO[bytes], *, most_elements: int, most_bytes: int) -> Element:
    """A part as a tree. Raises ForbiddenXmlError where it is built like a bomb, ParseError where it is no XML."""
    chunk = stream.read(CHUNK)
    check_prolog(chunk)
    # Its dangers are entities and size: the first are refused above, the second is bounded here.
    parser = XMLParser(target=_Bounded(most_elements))  # noqa: S314
    size = 0
    while chunk:
        size += len(chunk)
        if size > most_bytes:
            raise ForbiddenXmlError("a part without end")
        parser.feed(chunk)
        chunk = stream.read(CHUNK)
    root: Element = parser.close()
    return root


def check_prolog(head: bytes) -> None:
    """Refuse a part whose first bytes, `head`, define a document type: it can only stand before the first element."""
    parser = expat.ParserCreate()
    begun = False

    def doctype(*_: object) -> None:
        raise ForbiddenXmlError("a document type definition")

    def start(*_: object) -> None:
        nonlocal begun
        begun = True

    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler = start
    try:
        parser.Parse(head, False)
    except expat.ExpatError:
        if not begun:
            raise ParseError from None
    if not begun:
        raise ForbiddenXmlError("no element at its beginning")


class _Bounded(TreeBuilder):
    """Builds a tree that is neither too large nor too deep."""

    def __init__(self, most_elements: int) -> None:
        super().__init__()
        self._left, self._depth = most_elements, 0

    def start(self, tag: str, attrs: dict[str, str], /) -> Element:
        self._left -= 1
        self._depth += 1
        if self._left < 0 or self._depth > DEEPEST:
            raise ForbiddenXmlError("elements without end")
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> Element:
        self._depth -= 1
        return super().end(tag)


def _entries(path: Path) -> int:
    count, last = 0, b""
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            count += (last + chunk).count(_ENTRY)
            last = chunk[-3:]
    return count


def _look_inside(archive: zipfile.ZipFile, limits: ArchiveLimits) -> None:
    size = sum(entry.file_size for entry in archive.infolist())
    if size > limits.unpacked:
        raise ArchiveError(ArchiveFault.UNPACKS_TOO_LARGE, size)
    for entry in archive.infolist():
        if entry.flag_bits & _ENCRYPTED:
            raise ArchiveError(ArchiveFault.PROTECTED)
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise zipfile.BadZipFile
