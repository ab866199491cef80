"""`contacts export`: the list back as a file that no spreadsheet takes for formulas, and that reads back as it was."""

import csv
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlgroup_mail.consent.applying import apply_signal
from mlgroup_mail.contacts.cleaning.cleaned import clean
from mlgroup_mail.contacts.fields import Field
from mlgroup_mail.contacts.sources.tables import read_source
from mlgroup_mail.contacts.words.countries import find_country
from mlgroup_mail.contacts.words.readings import ANY_WORDS, make_readers
from mlgroup_mail.contacts.words.texts import guarded
from mlgroup_mail.model import Contact, Road, Signal, SignalKind
from mlgroup_mail.reporting import contact_export
from mlgroup_mail.reporting.contact_columns import country_name, one_line
from mlgroup_mail.reporting.contact_export import export_contacts
from mlgroup_mail.settings.app import App, open_app
from mlgroup_mail.store.contact_overview import overviews
from mlgroup_mail.store.contact_sync import sync_contacts
from mlgroup_mail.store.moving import move_person
from tests.acceptance.projects import small_project
from tests.cli.conftest import Run
from tests.cli.lists import PEOPLE, listed_project, write_people
from tests.contacts.files import source
from tests.factories import NOON

AT = datetime(2021, 11, 2, 9, 30, tzinfo=UTC)
READ = {
    "id": "Id",
    "email": "Email",
    "name": "Name",
    "first_name": "First name",
    "organisation": "Organisation",
    "country": "Country",
    "timezone": "Time zone",
    "language": "Language",
    "status": "Status",
    "topics": "Topics",
    "themes": "Themes",
    "aliases": "Other addresses",
    "opted_out": "Opted out",
}


@pytest.fixture
def project(run: Run, tmp_path: Path) -> Path:
    """Four people, stored."""
    root = listed_project(tmp_path)
    assert run("contacts", "pull").code == 0
    return root


def signal(kind: SignalKind, address: str, **values: Any) -> Signal:
    usual: dict[str, Any] = {"topic": "*", "road": Road.MAILBOX, "at": AT, "evidence": f"{kind} {address}"}
    return Signal(kind=kind, address=address, **usual | values)


def sheets(path: Path) -> dict[str, list[list[Any]]]:
    book = openpyxl.load_workbook(path)
    return {sheet.title: [[cell.value for cell in row] for row in sheet.iter_rows()] for sheet in book.worksheets}


def people(path: Path, sheet: str = "Contacts") -> dict[str, dict[str, Any]]:
    """What the file says of each person, by address."""
    header, *rows = sheets(path)[sheet]
    return {row[2]: dict(zip(header, row, strict=True)) for row in rows}


def filled(person: dict[str, Any], *headers: str) -> list[Any]:
    return [person[header] for header in headers]


def test_each_person_has_a_row_with_what_the_list_says(run: Run, project: Path) -> None:
    shown = run("contacts", "export", "list.xlsx")
    assert shown.code == 0
    assert "4 people are in list.xlsx. These are personal data" in shown.text
    anna = people(project / "list.xlsx")["anna@stats.example.org"]
    assert filled(anna, "Number in the ledger", "Id", "Name", "Organisation", "Country", "Country code", "Status") == [
        *(1, "1", "Anna Novak", "Office of Statistics", "Czechia", "CZ", "lead")
    ]
    assert filled(anna, "Themes", "Topics", "Source") == ["MLOps; Web data", None, "members"]
    assert isinstance(anna["Joined"], datetime), "a date, not a text"
    assert run("contacts", "export", "list.xlsx", "--json").json == {"file": "list.xlsx", "contacts": 4, "left": 0}


