"""`log`, `opt-out list`: tables in a file or pipe, words for people, fixed keys for programs."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import RowMapping

from mlgroup_mail.cli import looking
from mlgroup_mail.model import ExclusionReason
from mlgroup_mail.reporting.log import LogLine
from mlgroup_mail.store import deliveries
from tests.acceptance.conftest import approved_letter, letter
from tests.acceptance.projects import LETTER, person
from tests.cli.conftest import Run

__all__ = ["approved_letter", "letter"]

LONG = "a-person-with-a-rather-long-name.and-another-one-behind-it@a-department-of-statistics.university.example"


@pytest.fixture
def sent(run: Run, letter: Path) -> Path:
    """A mailing that is out, with one who had opted out."""
    assert run("opt-out", "add", person(2), "--reason", "wrote so " * 20).code == 0
    assert run("send", LETTER, "--live", "--late", "a test").code == 0
    return letter


def test_in_a_pipe_each_row_is_one_line_and_no_address_is_cut(run: Run, sent: Path) -> None:
    assert run("opt-out", "add", LONG, "--reason", "by telephone").code == 0
    (row,) = [line for line in run("opt-out", "list").out.splitlines() if LONG in line]
    assert "by telephone" in row
    assert row.strip().startswith(LONG)
    rows = [line for line in run("log", LETTER).out.splitlines() if person(1) in line]
    assert len(rows) == 1
    assert "accepted" in rows[0]


def test_people_read_why_somebody_was_left_out_in_words_programs_the_fixed_name(run: Run, sent: Path) -> None:
    table, rows = run("log", LETTER).text, run("log", LETTER, "--csv").out
    assert ExclusionReason.OPTED_OUT.meaning in table
    assert "opted_out" not in table
    assert ",excluded,opted_out," in rows
    assert '"reason": "opted_out"' in run("log", LETTER, "--json").out


def test_the_log_has_the_number_that_names_a_message_in_the_outbox(run: Run, sent: Path) -> None:
    lines = [json.loads(line) for line in run("log", LETTER, "--json").out.splitlines()]
    written = {path.stem for path in (sent / "var" / "outbox").rglob("*.eml")}
    assert {str(line["delivery_id"]) for line in lines if line["state"] == "accepted"} == written
    assert run("log", LETTER, "--csv").out.splitlines()[0].endswith(",canary,delivery_id,later")


def test_what_was_accepted_and_then_given_back_is_said_in_log_and_status(run: Run, sent: Path) -> None:
    """Operators look there after a mailing: "accepted" alone would be a lie about whoever got nothing."""
    assert "heard of later" not in run("status", LETTER).text
    assert "later" not in run("log", LETTER).out.splitlines()[0]
    with closing(sqlite3.connect(sent / "var" / "mlgroup.db")) as ledger, ledger:
        for delivery_id, kind, detail in (
            (1, "delivered", "250 ok"),
            (3, "bounced", "550 5.1.1"),
            (3, "deferred", "451"),
            (4, "dropped", "Bounced Address"),
            (5, "dropped", ""),
            (5, "complained", ""),
        ):
            ledger.execute(
                "INSERT INTO delivery_event (delivery_id, kind, source, fingerprint, detail, at, bounce) "
                "SELECT id, ?, 'provider', ?, ?, '2021-11-03 12:00:00.000000', '' FROM delivery WHERE contact_id = ?",
                (kind, f"{delivery_id} {kind}", detail, delivery_id),
            )
    shown = run("status", LETTER).text
    assert "of those accepted, heard of later: 1 bounced, 1 complained, 1 dropped" in shown
    assert run("status", LETTER, "--json").json["later"] == {"bounced": 1, "complained": 1, "dropped": 1}
    lines = [json.loads(line) for line in run("log", LETTER, "--json").out.splitlines()]
    assert {line["contact_id"]: line["later"] for line in lines if line["later"]} == {
        3: "bounced: 550 5.1.1",
        4: "dropped: Bounced Address",
        5: "complained",
    }
    assert "dropped: Bounced Address" in run("log", LETTER).text


def test_a_long_log_is_told_as_it_is_read_and_a_table_reads_only_what_it_shows(
    run: Run, sent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A million lines are never in memory at once."""
    monkeypatch.setattr(deliveries, "_CHUNK", 2)
    monkeypatch.setattr(looking, "_SHOWN", 2)
    read: list[int] = []
    told: list[tuple[int, int]] = []
    make, cells = deliveries._delivery, LogLine.cells

    def counted(row: RowMapping) -> deliveries.DeliveryRow:
        read.append(row["id"])
        return make(row)

    def noted(line: LogLine) -> list[object]:
        told.append((len(told) + 1, len(read)))
        return cells(line)

    monkeypatch.setattr(deliveries, "_delivery", counted)
    monkeypatch.setattr(LogLine, "cells", noted)
    assert "… and 4 more" in run("log", LETTER).text
    assert len(read) == 2
    read.clear()
    assert len(run("log", LETTER, "--csv").out.splitlines()) == 1 + 6
    assert all(in_memory - line < 2 for line, in_memory in told)
    assert len(told) == 6
