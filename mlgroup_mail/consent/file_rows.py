"""Reading the rows of an opt-out file: CSV as spreadsheets and other software write it."""

import codecs
import csv
import io
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mlgroup_mail.consent.file_formats import OWN, FileFormat, Row, format_of
from mlgroup_mail.errors import ContactSourceError

_ADDRESS_COLUMNS = (
    *("email", "e mail", "email address", "e mail address", "emailaddress", "mail", "mail address"),
    *("courriel", "adresse courriel", "adresse email", "adresse e mail", "adresse mail", "adresse electronique"),
    *("e mail adresse", "email adresse", "emailadresse", "mailadresse", "mail adresse", "e mailadresse"),
    *("correo", "correo electronico", "direccion de correo electronico"),
    *("indirizzo email", "indirizzo e mail", "endereco de email", "endereco de e mail", "e mailadres", "emailadres"),
    "address",
)
"""The first of these that is there counts: beside a column of mail addresses, "address" is a postal one.

Case, accents, hyphens and underscores in a header make no difference.
"""
_LONGEST_CELL = 131_072


@dataclass(frozen=True, kw_only=True, slots=True)
class FileRows:
    """What a file is, and its rows: (number as a spreadsheet shows it, the address as written, all cells).

    `header` has the columns as written, `names` as the rows have them.
    """

    format: FileFormat
    header: tuple[str, ...]
    names: tuple[str, ...]
    rows: Iterator[tuple[int, str, Row]]


def read_text(path: Path) -> str:
    """A file as spreadsheets save it: UTF-8, UTF-16 with its mark, or Windows' Western European.

    Raises ContactSourceError where it is missing, or no text.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        reason = "this file is missing" if isinstance(error, FileNotFoundError) else "this file cannot be read"
        raise ContactSourceError(reason, where=str(path)) from None
    utf_16 = raw[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    for encoding in ("utf-16",) if utf_16 else ("utf-8-sig", "cp1252"):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise ContactSourceError("this is not a text file", where=str(path), mend="Save it as CSV and try again.")


def read_rows(text: str, path: Path, *, as_own: bool = False) -> FileRows:
    """The rows of a file; raises ContactSourceError where it has no column of addresses, and while they are read.

    `as_own`: whatever its columns are, it is a file of ours.
    """
    first = re.split(r"[\r\n]", text, maxsplit=1)[0]
    delimiter = max(",;\t", key=first.count)
    # Only CR and LF end a row: U+2028 and its like stand in texts that were copied from elsewhere.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        written = next(reader, [])
    except csv.Error as error:
        raise _no_csv(error, path) from None
    header = [_column_name(cell) for cell in written]
    column = next((name for name in _ADDRESS_COLUMNS if name in header), None)
    if column is None:
        raise ContactSourceError(
            "there is no column of addresses",
            where=str(path),
            mend='The first row names the columns: "address", and if known "topic", "at", "reason".',
        )
    return FileRows(
        format=OWN if as_own else format_of(header, where=str(path)),
        header=tuple(written),
        names=tuple(header),
        rows=_rows(reader, header, column, path),
    )


def _rows(
    reader: Iterator[list[str]], header: list[str], column: str, path: Path
) -> Iterator[tuple[int, str, dict[str, str]]]:
    try:
        for number, cells in enumerate(reader, start=2):
            if max(map(len, cells), default=0) > _LONGEST_CELL:
                raise csv.Error(f"a cell is longer than {_LONGEST_CELL} characters")
            # A row may be shorter than its header.
            row = dict.fromkeys(header, "") | dict(zip(header, (cell.strip() for cell in cells), strict=False))
            if any(row.values()):
                yield number, row[column], row
    except csv.Error as error:
        raise _no_csv(error, path) from None


def _no_csv(error: csv.Error, path: Path) -> ContactSourceError:
    return ContactSourceError(f"this is not a CSV file: {error}", where=str(path))


def _column_name(cell: str) -> str:
    letters = (char for char in unicodedata.normalize("NFKD", cell.casefold()) if not unicodedata.combining(char))
    return " ".join("".join(letters).replace("-", " ").replace("_", " ").split())