def test_opt_outs_holds_bounces_and_moves_are_told_with_their_dates(run: Run, project: Path) -> None:
    with open_app(project) as app:
        for each in (
            signal(SignalKind.OPT_OUT, "anna@stats.example.org", topic="calls"),
            signal(SignalKind.COMPLAINT, "ben@stats.example.org", road=Road.PROVIDER),
            signal(SignalKind.REVIEW, "cleo@other.example"),
            signal(SignalKind.BOUNCE, "dora@other.example"),
        ):
            apply_signal(app.store, each, now=AT)
        with app.store.deciding() as connection:
            move_person(connection, "cleo@other.example", "cleo@new.example", by="the editor", reason="x", now=AT)
    assert run("contacts", "export", "list.xlsx").code == 0
    found = people(project / "list.xlsx")
    day = datetime(2021, 11, 2)  # noqa: DTZ001 (a spreadsheet knows no zones)
    assert filled(found["anna@stats.example.org"], "Opted out", "Topics opted out of") == [
        *(None, "calls since 2021-11-02, by mailbox")
    ]
    assert filled(found["ben@stats.example.org"], "Opted out", "Opted out by") == [day, "provider (complaint)"]
    cleo = found["cleo@new.example"]
    assert filled(cleo, "Holds", "Moved from", "Moved", "Other addresses") == [
        *("all topics since 2021-11-02, by mailbox", "cleo@other.example", day, "cleo@other.example")
    ]
    dora = found["dora@other.example"]
    assert filled(dora, "Bounces", "Last bounce") == ["no such mailbox since 2021-11-02, by mailbox", day]
    assert dora["Opted out"] is None


def test_a_rule_that_was_lifted_is_not_told(run: Run, project: Path) -> None:
    run("opt-out", "add", "anna@stats.example.org")
    run("opt-out", "lift", "anna@stats.example.org", "--reason", "a mistake")
    run("contacts", "export", "list.xlsx")
    assert people(project / "list.xlsx")["anna@stats.example.org"]["Opted out"] is None


def test_who_left_is_on_a_second_sheet_and_what_it_is_on_a_third(run: Run, project: Path) -> None:
    write_people(project, PEOPLE[:3])
    assert run("contacts", "pull", "--accept-changes").code == 0
    shown = run("contacts", "export", "list.xlsx")
    assert "3 people are in list.xlsx. The 1 who left are on its second sheet." in shown.text
    assert [*sheets(project / "list.xlsx")] == ["Contacts", "Left", "About"]
    left = people(project / "list.xlsx", "Left")
    assert [*left] == ["dora@other.example"]
    assert isinstance(left["dora@other.example"]["No longer on the list since"], datetime)
    about = dict(sheets(project / "list.xlsx")["About"])
    assert (about["People on the list"], about["People who left"], about["People who were erased"]) == (3, 1, 0)
    assert re.fullmatch(r"[0-9a-f-]{36}", about["Ledger"])
    assert "not: an .xlsx has them" in run("contacts", "export", "list.csv").text


def test_the_sheet_is_ready_to_be_filtered(run: Run, project: Path) -> None:
    run("contacts", "export", "list.xlsx")
    sheet = openpyxl.load_workbook(project / "list.xlsx")["Contacts"]
    assert sheet.freeze_panes == "D2", "the header, and whose row it is"
    assert sheet.auto_filter.ref == f"A1:{openpyxl.utils.get_column_letter(sheet.max_column)}5"
    assert sheet["A1"].font.bold
    assert sheet.column_dimensions["C"].width > 30


@pytest.mark.parametrize("name", ["list.xlsx", "list.csv"])
def test_check_reads_the_file_back_as_the_same_people(run: Run, project: Path, name: str) -> None:
    """Every column is either recognised as what it is, or not read."""
    run("opt-out", "add", "ben@stats.example.org")
    run("opt-out", "add", "cleo@other.example", "--topic", "calls")
    assert run("contacts", "export", name).code == 0
    checked = run("contacts", "check", name, "--out", "again.csv", "--json").json
    assert (checked["rows"], checked["contacts"], checked["merged"]) == (4, 4, 0)
    assert (checked["rejected"], checked["noted"], checked["opt_outs"]) == ([], [], 1)
    assert checked["columns"][0]["read"] == READ
    with (project / "again.csv").open(encoding="utf-8", newline="") as file:
        again = [(row["address"], row["name"], row["country"], row["topics"]) for row in csv.DictReader(file)]
    assert again == [(each[1], each[2], each[4], each[6]) for each in PEOPLE]


