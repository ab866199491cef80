"""Whole files, as programs write them: what is read, with which row numbers, and what is refused."""

import contextlib
import zipfile
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlgroup_mail.contacts.fields import Field
from mlgroup_mail.contacts.sources.tables import Table, read_source
from mlgroup_mail.errors import ContactSourceError
from tests.contacts.files import csv_file, source, xlsx_file

PEOPLE = [
    ["Email", "Name", "Organisation"],
    ["zoe@example.org", "Zoë Müller", "Büro für Statistik"],
    ["jose@example.org", "José Núñez", "Oficina"],
]


def rows(table: Table) -> dict[int, list[str]]:
    """Each row's cells by its number."""
    return {number: cells for number, *cells in table.frame.itertuples(name=None)}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("line_end", ["\r\n", "\n"])
def test_delimiter_and_encoding_are_found_out(tmp_path: Path, delimiter: str, encoding: str, line_end: str) -> None:
    path = csv_file(tmp_path / "list.csv", PEOPLE, delimiter=delimiter, encoding=encoding, line_end=line_end)
    assert rows(read_source(path, source())) == {2: PEOPLE[1], 3: PEOPLE[2]}


def test_an_encoding_that_is_named_is_used(tmp_path: Path) -> None:
    path = csv_file(
        tmp_path / "list.csv", [["Email", "Name"], ["l@example.org", "Łukasz Śliwa"]], encoding="iso-8859-2"
    )
    assert rows(read_source(path, source(encoding="iso-8859-2")))[2] == ["l@example.org", "Łukasz Śliwa"]


def test_the_delimiter_is_the_one_that_names_columns(tmp_path: Path) -> None:
    """A header full of commas in quotes does not make commas the delimiter."""
    path = tmp_path / "list.csv"
    path.write_text("Email;Organisation (office, unit, team);Name\na@example.org;Office, Unit, Team;Anna\n")
    assert rows(read_source(path, source()))[2] == ["a@example.org", "Office, Unit, Team", "Anna"]


