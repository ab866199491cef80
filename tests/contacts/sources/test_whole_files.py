"""Whole files as offices send them, read from the command line: who is accepted, or which one error ends it.

Each case builds one file. `people` are "address | name | organisation" of those accepted, in their order; `refused` is
the error; `rejected` counts the rows that are no use.
"""

import csv
import gzip
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import openpyxl
import pytest

from tests.cli.conftest import Run
from tests.contacts.files import csv_file, ods_cell, ods_file, ods_row, sheet_row, sqlite_file, written_sheet, xlsx_file

HEADER = ["Email", "Name", "Institution"]
ANNA, BEN = ["anna@example.org", "Anna Novák", "Úřad"], ["ben@example.org", "Ben Müller", "Büro"]
ACCEPTED = ("anna@example.org | Anna Novák | Úřad", "ben@example.org | Ben Müller | Büro")
WEST = ("zoe@example.org | Zoë Müller | Büro", "jose@example.org | José Núñez | Oficina")
WEST_ROWS = [HEADER, ["zoe@example.org", "Zoë Müller", "Büro"], ["jose@example.org", "José Núñez", "Oficina"]]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One file, what it is called, and what becomes of it."""

    name: str
    make: Callable[[Path], object]
    people: Sequence[str] = ()
    refused: str = ""
    rejected: int = 0


def text(content: str, encoding: str = "utf-8") -> Callable[[Path], object]:
    """A file with exactly this text."""
    return lambda path: path.write_bytes(content.encode(encoding))


def table(rows: Sequence[Sequence[object]], **options: str) -> Callable[[Path], object]:
    """A file as Python's csv module writes it."""
    return lambda path: csv_file(path, rows, **options)


def _with_title_and_merged_cells(path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["Members, October 2021"], [], HEADER, ANNA, ["ben@example.org", "Ben Müller", None]):
        sheet.append(row)
    sheet.merge_cells("A1:C1")
    sheet.merge_cells("C4:C5")
    sheet.row_dimensions[5].hidden = True
    book.save(path)


def _with_formulas(path: Path) -> None:
    with written_sheet(path) as sheet:
        sheet.write(f"<sheetData>{sheet_row(1, *HEADER)}".encode())
        sheet.write(
            b'<row r="2"><c t="str"><f>LOWER(D2)</f><v>anna@example.org</v></c><c><f>E2</f></c></row></sheetData>'
        )


def _with_values(path: Path) -> None:
    xlsx_file(
        path, Members=[["Email", "Name", "Institution", "ID"], [*ANNA, 7.0], [*BEN, "007"], [None, None, None, None]]
    )


def _with_dates(path: Path) -> None:
    xlsx_file(path, Members=[[*HEADER, "Joined"], [*ANNA, date(2021, 10, 5)]])


def _with_links(path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(HEADER)
    sheet.append(["write to Anna", "Anna Novák", "Úřad"])
    sheet["A2"].hyperlink = "mailto:anna@example.org"
    book.save(path)


def _encrypted(path: Path) -> None:
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4096))


def _cut_short(path: Path) -> None:
    xlsx_file(path, Members=[HEADER, ANNA, BEN])
    path.write_bytes(path.read_bytes()[:-800])


def _shared_ods(path: Path) -> None:
    over_both = ods_cell("Úřad", 'table:number-rows-spanned="2"')
    first = f"<table:table-row>{ods_cell('anna@example.org')}{ods_cell('Anna Novák')}{over_both}</table:table-row>"
    ods_file(path, Notes=[["Ask us"]], Members=ods_row(["Members"]) + ods_row(HEADER) + first + ods_row(BEN[:2]))


