"""`verify` finds what must never be: each case plants one violation with plain SQL, behind the software's back."""

import shutil
import sqlite3
from pathlib import Path

import pytest

from mlgroup_mail.cli import main
from tests.acceptance.projects import LETTER, person
from tests.cli.conftest import Run

LONG_AGO = "2021-01-01 00:00:00.000000"

AGAIN = """
    INSERT INTO attempt (delivery_id, owner_id, number, transport, begun_at, ended_at, outcome, detail)
    SELECT delivery_id, owner_id, number + {later}, transport, begun_at, ended_at, 'accepted', ''
    FROM attempt WHERE delivery_id = 1 ORDER BY id DESC LIMIT 1;
    UPDATE delivery SET attempts = attempts + 1, attempt_id = (SELECT max(id) FROM attempt) WHERE id = 1;
"""
RESEND = """
    INSERT INTO journal (number, mailing_id, delivery_id, act, reason, actor, at)
    SELECT number + {later}, 1, 1, 'resolve_resend', 'asked', 'the editor', begun_at FROM attempt WHERE delivery_id = 1;
"""
IN_DOUBT = "UPDATE attempt SET outcome = 'uncertain' WHERE delivery_id = 1;"

MORE_NUMBERS = "UPDATE counter SET value = 5000;"
ORDERED = """
    INSERT INTO journal (number, mailing_id, delivery_id, act, reason, actor, at)
    SELECT {number}, 1, {delivery}, '{act}', '{reason}', 'the editor', changed_at FROM mailing;
"""
TWO_WINDOWS = "UPDATE attempt SET number = number + 100 WHERE id > 3;" + MORE_NUMBERS

ERASED = """
    UPDATE contact SET erased_at = changed_at, left_at = changed_at, address = '', address_key = '', name = '',
    first_name = '', organisation = '', country = '', timezone = '', language = '', status = '', source = '',
    external_id = '' WHERE id = 6;
    DELETE FROM contact_address WHERE contact_id = 6;
    UPDATE delivery SET address = '', address_key = 'erased:6', fields = '{}' WHERE contact_id = 6;
    UPDATE suppression SET contact_id = 6, lifted_number = NULL, lifted_at = NULL, number = 1000, address_key = '';
    UPDATE signal SET number = 1000 WHERE kind = 'opt_out';
"""

STANDS = (
    "UPDATE signal SET number = 0 WHERE kind = 'opt_out';"
    "UPDATE suppression SET number = 0, lifted_number = NULL, lifted_at = NULL, "
)
FORMERLY = (
    STANDS
    + """contact_id = NULL, address_key = 'formerly@gone.example';
    INSERT INTO contact_address (contact_id, address_key, current, since, moved_away)
    VALUES (2, 'formerly@gone.example', 0, '{since}', 0);
"""
)
PROVED_TO_BE = (
    STANDS
    + """address_key = '', contact_id = 6;
    UPDATE journal SET number = -2 WHERE act = 'approve';
    UPDATE attempt SET number = -1 WHERE delivery_id IN (SELECT id FROM delivery WHERE contact_id = 6);
    UPDATE contact SET moved_to = 6, changed_at = '{at}', left_at = '{at}' WHERE id = 2;
"""
)
AFTERWARDS = "2999-01-01 00:00:00.000000"

