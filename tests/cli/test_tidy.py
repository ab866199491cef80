"""`db tidy`: what `[retention]` says is kept no longer goes, and what the promises rest on stays."""

import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from mlgroup_mail.delivery import tidying
from tests.acceptance.conftest import Settings, approved_letter, letter, use
from tests.acceptance.projects import LETTER, person, write_list
from tests.cli.conftest import Run

__all__ = ["approved_letter", "letter", "use"]

CHOSEN = ("delivery_details", "events", "evidence", "courtesies", "provider_lists", "outbox", "left_contacts")
KINDS = (*CHOSEN, "join_requests")
SENT = "2021-11-02T10:00:00+00:00"
AFTER_TEN_YEARS = "2031-12-01T10:00:00+00:00"


WHEN = "'2021-11-02 12:00:00.000000'"
ASIDE = f"""
    INSERT INTO join_request
        (address, address_key, mailbox, name, organisation, country, language, asked_at, tries, kept_back) VALUES
        ('Curious@else.example', 'curious@else.example', 'curious@else.example', 'Curious', '', '', '', {WHEN}, 1, '');
    INSERT INTO courtesy (kind, address, token, begun_at, detail) VALUES
        ('confirmation', 'Curious@else.example', 't', {WHEN}, '');
    INSERT INTO provider_entry (address_key, address, list, created, bounce) VALUES
        ('stranger@else.example', 'Stranger@else.example', 'blocks', {WHEN}, 'soft'),
        ('stranger@else.example', 'Stranger@else.example', 'blocks', '2031-11-30', 'soft'),
        ('person6@office.example', '', 'unsubscribes', {WHEN}, ''),
        ('person4@office.example', '', 'bounces', {WHEN}, 'hard'),
        ('person5@office.example', '', 'blocks', '2031-11-30', 'soft');
    INSERT INTO provider_removal (address_key, list, asked_at, done_at) VALUES
        ('back@else.example', 'bounces', {WHEN}, {WHEN}), ('person4@office.example', 'bounces', {WHEN}, NULL);
    INSERT INTO preference (contact_id, topic, at) VALUES (5, 'board', {WHEN});
    INSERT INTO burst_opt_out (signal_id, mailing_id, domain, flagged_at, tries, kept_back) VALUES
        (1, 1, 'office.example', {WHEN}, 0, '');
"""
"""What else is kept of people: of strangers, and of 4, 5 and 6."""