CASES = [
    Case(name="comma.csv", make=table([HEADER, ANNA, BEN]), people=ACCEPTED),
    Case(name="semicolon.csv", make=table([HEADER, ANNA, BEN], delimiter=";"), people=ACCEPTED),
    Case(name="tab.tsv", make=table([HEADER, ANNA, BEN], delimiter="\t", line_end="\n"), people=ACCEPTED),
    Case(name="pipe.txt", make=table([HEADER, ANNA, BEN], delimiter="|"), people=ACCEPTED),
    Case(name="mark.csv", make=table([HEADER, ANNA, BEN], encoding="utf-8-sig"), people=ACCEPTED),
    Case(name="utf16.txt", make=table([HEADER, ANNA, BEN], delimiter="\t", encoding="utf-16"), people=ACCEPTED),
    Case(name="utf16-unmarked.csv", make=table([HEADER, ANNA, BEN], encoding="utf-16-be"), people=ACCEPTED),
    Case(name="excel-german.csv", make=table(WEST_ROWS, delimiter=";", encoding="cp1252"), people=WEST),
    Case(name="latin-9.csv", make=table(WEST_ROWS, delimiter=";", encoding="iso8859_15"), people=WEST),
    Case(name="mac.csv", make=table(WEST_ROWS, delimiter=";", encoding="mac_roman", line_end="\r"), people=WEST),
    Case(name="dos.csv", make=table(WEST_ROWS, delimiter=";", encoding="cp850"), people=WEST),
    Case(
        name="polish.csv",
        make=table([HEADER, ["l@example.org", "Łukasz Śliwa", "Główny Urząd"]], delimiter=";", encoding="iso8859_2"),
        people=["l@example.org | Łukasz Śliwa | Główny Urząd"],
    ),
    Case(
        name="greek.csv",
        make=table([HEADER, ["g@example.org", "Γιώργος Άννινος", "Ελληνική Αρχή"]], encoding="cp1253"),
        people=["g@example.org | Γιώργος Άννινος | Ελληνική Αρχή"],
    ),
    Case(
        name="turkish.csv",
        make=table([HEADER, ["a@example.org", "Ayşe Yıldırım", "Çankaya Müdürlüğü"]], encoding="iso8859_9"),
        people=["a@example.org | Ayşe Yıldırım | Çankaya Müdürlüğü"],
    ),
    Case(name="sep.csv", make=text(f"sep=;\r\n{';'.join(HEADER)}\r\n{';'.join(ANNA)}\r\n"), people=ACCEPTED[:1]),
    Case(
        name="quoted.csv",
        make=text('Email,Name,Institution\nanna@example.org,"Anna\nNovák","Úřad, 2nd floor"\n'),
        people=["anna@example.org | Anna Novák | Úřad, 2nd floor"],
    ),
    Case(
        name="ragged.csv",
        make=text("Email,Name,Institution\nanna@example.org,Anna\nb@example.org,B,Office,Unit\n\nben@example.org\n"),
        people=["anna@example.org | Anna | ", "ben@example.org |  | "],
        rejected=1,
    ),
    Case(
        name="title.csv",
        make=text("Members of the group;;\n;;\nEmail;Name;Institution\nanna@example.org;Anna;Office\n"),
        people=["anna@example.org | Anna | Office"],
    ),
    Case(name="values.xlsx", make=_with_values, people=ACCEPTED),
    Case(
        name="merged.xlsx",
        make=_with_title_and_merged_cells,
        people=[ACCEPTED[0], "ben@example.org | Ben Müller | Úřad"],
    ),
    Case(
        name="sheets.xlsx",
        make=lambda path: xlsx_file(path, Notes=[["Read me"]], Members=[[], HEADER, ANNA, BEN]),
        people=ACCEPTED,
    ),
    Case(name="formulas.xlsx", make=_with_formulas, people=["anna@example.org |  | "]),
    Case(name="dates.xlsx", make=_with_dates, people=ACCEPTED[:1]),
    Case(name="links.xlsx", make=_with_links, people=ACCEPTED[:1]),
    Case(name="members.ods", make=_shared_ods, people=[ACCEPTED[0], "ben@example.org | Ben Müller | Úřad"]),
    Case(name="empty.csv", make=text(""), refused="the file is empty"),
    Case(name="empty.xlsx", make=text(""), refused="the file is empty"),
    Case(name="blank.xlsx", make=lambda path: xlsx_file(path, Sheet=[]), refused="the file is empty"),
    Case(name="phones.csv", make=text("Name,Phone\nAnna,1\n"), refused="no column holds mail addresses"),
    Case(
        name="phones.ods",
        make=lambda path: ods_file(path, A=[["Name"], ["Anna"]]),
        refused="no column holds mail addresses",
    ),
    Case(name="text.xlsx", make=text("Email\na@example.org\n"), refused="this is not an Excel workbook"),
    Case(name="text.ods", make=text("Email\na@example.org\n"), refused="this is not an OpenDocument spreadsheet"),
    Case(
        name="workbook.csv",
        make=lambda path: xlsx_file(path, Members=[HEADER, ANNA]),
        refused="a workbook or another ZIP archive, not a text file",
    ),
    Case(
        name="picture.csv",
        make=lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(99)),
        refused="this is a picture",
    ),
    Case(
        name="packed.csv",
        make=lambda path: path.write_bytes(gzip.compress(b"Email")),
        refused="this is a packed archive",
    ),
    Case(name="page.csv", make=text("<html><table><tr><td>Email</td></tr></table>"), refused="this is a web page"),
    Case(name="binary.csv", make=lambda path: path.write_bytes(bytes(range(256)) * 9), refused="not a text file"),
    Case(name="protected.xlsx", make=_encrypted, refused="protected by a password, or in the format before 2007"),
    Case(name="protected.ods", make=_encrypted, refused="protected by a password"),
    Case(name="members.xls", make=_encrypted, refused="files ending in “.xls” are not read"),
    Case(name="half.xlsx", make=_cut_short, refused="this workbook is damaged"),
    Case(
        name="quote.csv",
        make=text('Email,Name\na@example.org,"Anna\nb@example.org,Ben\n'),
        refused="row 2 opens a quote that is never closed",
    ),
    Case(name="folder.csv", make=lambda path: path.mkdir(), refused="this is not a file"),
    Case(name="gone.csv", make=lambda path: None, refused="this file is missing"),
    Case(
        name="members.db",
        make=lambda path: sqlite_file(path, [HEADER, ANNA]),
        refused="files ending in “.db” are not read",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_whole_file(run: Run, tmp_path: Path, case: Case) -> None:
    case.make(tmp_path / case.name)
    result = run("contacts", "check", case.name, "--json", "--out", "clean.csv")
    if case.refused:
        assert (result.code, result.out) == (1, "")
        assert case.refused in result.text
        assert case.name in result.text
        return
    assert result.code == 0, result.text
    clean = (tmp_path / "clean.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert [" | ".join(_cells(line)[:3]) for line in clean] == list(case.people)
    assert len(result.json["rejected"]) == case.rejected


def test_a_file_that_others_keep_locked_is_told(run: Run, tmp_path: Path) -> None:
    path = csv_file(tmp_path / "list.csv", [HEADER, ANNA])
    assert run("contacts", "check", "list.csv").code == 0
    path.chmod(0)
    with _as_nobody():
        result = run("contacts", "check", path, "--json")
    assert (result.code, result.out) == (1, "")
    assert "list.csv: this file cannot be read: Permission denied" in result.text


@contextmanager
def _as_nobody() -> Iterator[None]:
    """No permission binds root: where the tests run as root, this is somebody else for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def _cells(line: str) -> list[str]:
    return next(csv.reader([line]))
