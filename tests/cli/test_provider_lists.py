"""`opt-out pull`, and what a lift says of SendGrid's lists; the service is the fake one."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from mlgroup_mail.store import schema
from mlgroup_mail.testing.sendgrid import FakeSendGrid, fake_sendgrid
from mlgroup_mail.testing.sendgrid.faults import Fault, Trouble
from mlgroup_mail.testing.sendgrid.suppressions import SuppressionList
from tests.acceptance.conftest import Settings, approved_letter, letter, use
from tests.acceptance.projects import LETTER
from tests.cli.conftest import Run
from tests.delivery.told import open_ledger

__all__ = ["approved_letter", "letter", "use"]

PERSON = "person1@office.example"


@pytest.fixture
def fake(letter: Path, use: Settings) -> Iterator[FakeSendGrid]:
    with fake_sendgrid() as running:
        use({"MLGROUP_SENDGRID_URL": running.url, "MLGROUP_SENDGRID_API_KEY": running.key})
        yield running


@pytest.fixture
def pulled(fake: FakeSendGrid, use: Settings) -> FakeSendGrid:
    """An account whose lists are read, with somebody on the list of bounces."""
    use({"MLGROUP_SENDGRID_PULL": "true"})
    fake.account.suppressions.add(SuppressionList.BOUNCES, PERSON)
    return fake


def test_switched_off_it_says_how_to_switch_it_on(run: Run, fake: FakeSendGrid) -> None:
    result = run("opt-out", "pull")
    assert result.code == 2
    assert "MLGROUP_SENDGRID_PULL" in result.err


def test_it_says_what_the_lists_brought(run: Run, pulled: FakeSendGrid) -> None:
    result = run("opt-out", "pull", "--json")
    assert (result.code, result.json["new"]) == (0, 1)
    assert (result.json["opt_outs"], result.json["bounced"]) == (0, 1), "a bounce is nobody's opt-out"
    assert "1 entries read, 0 of them new" in run("opt-out", "pull").text
    assert "SendGrid's list “bounces”" in run("opt-out", "list").text


def test_a_key_without_the_right_is_told_in_words_that_help(run: Run, pulled: FakeSendGrid) -> None:
    pulled.account.scopes.remove("suppression.read")
    result = run("opt-out", "pull")
    assert result.code == 2
    assert "give it Suppressions" in result.text
    assert pulled.key not in result.text


def test_lists_that_nobody_has_read_for_a_day_hold_all_mail(run: Run, pulled: FakeSendGrid, letter: Path) -> None:
    assert run("opt-out", "pull").code == 0
    with closing(open_ledger(letter)) as store, store.writing() as connection:
        old = datetime.now(UTC) - timedelta(hours=25)
        connection.execute(update(schema.road).values(heard_at=old, configured_at=old))
    result = run("send", LETTER, "--live", "--late", "trial")
    assert result.code == 1
    assert "the provider “sendgrid” has not been read since" in result.text
    assert run("opt-out", "pull").code == 0
    assert run("send", LETTER, "--live", "--late", "trial").code == 0


def test_switched_off_again_the_road_counts_no_more(
    run: Run, pulled: FakeSendGrid, letter: Path, use: Settings
) -> None:
    run("opt-out", "pull")
    with closing(open_ledger(letter)) as store, store.writing() as connection:
        old = datetime.now(UTC) - timedelta(hours=25)
        connection.execute(update(schema.road).values(heard_at=old, configured_at=old))
    use({"MLGROUP_SENDGRID_PULL": "false"})
    assert run("send", LETTER, "--live", "--late", "trial").code == 0


def lift(run: Run) -> tuple[int, str]:
    result = run("opt-out", "lift", PERSON, "--reason", "the mailbox works again")
    return result.code, result.text


def test_a_lift_takes_the_person_off_sendgrids_list(run: Run, pulled: FakeSendGrid) -> None:
    run("opt-out", "pull")
    code, text = lift(run)
    assert code == 0
    assert "1 taken off SendGrid's lists" in text
    assert pulled.account.suppressions.addresses(SuppressionList.BOUNCES) == []


def test_a_lift_that_sendgrid_refuses_holds_here_and_is_done_there_by_the_next_pull(
    run: Run, pulled: FakeSendGrid
) -> None:
    run("opt-out", "pull")
    pulled.account.scopes.remove("suppression.delete")
    code, text = lift(run)
    assert code == 1
    assert "1 opt-out of person1@office.example lifted" in text
    assert "SendGrid still has them on its lists" in text
    assert run("opt-out", "list").text.endswith("0 standing.")
    pulled.account.scopes.append("suppression.delete")
    assert run("opt-out", "pull", "--json").json["taken_off"] == 1
    assert run("opt-out", "list").text.endswith("0 standing.")


def test_where_the_lists_are_not_read_a_lift_says_who_has_to_mend_them(
    run: Run, pulled: FakeSendGrid, use: Settings
) -> None:
    run("opt-out", "pull")
    use({"MLGROUP_SENDGRID_PULL": "false"})
    code, text = lift(run)
    assert code == 0
    assert "take them off its lists there" in text


def test_pushing_is_off_until_it_is_asked_for(run: Run, pulled: FakeSendGrid, use: Settings, letter: Path) -> None:
    run("opt-out", "add", "person2@office.example")
    with closing(open_ledger(letter)) as store, store.writing() as connection:
        connection.execute(update(schema.suppression).values(at=datetime.now(UTC) - timedelta(hours=2)))
    assert run("opt-out", "pull", "--json").json["pushed"] == 0
    use({"MLGROUP_SENDGRID_PUSH": "true"})
    assert run("opt-out", "pull", "--json").json["pushed"] == 1
    assert pulled.account.suppressions.addresses(SuppressionList.UNSUBSCRIBES) == ["person2@office.example"]


def test_whom_a_lift_freed_is_taken_off_though_somebody_else_cannot_be_put_there(
    run: Run, pulled: FakeSendGrid, use: Settings, letter: Path
) -> None:
    run("opt-out", "pull")
    pulled.account.scopes.remove("suppression.delete")
    lift(run)
    pulled.account.scopes.append("suppression.delete")
    run("opt-out", "add", "person2@office.example")
    with closing(open_ledger(letter)) as store, store.writing() as connection:
        connection.execute(update(schema.suppression).values(at=datetime.now(UTC) - timedelta(hours=2)))
    use({"MLGROUP_SENDGRID_PUSH": "true"})
    pulled.faults.add(Fault(trouble=Trouble.ANSWERS, status=403, path="/v3/asm/suppressions/global"))
    assert run("opt-out", "pull").code != 0
    assert pulled.account.suppressions.addresses(SuppressionList.BOUNCES) == []


def test_a_statutory_mailing_tells_who_must_be_told_in_another_way(run: Run, letter: Path) -> None:
    file = letter / "mlgroup.toml"
    text = file.read_text(encoding="utf-8")
    marked = 'newsletter = { default = true, title = "Monthly newsletter", statutory = true }'
    file.write_text(text.replace('newsletter = { default = true, title = "Monthly newsletter" }', marked), "utf-8")
    run("opt-out", "add", PERSON)
    assert run("send", LETTER, "--live", "--late", "trial").code == 0
    assert "1 hold an office and are left out by their own wish" in str(run("status", LETTER, "--json").json)