VIOLATIONS = {
    "somebody was tried a second time": ("1", AGAIN.format(later=1)),
    "somebody was tried a third time when one resend was ordered": (
        "1",
        IN_DOUBT + RESEND.format(later=1) + AGAIN.format(later=2) + AGAIN.format(later=1),
    ),
    "somebody would be tried again whose first copy was accepted after all": (
        "1",
        RESEND.format(later=1)
        + "UPDATE delivery SET state = 'planned' WHERE id = 1; UPDATE mailing SET state = 'sending';"
        + MORE_NUMBERS,
    ),
    "what was handed back counts as a try": (
        "4",
        "UPDATE attempt SET outcome = 'deferred', scope = NULL WHERE id = 1;"
        "UPDATE delivery SET state = 'deferred' WHERE id = 1; UPDATE mailing SET state = 'sending';",
    ),
    "an event about what was surely not accepted made it accepted": (
        "4",
        "UPDATE attempt SET outcome = 'deferred', scope = 'recipient' WHERE id = 1;"
        "INSERT INTO delivery_event (delivery_id, kind, source, fingerprint, detail, at) "
        "SELECT 1, 'delivered', 'provider', 'x', '', changed_at FROM delivery WHERE id = 1;"
        "UPDATE delivery SET changed_at = '2999-01-01 00:00:00.000000' WHERE id = 1;",
    ),
    "an attempt without an answer was followed by another": (
        "1",
        AGAIN.format(later=1) + "UPDATE attempt SET outcome = NULL, ended_at = NULL WHERE id = 1;",
    ),
    "a delivery is gone": (
        "2",
        "DELETE FROM attempt WHERE delivery_id = 2; DELETE FROM delivery WHERE id = 2;",
    ),
    "somebody belongs to no batch and would never go": ("2", "UPDATE delivery SET batch_id = NULL WHERE id = 3;"),
    "somebody has no text and would never go": ("2", "UPDATE delivery SET variant_id = NULL WHERE id = 3;"),
    "the audience was never counted": ("2", "UPDATE mailing SET audience = NULL;"),
    "it is finished although somebody waits": ("2", "UPDATE delivery SET state = 'planned' WHERE id = 2;"),
    "somebody was written to after they had opted out": (
        "3",
        "UPDATE suppression SET number = 0, lifted_number = NULL, lifted_at = NULL;",
    ),
    "somebody was written to between an opt-out and its lift": (
        "3",
        "UPDATE suppression SET number = 0;"
        "UPDATE suppression SET lifted_number = lifted_number + 1000;"
        "UPDATE signal SET number = number + 1000 WHERE kind = 'lift';",
    ),
    "somebody was written to after an opt-out at an address that they had had": (
        "3",
        FORMERLY.format(since=LONG_AGO),
    ),
    "somebody was written to after whom they had proved to be had opted out": ("3", PROVED_TO_BE.format(at=LONG_AGO)),
    "an opt-out was received, and its rule is gone": ("3", "DELETE FROM suppression;"),
    "an opt-out is said to have been effective later than it was": (
        "3",
        "UPDATE suppression SET number = number + 1, lifted_number = lifted_number + 1;"
        "UPDATE signal SET number = number + 1 WHERE kind = 'lift';" + MORE_NUMBERS,
    ),
    "a number was drawn twice": (
        "3",
        "UPDATE attempt SET outcome = 'deferred' WHERE delivery_id = 1;" + AGAIN.format(later=0),
    ),
    "two orders have the same number": ("3", "UPDATE journal SET number = 1;"),
    "there are numbers that nobody gave out": ("3", "UPDATE counter SET value = 1;"),
    "an opt-out was lifted before it was made": (
        "3",
        "UPDATE suppression SET lifted_number = number - 1;"
        "UPDATE signal SET number = (SELECT lifted_number FROM suppression) WHERE kind = 'lift';",
    ),
    "a delivery says that it was tried more often than it was": ("4", "UPDATE delivery SET attempts = 2 WHERE id = 3;"),
    "a delivery's latest attempt is another's": ("4", "UPDATE delivery SET attempt_id = 1 WHERE id = 3;"),
    "a try was taken out of the ledger": (
        "4",
        "UPDATE delivery SET attempt_id = NULL WHERE id = 3; DELETE FROM attempt WHERE delivery_id = 3;",
    ),
    "doubt was settled before it came up": (
        "4",
        IN_DOUBT + ORDERED.format(number=0, delivery=1, act="resolve_accepted", reason="they have it"),
    ),
    "doubt was settled without a reason": (
        "4",
        IN_DOUBT + ORDERED.format(number=1000, delivery=1, act="resolve_accepted", reason="") + MORE_NUMBERS,
    ),
    "somebody who has it is called excluded": (
        "4",
        "UPDATE delivery SET state = 'excluded', reason = 'opted_out' WHERE id = 3;",
    ),
    "a resend was ordered once and waits a second time": (
        "4",
        "UPDATE delivery SET state = 'planned' WHERE id = 1; UPDATE mailing SET state = 'sending';"
        + ORDERED.format(number=0, delivery=1, act="resolve_resend", reason="none came"),
    ),
    "a delivery is accepted although nothing was attempted": (
        "4",
        "UPDATE delivery SET attempt_id = NULL, attempts = 0 WHERE id = 3; DELETE FROM attempt WHERE delivery_id = 3;",
    ),
    "a delivery is accepted although its attempt was refused": (
        "4",
        "UPDATE attempt SET outcome = 'refused' WHERE delivery_id = 3;",
    ),
    "doubt became acceptance without evidence": ("4", IN_DOUBT),
    "an attempted delivery went back to planned": (
        "4",
        "UPDATE delivery SET state = 'planned' WHERE id = 3; UPDATE mailing SET state = 'sending';",
    ),
    "an attempt is open although its process has ended": (
        "4",
        "UPDATE attempt SET outcome = NULL, ended_at = NULL WHERE delivery_id = 3;"
        "UPDATE delivery SET state = 'attempting' WHERE id = 3; UPDATE mailing SET state = 'sending';",
    ),
    "the approved text was changed": ("5", "UPDATE mailing SET source = replace(source, 'News', 'Olds');"),
    "another text was approved after somebody had been tried": (
        "5",
        "UPDATE journal SET number = number + 1000 WHERE act = 'approve';",
    ),
    "another text was approved after somebody had been planned": ("5", "UPDATE mailing SET state = 'approved';"),
    "the topic was changed": ("5", "UPDATE mailing SET topic = 'calls';"),
    "nobody approved it": ("5", "UPDATE mailing SET approved_by = '';"),
    "no approval is in the journal": ("5", "DELETE FROM journal WHERE act = 'approve';"),
    "its end was moved and nobody ordered that": ("5", "DELETE FROM journal WHERE act = 'late';"),
    "a picture was changed": ("5", "INSERT INTO picture VALUES ('00', 'image/png', x'01');"),
    "an opt-out was lifted by nobody": ("6", "UPDATE suppression SET lifted_by = '';"),
    "an opt-out was lifted without a reason": ("6", "UPDATE suppression SET lifted_reason = '';"),
    "an opt-out was lifted without a signal": ("6", "UPDATE suppression SET lifted_number = lifted_number + 1000;"),
    "somebody was erased and their name kept": ("6", ERASED + "UPDATE contact SET name = 'Person' WHERE id = 6;"),
    "somebody was erased and an address kept": (
        "6",
        ERASED + "UPDATE delivery SET address = 'x@y.example' WHERE id = 6;",
    ),
    "somebody was erased and could get mail": (
        "6",
        ERASED + "UPDATE suppression SET contact_id = 5 WHERE contact_id = 6;",
    ),
    "somebody was written to before it was time": (
        "10",
        f"UPDATE attempt SET begun_at = '{LONG_AGO}' WHERE delivery_id = 4;",
    ),
    "somebody was written to when it was too late": ("10", "UPDATE mailing SET stop_at = send_at;"),
    "it went on after it was paused": (
        "10",
        TWO_WINDOWS + ORDERED.format(number=0, delivery="NULL", act="pause", reason="wrong date"),
    ),
    "it went on after it was held": (
        "10",
        TWO_WINDOWS + ORDERED.format(number=0, delivery="NULL", act="hold", reason="is this an older copy?"),
    ),
    "it went on after it was cancelled": (
        "10",
        TWO_WINDOWS + ORDERED.format(number=0, delivery="NULL", act="cancel", reason="wrong date"),
    ),
}


