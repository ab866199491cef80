"""Excel workbooks: what people see in them is what is read."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from openpyxl.worksheet.worksheet import Worksheet
from python_calamine import CalamineWorkbook

from mlgroup_mail.contacts.sources.cell_texts import as_text
from mlgroup_mail.contacts.sources.tables import Table, read_source
from mlgroup_mail.errors import ContactSourceError
from tests.contacts.files import sheet_row, source, written_sheet, xlsx_file


def book_of(*rows: list[object]) -> tuple[openpyxl.Workbook, Worksheet]:
    """A new workbook with these rows, and its sheet."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    return book, sheet


def read(book: openpyxl.Workbook, folder: Path, **options: object) -> Table:
    """The workbook, saved and read."""
    book.save(folder / "list.xlsx")
    return read_source(folder / "list.xlsx", source(**options))


def column(table: Table, name: str) -> dict[int, str]:
    """A column's texts by row number."""
    return {int(row): text for row, text in table.frame[name].items()}


def said(table: Table) -> list[tuple[int, str, str | None]]:
    """The remarks."""
    return [(remark.row, remark.reason, remark.field) for remark in table.remarks]


@pytest.mark.parametrize(
    ("value", "text", "number_format"),
    [
        ("00123", "00123", None),
        (7, "7", None),
        (7.0, "7", None),
        (7.25, "7.25", None),
        (123, "00123", "00000"),
        (12345678901234, "12345678901234", None),
        (0.1, "0.1", None),
        (True, "TRUE", None),
        (False, "FALSE", None),
        (date(2021, 10, 5), "2021-10-05", None),
        (datetime.fromisoformat("2021-10-05T14:30"), "2021-10-05T14:30:00", None),
        (time(9, 30), "09:30:00", None),
        (44474, "2021-10-05", "dd.mm.yyyy"),
        (timedelta(hours=30), "1 day, 6:00:00", None),
        ("line\nbreak", "line\nbreak", None),
        ("  blanks ", "blanks", None),
        (Decimal("1.50"), "1.5", None),
    ],
)
def test_values_become_the_texts_that_they_show(
    tmp_path: Path, value: object, text: str, number_format: str | None
) -> None:
    book, sheet = book_of(["Email", "ID"], ["a@example.org", value])
    if number_format:
        sheet["B2"].number_format = number_format
    assert column(read(book, tmp_path), "id") == {2: text}


def test_dates_of_old_macs_are_right(tmp_path: Path) -> None:
    book, _ = book_of(["Email", "ID"], ["a@example.org", date(2021, 10, 5)])
    book.epoch = CALENDAR_MAC_1904
    assert column(read(book, tmp_path), "id") == {2: "2021-10-05"}


def test_rich_text_is_text_without_its_reading_aids(tmp_path: Path) -> None:
    book, sheet = book_of(["Email", "Name"], ["a@example.org", ""])
    sheet["B2"] = CellRichText("Anna ", TextBlock(InlineFont(b=True), "Novak"))
    assert column(read(book, tmp_path), "name") == {2: "Anna Novak"}
    strings = (
        '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        '<si><r><t>山田</t></r><r><t xml:space="preserve"> 花子</t></r>'
        '<rPh sb="0" eb="2"><t>ヤマダ</t></rPh></si></sst>'
    )
    with written_sheet(tmp_path / "ja.xlsx", parts={"xl/sharedStrings.xml": strings}) as sheet_xml:
        rows = sheet_row(1, "Email", "Name") + '<row><c t="str"><v>a@example.org</v></c><c t="s"><v>0</v></c></row>'
        sheet_xml.write(f"<sheetData>{rows}</sheetData>".encode())
    assert column(read_source(tmp_path / "ja.xlsx", source()), "name") == {2: "山田 花子"}


def test_an_organisation_merged_over_three_people_is_theirs(tmp_path: Path) -> None:
    book, sheet = book_of(
        ["Members of the group", None, None],
        ["Email", "Name", "Organisation"],
        ["a@example.org", "Anna", "Office"],
        ["b@example.org", "Ben", None],
        ["c@example.org", "Cleo", None],
        ["d@example.org", "Dan", None],
    )
    sheet.merge_cells("A1:C1")
    sheet.merge_cells("C3:C5")
    assert column(read(book, tmp_path), "organisation") == {3: "Office", 4: "Office", 5: "Office", 6: ""}


