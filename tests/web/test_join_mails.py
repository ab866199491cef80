"""The mails of joining: each goes once or not at all, and the team is told why one has not gone."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select, update

from mlgroup_mail.consent.applying import lift_suppressions
from mlgroup_mail.delivery.courtesies import CourtesyMail
from mlgroup_mail.delivery.joining import Joining, JoinMails
from mlgroup_mail.delivery.sending import Sending
from mlgroup_mail.errors import CampaignError
from mlgroup_mail.model import ALL_TOPICS
from mlgroup_mail.settings.app import upgrade_database
from mlgroup_mail.shipped import shipped
from mlgroup_mail.store import schema
from mlgroup_mail.store.courtesies import MOST_TRIES
from mlgroup_mail.testing.sendgrid import FakeSendGrid, fake_sendgrid
from mlgroup_mail.web.postman import Postman
from tests.acceptance.conftest import Settings
from tests.acceptance.projects import person, through
from tests.cli.conftest import Run
from tests.servers.smtp_sink import SmtpSink
from tests.web.joiners import NEWCOMER, ask, mails, open_the_door, send
from tests.web.readers import PUBLIC, Pages, dump, pages_at

OUTSIDE = "somebody@elsewhere.example"
_SUBJECT = "courtesies/confirmation.subject.txt.j2"


@pytest.fixture(autouse=True)
def nothing_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mails go when a test says so, not when a thread gets its turn."""
    monkeypatch.setattr(Postman, "wake", lambda self: None)


@pytest.fixture
def door(readers: Path) -> Path:
    return open_the_door(readers)


def _wait_is_over(pages: Pages) -> None:
    """Whatever waits has waited for long enough."""
    table = schema.join_request
    with pages.app.store.writing() as connection:
        connection.execute(update(table).where(table.c.next_at.is_not(None)).values(next_at=table.c.asked_at))


def _tries(pages: Pages) -> list[tuple[int, bool]]:
    """(failed tries, whether it is due some time) of each request."""
    table = schema.join_request
    with pages.app.store.reading() as connection:
        found = connection.execute(select(table.c.tries, table.c.next_at).order_by(table.c.id))
        return [(tries, next_at is not None) for tries, next_at in found]