def test_one_column_needs_no_delimiter(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("E-mail\nanna@example.org\n\nben@example.org\n")
    assert rows(read_source(path, source())) == {2: ["anna@example.org"], 4: ["ben@example.org"]}


def test_row_numbers_are_those_of_a_spreadsheet(tmp_path: Path) -> None:
    """A line break within quotes does not begin a row; an empty row counts, and is no person."""
    path = tmp_path / "list.csv"
    path.write_text('Email,Name\n"a@example.org","Anna\nNovak"\n\n , \nb@example.org,Ben\n,,\nc@example.org,"Cleo"\n')
    assert {number: cells[0] for number, cells in rows(read_source(path, source())).items()} == {
        2: "a@example.org",
        5: "b@example.org",
        7: "c@example.org",
    }


def test_a_title_may_stand_above_the_header(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("Members 2021\n\nEmail,Name\nanna@example.org,Anna\n")
    assert rows(read_source(path, source())) == {4: ["anna@example.org", "Anna"]}


def test_a_header_row_that_is_given_is_used(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "list.csv", [["Email"], ["Email", "Name"], ["anna@example.org", "Anna"]])
    assert rows(read_source(path, source(header_row=2))) == {3: ["anna@example.org", "Anna"]}


def test_short_rows_are_filled_up(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("Email,Name,Country\nanna@example.org\nben@example.org,Ben\n")
    assert rows(read_source(path, source())) == {2: ["anna@example.org", "", ""], 3: ["ben@example.org", "Ben", ""]}


@pytest.mark.parametrize("last", ["", "France"])
def test_a_row_with_more_cells_than_the_header_is_known(tmp_path: Path, last: str) -> None:
    """A comma without quotes shifts the values, even where the last of them is empty."""
    path = tmp_path / "list.csv"
    shifted = f"b@example.org,Office, Unit,{last}"
    path.write_text(f"Email,Organisation,Country\na@example.org,Office,FR\n{shifted}\nc@example.org,Office,FR\n")
    assert read_source(path, source()).overfull == {3}


def test_a_remark_beside_the_table_costs_nobody_their_place(tmp_path: Path) -> None:
    """People write beside their tables, in a column without a name."""
    table = [
        ["Email", "Name"],
        ["a@example.org", "Anna", "moved?"],
        ["b@example.org", "Ben"],
        ["c@example.org", "Cleo"],
    ]
    book = read_source(xlsx_file(tmp_path / "list.xlsx", Members=table), source())
    text = read_source(csv_file(tmp_path / "list.csv", [[*row, ""][:3] for row in table]), source())
    for read in (book, text):
        assert read.overfull == frozenset()
        assert rows(read)[2] == ["a@example.org", "Anna"]


def test_a_delimiter_at_the_end_of_every_row_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("Email,Name\na@example.org,Anna,\nb@example.org,Ben,\n")
    assert read_source(path, source()).overfull == frozenset()


def test_cells_that_look_like_missing_values_are_texts(tmp_path: Path) -> None:
    """Namibia is NA, and somebody is called Null."""
    path = csv_file(tmp_path / "list.csv", [["Email", "Name", "Country"], ["n@example.org", "Null", "NA"]])
    assert rows(read_source(path, source()))[2] == ["n@example.org", "Null", "NA"]


def test_a_workbook_reads_as_texts(tmp_path: Path) -> None:
    people = [
        ["ID", "Email", "Name"],
        [7, "anna@example.org", "Anna"],
        [None, None, None],
        ["08", "b@example.org", "NA"],
    ]
    table = read_source(xlsx_file(tmp_path / "list.xlsx", Members=people), source())
    assert table.frame[[Field.ID, Field.EMAIL, Field.NAME]].to_numpy().tolist() == [
        ["7", "anna@example.org", "Anna"],
        ["08", "b@example.org", "NA"],
    ]
    assert table.frame.index.tolist() == [2, 4]


def test_the_sheet_with_the_people_is_found(tmp_path: Path) -> None:
    notes = [["How to use this file"], ["Ask the secretariat"]]
    people = [["Members of the group"], [], ["Email", "Name"], ["anna@example.org", "Anna"]]
    path = xlsx_file(tmp_path / "list.xlsx", Notes=notes, People=people)
    assert rows(read_source(path, source())) == {4: ["anna@example.org", "Anna"]}


def test_a_sheet_that_is_given_is_used(tmp_path: Path) -> None:
    path = xlsx_file(
        tmp_path / "list.xlsx",
        Old=[["Email", "Name"], ["old@example.org", "Old"]],
        New=[["Email"], ["new@example.org"]],
    )
    assert rows(read_source(path, source(sheet="New"))) == {2: ["new@example.org"]}
    with pytest.raises(ContactSourceError, match=r"no sheet “Newest”") as caught:
        read_source(path, source(sheet="Newest"))
    assert "Old, New" in str(caught.value)


def test_a_workbook_that_begins_below_the_first_row_keeps_its_numbers(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    for column, texts in (("C", ("Email", "anna@example.org")), ("D", ("Name", "Anna"))):
        for number, text in zip((5, 6), texts, strict=True):
            book.active[f"{column}{number}"] = text
    book.save(tmp_path / "list.xlsx")
    assert rows(read_source(tmp_path / "list.xlsx", source())) == {6: ["anna@example.org", "Anna"]}


REFUSED: dict[str, tuple[bytes, str]] = {
    "empty.csv": (b"", "the file is empty"),
    "mark-only.csv": (b"\xef\xbb\xbf", "the file is empty"),
    "blank.csv": (b"\n\n \n", "the file is empty"),
    "no-address.csv": (b"Name,Phone\nAnna,1\n", "no column holds mail addresses"),
    "no-header.csv": (b"Anna,anna@example.org\n", "no column holds mail addresses"),
    "binary.csv": (b"\x89PNG\x00\x01\x02", "not a text file"),
    "workbook.csv": (b"PK\x03\x04rest", "not a text file"),
    "strange.csv": (b"Email,Name\na@example.org," + bytes(range(128, 256)), "not in UTF-8 or any usual encoding"),
    "half-utf16.csv": ("Email\na@example.org\n".encode("utf-16")[:-1], "not in utf-16"),
    "quote.csv": (b'Email,Name\na@example.org,Anna\nb@example.org,"Ben\n', "row 3 opens a quote that is never closed"),
    "empty.xlsx": (b"", "the file is empty"),
    "text.xlsx": (b"Email,Name\na@example.org,Anna\n", "not an Excel workbook"),
    "locked.xlsx": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "protected by a password"),
    "list.pdf": (b"%PDF-1.7", "files ending in “.pdf” are not read"),
    "list": (b"Email\n", "files ending in “” are not read"),
}


@pytest.mark.parametrize(("name", "content", "reason"), [(name, *case) for name, case in REFUSED.items()])
def test_a_file_that_cannot_be_used_is_refused_with_one_clear_error(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ContactSourceError, match=reason) as caught:
        read_source(path, source())
    assert caught.value.problem.where == str(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ContactSourceError, match="this file is missing"):
        read_source(tmp_path / "list.csv", source())
    with pytest.raises(ContactSourceError, match="this is not a file"):
        read_source(tmp_path, source())


def test_a_zip_that_is_no_workbook_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "list.xlsx", "w") as archive:
        archive.writestr("readme.txt", "Email")
    with pytest.raises(ContactSourceError, match="this workbook is damaged"):
        read_source(tmp_path / "list.xlsx", source())


def test_a_damaged_workbook_is_refused(tmp_path: Path) -> None:
    whole = xlsx_file(tmp_path / "whole.xlsx", Members=PEOPLE)
    with zipfile.ZipFile(whole) as archive, zipfile.ZipFile(tmp_path / "list.xlsx", "w") as damaged:
        for entry in archive.infolist():
            content = archive.read(entry)
            damaged.writestr(entry, content[: len(content) // 2] if "sheet" in entry.filename else content)
    with pytest.raises(ContactSourceError, match="this workbook is damaged"):
        read_source(tmp_path / "list.xlsx", source())


CELL = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=12).map(str.strip)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    people=st.lists(st.tuples(CELL, st.one_of(CELL, st.just('a "b", c; d\n\te'))), min_size=1, max_size=6),
    delimiter=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252", "iso8859_2", "mac_roman", "koi8_u", "cp932"]),
)
def test_what_a_program_writes_is_read_back(
    tmp_path: Path, people: list[tuple[str, str]], delimiter: str, encoding: str
) -> None:
    """Old encodings are named, as a guess needs real words; they hold only some of the characters."""
    written = [
        [f"p{number}@example.org", *(cell.encode(encoding, "ignore").decode(encoding).strip() for cell in cells)]
        for number, cells in enumerate(people)
    ]
    path = csv_file(
        tmp_path / "list.csv", [["Email", "Name", "Institution"], *written], delimiter=delimiter, encoding=encoding
    )
    given_encoding = None if encoding.startswith("utf") else encoding
    assert list(rows(read_source(path, source(encoding=given_encoding))).values()) == written


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(content=st.one_of(st.binary(max_size=200), st.text(max_size=120).map(lambda text: f"Email,{text}".encode())))
def test_any_bytes_give_a_table_or_one_clear_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    with contextlib.suppress(ContactSourceError):
        assert Field.EMAIL in read_source(path, source()).labels