@pytest.fixture(scope="session")
def sent_letter(approved_letter: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A letter that went to six people, one of whom had opted out before and then asked to be back. Copy it."""
    root = Path(shutil.copytree(approved_letter, tmp_path_factory.mktemp("sent") / "project"))
    for order in (
        ("opt-out", "add", person(5)),
        ("opt-out", "lift", person(5), "--reason", "asked to be back"),
        ("send", LETTER, "--live", "--late", "trial"),
    ):
        assert main._run(["--project", str(root), *order]) == 0
    return root


@pytest.fixture
def sent(sent_letter: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sent_letter, tmp_path, dirs_exist_ok=True))


def plant(root: Path, script: str) -> None:
    connection = sqlite3.connect(root / "var" / "mlgroup.db")
    try:
        connection.executescript(script)
    finally:
        connection.close()


def test_what_was_done_properly_passes(run: Run, sent: Path) -> None:
    verified = run("verify", "--json")
    assert (verified.code, verified.json["ok"], verified.json["violations"]) == (0, True, [])
    numbers = [name.split()[0] for name in verified.json["checked"]]
    assert numbers == ["1", "2", "3", "4", "5", "6", "6", "10", "11"]


def test_a_resend_that_a_person_ordered_passes(run: Run, sent: Path) -> None:
    plant(sent, IN_DOUBT + RESEND.format(later=1) + AGAIN.format(later=2) + MORE_NUMBERS)
    assert run("verify", "--json").json["violations"] == []


def test_what_was_handed_back_and_counts_for_nothing_passes(run: Run, sent: Path) -> None:
    plant(
        sent,
        "UPDATE attempt SET outcome = 'deferred', scope = NULL WHERE id = 1;"
        "UPDATE delivery SET state = 'deferred', attempts = 0 WHERE id = 1; UPDATE mailing SET state = 'sending';",
    )
    assert run("verify", "--json").json["violations"] == []


def test_somebody_who_was_erased_passes(run: Run, sent: Path) -> None:
    plant(sent, ERASED + MORE_NUMBERS)
    assert run("verify", "--json").json["violations"] == []


def test_a_mailing_that_was_paused_and_resumed_passes(run: Run, sent: Path) -> None:
    paused = ORDERED.format(number=-2, delivery="NULL", act="pause", reason="wrong date")
    plant(
        sent, TWO_WINDOWS + paused + ORDERED.format(number=-1, delivery="NULL", act="resume", reason="right after all")
    )
    assert run("verify", "--json").json["violations"] == []


def test_the_window_that_was_open_when_it_was_paused_passes(run: Run, sent: Path) -> None:
    plant(sent, ORDERED.format(number=0, delivery="NULL", act="pause", reason="wrong date"))
    assert run("verify", "--json").json["violations"] == []


@pytest.mark.parametrize("script", [FORMERLY.format(since=AFTERWARDS), PROVED_TO_BE.format(at=AFTERWARDS)])
def test_what_was_learned_of_a_person_afterwards_accuses_nobody(run: Run, sent: Path, script: str) -> None:
    plant(sent, script)
    assert run("verify", "--json").json["violations"] == []


@pytest.mark.parametrize(("invariant", "script"), VIOLATIONS.values(), ids=VIOLATIONS)
def test_a_planted_violation_is_found(run: Run, sent: Path, invariant: str, script: str) -> None:
    plant(sent, script)
    verified = run("verify", "--json")
    assert verified.code == 1
    assert verified.json["ok"] is False
    assert invariant in {each["invariant"].split()[0] for each in verified.json["violations"]}
    assert person(1).partition("@")[0] not in verified.out + verified.err, "numbers, not names"


def test_another_ledger_than_the_project_s_is_found(run: Run, sent: Path) -> None:
    (sent / "ledger.toml").write_text('ledger = "another-one"\n', encoding="utf-8")
    verified = run("verify", "--json")
    assert verified.code == 1
    assert [each["invariant"] for each in verified.json["violations"]] == ["11 one ledger"]


def test_an_older_copy_of_the_ledger_is_found(run: Run, sent: Path) -> None:
    for mark in (sent / ".ledger-seen").iterdir():
        mark.write_text(mark.read_text(encoding="utf-8").replace("attempts = ", "attempts = 1"), encoding="utf-8")
    verified = run("verify", "--json")
    assert verified.code == 1
    assert [each["invariant"] for each in verified.json["violations"]] == ["11 one ledger"]
    assert "older copy" in verified.json["violations"][0]["message"]


def test_people_are_told_what_the_numbers_are_and_which_are_not_the_ledgers_to_show(run: Run, sent: Path) -> None:
    text = run("verify").text
    assert "invariant what holds checked violations" in text
    assert "1 at most one acceptance yes 0" in text
    assert "7 (reading changes nothing), 8 (no address in a log)" in text


def test_people_are_told_in_a_table_which_one_was_broken(run: Run, sent: Path) -> None:
    plant(sent, AGAIN.format(later=1))
    shown = run("verify")
    assert shown.code == 1
    assert "1 at most one acceptance: delivery 1 was tried again" in shown.text
