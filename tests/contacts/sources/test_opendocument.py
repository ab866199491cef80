"""OpenDocument spreadsheets: what people see in them is what is read."""

import zipfile
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from mlgroup_mail.contacts.sources.cell_texts import as_text
from mlgroup_mail.contacts.sources.tables import Table, read_source
from mlgroup_mail.errors import ContactSourceError
from tests.contacts.files import ods_cell, ods_file, ods_row, source, xlsx_file

ADDRESS = "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"


def rows(table: Table) -> dict[int, list[str]]:
    """Each row's cells by its number."""
    return {number: cells for number, *cells in table.frame.itertuples(name=None)}


def read(path: Path) -> Table:
    return read_source(path, source())


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (ods_cell("00123"), "00123"),
        (ods_cell(7), "7"),
        (ods_cell(7.0), "7"),
        (ods_cell(7.25), "7.25"),
        ('<table:table-cell office:value-type="float" office:value="7"><text:p>007</text:p></table:table-cell>', "007"),
        (
            '<table:table-cell office:value-type="float" office:value="7"><text:p>7,00 €</text:p></table:table-cell>',
            "7",
        ),
        (ods_cell(True), "TRUE"),
        (ods_cell(date(2021, 10, 5)), "2021-10-05"),
        (ods_cell(datetime.fromisoformat("2021-10-05T14:30")), "2021-10-05T14:30:00"),
        (ods_cell("two\nlines"), "two\nlines"),
        (ods_cell("a  b\tc"), "a  b\tc"),
        ('<table:table-cell office:value-type="string" office:string-value="stated"/>', "stated"),
        (
            '<table:table-cell office:value-type="string"><office:annotation><text:p>ask</text:p></office:annotation>'
            "<text:p>An<text:span>na</text:span><text:s/><text:a>Novak</text:a></text:p></table:table-cell>",
            "Anna Novak",
        ),
    ],
)
def test_values_become_the_texts_that_they_show(tmp_path: Path, cell: str, text: str) -> None:
    row = f"<table:table-row>{ods_cell('a@example.org')}{cell}</table:table-row>"
    path = ods_file(tmp_path / "list.ods", Members=ods_row(["Email", "ID"]) + row)
    assert rows(read(path)) == {2: ["a@example.org", text]}


def test_repeated_rows_and_cells_are_counted(tmp_path: Path) -> None:
    """LibreOffice writes equal neighbours once, and fills the sheet with empty rows."""
    cells = '<table:table-cell table:number-columns-repeated="1024"/>'
    empty = f'<table:table-row table:number-rows-repeated="3">{cells}</table:table-row>'
    two_cells = ods_cell("x", 'table:number-columns-repeated="2"')
    twice = f'<table:table-row table:number-rows-repeated="2">{ods_cell("a@example.org")}{two_cells}</table:table-row>'
    rest = '<table:table-row table:number-rows-repeated="1048000"><table:table-cell/></table:table-row>'
    path = ods_file(
        tmp_path / "list.ods", Members=empty + ods_row(["Email", "Name", "Organisation"]) + empty + twice + rest
    )
    assert rows(read(path)) == {8: ["a@example.org", "x", "x"], 9: ["a@example.org", "x", "x"]}


def test_an_organisation_merged_over_three_people_is_theirs(tmp_path: Path) -> None:
    first = ods_cell("a@example.org") + ods_cell("Office", 'table:number-rows-spanned="3"')
    others = "".join(
        f"<table:table-row>{ods_cell(address)}<table:covered-table-cell/></table:table-row>"
        for address in ("b@example.org", "c@example.org")
    )
    path = ods_file(
        tmp_path / "list.ods",
        Members=f"{ods_row(['Email', 'Organisation'])}<table:table-row>{first}</table:table-row>{others}"
        + ods_row(["d@example.org"]),
    )
    assert [cells[1] for cells in rows(read(path)).values()] == ["Office", "Office", "Office", ""]


def test_hidden_rows_and_sheets_are_told(tmp_path: Path) -> None:
    properties = '<style:table-properties table:display="false"/>'
    hidden = f'<style:style style:name="Old" style:family="table">{properties}</style:style>'
    row = f'<table:table-row table:visibility="collapse">{ods_cell("a@example.org")}</table:table-row>'
    path = ods_file(tmp_path / "list.ods", styles=hidden, Old=ods_row(["Email"]) + row, Notes=[["Ask the office"]])
    table = read(path)
    assert [(remark.row, remark.reason) for remark in table.remarks] == [(2, "this row is hidden in the workbook")]
    assert table.notes == ("the sheet “Old” is hidden in the workbook",)
    both = ods_file(
        tmp_path / "two.ods", styles=hidden, Old=ods_row(["Email"]) + row, New=[["Email"], ["b@example.org"]]
    )
    assert rows(read(both)) == {2: ["b@example.org"]}


