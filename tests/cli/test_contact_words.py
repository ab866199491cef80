"""What people write for countries, statuses and topics, as `contacts check` tells it."""

from pathlib import Path

import pytest

from mlgroup_mail.shipped import shipped
from tests.cli.conftest import Run
from tests.contacts.files import csv_file


def test_a_list_from_many_hands_is_read_and_what_is_not_is_told_with_its_place(run: Run, tmp_path: Path) -> None:
    rows = [
        ["E-mail 1 - Value", "Name", "Surname", "Country/Region", "Time zone", "Locale", "Unsubscribed", "Status"],
        ["anna@example.org", "Anna", "Novak", "Česko (CZ)", "Praha", "čeština", "", "active since 2019"],
        ["ben@example.org", "Ben", "Costa", "🇵🇹", "GMT", "pt_PT.UTF-8", "no", "on leave"],
        ["cleo@example.org", "Κλειώ", "Οικονόμου", "Ελλάδα", "GTB Standard Time", "Ελληνικά", "12/03/2020", ""],
        ["dan@example.org", "Dan", "Berg", "Congo", "UTC+2", "English / French", "", "left?"],
        ["eve@example.org", '=HYPERLINK("x")', "Lind", "USSR", "Spain", "Elvish", "by phone", ""],
    ]
    result = run("contacts", "check", csv_file(tmp_path / "list.csv", rows), "--json", "--out", tmp_path / "clean.csv")
    assert result.code == 0
    assert (result.json["contacts"], result.json["rejected"]) == (5, [])
    said = [(note["row"], note["column"], note["reason"].partition(":")[0]) for note in result.json["noted"]]
    assert sorted(said) == [
        (5, "Country/Region", "read as the Republic of the Congo (CG), which the UN call so; DR Congo is CD"),
        (5, "Locale", "several languages"),
        (5, "Status", "taken as an opt-out, to be safe"),
        (5, "Time zone", "an offset tells no time zone, as summer time is not in it"),
        (6, "Country/Region", "this country no longer exists"),
        (6, "Locale", "this language is not known"),
        (6, "Name", "a formula stands where its value should"),
        (6, "Time zone", "this country has several time zones"),
        (6, "Unsubscribed", "taken as an opt-out, to be safe"),
    ]
    assert "by phone" in {note["value"] for note in result.json["noted"]}
    assert (tmp_path / "clean.csv").read_text(encoding="utf-8").splitlines() == [
        "address,name,organisation,country,timezone,language,status,topics,themes",
        "anna@example.org,Anna Novak,,CZ,Europe/Prague,cs,member,,",
        "ben@example.org,Ben Costa,,PT,GMT,pt-PT,on leave,,",
        "cleo@example.org,Κλειώ Οικονόμου,,GR,Europe/Bucharest,el,opted out,,",
        "dan@example.org,Dan Berg,,CG,,en,left?,,",
        "eve@example.org,Lind,,,,,opted out,,",
    ]


@pytest.mark.parametrize("declared", [True, False])
def test_a_project_may_declare_its_themes(run: Run, tmp_path: Path, declared: bool) -> None:
    """Declared ones are stored by their key, and others noted; without a declaration any are taken as written."""
    themes = '\n[themes]\nweb-data = "Web data"\nmlops = "MLOps"\n' if declared else ""
    (tmp_path / "mlgroup.toml").write_text(
        shipped("mlgroup.toml").read_text(encoding="utf-8") + themes, encoding="utf-8"
    )
    rows = [["Email", "Themes", "Topics"], ["anna@example.org", "WEB DATA; Astrology", "all but the annual webinar"]]
    result = run("contacts", "check", csv_file(tmp_path / "list.csv", rows), "--json", "--out", tmp_path / "clean.csv")
    line = (tmp_path / "clean.csv").read_text(encoding="utf-8").splitlines()[1]
    topics = "newsletter; meetings; coffee-coding; calls; training; surveys"
    assert line == f"anna@example.org,,,,,,member,{topics},{'web-data' if declared else 'WEB DATA; Astrology'}"
    reasons = {note["column"]: note["reason"] for note in result.json["noted"]}
    assert reasons.get("Themes", "") == ("this theme is not known" if declared else "")
    assert reasons["Topics"].startswith("taken as newsletter, meetings")


def test_a_theme_without_a_title_is_an_error_that_names_it(run: Run, tmp_path: Path) -> None:
    text = shipped("mlgroup.toml").read_text(encoding="utf-8")
    (tmp_path / "mlgroup.toml").write_text(f"{text}\n[themes]\nmlops = 3\n", encoding="utf-8")
    result = run("contacts", "check", csv_file(tmp_path / "list.csv", [["Email"], ["anna@example.org"]]))
    assert result.code == 2
    assert "themes.mlops" in result.text
