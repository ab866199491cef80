"""`opt-out import`: what is no opt-out file opts nobody out, and what a row says is obeyed or told."""

import csv
import io
import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgroup_mail.contacts.stating import list_columns
from tests.acceptance.conftest import approved_letter, letter
from tests.acceptance.projects import person
from tests.cli.conftest import Run

__all__ = ["approved_letter", "letter"]


def rules(run: Run) -> dict[str, dict[str, str]]:
    lines = (json.loads(line) for line in run("opt-out", "list", "--json").out.splitlines())
    return {line["address"]: line for line in lines}


def written(root: Path, *rows: str) -> Path:
    path = root / "out.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def named(*numbers: int) -> list[str]:
    return [f"{person(number)},Person Number{number}" for number in numbers]


def test_the_groups_own_list_is_refused_with_what_to_do(run: Run, letter: Path) -> None:
    refused = run("opt-out", "import", "contacts/members.csv")
    assert refused.code == 1
    assert "this is the list of contacts itself (source “members”)" in refused.text
    assert "opt-out import --everybody contacts/members.csv" in refused.text
    assert rules(run) == {}


def test_a_copy_of_it_is_refused_too(run: Run, letter: Path) -> None:
    shutil.copy(letter / "contacts" / "members.csv", letter / "copy.csv")
    refused = run("opt-out", "import", "copy.csv")
    assert refused.code == 1
    assert "it would opt out 6 of the 6 people on the list" in refused.text
    assert "“Name”" in refused.text
    assert "“Unsubscribed”" in refused.text
    assert rules(run) == {}


def test_whoever_means_it_says_so(run: Run, letter: Path) -> None:
    assert run("opt-out", "import", "--everybody", "contacts/members.csv").code == 0
    assert len(rules(run)) == 6


def test_half_of_the_list_with_names_is_an_opt_out_file_and_so_are_all_without(run: Run, letter: Path) -> None:
    assert run("opt-out", "import", written(letter, "address,name", *named(1, 2, 3))).code == 0
    assert len(rules(run)) == 3
    assert run("opt-out", "import", written(letter, "address,reason", *map(person, range(1, 7)))).code == 0
    assert len(rules(run)) == 6


def test_a_list_that_waits_in_the_folder_opts_nobody_out_either(run: Run, letter: Path) -> None:
    from mlgroup_mail.settings.app import open_app

    folder = letter / "contacts" / "opt-outs"
    folder.mkdir()
    shutil.copy(letter / "contacts" / "members.csv", folder / "a.csv")
    (folder / "b.csv").write_text(f"address\n{person(1)}\n", encoding="utf-8")
    with open_app(letter) as app:
        assert ["list of contacts" in file.refused for file in app.import_opt_outs()] == [True, False]
    assert set(rules(run)) == {person(1)}
    assert run("opt-out", "import", "--everybody", folder / "a.csv").code == 0
    with open_app(letter) as app:
        assert [file.known for file in app.import_opt_outs()] == [True, True]


def test_a_contact_list_that_cannot_be_read_keeps_no_opt_out_back(run: Run, letter: Path) -> None:
    (letter / "contacts" / "contacts.toml").write_text("nonsense", encoding="utf-8")
    assert run("opt-out", "import", written(letter, "address", person(1))).code == 0


@pytest.mark.parametrize(
    ("header", "no", "yes"),
    [
        ("Unsubscribed", "no", "yes"),
        ("Unsubscribed", "", "2021-06-03"),
        ("Opt-out", "nein", "ja"),
        ("Subscribed", "yes", "no"),
        ("Active", "TRUE", "FALSE"),
        ("Status", "active", "unsubscribed"),
        ("Status", "subscribed", "opted out"),
    ],
)
def test_a_column_that_says_who_is_out_is_obeyed_row_by_row(
    run: Run, letter: Path, header: str, no: str, yes: str
) -> None:
    path = written(letter, f"address,name,{header}", f"{person(1)},A,{no}", f"{person(2)},B,{yes}")
    told = run("opt-out", "import", path)
    assert told.code == 0
    assert "1 opt-out applied; passed over, because they want mail: 1" in told.text
    assert set(rules(run)) == {person(2)}


