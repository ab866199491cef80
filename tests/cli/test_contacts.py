"""`contacts check` and `contacts pull`, as a person or a program calls them."""

import csv
import re
import shutil
from collections import Counter
from pathlib import Path

import openpyxl
import pytest

from mlgroup_mail.shipped import shipped
from tests.cli.conftest import Run
from tests.contacts.files import csv_file, xlsx_file

LIST = [
    ["Courriel", "Nom complet", "Institution", "Pays", "Statut"],
    ["anna@example.org", "Anna Novak", "@Office", "Tchéquie", "membre"],
    ["ANNA@example.org", "", "Office", "", ""],
    ["ben.example.org", "Ben", "", "", ""],
    ["cleo@example.org", "Cleo", "", "Absurdistan", "parti"],
]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project directory with the sample list."""
    shutil.copy(shipped("mlgroup.toml"), tmp_path / "mlgroup.toml")
    shutil.copytree(shipped("contacts"), tmp_path / "contacts")
    return tmp_path


def test_check_tells_programs_what_became_of_each_row(run: Run, tmp_path: Path) -> None:
    result = run("contacts", "check", csv_file(tmp_path / "list.csv", LIST, delimiter=";", encoding="cp1252"), "--json")
    assert result.code == 0
    assert {key: result.json[key] for key in ("rows", "contacts", "merged")} == {"rows": 4, "contacts": 2, "merged": 1}
    (rejected,), (noted,) = result.json["rejected"], result.json["noted"]
    assert {key: rejected[key] for key in ("source", "row", "column")} == {
        "source": "list.csv",
        "row": 4,
        "column": "Courriel",
    }
    assert rejected["reason"] == "there is no @ in the address"
    assert {key: noted[key] for key in ("source", "row", "column", "reason")} == {
        "source": "list.csv",
        "row": 5,
        "column": "Pays",
        "reason": "this country is not known",
    }


def test_check_shows_people_a_table_without_addresses(run: Run, tmp_path: Path) -> None:
    result = run("contacts", "check", csv_file(tmp_path / "list.csv", LIST))
    assert result.code == 0
    assert "list.csv 4 Courriel b… there is no @ in the address" in result.text
    assert "ben.example.org" not in result.text


def test_check_writes_the_accepted_ones(run: Run, tmp_path: Path) -> None:
    result = run("contacts", "check", csv_file(tmp_path / "list.csv", LIST), "--out", tmp_path / "clean.csv")
    assert result.code == 0
    with (tmp_path / "clean.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["address", "name", "organisation", "country", "timezone", "language", "status", "topics", "themes"],
        ["anna@example.org", "Anna Novak", "'@Office", "CZ", "", "", "member", "", ""],
        ["cleo@example.org", "Cleo", "", "", "", "", "parti", "", ""],
    ]


def test_check_reads_several_files_as_one_list(run: Run, tmp_path: Path) -> None:
    book = xlsx_file(
        tmp_path / "more.xlsx", Members=[["Name", "E-mail"], ["Anna", "Anna@Example.org"], ["Dan", "dan@x"]]
    )
    result = run("contacts", "check", csv_file(tmp_path / "list.csv", LIST), book, "--json")
    assert (result.json["rows"], result.json["contacts"], result.json["merged"]) == (6, 2, 2)
    assert [(note["source"], note["row"]) for note in result.json["rejected"]] == [("list.csv", 4), ("more.xlsx", 3)]


def test_check_can_read_a_file_like_a_source_of_the_project(run: Run, project: Path) -> None:
    path = csv_file(project / "new.csv", [["Email", "Name", "First name"], ["anna@example.org", "Anna", "Anna"]])
    result = run("contacts", "check", path, "--source", "members")
    assert result.code == 1
    assert "there is no column “Organisation”, which contacts.toml names for organisation" in result.text
    assert "Columns here: “Email”, “Name”, “First name”" in result.text
    unknown = run("contacts", "check", path, "--source", "member")
    assert unknown.code == 2
    assert "there is no source “member”" in unknown.text
    assert "Did you mean “members”?" in unknown.text


def test_check_knows_the_topics_of_the_project(run: Run, project: Path) -> None:
    rows = [["Email", "Topics"], ["anna@example.org", "newsletter; gossip"]]
    result = run("contacts", "check", csv_file(project / "new.csv", rows), "--json")
    assert [note["reason"] for note in result.json["noted"]] == ["this topic is not known"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("gone.csv", None, "this file is missing"),
        ("empty.csv", b"", "the file is empty"),
        ("text.xlsx", b"Email\nanna@example.org\n", "this is not an Excel workbook"),
        ("phones.csv", b"Name,Phone\nAnna,1\n", "no column holds mail addresses"),
    ],
)
def test_an_unusable_file_ends_check_with_one_sentence(
    run: Run, tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    result = run("contacts", "check", name, "--json")
    assert (result.code, result.out) == (1, "")
    assert message in result.text
    assert name in result.text


def test_an_out_file_that_cannot_be_written_is_named(run: Run, tmp_path: Path) -> None:
    result = run("contacts", "check", csv_file(tmp_path / "list.csv", LIST), "--out", "nowhere/clean.csv")
    assert result.code == 2
    assert "nowhere/clean.csv: this file cannot be written" in result.text


def test_pull_stores_the_list_and_a_second_pull_changes_nothing(run: Run, project: Path) -> None:
    first = run("contacts", "pull", "--json")
    assert first.code == 0
    assert first.json["stored"]["added"] == first.json["contacts"] == 269
    assert first.json["opted_out"] == 5
    assert len(first.json["rejected"]) == 7
    second = run("contacts", "pull", "--json")
    assert second.json["stored"] == {"added": 0, "changed": 0, "unchanged": 269, "returned": 0, "left": 0}
    assert second.json["opted_out"] == 0


def test_pull_leaves_what_is_stored_when_a_source_is_unusable(run: Run, project: Path) -> None:
    run("contacts", "pull")
    path = project / "contacts" / "sample-members.csv"
    whole = path.read_bytes()
    path.write_bytes(b"")
    broken = run("contacts", "pull")
    assert broken.code == 1
    assert "the file is empty" in broken.text
    path.write_bytes(whole)
    assert run("contacts", "pull", "--json").json["stored"]["unchanged"] == 269


def test_pull_names_a_slip_in_the_configuration(run: Run, project: Path) -> None:
    path = project / "contacts" / "contacts.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("defaults", "defualts"), encoding="utf-8")
    result = run("contacts", "pull")
    assert result.code == 2
    assert "the key “defualts” is not known here" in result.text
    assert "Did you mean “defaults”?" in result.text


def test_it_is_told_which_columns_were_read_as_what_and_which_were_not(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("Nr.;Mailadresse;Rolle;Bemerkung\n1;a@example.org;left;x\n", encoding="utf-8")
    shown = run("contacts", "check", path)
    assert "email from “Mailadresse”, status from “Rolle”; not read: “Nr.”, “Bemerkung”" in shown.text
    (columns,) = run("contacts", "check", path, "--json").json["columns"]
    assert columns["source"] == "list.csv"
    assert columns["read"] == {"email": "Mailadresse", "status": "Rolle"}
    assert columns["unread"] == ["Nr.", "Bemerkung"]


def test_many_rows_are_told_by_their_reasons_with_examples_and_all_of_them_in_a_file(run: Run, tmp_path: Path) -> None:
    path, notes = tmp_path / "list.csv", tmp_path / "notes.csv"
    people = [f"a{number}@example.org" for number in range(20)]
    path.write_text("\n".join(["Email", *people, *people, *["nobody"] * 30]), encoding="utf-8")
    shown = run("contacts", "check", path, "--notes", notes).text
    assert re.search(r"there is no @ in the address +30 +row 42: n…; row 43: n…; row 44: n…", shown)
    assert "... and 5 rows more. --notes FILE writes every row." in shown
    with notes.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert Counter(row["outcome"] for row in rows) == {"rejected": 30, "merged": 20}
    assert rows[0] == {
        "source": "list.csv",
        "row": "42",
        "outcome": "rejected",
        "column": "Email",
        "value": "nobody",
        "reason": "there is no @ in the address",
    }


def test_what_reading_a_file_noticed_is_told(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes("Email;Nom\na@example.org;Zoé Lefèvre\nb@example.org;Hélène Noël\n".encode("cp1252"))
    assert "was read as cp1252, which is a guess" in run("contacts", "check", path).text
    assert run("contacts", "check", path, "--json").json["columns"][0]["encoding"] == "cp1252"


def test_a_hidden_row_is_read_and_told(run: Run, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in (["Email"], ["a@example.org"], ["b@example.org"]):
        book.active.append(row)
    book.active.row_dimensions[3].hidden = True
    book.save(tmp_path / "list.xlsx")
    found = run("contacts", "check", tmp_path / "list.xlsx", "--json").json
    assert found["contacts"] == 2
    assert [(note["row"], note["reason"], note["kept"]) for note in found["noted"]] == [
        (3, "this row is hidden in the workbook", True)
    ]