def test_the_team_is_told_of_whom_the_settings_forbid_and_they_are_asked_once_those_are_mended(
    door: Path, smtp_sink: SmtpSink, run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    why = "outside the allowed domains of this environment"
    with pages_at(door, **through(smtp_sink, allowed_domains="office.example")) as pages:
        ask(pages, OUTSIDE)
        with caplog.at_level(logging.WARNING):
            send(pages)
        assert f"(row 1 of join_request) is kept back: {why}" in caplog.text
        assert OUTSIDE not in caplog.text
        assert f"No mail has gone to them: {why}." in run("explain", OUTSIDE).text
        assert f"1 person has not got the question whether they want to join: {why}" in run("status").text
        missing = [{"kind": "confirmation", "people": 1, "why": why}]
        assert run("status", "--json").json["missing_courtesies"] == missing
        assert f"1 person has not got the question whether they want to join: {why}" in run("doctor").text
    with pages_at(door, **through(smtp_sink, allowed_domains="office.example,elsewhere.example")) as pages:
        send(pages)
        assert not smtp_sink.recipients()
        _wait_is_over(pages)
        send(pages)
        assert list(smtp_sink.recipients()) == [OUTSIDE]
        assert run("status", "--json").json["missing_courtesies"] == []
        assert "The mail that asks them was accepted on" in run("explain", OUTSIDE).text


def test_whom_only_the_team_can_bring_back_is_asked_once_it_has(door: Path, run: Run) -> None:
    with pages_at(door) as pages:
        assert run("opt-out", "add", person(3), "--reason", "by phone").code == 0
        ask(pages, person(3))
        send(pages)
        assert "No mail has gone to them: an opt-out stands that only you can lift." in run("explain", person(3)).text
        lift_suppressions(
            pages.app.store,
            address=person(3),
            topic=ALL_TOPICS,
            by="the editor",
            reason="asked",
            now=pages.app.clock.now(),
        )
        _wait_is_over(pages)
        send(pages)
        assert [mail["To"] for mail in mails(pages, "confirmation")] == [person(3)]


def test_a_template_of_ones_own_that_fails_in_one_language_keeps_the_pages_from_starting(door: Path) -> None:
    _break_in_arabic(door)
    with pytest.raises(CampaignError, match=r"confirmation\.subject\.txt\.j2"), pages_at(door):
        pass


def test_who_cannot_be_written_to_for_a_template_costs_nobody_else_their_mail(door: Path, run: Run) -> None:
    with pages_at(door) as pages:
        _break_in_arabic(door)
        ask(pages, person(9), lang="ar")
        ask(pages)
        for _ in range(MOST_TRIES + 1):
            send(pages)
            _wait_is_over(pages)
        assert [mail["To"] for mail in mails(pages, "confirmation")] == [NEWCOMER]
        assert len(dump(pages.app.store)["courtesy"]) == 1, "what cannot be made is no attempt"
        assert _tries(pages) == [(MOST_TRIES, False), (0, False)]
        assert "No mail has gone to them: the mail could not be made" in run("explain", person(9)).text


def _break_in_arabic(root: Path) -> None:
    own = root / "templates" / _SUBJECT
    own.parent.mkdir(parents=True)
    text = (shipped("templates") / _SUBJECT).read_text(encoding="utf-8")
    own.write_text(text + '{% if campaign.language == "ar" %}{{ nothing.of_the_kind }}{% endif %}', encoding="utf-8")


def test_an_opt_out_that_comes_while_the_mail_is_made_counts(
    door: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = JoinMails.make

    def made_and_opted_out(mails: JoinMails, parts: Sending, due: Joining) -> CourtesyMail:
        mail = make(mails, parts, due)
        assert run("opt-out", "add", due.address, "--reason", "by phone").code == 0
        return mail

    with pages_at(door) as pages:
        ask(pages)
        monkeypatch.setattr(JoinMails, "make", made_and_opted_out)
        send(pages)
        assert mails(pages, "confirmation") == []
        assert dump(pages.app.store)["courtesy"] == []


def test_dispatch_sends_what_waits(door: Path, run: Run, use: Settings, smtp_sink: SmtpSink) -> None:
    use(PUBLIC)
    with pages_at(door) as pages:
        ask(pages)
        assert "has not gone yet" in run("explain", NEWCOMER).text
        assert run("cancel", "letter/issue").code == 0
        assert run("dispatch", "--json").json["mailings"] == []
        assert mails(pages, "confirmation") == [], "a dry run sends nothing"
        found = run("dispatch", "--live", "--json")
        assert (found.code, found.json["courtesies"]) == (0, 1)
        assert len(mails(pages, "confirmation")) == 1
        ask(pages, OUTSIDE)
        assert "Mails to single people accepted now: 1." in run("dispatch", "--live").text
        ask(pages, "another@office.example")
        use(through(smtp_sink, smtp_port=9, environment="production"))
        found = run("dispatch", "--live", "--json")
        assert (found.code, found.json["courtesies"], len(found.json["hindered"])) == (1, 0, 1)


@contextmanager
def _far_away(door: Path, database_url: str, fake: FakeSendGrid) -> Iterator[Pages]:
    settings = {
        "MLGROUP_TRANSPORT": "sendgrid",
        "MLGROUP_SENDGRID_URL": fake.url,
        "MLGROUP_SENDGRID_API_KEY": fake.key,
    }
    if database_url:
        settings["MLGROUP_DATABASE_URL"] = database_url
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("MLGROUP_DATABASE_URL", database_url)
            upgrade_database(door)
    with pages_at(door, **settings) as pages:
        yield pages


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_the_whole_way_over_sendgrid(door: Path, database: str, request: pytest.FixtureRequest, run: Run) -> None:
    url = request.getfixturevalue("postgres_url") if database == "postgresql" else ""
    with fake_sendgrid(keep_content=True) as fake, _far_away(door, url, fake) as pages:
        ask(pages, name="Ines Ito")
        ask(pages)
        send(pages)
        send(pages)
        (question,) = fake.accepted
        assert (question.address, question.custom_args["delivery"].partition(".")[0]) == (NEWCOMER, "confirmation")
        assert "Ines" not in question.parts["text/html"] + question.parts["text/plain"]
        link = re.search(r"https://mail\.example\.org/group(/join/[a-z2-7]+)", question.parts["text/plain"])
        assert link
        for _ in range(2):
            pages.ask("POST", link[1], data={"join": "yes"})
            send(pages)
        _, welcome = fake.accepted
        assert welcome.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert run("verify").code == 0
        assert run("status", "--json").json["missing_courtesies"] == []