@pytest.mark.parametrize("header", ["Unsubscribed on", "Opt-out date", "Abgemeldet am", "Left on", "Unsubscribed at"])
@pytest.mark.parametrize("empty", ["", "-", "n/a"])
@pytest.mark.parametrize("columns", ["", ",name"])
def test_where_only_the_day_is_not_known_the_person_is_out_all_the_same(
    run: Run, letter: Path, header: str, empty: str, columns: str
) -> None:
    name = ",A" if columns else ""
    rows = (f"{person(1)}{name},2021-10-03,too many", f"{person(2)}{name},{empty},wrote to us")
    told = run("opt-out", "import", written(letter, f"email{columns},{header},reason", *rows))
    assert told.code == 0
    assert "2 opt-outs applied" in told.text
    assert "passed over" not in told.text
    assert set(rules(run)) == {person(1), person(2)}


@pytest.mark.parametrize("header", ["Unsubscribed", "Subscribed", "Active", "Opted out"])
@pytest.mark.parametrize("empty", ["", "-", "n/a"])
def test_in_a_file_of_opt_outs_an_empty_cell_says_nothing(run: Run, letter: Path, header: str, empty: str) -> None:
    told = run("opt-out", "import", written(letter, f"email,{header},reason", f"{person(1)},{empty},wrote"))
    assert told.code == 0
    assert set(rules(run)) == {person(1)}


@pytest.mark.parametrize("no", ["no", "false", "0", "nein", "non"])
def test_a_plain_no_under_a_date_wants_mail(run: Run, letter: Path, no: str) -> None:
    path = written(letter, "email,Unsubscribed on", f"{person(1)},{no}", f"{person(2)},2021-10-03")
    assert run("opt-out", "import", path).code == 0
    assert set(rules(run)) == {person(2)}


@pytest.mark.parametrize("status", ["member", "Mitglied", "lead", "board"])
def test_a_status_that_says_only_what_somebody_is_must_be_mended(run: Run, letter: Path, status: str) -> None:
    rows = (f"{person(1)},{status},please no more", f"{person(2)},left,")
    told = run("opt-out", "import", written(letter, "email,status,reason", *rows))
    assert told.code == 1
    assert f"row 2 rejected: the status “{status}” does not say whether the person is out" in told.text
    assert set(rules(run)) == {person(2)}
    rows = (f"{person(1)},{status},2021-10-03", f"{person(2)},left,")
    assert run("opt-out", "import", written(letter, "email,status,Unsubscribed on", *rows)).code == 0
    assert set(rules(run)) == {person(1), person(2)}


def test_everybody_counts_also_where_the_file_was_imported_before(run: Run, letter: Path) -> None:
    path = written(letter, "email,unsubscribed", f"{person(1)},yes", f"{person(2)},no")
    assert run("opt-out", "import", path).code == 0
    assert "passed over" in run("opt-out", "import", path).text, "told until somebody has looked at it"
    assert set(rules(run)) == {person(1)}
    assert run("opt-out", "import", "--everybody", path).code == 0
    assert set(rules(run)) == {person(1), person(2)}
    assert "0 opt-outs applied" in run("opt-out", "import", "--everybody", path).text, "and nothing twice"


def test_where_such_a_column_says_that_nobody_is_out_the_file_is_refused(run: Run, letter: Path) -> None:
    path = written(letter, "address,Unsubscribed", f"{person(1)},no", f"{person(2)},no")
    refused = run("opt-out", "import", path)
    assert refused.code == 1
    assert "nobody in this file is out" in refused.text
    assert rules(run) == {}
    assert run("opt-out", "import", path, "--everybody").code == 0
    assert len(rules(run)) == 2


def test_a_status_that_is_not_known_is_taken_as_an_opt_out_and_told(run: Run, letter: Path) -> None:
    told = run("opt-out", "import", written(letter, "address,status", f"{person(1)},done", f"{person(2)},"))
    assert told.code == 0
    assert "row 2: the status “done” is not known: taken as an opt-out" in told.text
    assert set(rules(run)) == {person(1), person(2)}