def test_every_country_reads_back_as_itself() -> None:
    codes = [code for code in map(find_country, _codes()) if code]
    assert len(codes) > 240
    assert {code: find_country(country_name(code)) for code in codes} == {code: code for code in codes}


def _codes() -> list[str]:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return [first + second for first in letters for second in letters]


def test_people_who_share_an_old_mailbox_stay_two_when_the_file_is_read_back(run: Run, project: Path) -> None:
    """Ben left and came back elsewhere; Dora has his mailbox now."""
    moved = [list(each) for each in PEOPLE]
    moved[1][1] = "ben@new.example"
    write_people(project, moved)
    run("contacts", "pull", "--accept-changes")
    moved[3][1] = "ben@stats.example.org"
    write_people(project, moved)
    run("contacts", "pull", "--accept-changes")
    run("contacts", "export", "list.xlsx")
    ben = people(project / "list.xlsx")["ben@new.example"]
    assert filled(ben, "Other addresses", "Addresses shared with others") == [None, "ben@stats.example.org"]
    checked = run("contacts", "check", "list.xlsx", "--json").json
    assert (checked["contacts"], checked["merged"]) == (4, 0)


def test_ids_of_several_sources_stay_apart(run: Run, project: Path) -> None:
    path = project / "contacts" / "contacts.toml"
    path.write_text(
        '[[source]]\nname = "board"\npath = "board.csv"\n\n' + path.read_text(encoding="utf-8"), encoding="utf-8"
    )
    (project / "contacts" / "board.csv").write_text("Id,Email\n1,eve@board.example\n", encoding="utf-8")
    run("contacts", "pull", "--accept-changes")
    run("contacts", "export", "list.xlsx")
    found = people(project / "list.xlsx")
    assert found["eve@board.example"]["Id"] == "board:1"
    assert found["anna@stats.example.org"]["Id"] == "members:1"


def test_the_last_accepted_mail_is_told(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    letter = small_project(tmp_path)
    monkeypatch.setenv("MLGROUP_NOW", "2021-11-02T10:00:00Z")
    run("contacts", "pull")
    run("approve", "letter/issue", "--by", "the editor")
    assert run("send", "letter/issue", "--live").code == 0
    run("contacts", "export", "list.xlsx")
    found = people(letter / "list.xlsx")["person1@office.example"]
    assert found["Last accepted mail"] == "letter/issue"
    assert found["Accepted"].date() == date(2021, 11, 2)


@pytest.mark.parametrize("name", ["list.xlsx", "list.csv"])
def test_a_file_is_replaced_as_a_whole_and_only_its_owner_reads_it(
    run: Run, project: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path = project / name
    path.write_bytes(b"what stood there")
    path.chmod(0o644)

    def two_and_no_more(*arguments: Any, **options: Any) -> Iterator[Any]:
        yield from overviews(*arguments, **options, chunk=2)
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(contact_export, "overviews", two_and_no_more)
        broken = run("contacts", "export", path)
    assert broken.code == 2
    assert f"{name}: this file cannot be written: No space left on device" in broken.text
    assert path.read_bytes() == b"what stood there"
    assert [each.name for each in project.glob(f"*{name}*")] == [name]
    assert not [*project.glob(".*.part")]
    assert run("contacts", "export", path).code == 0
    assert path.read_bytes() != b"what stood there"
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("list.ods", "“list.ods” is neither .xlsx nor .csv"),
        ("list", "“list” is neither .xlsx nor .csv"),
        ("nowhere/list.xlsx", "nowhere/list.xlsx: this file cannot be written: No such file or directory"),
        ("folder.csv", "folder.csv: this file cannot be written: Is a directory"),
    ],
)
def test_a_file_that_cannot_be_is_told_in_words(run: Run, project: Path, name: str, message: str) -> None:
    (project / "folder.csv").mkdir()
    result = run("contacts", "export", name)
    assert (result.code, result.out) == (2, "")
    assert message in result.text
    assert not [*project.glob(".*.part")]


