"""What a file is by its first bytes, whatever its name ends in."""

from dataclasses import dataclass
from pathlib import Path

_LONGEST = 256


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """What to call it, and what to do with it."""

    name: str
    mend: str


ZIP = Kind(name="a workbook or another ZIP archive", mend="If it is a workbook, let its name end in .xlsx or .ods.")
OLE = Kind(
    name="a workbook protected by a password, or in the format before 2007",
    mend="Open it in Excel and save it as .xlsx without a password.",
)
_PAGE = Kind(name="a web page", mend="Open it in Excel, and save it as XLSX or “CSV UTF-8”.")
_PICTURE = Kind(name="a picture", mend="Ask for the list itself, as CSV or XLSX.")
_PACKED = Kind(name="a packed archive", mend="Unpack it, and name the list that is in it.")

_SIGNATURES: dict[bytes, Kind] = {
    b"PK\x03\x04": ZIP,
    b"PK\x05\x06": ZIP,
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": OLE,
    b"%PDF-": Kind(name="a PDF document", mend="Ask for the list itself, as CSV or XLSX."),
    b"\x89PNG": _PICTURE,
    b"\xff\xd8\xff": _PICTURE,
    b"GIF8": _PICTURE,
    b"\x1f\x8b": _PACKED,
    b"BZh": _PACKED,
    b"\xfd7zXZ": _PACKED,
    b"7z\xbc\xaf\x27\x1c": _PACKED,
    b"Rar!": _PACKED,
    b"{\\rtf": Kind(name="a text document", mend="Copy its table into Excel, and save that as XLSX."),
    b"SQLite format 3\0": Kind(
        name="a database", mend='Name it with “url” and “query”: url = "sqlite:///file.db", query = "select ..."'
    ),
    b"PAR1": Kind(name="a Parquet file", mend="Save it as CSV."),
}
_PAGES = (b"<!doctype html", b"<html", b"<table", b"<?xml", b"mime-version:")


def told_kind(path: Path) -> Kind | None:
    """What the first bytes tell; None for what may be text."""
    with path.open("rb") as file:
        head = file.read(_LONGEST)
    for signature, kind in _SIGNATURES.items():
        if head.startswith(signature):
            return kind
    return _PAGE if head.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(_PAGES) else None