def test_a_value_merged_sideways_stays_in_its_own_column(tmp_path: Path) -> None:
    """An organisation that runs over the next column is no country."""
    book, sheet = book_of(
        ["Email", "Organisation", "Country"], ["a@example.org", "National Office of Statistics", None]
    )
    sheet.merge_cells("B2:C2")
    assert read(book, tmp_path).frame.loc[2].tolist() == ["a@example.org", "National Office of Statistics", ""]


def test_hidden_rows_are_read_and_remarked_on(tmp_path: Path) -> None:
    book, sheet = book_of(["Email"], ["a@example.org"], ["b@example.org"], ["c@example.org"])
    sheet.row_dimensions[3].hidden = True
    table = read(book, tmp_path)
    assert column(table, "email") == {2: "a@example.org", 3: "b@example.org", 4: "c@example.org"}
    assert said(table) == [(3, "this row is hidden in the workbook", None)]


def test_a_filtered_list_is_not_a_thousand_remarks_too_many(tmp_path: Path) -> None:
    book, sheet = book_of(["Email"], *[[f"p{number}@example.org"] for number in range(1500)])
    for number in range(2, 1502):
        sheet.row_dimensions[number].hidden = True
    table = read(book, tmp_path)
    assert len(table.remarks) == 1001
    assert table.remarks[-1].row == 1501
    assert "499 more" in table.remarks[-1].reason


def test_a_visible_sheet_goes_before_a_hidden_one(tmp_path: Path) -> None:
    people = [["Email", "Name", "Country"], ["old@example.org", "Old", "FR"]]
    path = xlsx_file(tmp_path / "list.xlsx", Old=people, New=[["Email"], ["new@example.org"]])
    book = openpyxl.load_workbook(path)
    book["Old"].sheet_state = "hidden"
    table = read(book, tmp_path)
    assert column(table, "email") == {2: "new@example.org"}
    assert table.notes == ()


def test_a_hidden_sheet_is_read_where_no_other_has_addresses_and_that_is_told(tmp_path: Path) -> None:
    path = xlsx_file(tmp_path / "list.xlsx", Old=[["Email"], ["old@example.org"]], Notes=[["Ask the secretariat"]])
    book = openpyxl.load_workbook(path)
    book["Old"].sheet_state = "veryHidden"
    table = read(book, tmp_path)
    assert column(table, "email") == {2: "old@example.org"}
    assert table.notes == ("the sheet “Old” is hidden in the workbook",)


def test_a_second_sheet_of_people_is_not_passed_over_in_silence(tmp_path: Path) -> None:
    sheets = {"Members": [["Email", "Name"], ["a@example.org", "Anna"]], "Board": [["Email"], ["b@example.org"]]}
    table = read_source(xlsx_file(tmp_path / "list.xlsx", **sheets), source())
    assert column(table, "email") == {2: "a@example.org"}
    assert table.notes == ("the sheet “Board” has a column of addresses too, and is not read",)


def test_formulas_count_as_they_were_last_computed(tmp_path: Path) -> None:
    """A formula that no spreadsheet has computed yet leaves its cell empty, and the column is named."""
    with written_sheet(tmp_path / "list.xlsx") as sheet:
        sheet.write(f"<sheetData>{sheet_row(1, 'Email', 'Name', 'Country', 'Phone')}".encode())
        sheet.write(b'<row r="2"><c r="A2" t="str"><f>LOWER(B9)</f><v>a@example.org</v></c>')
        sheet.write(
            b'<c r="B2" t="str"><f>C9&amp;""</f><v></v></c><c r="C2"><f>D9</f></c><c r="D2"><f>D9</f></c></row>'
        )
        sheet.write(b"</sheetData>")
    table = read_source(tmp_path / "list.xlsx", source())
    assert table.frame.loc[2].tolist() == ["a@example.org", "", ""]
    ((row, reason, field),) = said(table)
    assert (row, field) == (2, "country")
    assert "a formula without a computed value" in reason


def test_an_error_in_a_cell_is_no_value(tmp_path: Path) -> None:
    book, _ = book_of(["Email", "Country", "Phone"], ["a@example.org", "#N/A", "#REF!"])
    table = read(book, tmp_path)
    assert column(table, "country") == {2: ""}
    assert said(table) == [(2, "the cell shows the error #N/A", "country")]


def test_the_address_behind_a_link_counts_where_the_cell_shows_none(tmp_path: Path) -> None:
    book, sheet = book_of(["Email", "Name"], ["write", "Anna"], ["b@example.org", "Ben"], ["page", "Cleo"])
    sheet["A2"].hyperlink = "mailto:anna%2Bnews@example.org?subject=Hello"
    sheet["A3"].hyperlink = "mailto:other@example.org"
    sheet["A4"].hyperlink = "https://www.example.org"
    table = read(book, tmp_path)
    assert column(table, "email") == {2: "anna+news@example.org", 3: "b@example.org", 4: "page"}
    assert said(table) == [(2, "the address comes from the cell's link", "email")]


