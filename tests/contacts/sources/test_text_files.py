"""Delimited text: the quick road and the careful one lead to the same table."""

import contextlib
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlgroup_mail.contacts.fields import Field
from mlgroup_mail.contacts.sources import arrow_road
from mlgroup_mail.contacts.sources.grids import Grid
from mlgroup_mail.contacts.sources.tables import read_source
from mlgroup_mail.contacts.sources.text_files import TextFile, open_text_file
from mlgroup_mail.errors import ContactSourceError
from tests.contacts.files import csv_file, source

COLUMNS = {Field.EMAIL: 0, Field.NAME: 1}


def _open(path: Path, delimiter: str | None = None, encoding: str | None = None) -> TextFile:
    return open_text_file(path, delimiter=delimiter, encoding=encoding, mapping={})


def _quick(file: TextFile, columns: Mapping[Field, int], header_row: int = 1) -> Grid | None:
    """What Arrow's reader gives; None where it hands over to the csv module."""
    width = len(file.first_rows(header_row)[-1])
    return arrow_road.read_regular(
        file.path, file.encoding.name, file.delimiter, columns, width=width, header_row=header_row, lines=header_row
    )


PIECES = st.sampled_from(
    [
        "a@b.example",
        "Anna",
        "Zoë",
        " ",
        "  ",
        '"',
        '""',
        ",",
        ";",
        "\n",
        "\r\n",
        "\r",
        "\t",
        "\0",
        "x" * 30,
        "\u00a0",
        "日",
    ]
)
TEXTS = st.lists(PIECES, max_size=25).map("".join)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=1500)
@given(body=TEXTS, delimiter=st.sampled_from(",;\t|"), encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_both_roads_lead_to_the_same_table(tmp_path: Path, body: str, delimiter: str, encoding: str) -> None:
    path = tmp_path / "list.csv"
    text = f"Email,Name\n{body}".replace(",", delimiter)
    path.write_bytes(text.encode(encoding))
    file = _open(path, delimiter=delimiter, encoding=encoding)
    quick = _quick(file, COLUMNS) if file.regular else None
    if quick is None:
        return
    careful = file.read_carefully(COLUMNS, 1)
    assert quick.frame.index.tolist() == careful.frame.index.tolist()
    assert quick.frame.to_numpy().tolist() == careful.frame.to_numpy().tolist()
    assert careful.overfull == frozenset()


CELLS = st.text(st.sampled_from("ab @é日\"',;\t|\n "), max_size=8)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(
    rows=st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=30),
    delimiter=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp932"]),
)
def test_what_programs_write_goes_the_quick_road_and_comes_out_whole(
    tmp_path: Path, rows: list[tuple[str, str, str]], delimiter: str, encoding: str
) -> None:
    """Python's own writer quotes as Excel does; its files need no second look unless a blank stands before a quote."""
    rows = [tuple(cell.replace("é", "e") if encoding == "cp932" else cell for cell in row) for row in rows]
    path = csv_file(tmp_path / "list.csv", [["Email", "Name", "X"], *rows], delimiter=delimiter, encoding=encoding)
    file = _open(path, delimiter=delimiter, encoding=encoding)
    expected = {
        number: [row[0].strip(" "), row[1].strip(" ")]
        for number, row in enumerate(rows, start=2)
        if any(cell.strip() for cell in row)
    }
    for grid in (_quick(file, COLUMNS), file.read_carefully(COLUMNS, 1)):
        if grid is not None:
            assert {number: cells for number, *cells in grid.frame.itertuples(name=None)} == expected
    assert not file.regular or _quick(file, COLUMNS) is not None


