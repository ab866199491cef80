"""Contact files as offices export them, made by the tests that read them."""

import csv
import io
import sqlite3
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import IO
from xml.sax.saxutils import escape, quoteattr

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


_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


@contextmanager
def written_sheet(path: Path, *, parts: Mapping[str, str] | None = None) -> Iterator[IO[bytes]]:
    """A workbook whose one sheet the test writes as XML, within <worksheet>; `parts` are further files."""
    links = {"_rels/.rels": ("officeDocument", "xl/workbook.xml")}
    links["xl/_rels/workbook.xml.rels"] = ("worksheet", "worksheets/sheet1.xml")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, (kind, target) in links.items():
            shared = f'<Relationship Id="r2" Type="{_OFFICE}/sharedStrings" Target="sharedStrings.xml"/>'
            has_texts = kind == "worksheet" and "xl/sharedStrings.xml" in (parts or {})
            archive.writestr(
                name,
                f'<Relationships xmlns="{_PACKAGE}/relationships">'
                f'<Relationship Id="r1" Type="{_OFFICE}/{kind}" Target="{target}"/>'
                f"{shared if has_texts else ''}</Relationships>",
            )
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
            '<sheets><sheet name="Members" sheetId="1" r:id="r1"/></sheets></workbook>',
        )
        for name, content in (parts or {}).items():
            archive.writestr(name, content)
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            sheet.write(f'<worksheet xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'.encode())
            yield sheet
            sheet.write(b"</worksheet>")


def sheet_row(number: int, *cells: str) -> str:
    """A row of texts as XML for `written_sheet`."""
    written = (f'<c t="inlineStr"><is><t>{escape(cell)}</t></is></c>' for cell in cells)
    return f'<row r="{number}">{"".join(written)}</row>'


_ODS = {name: f"urn:oasis:names:tc:opendocument:xmlns:{name}:1.0" for name in ("office", "table", "text", "style")} | {
    "xlink": "http://www.w3.org/1999/xlink"
}


_ODS_TYPE = "application/vnd.oasis.opendocument.spreadsheet"
_ODS_LISTED = 'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"'


def ods_file(path: Path, *, styles: str = "", manifest: str = "", **sheets: Rows | str) -> Path:
    """An OpenDocument spreadsheet with these sheets, each as rows or as the XML within <table:table>."""
    names = " ".join(f'xmlns:{name}="{uri}"' for name, uri in _ODS.items())
    tables = "".join(
        f"<table:table table:name={quoteattr(title)} table:style-name={quoteattr(title)}>"
        f"{content if isinstance(content, str) else ''.join(map(ods_row, content))}</table:table>"
        for title, content in sheets.items()
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", _ODS_TYPE, zipfile.ZIP_STORED)
        archive.writestr("META-INF/manifest.xml", f"<manifest:manifest {_ODS_LISTED}>{manifest}</manifest:manifest>")
        archive.writestr(
            "content.xml",
            f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {names}>'
            f"<office:automatic-styles>{styles}</office:automatic-styles>"
            f"<office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body></office:document-content>",
        )
    return path


def ods_row(row: Sequence[object]) -> str:
    """A row of values as XML."""
    return f"<table:table-row>{''.join(map(ods_cell, row))}</table:table-row>"


def ods_cell(value: object, attributes: str = "") -> str:
    """A value as a cell, as LibreOffice writes it."""
    if value is None or value == "":
        return f"<table:table-cell {attributes}/>"
    if isinstance(value, bool):
        attributes += f' office:value-type="boolean" office:boolean-value="{str(value).lower()}"'
    elif isinstance(value, int | float):
        attributes += f' office:value-type="float" office:value="{value}"'
    elif isinstance(value, date):
        stated = value.isoformat() if isinstance(value, datetime) else f"{value.isoformat()}T00:00:00"
        attributes += f' office:value-type="date" office:date-value="{stated}"'
    else:
        attributes += ' office:value-type="string"'
    paragraphs = "".join(f"<text:p>{_ods_text(line)}</text:p>" for line in str(value).split("\n"))
    return f"<table:table-cell {attributes}>{paragraphs}</table:table-cell>"


def _ods_text(line: str) -> str:
    """Blanks beyond the first and tabs are elements in OpenDocument."""
    return escape(line).replace("\t", "<text:tab/>").replace("  ", ' <text:s text:c="1"/>')


def sqlite_file(path: Path, rows: Rows) -> Path:
    """A database with a table `members`: the first row names its columns."""
    header, *values = rows
    columns = ", ".join(f'"{name}"' for name in header)
    with sqlite3.connect(path) as database:
        database.execute(f"create table members ({columns})")
        database.executemany(f"insert into members values ({', '.join('?' * len(header))})", values)
    database.close()
    return path


def source(**keys: object) -> Source:
    """A `[[source]]` table."""
    return Source.model_validate({"name": "list", "path": "list.csv", **keys})


def query_source(**keys: object) -> Source:
    """A `[[source]]` table that asks a database."""
    return Source.model_validate({"name": "list", **keys})