def test_errors_and_formulas_without_a_value_leave_the_cell_empty(tmp_path: Path) -> None:
    error = (
        f'<table:table-cell table:formula="of:=NA()" office:value-type="string" xmlns:calcext="{ADDRESS}" '
        'calcext:value-type="error"><text:p>#N/A</text:p></table:table-cell>'
    )
    formula = '<table:table-cell table:formula="of:=[.A1]"/>'
    path = ods_file(
        tmp_path / "list.ods",
        Members=f"{ods_row(['Email', 'Name', 'Country'])}"
        f"<table:table-row>{ods_cell('a@example.org')}{error}{formula}</table:table-row>",
    )
    table = read(path)
    assert rows(table) == {2: ["a@example.org", "", ""]}
    assert [remark.field for remark in table.remarks] == ["name", "country"]
    assert table.remarks[0].reason == "the cell shows the error #N/A"


def test_the_address_behind_a_link_counts_where_the_cell_shows_none(tmp_path: Path) -> None:
    cell = (
        '<table:table-cell office:value-type="string"><text:p><text:a xlink:href="mailto:a@example.org?subject=x">write'
        "</text:a></text:p></table:table-cell>"
    )
    path = ods_file(tmp_path / "list.ods", Members=f"{ods_row(['Email'])}<table:table-row>{cell}</table:table-row>")
    assert rows(read(path)) == {2: ["a@example.org"]}


def test_a_cell_in_the_far_corner_costs_nothing(tmp_path: Path) -> None:
    corner = (
        '<table:table-row table:number-rows-repeated="1048573"/><table:table-row>'
        f'<table:table-cell table:number-columns-repeated="16383"/>{ods_cell("here too?")}</table:table-row>'
    )
    path = ods_file(tmp_path / "list.ods", Members=f"{ods_row(['Email'])}{ods_row(['a@example.org'])}{corner}")
    assert list(rows(read(path))) == [2, 1048576]


def test_a_row_repeated_beyond_the_sheet_is_refused(tmp_path: Path) -> None:
    bomb = f'<table:table-row table:number-rows-repeated="999999999">{ods_cell("a@example.org")}</table:table-row>'
    path = ods_file(tmp_path / "list.ods", Members=f"{ods_row(['Email'])}{bomb}")
    with pytest.raises(ContactSourceError, match="what no program writes: rows without end"):
        read(path)


def test_a_long_text_repeated_over_the_sheet_is_refused(tmp_path: Path) -> None:
    """Each row is short, a million of them would not be."""
    cell = ods_cell("x" * 100_000)
    bomb = f'<table:table-row table:number-rows-repeated="1000000">{cell}</table:table-row>'
    path = ods_file(tmp_path / "list.ods", Members=f"{ods_row(['Email'])}{bomb}")
    with pytest.raises(ContactSourceError, match="more than 600 MB of text"):
        read(path)


def test_a_protected_file_and_one_of_the_other_kind_are_told(tmp_path: Path) -> None:
    key = "<manifest:file-entry><manifest:encryption-data/></manifest:file-entry>"
    protected = ods_file(tmp_path / "list.ods", manifest=key, Members=[["Email"]])
    with pytest.raises(ContactSourceError, match="protected by a password"):
        read(protected)
    xlsx_file(tmp_path / "book.ods", Members=[["Email"]])
    with pytest.raises(ContactSourceError, match="this is an Excel workbook"):
        read(tmp_path / "book.ods")
    ods_file(tmp_path / "sheet.xlsx", Members=[["Email"]])
    with pytest.raises(ContactSourceError, match="this is an OpenDocument spreadsheet"):
        read(tmp_path / "sheet.xlsx")


def test_a_word_document_that_is_called_a_workbook_is_told_with_what_to_do(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "list.xlsx", "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", "<w/>")
    with pytest.raises(ContactSourceError, match="this is a Word document") as told:
        read(tmp_path / "list.xlsx")
    assert told.value.problem.mend == "Copy its table into Excel, and save that as XLSX."


TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"), max_size=12
)
VALUES = st.one_of(
    TEXT,
    st.integers(-(10**14), 10**14),
    st.booleans(),
    st.dates(date(1901, 1, 1), date(2199, 12, 31)),
    st.floats(-(10**6), 10**6),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(people=st.lists(st.tuples(TEXT, VALUES), min_size=1, max_size=6))
def test_what_a_program_writes_is_read_back(tmp_path: Path, people: list[tuple[str, object]]) -> None:
    written = [[f"p{number}@example.org", *cells] for number, cells in enumerate(people)]
    path = ods_file(tmp_path / "list.ods", Members=[["Email", "Name", "ID"], *written])
    expected = [[address, name.strip(" "), as_text(value).strip(" ")] for address, name, value in written]
    assert list(rows(read(path)).values()) == expected
    theirs = CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
    assert [row[0] for row in theirs[1:]] == [row[0] for row in expected]
