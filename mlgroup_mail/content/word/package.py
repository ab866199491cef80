"""A Word document as a file: its parts, read within bounds. Nothing outside of the file is ever opened.

Source: ECMA-376 part 2 (packages, relationships) and part 1, section 11 (parts of a document).
"""

import posixpath
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import Element

from mlgroup_mail.archives import ArchiveError, ArchiveFault, ArchiveLimits, ForbiddenXmlError, opened_archive, xml_tree
from mlgroup_mail.errors import CampaignError

LARGEST_FILE = 50_000_000
"""Bytes of a document on disk: far more than its pictures may have in a mail."""
LARGEST_PICTURE = 20_000_000
"""Bytes of one picture."""
LARGEST_PART = 10_000_000
"""Bytes of one part of text: several hundred pages."""
MOST_ELEMENTS = 150_000
"""Elements of one part: a hundred dense pages."""
MOST_PARAGRAPHS = 5_000
MOST_TEXT = 500_000
"""Characters: Gmail cuts a mail at a fifth of it."""

_LIMITS = ArchiveLimits(entries=5_000, unpacked=150_000_000)
_AS_DOCX = "Open it in Word (or LibreOffice), choose Save As, and save it as “Word Document (.docx)”."
_OTHERS = {
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": (
        "this document is protected by a password, or in the format before 2007 (.doc)",
        "Open it in Word, take the password away, and save it as “Word Document (.docx)”.",
    ),
    b"{\\rtf": ("this is a rich text document (.rtf)", _AS_DOCX),
    b"%PDF-": (
        "this is a PDF",
        "Ask for the document it was made from, or open it in Word and save it as .docx.",
    ),
    b"<": ("this is a web page or another XML file", _AS_DOCX),
}
_OTHER_ARCHIVES = {
    "xl/workbook.xml": ("this is an Excel workbook", "Copy what belongs into the mail into a Word document."),
    "ppt/presentation.xml": ("this is a presentation", "Copy what belongs into the mail into a Word document."),
    "content.xml": ("this is an OpenDocument file (.odt)", _AS_DOCX),
    "Index/Document.iwa": ("this is a Pages document", "In Pages, choose File, Export To, Word."),
}


class Relation(NamedTuple):
    """What a part names others by: the kind, and the part (or, where `outside`, the address)."""

    kind: str
    target: str
    outside: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class WordPackage:
    """An opened document: `main` is the name of its text's part."""

    archive: zipfile.ZipFile
    main: str

    def tree(self, part: str) -> Element:
        """A part as a tree. Raises ForbiddenXmlError where it is built like a bomb, ParseError where it is no XML."""
        with self.archive.open(part) as stream:
            return xml_tree(stream, most_elements=MOST_ELEMENTS, most_bytes=LARGEST_PART)

    def has(self, part: str) -> bool:
        """Whether there is a part of that name."""
        return part in self.archive.NameToInfo

    def relations(self, part: str) -> dict[str, Relation]:
        """What a part names others by, by id; the empty name is the package itself."""
        folder = posixpath.dirname(part)
        listed = relations_of(part)
        if not self.has(listed):
            return {}
        found = {}
        for element in self.tree(listed):
            target, outside = element.get("Target", ""), element.get("TargetMode") == "External"
            if not outside:
                target = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
            found[element.get("Id", "")] = Relation(element.get("Type", "").rpartition("/")[2], target, outside)
        return found

    def related(self, kind: str) -> str:
        """The part of that kind that the text names; empty where there is none."""
        return next(
            (each.target for each in self.relations(self.main).values() if each.kind == kind and self.has(each.target)),
            "",
        )

    def content(self, part: str) -> bytes:
        """The bytes of a part that is no XML. Raises ForbiddenXmlError where they are more than any picture's."""
        with self.archive.open(part) as stream:
            content = stream.read(LARGEST_PICTURE + 1)
        if len(content) > LARGEST_PICTURE:
            raise ForbiddenXmlError("a picture without end")
        return content


def relations_of(part: str) -> str:
    """The name of the part that lists what a part names."""
    folder, name = posixpath.split(part)
    return posixpath.join(folder, "_rels", f"{name}.rels")


@contextmanager
def opened_word(path: Path) -> Iterator[WordPackage]:
    """Open a Word document, with macros or not: they are never run.

    Raises CampaignError, whatever is done inside, where it is missing, none, protected, damaged or far too large.
    """
    where = str(path)
    _check_beginning(path, where)
    try:
        with opened_archive(path, _LIMITS) as archive:
            for part, (message, mend) in _OTHER_ARCHIVES.items():
                if part in archive.NameToInfo:
                    raise CampaignError(message, where=where, mend=mend)
            package = WordPackage(archive=archive, main="")
            main = next((each.target for each in package.relations("").values() if each.kind == "officeDocument"), "")
            if not package.has(main):
                raise CampaignError(f"{_NO_WORD}, whatever its name ends in", where=where, mend=_AS_DOCX)
            yield WordPackage(archive=archive, main=main)
    except ArchiveError as error:
        raise _explained(error, where) from None


_NO_WORD = "this is no Word document"


def _check_beginning(path: Path, where: str) -> None:
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()
    except FileNotFoundError:
        raise CampaignError("there is no such file", where=where, mend="Look at its name and folder.") from None
    except OSError as error:
        raise CampaignError(f"this file cannot be read: {error.strerror}", where=where) from None
    if not size:
        raise CampaignError("the file is empty", where=where, mend="Save the document once more, or download it again.")
    if size > LARGEST_FILE:
        raise _too_much(f"this document has {size // 1_000_000:,} MB", where)
    for signature, (message, mend) in _OTHERS.items():
        if head.startswith(signature):
            raise CampaignError(message, where=where, mend=mend)
    if not head.startswith(b"PK"):
        raise CampaignError(f"{_NO_WORD}, whatever its name ends in", where=where, mend=_AS_DOCX)


def _explained(error: ArchiveError, where: str) -> CampaignError:
    match error.fault:
        case ArchiveFault.TOO_MANY_PARTS:
            return _too_much(f"this document has {error.detail:,} parts", where)
        case ArchiveFault.UNPACKS_TOO_LARGE:
            return _too_much(f"this document unpacks to {int(error.detail) // 1_000_000:,} MB", where)
        case ArchiveFault.PROTECTED:
            return CampaignError("this document is protected by a password", where=where, mend="Save it without one.")
        case ArchiveFault.FORBIDDEN:
            return CampaignError(
                f"this document holds what no mail needs: {error.detail}",
                where=where,
                mend="Copy the text of the mail alone into a new Word document, and save that.",
            )
        case ArchiveFault.DAMAGED:
            return CampaignError(
                "this document is damaged",
                where=where,
                mend="Open it in Word, let it repair the file, and save it again.",
            )


def _too_much(what: str, where: str) -> CampaignError:
    return CampaignError(
        f"{what}: far more than a mail has",
        where=where,
        mend="Copy the text of the mail alone into a new Word document, with smaller pictures, and save that.",
    )