def test_a_usual_file_takes_the_quick_road(tmp_path: Path) -> None:
    people = [["Email", "Name"], ["a@example.org", 'Anna "Nan" Novak'], ["b@example.org", "Novak, Ben\nof Prague"], []]
    for line_end in ("\n", "\r\n"):
        for encoding in ("utf-8", "utf-16", "utf-8-sig"):
            file = _open(csv_file(tmp_path / "list.csv", people, encoding=encoding, line_end=line_end))
            assert file.regular
            grid = _quick(file, COLUMNS)
            assert grid is not None
            assert grid.frame["name"].tolist() == ['Anna "Nan" Novak', "Novak, Ben\nof Prague"]


def test_columns_are_arrow_strings_on_both_roads(tmp_path: Path) -> None:
    usual = read_source(csv_file(tmp_path / "a.csv", [["Email", "Name"], ["a@example.org", "Anna"]]), source())
    ragged = read_source(csv_file(tmp_path / "b.csv", [["Email", "Name"], ["a@example.org"]]), source())
    for table in (usual, ragged):
        assert {str(kind) for kind in table.frame.dtypes} == {"str"}
        assert table.frame["email"].array.dtype.storage == "pyarrow"


def test_the_first_line_of_excel_that_tells_the_delimiter_is_no_row(tmp_path: Path) -> None:
    """Excel shows the header as row 1 then."""
    path = tmp_path / "list.csv"
    for line_end in ("\n", "\r\n"):
        path.write_bytes(f"sep=|{line_end}Email|Name, first{line_end}a@example.org|Anna{line_end}".encode())
        table = read_source(path, source(columns={"name": "Name, first"}))
        assert table.frame.to_dict("index") == {2: {"email": "a@example.org", "name": "Anna"}}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('Email,Name\na@example.org, "Novak, Anna"\n', "Novak, Anna"),
        ('Email, "Name"\na@example.org,Anna\n', "Anna"),
        ('Email,Name\na@example.org,5" disk\n', '5" disk'),
        ('Email,Name\na@example.org,"Anna" Novak\n', "Anna Novak"),
        ("Email,Name\ra@example.org,Anna\r", "Anna"),
        ("Email,Name\ra@example.org,Anna\nb@example.org,Ben\r\n", "Anna"),
        ("Email,Name\na@example.org,Anna\0\n", "Anna\0"),
        ("Email,Name\na@example.org,  Anna  \n", "Anna"),
    ],
)
def test_text_as_hands_and_old_programs_write_it(tmp_path: Path, text: str, name: str) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(text.encode())
    assert read_source(path, source(delimiter=",")).frame["name"].iloc[0] == name


def test_a_quote_that_is_never_closed_is_told_by_its_row_even_after_stray_ones(tmp_path: Path) -> None:
    """An even number of quotes proves nothing."""
    path = tmp_path / "list.csv"
    path.write_text('Email,Name\na@example.org,5" disk\nb@example.org,"Ben\nc@example.org,Cleo\n')
    with pytest.raises(ContactSourceError, match="row 3 opens a quote that is never closed"):
        read_source(path, source())


def test_a_row_of_two_hundred_thousand_characters_is_read(tmp_path: Path) -> None:
    """Notes of years stand in one cell; Python's csv module stops at 131,072 unless told."""
    rows = [["Email", "Name", "Notes"], ["a@example.org", "Anna", "x" * 200_000], ["b@example.org"]]
    assert len(read_source(csv_file(tmp_path / "list.csv", rows), source()).frame) == 2


def test_a_person_with_nothing_but_a_remark_is_a_row(tmp_path: Path) -> None:
    """Only a row without anything in any column is none."""
    rows = [["Email", "Phone"], ["", "1"], ["", ""], [" ", "\t"], ["a@example.org", ""]]
    table = read_source(csv_file(tmp_path / "list.csv", rows), source())
    assert table.frame["email"].to_dict() == {2: "", 5: "a@example.org"}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(content=st.one_of(st.binary(max_size=300), TEXTS.map(lambda text: f"Email,Name\n{text}".encode("utf-16-le"))))
def test_any_bytes_end_in_a_table_or_in_one_clear_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    with contextlib.suppress(ContactSourceError):
        assert Field.EMAIL in read_source(path, source()).labels