@pytest.fixture
def sent(run: Run, letter: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A mailing of November 2021. 5 and 6 have left the list since; 6 had opted out, and 4 is back from an opt-out."""
    monkeypatch.setenv("MLGROUP_NOW", SENT)
    run("opt-out", "add", person(6), "--topic", "calls", "--reason", "Number6 is tired of calls")
    run("opt-out", "add", person(4), "--topic", "calls", "--reason", "Number4 wrote")
    run("opt-out", "lift", person(4), "--reason", "Number4 wrote again")
    run("test-send", LETTER, "--to", person(1))
    assert run("send", LETTER, "--live").code == 0
    with ledger(letter) as database:
        database.execute(
            "INSERT INTO delivery_event (delivery_id, kind, source, fingerprint, detail, at, bounce) VALUES "
            "(2, 'delivered', 'provider', 'f', 'by mx.office.example', '2021-11-02 12:00:00.000000', '')"
        )
        database.execute("INSERT INTO provider_alias (alias, delivery_id) VALUES ('alias-of-two', 2)")
        database.executescript(ASIDE)
    write_list(letter, [(person(number), f"Person Number{number}", "") for number in (1, 2, 3, 4)])
    assert run("contacts", "pull", "--accept-changes").code == 0
    for path in (letter / "var" / "outbox").rglob("*.eml"):
        os.utime(path, (0, datetime.fromisoformat(SENT).timestamp()))
    return letter


class ledger:  # noqa: N801 (it reads like a function)
    """The project's database, committed and closed at the end."""

    def __init__(self, root: Path) -> None:
        self._database = sqlite3.connect(root / "var" / "mlgroup.db")

    def __enter__(self) -> sqlite3.Connection:
        return self._database

    def __exit__(self, *_: object) -> None:
        self._database.commit()
        self._database.close()


def tidy(run: Run, *options: str) -> dict[str, int]:
    result = run("db", "tidy", *options, "--json")
    assert result.code == 0
    found: dict[str, int] = result.json["forgotten" if "--apply" in options else "overdue"]
    return found


def rows(root: Path, statement: str) -> list[tuple[object, ...]]:
    with ledger(root) as database:
        return database.execute(statement).fetchall()


def test_a_young_ledger_has_nothing_to_forget_but_who_asked_to_join_and_where_to(
    run: Run, sent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLGROUP_NOW", "2021-11-09T09:00:00+00:00")
    assert tidy(run) == dict.fromkeys(KINDS, 0), "a week it is"
    monkeypatch.setenv("MLGROUP_NOW", "2022-10-01T10:00:00+00:00")
    assert tidy(run) == dict.fromkeys(KINDS, 0) | {"join_requests": 2}
    assert tidy(run, "--apply") == dict.fromkeys(KINDS, 0) | {"join_requests": 2}
    assert tidy(run, "--apply") == dict.fromkeys(KINDS, 0)


def test_a_dry_run_counts_what_the_real_one_forgets_and_changes_nothing(
    run: Run, sent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLGROUP_NOW", AFTER_TEN_YEARS)
    before = list(_dump(sent))
    overdue = tidy(run)
    assert list(_dump(sent)) == before
    assert (sent / "var" / "outbox" / "letter" / "issue" / "3.eml").exists()
    assert "mlgroup-mail db tidy --apply" in run("db", "tidy").text
    assert min(overdue.values()) > 0
    assert tidy(run, "--apply") == overdue
    assert tidy(run, "--apply") == dict.fromkeys(KINDS, 0), "nothing is forgotten twice"
    assert run("verify", "--json").json["violations"] == []


def _dump(root: Path) -> Iterator[str]:
    with closing(sqlite3.connect(root / "var" / "mlgroup.db")) as database:
        yield from database.iterdump()


def test_what_was_forgotten_is_in_no_file_and_what_the_promises_rest_on_stays(
    run: Run, sent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLGROUP_NOW", AFTER_TEN_YEARS)
    tidy(run, "--apply")
    kept = b"".join(path.read_bytes() for path in (sent / "var").rglob("*") if path.is_file())
    for word in (b"person5@", b"Number5", b"tired of calls", b"Number4 wrote", b"alias-of-two", b"mx.office"):
        assert word not in kept, word
    assert b"curious@" not in kept.lower(), "who only asked is nobody's by then"
    assert b"back@else" not in kept
    assert b"person1@" in kept, "who is on the list stays on it"
    assert not list((sent / "var" / "outbox").rglob("*.eml"))
    assert run("status", LETTER, "--json").json["counts"]["accepted"] == 6, "the numbers stay"
    assert rows(sent, "SELECT count(*) FROM attempt") == [(6,)]
    assert run("verify", "--json").json["violations"] == []
    standing = [json.loads(line) for line in run("opt-out", "list", "--json").out.splitlines()]
    assert [(each["topic"], each["reason"], each["evidence"]) for each in standing if each["address"] == person(6)] == [
        ("calls", "", "kept no longer")
    ]


def test_whoever_left_and_had_opted_out_is_known_when_a_list_has_them_again(
    run: Run, sent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLGROUP_NOW", AFTER_TEN_YEARS)
    tidy(run, "--apply")
    write_list(sent, [(person(number), f"Person Number{number}", "") for number in range(1, 7)])
    assert run("contacts", "pull", "--accept-changes").code == 0
    standing = [json.loads(line) for line in run("opt-out", "list", person(6), "--json").out.splitlines()]
    assert [(each["contact_id"], each["topic"]) for each in standing] == [(6, "calls")]
    assert rows(sent, f"SELECT id FROM contact WHERE address = '{person(6)}'") == [(6,)], "the same person"
    ((again,),) = rows(sent, f"SELECT id FROM contact WHERE address = '{person(5)}'")
    assert again == 7, "who had not opted out is somebody new"
    assert run("verify", "--json").json["violations"] == []


def test_what_somebody_lifted_stays_lifted_when_the_same_evidence_comes_again(
    run: Run, sent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLGROUP_NOW", "2021-11-03T10:00:00+00:00")
    path = sent / "out.csv"
    path.write_text(f"address,at\n{person(2)},2021-11-03\n", encoding="utf-8")
    run("opt-out", "import", path)
    run("opt-out", "lift", person(2), "--reason", "a mistake")
    monkeypatch.setenv("MLGROUP_NOW", AFTER_TEN_YEARS)
    tidy(run, "--apply")
    with ledger(sent) as database:
        database.execute("DELETE FROM imported_file")
    assert run("opt-out", "import", path, "--json").json["applied"] == 0
    assert rows(sent, "SELECT address FROM signal WHERE kind = 'lift'") == [("",), ("",)]


def test_who_is_in_doubt_or_held_keeps_what_a_decision_needs(
    run: Run, sent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A doubtful delivery may be settled by a person, an event may be why another one counts as accepted."""
    with ledger(sent) as database:
        database.execute("UPDATE attempt SET outcome = 'uncertain' WHERE delivery_id IN (1, 2)")
        database.execute("UPDATE delivery SET state = 'uncertain' WHERE id = 1")
        database.execute(
            "UPDATE suppression SET restriction = 'hold', kind = 'review' WHERE topic = 'calls' AND contact_id = 6"
        )
    assert run("verify", "--json").json["violations"] == []
    monkeypatch.setenv("MLGROUP_NOW", AFTER_TEN_YEARS)
    tidy(run, "--apply")
    assert run("verify", "--json").json["violations"] == []
    assert rows(sent, "SELECT id, address FROM delivery WHERE address != ''") == [(1, person(1))]
    assert rows(sent, "SELECT delivery_id FROM delivery_event") == [(2,)]
    assert rows(sent, "SELECT reason FROM signal WHERE contact_id = 6") == [("Number6 is tired of calls",)]


def test_of_the_providers_lists_what_stands_or_is_being_lifted_stays(
    run: Run, sent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever lifts it has to know what is to be taken off which list; a stranger's old entry nobody needs."""
    monkeypatch.setenv("MLGROUP_NOW", AFTER_TEN_YEARS)
    assert tidy(run, "--apply")["provider_lists"] == 2
    assert rows(sent, "SELECT address_key, created FROM provider_entry ORDER BY 1") == [
        ("person4@office.example", WHEN.strip("'")),
        ("person6@office.example", WHEN.strip("'")),
        ("stranger@else.example", "2031-11-30"),
    ], "5 is forgotten with all that is theirs, however young"
    assert rows(sent, "SELECT address_key FROM provider_removal") == [("person4@office.example",)]
    assert rows(sent, "SELECT * FROM preference") == []


def test_somebody_forgotten_who_asks_this_week_to_be_back_can_still_say_yes(
    run: Run, sent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLGROUP_NOW", AFTER_TEN_YEARS)
    with ledger(sent) as database:
        database.execute(
            "UPDATE join_request SET address = ?, address_key = ?, asked_at = ?", (person(5), person(5), "2031-11-30")
        )
    assert tidy(run, "--apply")["left_contacts"] > 0
    assert rows(sent, "SELECT address FROM join_request") == [(person(5),)]


@pytest.mark.parametrize("cut", range(1, 12))
def test_cut_anywhere_the_next_run_does_the_rest(
    run: Run, sent: Path, monkeypatch: pytest.MonkeyPatch, cut: int
) -> None:
    """In steps of one row, and the power fails before the step numbered `cut`."""
    monkeypatch.setenv("MLGROUP_NOW", AFTER_TEN_YEARS)
    overdue = sum(tidy(run).values())
    done = 0
    really = tidying.clear_some

    def until_the_power_fails(*arguments: object, **named: object) -> int:
        nonlocal done
        if done == cut:
            raise KeyboardInterrupt
        done += 1
        return really(*arguments, **named)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(tidying, "STEP", 1)
        patch.setattr(tidying, "clear_some", until_the_power_fails)
        assert run("db", "tidy", "--apply").code == 130
    assert run("verify", "--json").json["violations"] == []
    assert sum(tidy(run).values()) == overdue - cut
    assert sum(tidy(run, "--apply").values()) == overdue - cut
    assert tidy(run) == dict.fromkeys(KINDS, 0)
    assert run("verify", "--json").json["violations"] == []


def test_the_project_says_how_long(run: Run, sent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLGROUP_NOW", "2022-02-01T10:00:00+00:00")
    _retain(sent, 'outbox = "60 days"\ncourtesies = "2 months"\n')
    assert tidy(run) == dict.fromkeys(KINDS, 0) | {"outbox": 7, "courtesies": 1, "join_requests": 2}
    _retain(sent, "".join(f'{kind} = "for ever"\n' for kind in CHOSEN))
    monkeypatch.setenv("MLGROUP_NOW", "2099-02-01T10:00:00+00:00")
    assert tidy(run, "--apply") == dict.fromkeys(KINDS, 0) | {"join_requests": 2}
    assert "ever" in run("db", "tidy").text


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('events = "soon"', 'must be a time such as "90 days"'),
        ("events = 90", 'must be a time such as "90 days"'),
        ('events = "0 days"', 'must be a time such as "90 days"'),
        ('events = "1 day"', "four weeks at least"),
        ('events = "400 years"', "100 years at most"),
        ('event = "1 year"', "events"),
    ],
)
def test_a_time_that_cannot_be_is_refused_with_its_place(run: Run, letter: Path, line: str, words: str) -> None:
    _retain(letter, line + "\n")
    refused = run("db", "tidy")
    assert refused.code == 2
    assert words in refused.text
    assert "mlgroup.toml" in refused.text


def _retain(root: Path, lines: str) -> None:
    path = root / "mlgroup.toml"
    text = path.read_text(encoding="utf-8").partition("\n[retention]\n")[0]
    path.write_text(f"{text}\n[retention]\n{lines}", encoding="utf-8")


def test_the_journal_says_what_was_forgotten_and_nobodys_name(
    run: Run, sent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLGROUP_NOW", AFTER_TEN_YEARS)
    tidy(run, "--apply", "--by", "the officer")
    ((reason, actor),) = rows(sent, "SELECT reason, actor FROM journal WHERE act = 'tidy'")
    assert actor == "the officer"
    assert str(reason).startswith("6 delivery_details, 2 events, ")


def test_what_others_put_into_the_outbox_stays(run: Run, sent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLGROUP_NOW", AFTER_TEN_YEARS)
    own = sent / "var" / "outbox" / "letter" / "issue" / "notes.txt"
    own.write_text("mine", encoding="utf-8")
    tidy(run, "--apply")
    assert own.read_text(encoding="utf-8") == "mine"
    shutil.rmtree(sent / "var" / "outbox")
    assert tidy(run)["outbox"] == 0


def test_a_mailing_that_is_not_over_keeps_everything(
    run: Run, letter: Path, use: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planned long ago and never sent: somebody may still order it with --late."""
    monkeypatch.setenv("MLGROUP_NOW", SENT)
    assert run("plan", LETTER).code == 0
    monkeypatch.setenv("MLGROUP_NOW", AFTER_TEN_YEARS)
    assert tidy(run, "--apply")["delivery_details"] == 0
    assert run("send", LETTER, "--live", "--late", "trial").code == 0
    assert run("status", LETTER, "--json").json["counts"]["accepted"] == 6
