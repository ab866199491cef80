"""`opt-out list --timing`: how long each opt-out took from the request to its effect."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.acceptance.conftest import approved_letter, letter
from tests.acceptance.projects import LETTER, person
from tests.cli.conftest import Run

__all__ = ["approved_letter", "letter"]

NEW = "anew@elsewhere.example"


@pytest.fixture
def four(run: Run, letter: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One by hand, and a file with three: asked for an hour and three hours ago, and by a clock that is ahead."""
    monkeypatch.setenv("MLGROUP_NOW", "2021-11-05T12:00:00+00:00")
    begun_in(letter, "2021-10-01 00:00:00.000000")
    run("opt-out", "add", person(1), "--by", "the editor")
    rows = [(person(2), "2021-11-05T11:00:00+00:00"), (person(3), "2021-11-05T09:00"), (person(4), "2021-11-05T12:10")]
    path = letter / "out.csv"
    path.write_text("address,at\n" + "".join(f"{address},{at}\n" for address, at in rows), encoding="utf-8")
    assert run("opt-out", "import", path).code == 0
    return letter


def begun_in(root: Path, moment: str) -> None:
    """The ledger is as old as that."""
    with closing(sqlite3.connect(root / "var" / "mlgroup.db")) as ledger, ledger:
        ledger.execute("UPDATE ledger SET created_at = ?", (moment,))


def test_what_was_asked_for_before_the_ledger_began_is_no_delay_of_ours(run: Run, four: Path) -> None:
    begun_in(four, "2021-11-05 10:00:00.000000")
    found = run("opt-out", "list", "--timing", "--json").json
    assert found["roads"][0] == {
        "road": "file",
        "number": 2,
        "median_seconds": 1800.0,
        "max_seconds": 3600.0,
        "before_the_ledger": 1,
    }
    assert sum(each["before_the_ledger"] for each in found["opt_outs"]) == 1
    assert "180 min" not in run("opt-out", "list", "--timing").text
    begun_in(four, "2021-11-05 11:30:00.000000")
    assert run("opt-out", "list", "--timing", "--json").json["roads"][0]["before_the_ledger"] == 2
    begun_in(four, "2022-01-01 00:00:00.000000")
    assert run("opt-out", "list", "--timing", "--json").json["roads"][0]["median_seconds"] is None
    assert run("opt-out", "list", "--timing").code == 0


def test_it_is_told_by_road(run: Run, four: Path) -> None:
    found = run("opt-out", "list", "--timing", "--json").json
    assert found["roads"] == [
        {"road": "file", "number": 3, "median_seconds": 3600.0, "max_seconds": 10800.0, "before_the_ledger": 0},
        {"road": "hand", "number": 1, "median_seconds": 0.0, "max_seconds": 0.0, "before_the_ledger": 0},
    ]
    told = run("opt-out", "list", "--timing").text
    assert "60 min" in told
    assert "180 min" in told or "3 h" in told
    assert "4 opt-outs, lifted ones too" in told


def test_each_has_its_number_and_no_attempt_to_them_a_higher_one(run: Run, four: Path) -> None:
    found = run("opt-out", "list", "--timing", "--json").json["opt_outs"]
    numbers = [each["number"] for each in found]
    assert numbers == sorted(set(numbers))
    assert {each["contact_id"] for each in found} == {1, 2, 3, 4}
    assert "@" not in run("opt-out", "list", "--timing", "--json").out
    assert run("send", LETTER, "--live", "--late", "trial").code == 0
    assert run("verify", "--json").json["violations"] == []


def test_what_was_lifted_counts_and_what_was_only_passed_on_does_not(
    run: Run, four: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two rows prove to be one person's days later: nobody asked for anything then."""
    monkeypatch.setenv("MLGROUP_NOW", "2021-11-09T12:00:00+00:00")
    run("opt-out", "lift", person(2), "--reason", "a mistake")
    members = four / "contacts" / "members.csv"
    lines = members.read_text(encoding="utf-8").splitlines(keepends=True)
    members.write_text("".join(lines).replace(person(1), NEW), encoding="utf-8")
    assert run("contacts", "pull", "--accept-changes").code == 0
    run("opt-out", "add", NEW)
    monkeypatch.setenv("MLGROUP_NOW", "2021-11-20T12:00:00+00:00")
    moved = run("person", "move", person(1), NEW, "--reason", "she wrote", "--json").json
    assert moved["opt_outs_passed_on"] == 1
    found = run("opt-out", "list", "--timing", "--json").json
    assert sum(each["number"] for each in found["roads"]) == 6, "four, the new row's, and its hold"
    assert max(each["max_seconds"] for each in found["roads"]) == 10800.0


def test_it_is_about_everybody(run: Run, letter: Path) -> None:
    refused = run("opt-out", "list", person(1), "--timing")
    assert refused.code == 2
    assert "leave the address out" in refused.err
    assert run("opt-out", "list", "--timing", "--json").json == {"roads": [], "opt_outs": []}