def test_the_whole_list_with_a_column_that_says_who_is_out_is_read_by_it(run: Run, letter: Path) -> None:
    rows = [f"{row},{'yes' if row.startswith(person(4)) else ''}" for row in named(*range(1, 7))]
    assert run("opt-out", "import", written(letter, "Email,Name,Unsubscribed", *rows)).code == 0
    assert set(rules(run)) == {person(4)}


@pytest.mark.parametrize(
    "header", ["Email Address,First Name,TAGS", "Email Address,MEMBER_RATING", "Email Address,EUID"]
)
def test_mailchimps_subscribers_are_known_by_any_of_its_columns(run: Run, letter: Path, header: str) -> None:
    cells = "," * header.count(",")
    refused = run("opt-out", "import", written(letter, header, f"{person(1)}{cells}"))
    assert refused.code == 1
    assert "Mailchimp's export of people who have not left" in refused.text
    assert rules(run) == {}


def test_what_is_left_of_mailchimps_columns_suffices(run: Run, letter: Path) -> None:
    path = written(letter, "Email Address,CLEAN_TIME,CLEAN_CAMPAIGN_TITLE", f"{person(1)},2021-05-01 10:00:00,June")
    assert run("opt-out", "import", path, "--json").json["format"] == "Mailchimp"
    path = written(
        letter,
        "Email Address,UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_REASON,UNSUB_REASON_OTHER",
        f"{person(2)},2021-06-03 10:00:00,June,other,too many",
    )
    assert "1 opt-out applied (Mailchimp)" in run("opt-out", "import", path).text
    found = rules(run)
    assert found[person(1)]["reason"] == "cleaned by Mailchimp: mail to it bounced"
    assert (found[person(2)]["at"][:10], found[person(2)]["reason"]) == ("2021-06-03", "June: too many")


def test_a_time_that_cannot_be_read_or_has_not_come_yet_is_told_and_the_opt_out_counts(
    run: Run, letter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLGROUP_NOW", "2021-11-05T12:00:00+00:00")
    times = ("gestern", "2026-13-45", "03/11/2021", "2021-12-01", "0001-01-01T00:00:00+14:00", "2021-11-04 09:30")
    path = written(letter, "address,at", *(f"{person(n)},{time}" for n, time in enumerate(times, 1)))
    told = run("opt-out", "import", path, "--json")
    assert told.code == 0
    assert (told.json["applied"], [each["row"] for each in told.json["noted"]]) == (6, [2, 3, 4, 5, 6])
    assert "“gestern” cannot be read" in told.json["noted"][0]["reason"]
    assert "“2021-12-01” has not come yet" in told.json["noted"][3]["reason"]
    found = {address: rule["at"] for address, rule in rules(run).items()}
    assert found[person(6)] == "2021-11-04T09:30:00+00:00"
    assert {found[person(n)] for n in range(1, 6)} == {"2021-11-05T12:00:00+00:00"}, "none is in the future"


def test_a_time_that_is_told_holds_no_address(run: Run, letter: Path) -> None:
    told = run("opt-out", "import", written(letter, "address,at", f"{person(1)},ask anna@office.example"))
    assert "anna@" not in told.text


@given(st.lists(st.sampled_from(["Email", "Status", "Unsubscribed", "Active", "Name", "x", ""])), st.data())
def test_whatever_a_row_says_its_person_is_out_or_wants_mail(header: list[str], data: st.DataObject) -> None:
    cells = data.draw(st.lists(st.text(max_size=20), min_size=len(header), max_size=len(header)))
    stated = list_columns(header).stated(cells)
    assert not (stated.wants_mail and stated.doubt)
    if not {"Status", "Unsubscribed", "Active"} & set(header):
        assert not stated.wants_mail


def test_the_fixed_columns_of_an_opt_out_file_say_nothing_else() -> None:
    header = next(csv.reader(io.StringIO("address,topic,at,reason")))
    columns = list_columns(header)
    assert columns.describing == ()
    assert not columns.stated(["a@office.example", "newsletter", "2021-10-04", "no"]).wants_mail
