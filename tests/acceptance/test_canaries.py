"""Canaries: addresses of the team that ride along with each mailing, some first, the rest last."""

import json
import sqlite3
from contextlib import closing
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from openpyxl import load_workbook

from tests.acceptance.projects import LETTER, person, write_list
from tests.cli.conftest import Run

ANNA, BEN, OFFICE = "anna.berg@team.example", "ben@team.example", "office@team.example"


def ride(root: Path, first: str, last: str = "[]") -> None:
    """Write `[canaries]` into the project file."""
    with (root / "mlgroup.toml").open("a", encoding="utf-8") as file:
        file.write(f"\n[canaries]\nfirst = {first}\nlast = {last}\n")


@pytest.fixture
def riding(letter: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small project, six people, with two canaries first and one last; its letter is approved again."""
    monkeypatch.setenv("MLGROUP_NOW", "2021-11-02T10:00:00+00:00")
    ride(letter, f'["{ANNA}", {{ address = "{BEN}", first_name = "Benjamin" }}]', f'["{OFFICE}"]')
    assert "who of the team rides along" in run("status", LETTER).text, "they are part of what was approved"
    assert run("approve", LETTER, "--by", "the editor").code == 0
    return letter


def in_order(root: Path) -> list[str]:
    """The addresses of all attempts, in their order."""
    with closing(sqlite3.connect(root / "var" / "mlgroup.db")) as ledger:
        found = ledger.execute(
            "SELECT address FROM attempt JOIN delivery ON delivery.id = attempt.delivery_id ORDER BY attempt.id"
        )
        return [address for (address,) in found]


def message_to(root: Path, address: str) -> str:
    """The plain text of the one message in the outbox to this address."""
    messages = [
        message_from_bytes(file.read_bytes(), policy=policy.default)
        for file in (root / "var" / "outbox").rglob("*.eml")
    ]
    (found,) = [each for each in messages if each["To"].addresses[0].addr_spec == address]
    return str(found.get_body(("plain",)).get_content())


def test_some_go_before_everybody_else_and_the_rest_after_them_each_once(run: Run, riding: Path) -> None:
    result = run("send", LETTER, "--live", "--json")
    assert (result.code, result.json["audience"], result.json["counts"]["accepted"]) == (0, 9, 9)
    found = in_order(riding)
    assert found[:2] == [ANNA, BEN]
    assert sorted(found[2:8]) == [person(number) for number in range(1, 7)]
    assert found[8:] == [OFFICE]
    run("send", LETTER, "--live")
    assert len(in_order(riding)) == 9
    assert run("verify").code == 0


def test_the_first_ones_are_in_the_first_window_alone(run: Run, riding: Path) -> None:
    run("send", LETTER, "--live")
    with closing(sqlite3.connect(riding / "var" / "mlgroup.db")) as ledger:
        windows = ledger.execute(
            "SELECT attempt.number, count(*), sum(canary != '') FROM attempt "
            "JOIN delivery ON delivery.id = attempt.delivery_id GROUP BY attempt.number ORDER BY attempt.number"
        ).fetchall()
    assert [canaries in {0, people} for _, people, canaries in windows] == [True] * len(windows)
    assert windows[0][1:] == (2, 2)


def test_the_last_ones_wait_for_the_last_batch_where_batches_are_spaced(
    run: Run, riding: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLGROUP_BATCH_SIZE", "2")
    monkeypatch.setenv("MLGROUP_BATCH_SPACING", "60")
    monkeypatch.setenv("MLGROUP_NOW", "2021-11-02T10:30:00+00:00")
    run("send", LETTER, "--live")
    assert OFFICE not in in_order(riding)
    monkeypatch.setenv("MLGROUP_NOW", "2021-11-02T11:00:00+00:00")
    run("send", LETTER, "--live")
    assert in_order(riding)[-1] == OFFICE
    assert len(in_order(riding)) == 9


def test_they_are_greeted_as_configured_or_by_what_their_address_says(run: Run, riding: Path) -> None:
    run("send", LETTER, "--live")
    assert "Dear Anna," in message_to(riding, ANNA)
    assert "Dear Benjamin," in message_to(riding, BEN)
    assert "Dear colleague," in message_to(riding, OFFICE)


def test_a_dry_run_counts_them_and_writes_nothing(run: Run, riding: Path) -> None:
    assert run("send", LETTER, "--json").json["would_send"] == 9
    with closing(sqlite3.connect(riding / "var" / "mlgroup.db")) as ledger:
        assert ledger.execute("SELECT count(*) FROM contact WHERE origin = 'canary'").fetchone() == (0,)


def test_they_are_named_by_status_log_report_and_explain(run: Run, riding: Path) -> None:
    assert "would get rides along as a canary (first)" in run("explain", ANNA).text
    run("send", LETTER, "--live")
    assert "a…@team.example (first, accepted)" in run("status", LETTER).text
    assert "o…@team.example (last, accepted)" in run("status", LETTER).text
    assert "language canary" in run("log", LETTER).text
    lines = [json.loads(line) for line in run("log", LETTER, "--json").out.splitlines()]
    places = {line["address"]: line["canary"] for line in lines}
    assert [places[each] for each in (ANNA, BEN, OFFICE, person(1))] == ["first", "first", "last", ""]
    named = {each["address"]: each["place"] for each in run("report", LETTER, "--json").json["canaries"]}
    assert named == {"a…@team.example": "first", "b…@team.example": "first", "o…@team.example": "last"}
    explained = run("explain", ANNA).text
    assert "rides along with each mailing as a canary (first)" in explained
    assert f"{LETTER} got accepted (rides along as a canary, first)" in explained


def test_a_member_who_is_a_canary_gets_it_once_in_the_canarys_place(
    run: Run, letter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLGROUP_NOW", "2021-11-02T10:00:00+00:00")
    ride(letter, "[]", f'["{person(1).upper()}"]')
    run("approve", LETTER, "--by", "the editor")
    result = run("send", LETTER, "--live", "--json").json
    assert (result["audience"], result["counts"]["accepted"]) == (6, 6)
    assert in_order(letter)[-1] == person(1)
    assert "Dear Person Number1," in message_to(letter, person(1)), "the list knows them"


def test_opt_outs_hold_for_canaries_too(run: Run, riding: Path) -> None:
    run("opt-out", "add", ANNA)
    result = run("send", LETTER, "--live", "--json").json
    assert (result["audience"], result["counts"]["excluded"], result["counts"]["accepted"]) == (9, 1, 8)
    assert ANNA not in in_order(riding)
    assert "does not get opted out of all mail" in run("explain", ANNA).text


def test_an_opt_out_between_planning_and_sending_counts(run: Run, riding: Path) -> None:
    run("plan", LETTER)
    run("opt-out", "add", OFFICE)
    assert run("send", LETTER, "--live", "--json").json["counts"]["excluded"] == 1
    assert OFFICE not in in_order(riding)


def test_outside_production_the_allow_list_holds_for_canaries_too(
    run: Run, riding: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLGROUP_NOW")
    monkeypatch.setenv("MLGROUP_TRANSPORT", "smtp")
    monkeypatch.setenv("MLGROUP_SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("MLGROUP_ALLOWED_DOMAINS", "office.example")
    forecast = run("send", LETTER, "--json").json
    assert (forecast["would_send"], forecast["excluded"]) == (6, {"not_allowed": 3})


def test_no_segment_export_or_pull_takes_them_for_people_of_the_list(run: Run, riding: Path) -> None:
    run("send", LETTER, "--live")
    assert run("contacts", "segment", "members", "--json").json["contacts"] == 6
    assert run("contacts", "export", "list.xlsx").code == 0
    with closing(load_workbook(riding / "list.xlsx", read_only=True)) as book:
        cells = [str(cell) for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row]
    assert person(1) in cells
    assert [cell for cell in cells if "team.example" in cell] == []
    pulled = run("contacts", "pull", "--json").json
    assert (pulled["stored"]["left"], pulled["stored"]["unchanged"]) == (0, 6)


def test_a_canary_whom_the_list_has_one_day_is_a_member_and_may_leave_again(run: Run, riding: Path) -> None:
    run("send", LETTER, "--live")
    everybody = [(person(number), f"Person Number{number}", "") for number in range(1, 7)]
    write_list(riding, [*everybody, (ANNA, "Anna Berg", "")])
    assert run("contacts", "pull", "--accept-changes").code == 0
    assert run("contacts", "segment", "members", "--json").json["contacts"] == 7
    write_list(riding, everybody)
    assert run("contacts", "pull", "--accept-changes", "--json").json["stored"]["left"] == 1
    assert run("contacts", "segment", "members", "--json").json["contacts"] == 6


def test_an_erased_canary_stays_forgotten_whatever_the_file_says(
    run: Run, riding: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLGROUP_ERASURE_KEY", "an-erasure-key-for-tests-and-nothing-else")
    run("plan", LETTER)
    assert run("person", "erase", ANNA, "--reason", "asked for it").code == 0
    other = riding / "campaigns" / "letter" / "campaign.md"
    text = other.read_text(encoding="utf-8")
    (riding / "campaigns" / "second").mkdir()
    (riding / "campaigns" / "second" / "campaign.md").write_text(text, encoding="utf-8")
    run("approve", "second/issue", "--by", "the editor")
    result = run("send", "second/issue", "--live", "--json").json
    assert result["counts"]["accepted"] == 8
    run("send", LETTER, "--live")
    assert ANNA not in in_order(riding)
    assert run("verify").code == 0


def test_an_address_that_is_none_is_an_error_of_check_and_keeps_it_from_being_approved(run: Run, letter: Path) -> None:
    ride(letter, '["Anna <anna@team>"]', f'["{OFFICE}", "{OFFICE}"]')
    found = {each["rule"]: each for each in run("check", "letter", "--json").json["findings"]}
    assert found["canary-address"]["level"] == "error"
    assert found["canary-address"]["where"] == "mlgroup.toml, [canaries]"
    assert "is not a mail address" in found["canary-address"]["message"]
    assert found["canary-twice"]["level"] == "warning"
    assert run("approve", LETTER, "--by", "the editor").code == 1
    assert run("status").code == 0


def test_a_language_that_there_is_not_is_an_error_of_check(run: Run, letter: Path) -> None:
    ride(letter, f'[{{ address = "{OFFICE}", language = "frnch" }}]', f'[{{ address = "{ANNA}", language = "fr" }}]')
    (found,) = [each for each in run("check", "letter", "--json").json["findings"] if each["rule"] == "canary-language"]
    assert found["level"] == "error"
    assert "“frnch” is not a language tag" in found["message"]


@pytest.mark.parametrize(
    ("key", "written", "mend"),
    [
        ("country", "France", "Write “FR”."),
        ("country", "Atlantis", "Mend it, or take it out."),
        ("timezone", "Paris", "Write “Europe/Paris”."),
        ("timezone", "UTC+1", "Mend it, or take it out."),
    ],
)
def test_a_country_or_zone_that_no_variant_is_chosen_by_is_an_error_of_check(
    run: Run, letter: Path, key: str, written: str, mend: str
) -> None:
    ride(
        letter,
        f'[{{ address = "{OFFICE}", {key} = "{written}" }}]',
        f'[{{ address = "{ANNA}", country = "FR", timezone = "Europe/Paris" }}]',
    )
    found = [each for each in run("check", "letter", "--json").json["findings"] if each["rule"].startswith("canary")]
    assert [(each["rule"], each["level"], each["mend"]) for each in found] == [(f"canary-{key}", "error", mend)]


def test_an_address_without_brackets_is_told_how_to_be_written(run: Run, letter: Path) -> None:
    ride(letter, f'"{ANNA}"', "[]")
    told = run("check", "letter")
    assert told.code == 2
    assert "“canaries.first” must be a list" in told.text
    assert 'first = ["..."]' in told.text


def test_a_mailing_to_canaries_alone_is_one_to_nobody(run: Run, riding: Path) -> None:
    campaign = riding / "campaigns" / "letter" / "campaign.md"
    text = campaign.read_text(encoding="utf-8").replace('audience = "members"', 'audience = "board"')
    campaign.write_text(text, encoding="utf-8")
    assert {each["rule"] for each in run("check", "letter", "--json").json["findings"]} >= {"empty-audience"}


def test_an_init_has_none(run: Run) -> None:
    run("init", "here")
    assert "[canaries]" not in "".join(
        line for line in Path("here/mlgroup.toml").read_text().splitlines(keepends=True) if not line.startswith("#")
    )
