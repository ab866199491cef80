"""Where a second copy was ordered and both may have arrived, nobody who looks is left in the dark."""

from pathlib import Path

import pytest

from tests.acceptance.projects import LETTER, person
from tests.cli.conftest import Run
from tests.reporting.test_report import AT, order, page_of

TOLD = "a second copy was ordered, and both may have arrived"


@pytest.fixture(autouse=True)
def _clock(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLGROUP_NOW", AT)


@pytest.fixture
def sent_again(run: Run, letter: Path) -> Path:
    """The letter to six people; the first of them was in doubt, and a person had it sent again."""
    assert run("send", LETTER, "--live").code == 0
    order(letter, "UPDATE attempt SET outcome = 'uncertain', scope = NULL WHERE delivery_id = 1")
    order(letter, "UPDATE delivery SET state = 'uncertain' WHERE id = 1")
    assert run("resolve", LETTER, "--resend", "--reason", "nothing came").code == 0
    assert TOLD not in because(run, 1), "nothing has gone a second time yet"
    assert run("send", LETTER, "--live").code == 0
    return letter


def because(run: Run, number: int) -> str:
    """What `explain` says of the letter to that person."""
    (mailing,) = run("explain", person(number), "--json").json["mailings"]
    return str(mailing["because"])


def test_status_counts_them_and_says_where_they_are_named(run: Run, sent_again: Path) -> None:
    status = run("status", LETTER, "--json").json
    assert (status["state"], status["counts"]["accepted"]) == ("finished", 6)
    assert f"1 may have got it twice: {TOLD}; `report {LETTER}` names them" in status["remarks"]


def test_the_report_names_them_without_their_addresses(run: Run, sent_again: Path) -> None:
    page = page_of(run)
    assert "Perhaps twice</h2>" in page
    assert "<li>contact 1, p…@office.example</li>" in page
    assert run("report", LETTER, "--json").json["perhaps_twice"] == [{"contact_id": 1, "address": "p…@office.example"}]


def test_explain_says_it_of_the_one_whom_it_was(run: Run, sent_again: Path) -> None:
    assert TOLD in because(run, 1)
    assert TOLD not in because(run, 2)


def test_the_person_s_order_is_the_exception_that_verify_knows(run: Run, sent_again: Path) -> None:
    assert run("verify", "--json").json["violations"] == []


def test_where_the_first_copy_was_surely_not_accepted_nobody_is_alarmed(run: Run, sent_again: Path) -> None:
    order(sent_again, "UPDATE attempt SET outcome = 'refused', scope = 'recipient' WHERE id = 1")
    assert TOLD not in " ".join(run("status", LETTER, "--json").json["remarks"])
    assert "Perhaps twice" not in page_of(run)
    assert TOLD not in because(run, 1)