def test_a_cell_in_the_far_corner_costs_nothing(tmp_path: Path) -> None:
    book, sheet = book_of(["Email"], ["a@example.org"])
    sheet["XFD1048576"] = "here too?"
    table = read(book, tmp_path)
    assert column(table, "email") == {2: "a@example.org", 1048576: ""}


def test_rows_and_cells_without_their_place_follow_each_other(tmp_path: Path) -> None:
    """Some programs leave the references out (they are optional in ECMA-376)."""
    with written_sheet(tmp_path / "list.xlsx") as sheet:
        rows = (
            sheet_row(1, "Email", "Name") + "<row><c t='str'><v>a@example.org</v></c><c t='str'><v>Anna</v></c></row>"
        )
        sheet.write(f"<sheetData>{rows}{sheet_row(7, 'b@example.org')}</sheetData>".encode())
    table = read_source(tmp_path / "list.xlsx", source())
    assert table.frame.to_dict("index") == {
        2: {"email": "a@example.org", "name": "Anna"},
        7: {"email": "b@example.org", "name": ""},
    }


def test_control_characters_are_unescaped(tmp_path: Path) -> None:
    """Excel writes a carriage return as _x000D_, and an underscore before such a text as _x005F_."""
    with written_sheet(tmp_path / "list.xlsx") as sheet:
        rows = sheet_row(1, "Email", "Name", "ID") + sheet_row(
            2, "a@example.org", "Anna_x000D_\nNovak", "_x005F_x000D_"
        )
        sheet.write(f"<sheetData>{rows}</sheetData>".encode())
    assert read_source(tmp_path / "list.xlsx", source()).frame.loc[2].tolist()[1:] == ["Anna\r\nNovak", "_x000D_"]


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ('<row r="5"><c r="A5" t="s"><v>99</v></c></row>', "damaged"),
        ('<row r="5"/><row r="4"/>', "damaged"),
        ('<row r="1048577"/>', "damaged"),
        ('<row r="5"><c r="XFE5" t="str"><v>x</v></c></row>', "damaged"),
        ('<row r="5"><c r="A5"><v>seven</v></c></row>', "damaged"),
        ("<row r='5'>" + "<c>" * 200 + "</c>" * 200 + "</row>", ""),
        ("<deep>" * 200 + "</deep>" * 200, "what no program writes: elements in elements"),
        ("<row r='5'", "damaged"),
    ],
)
def test_a_sheet_that_no_program_writes_is_refused(tmp_path: Path, rows: str, reason: str) -> None:
    with written_sheet(tmp_path / "list.xlsx") as sheet:
        sheet.write(f"<sheetData>{sheet_row(1, 'Email')}{sheet_row(2, 'a@example.org')}{rows}</sheetData>".encode())
    if not reason:
        assert column(read_source(tmp_path / "list.xlsx", source()), "email") == {2: "a@example.org"}
        return
    with pytest.raises(ContactSourceError, match=reason):
        read_source(tmp_path / "list.xlsx", source())


TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"), max_size=12
)
VALUES = st.one_of(
    TEXT,
    st.integers(-(10**14), 10**14),
    st.booleans(),
    st.dates(date(1901, 1, 1), date(2199, 12, 31)),
    st.floats(-(10**6), 10**6).map(lambda number: round(number, 4)),
    st.none(),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(people=st.lists(st.tuples(TEXT, VALUES), min_size=1, max_size=6))
def test_what_openpyxl_writes_is_read_back(tmp_path: Path, people: list[tuple[str, object]]) -> None:
    book, sheet = book_of(["Email", "Name", "ID"])
    for number, (name, value) in enumerate(people, start=2):
        for place, cell in enumerate((f"p{number}@example.org", name, value), start=1):
            sheet.cell(number, place, cell)
            if isinstance(cell, str):
                # As text, whatever it begins with.
                sheet.cell(number, place).data_type = "s"
    table = read(book, tmp_path)
    expected = [[name.strip(" "), as_text(value).strip(" ")] for name, value in people]
    assert table.frame[["name", "id"]].to_numpy().tolist() == expected
    theirs = CalamineWorkbook.from_path(tmp_path / "list.xlsx").get_sheet_by_index(0).to_python()
    assert [str(row[1]).strip(" ") for row in theirs[1:]] == [name for name, _ in expected]