def test_more_people_than_a_sheet_has_rows_need_a_csv(run: Run, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contact_export, "SHEET_ROWS", 4)
    result = run("contacts", "export", "list.xlsx")
    assert result.code == 2
    assert "an Excel sheet has 4 rows, too few for 4 people" in result.text
    assert "Export to list.csv instead." in result.text
    assert run("contacts", "export", "list.csv").code == 0


HOSTILE = [
    "=1+1",
    "+49 30 1234",
    "-5",
    "@SUM(A1)",
    "#REF!",
    "'=1+1",
    "''quoted",
    '=HYPERLINK("http://a.example","x")',
    "one\ntwo\r\nthree",
    "tab\there",
    "zero\x00control\x07end\x9f",
    "\ufffe\uffff",
    "\u202eright to left\u202c",
    "شبكة الإحصاء",
    'א,ב;"ג"',
    "_x003D_1+1",
    "2021-11-02",
    "0017",
    "1e5",
    "TRUE",
    "x" * 40_000,
    "  blanks  ",
]


def store_people(app: App, names: list[str]) -> None:
    """People whose every text is hostile, as a database could have been made to hold them."""
    contacts = [
        Contact(
            address=f"p{number}@example.org",
            name=name,
            first_name=name,
            organisation=name,
            status=name,
            source="members",
            external_id=f"members:{number}",
        )
        for number, name in enumerate(names)
    ]
    with app.store.deciding() as connection:
        sync_contacts(connection, contacts, sources=frozenset({"members"}), now=NOON)


def test_no_cell_of_the_workbook_is_a_formula_or_an_error(run: Run, project: Path) -> None:
    with open_app(project) as app:
        store_people(app, HOSTILE)
    assert run("contacts", "export", "list.xlsx").code == 0
    for sheet in openpyxl.load_workbook(project / "list.xlsx").worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type in ("s", "n", "d"), cell.coordinate
                assert not str(cell.value or "").startswith(("=", "+", "-", "@")), "not even once it was edited"
    found = people(project / "list.xlsx")
    assert [found[f"p{number}@example.org"]["Organisation"] for number in range(5)] == [
        *("'=1+1", "'+49 30 1234", "'-5", "'@SUM(A1)", "#REF!")
    ]
    assert found["p17@example.org"]["Organisation"] == "0017"


def test_no_cell_of_the_csv_begins_a_formula(run: Run, project: Path) -> None:
    with open_app(project) as app:
        store_people(app, HOSTILE)
    assert run("contacts", "export", "list.csv").code == 0
    with (project / "list.csv").open(encoding="utf-8-sig", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert "'=1+1" in cells


SHORT = [text for text in HOSTILE if len(text) < 100]
LETTERS = st.characters(codec="utf-8", exclude_characters="\x00")


@pytest.mark.parametrize("name", ["list.xlsx", "list.csv"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=12)
@given(names=st.lists(st.text(LETTERS, min_size=1, max_size=12) | st.sampled_from(SHORT), min_size=1, max_size=20))
def test_whatever_the_ledger_holds_every_row_is_read_back(
    run: Run, project: Path, tmp_path_factory: pytest.TempPathFactory, name: str, names: list[str]
) -> None:
    with open_app(project) as app:
        store_people(app, names)
        path = tmp_path_factory.mktemp("export") / name
        export_contacts(app, path)
    cleaned = clean([read_source(path, source(name="members"))], ANY_WORDS, at=AT)
    assert sorted(each.address for each in cleaned.contacts) == sorted(
        f"p{number}@example.org" for number in range(len(names))
    )
    read = make_readers(ANY_WORDS)[Field.ORGANISATION]
    for each in cleaned.contacts:
        text = names[int(each.external_id.removeprefix("members:"))]
        assert each.address == f"p{each.external_id.removeprefix('members:')}@example.org"
        if text == one_line(text):
            assert each.organisation == read(guarded(text)).value
    assert cleaned.rejected == ()


@given(st.text())
def test_a_cell_is_one_line_without_what_xml_cannot_hold(text: str) -> None:
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    assert not re.search(r"[\x00-\x1f\ufffe\uffff\ud800-\udfff]", line)
    assert one_line(line) == line
