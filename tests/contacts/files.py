"""Contact files as offices export them, made by the tests that read them."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import openpyxl

from mlgroup_mail.contacts.config import Source

Rows = Sequence[Sequence[object]]


def csv_file(path: Path, rows: Rows, *, delimiter: str = ",", encoding: str = "utf-8", line_end: str = "\r\n") -> Path:
    """A delimited text file."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=line_end).writerows(rows)
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def xlsx_file(path: Path, **sheets: Rows) -> Path:
    """A workbook with these sheets."""
    book = openpyxl.Workbook()
    assert book.active is not None
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
    book.save(path)
    return path


def source(**keys: object) -> Source:
    """A `[[source]]` table."""
    return Source.model_validate({"name": "list", "path": "list.csv", **keys})
