"""`log`, `opt-out list`: tables in a file or pipe, words for people, fixed keys for programs."""

import json
from pathlib import Path

import pytest

from mlgroup_mail.model import ExclusionReason
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
    assert run("log", LETTER, "--csv").out.splitlines()[0].endswith(",canary,delivery_id")
