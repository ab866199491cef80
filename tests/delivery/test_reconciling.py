"""What comes back from outside ends the doubt about a delivery: its key, its Message-ID, or a quoted opt-out link."""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from mlgroup_mail.consent.tokens import OptOutTokens, TokenContent
from mlgroup_mail.delivery import reconciling
from mlgroup_mail.delivery.merging import delivery_key
from mlgroup_mail.delivery.reconciling import Evidence, Reconciled, reconcile
from mlgroup_mail.delivery.settling import settle
from mlgroup_mail.model import ALL_TOPICS, EventKind, MailingRef, Road
from mlgroup_mail.store import Store, schema
from mlgroup_mail.store.mailings import find_mailing
from mlgroup_mail.store.transactions import rows
from tests.acceptance.conftest import Settings
from tests.acceptance.projects import LETTER, SECRET_KEY
from tests.cli.conftest import Run

AT_TEN = datetime(2021, 11, 2, 10, tzinfo=UTC)
TOKENS = OptOutTokens([SECRET_KEY], topics=["newsletter"])
DOMAIN = "example.org"


@pytest.fixture
def sent(run: Run, letter: Path, use: Settings) -> Iterator[Store]:
    """The small project's ledger after its letter went to six people, all of them in doubt."""
    use({"MLGROUP_NOW": AT_TEN.isoformat()})
    assert run("dispatch", "--live").code == 0
    with closing(open_ledger(letter)) as store:
        with store.writing() as connection:
            connection.execute(update(schema.delivery).values(state="uncertain"))
            connection.execute(update(schema.attempt).values(outcome="uncertain"))
        yield store


def open_ledger(letter: Path) -> Store:
    return Store(f"sqlite:///{letter / 'var' / 'mlgroup.db'}", state=letter / "var")


def token_of(store: Store) -> str:
    with store.reading() as connection:
        mailing = find_mailing(connection, MailingRef.parse(LETTER))
    assert mailing
    return mailing.token


def evidence(**values: object) -> Evidence:
    defaults: dict[str, object] = {"kind": EventKind.DELIVERED, "source": Road.PROVIDER, "at": AT_TEN}
    return Evidence(**(defaults | values))  # type: ignore[arg-type]


def told(store: Store, **values: object) -> Reconciled:
    return reconcile(store, evidence(**values), tokens=TOKENS, now=AT_TEN)


def state(store: Store, delivery_id: int) -> str:
    with store.reading() as connection:
        (row,) = rows(connection, select(schema.delivery.c.state).where(schema.delivery.c.id == delivery_id))
    return str(row["state"])


def contact_of(store: Store, delivery_id: int) -> int:
    with store.reading() as connection:
        (row,) = rows(connection, select(schema.delivery.c.contact_id).where(schema.delivery.c.id == delivery_id))
    return int(row["contact_id"])


@pytest.mark.parametrize("form", ["<{key}@{domain}>", "{key}@{domain}", " <{key}@EXAMPLE.org> \n"])
def test_a_message_id_names_its_delivery(sent: Store, form: str) -> None:
    cited = form.format(key=delivery_key(2, token_of(sent)), domain=DOMAIN)
    assert told(sent, message_id=cited) is Reconciled.SETTLED
    assert (state(sent, 1), state(sent, 2)) == ("uncertain", "accepted")


def test_the_message_ids_that_went_out_are_understood(sent: Store, run: Run) -> None:
    lines = [json.loads(line) for line in run("log", LETTER, "--json").out.splitlines()]
    assert [told(sent, message_id=line["message_id"]) for line in lines] == [Reconciled.SETTLED] * 6
    assert run("verify").code == 0
    assert run("dispatch", "--live").code == 0, "no doubt is left"


def test_a_provider_s_event_carries_the_delivery_s_key(sent: Store) -> None:
    assert told(sent, key=delivery_key(3, token_of(sent))) is Reconciled.SETTLED
    assert state(sent, 3) == "accepted"


def test_where_the_relay_replaced_the_message_id_the_token_in_a_quoted_link_serves(sent: Store) -> None:
    for topic, delivery in (("newsletter", 4), (ALL_TOPICS, 5)):
        link = TOKENS.make(TokenContent(contact_id=contact_of(sent, delivery), mailing_id=1, topic=topic))
        assert told(sent, message_id="<abc@relay.example>", token=link.upper()) is Reconciled.SETTLED
        assert state(sent, delivery) == "accepted"


def test_a_person_whose_row_was_joined_to_another_is_still_found(sent: Store) -> None:
    link = TOKENS.make(TokenContent(contact_id=contact_of(sent, 2), mailing_id=1, topic="newsletter"))
    with sent.writing() as connection:
        theirs = schema.delivery.c.id == 2
        connection.execute(update(schema.contact).where(schema.contact.c.id == 2).values(moved_to=1))
        connection.execute(update(schema.delivery).where(theirs).values(contact_id=2))
    assert told(sent, token=link) is Reconciled.SETTLED


def test_told_twice_or_later_it_changes_nothing_and_doubt_never_comes_back(sent: Store) -> None:
    key = delivery_key(1, token_of(sent))
    assert told(sent, key=key) is Reconciled.SETTLED
    assert told(sent, key=key) is Reconciled.NOTED
    for kind in EventKind:
        later = AT_TEN + timedelta(hours=1)
        assert told(sent, key=key, kind=kind, at=later) is Reconciled.NOTED
        assert state(sent, 1) == "accepted"


@pytest.mark.parametrize("kind", EventKind)
def test_every_kind_of_event_shows_that_it_had_been_accepted(sent: Store, kind: EventKind) -> None:
    assert told(sent, key=delivery_key(1, token_of(sent)), kind=kind) is Reconciled.SETTLED


@pytest.mark.parametrize(
    "cited",
    [
        {"message_id": "<1.{other}@example.org>"},
        {"message_id": "<1.{token}@elsewhere.example>"},
        {"message_id": "<99.{token}@example.org>"},
        {"message_id": "<01.{token}@example.org>"},
        {"message_id": "<1.{token}@example.org> <2.{token}@example.org>"},
        {"message_id": "<1.{token}@example.org"[:-4]},
        {"message_id": "<999999999999999999.{token}@example.org>"},
        {"message_id": "<9999999999999999999999.{token}@example.org>"},
        {"message_id": "<١.{token}@example.org>"},
        {"key": "1"},
        {"key": "1.{other}"},
        {"key": "{token}"},
        {"token": "not a token"},
        {},
    ],
)
def test_what_is_not_exactly_ours_settles_nothing(sent: Store, cited: dict[str, str]) -> None:
    token = token_of(sent)
    named = {name: text.format(token=token, other="0" * 16) for name, text in cited.items()}
    assert told(sent, **named) is Reconciled.UNKNOWN
    assert {state(sent, number) for number in range(1, 7)} == {"uncertain"}


def test_keys_that_contradict_each_other_settle_nothing(sent: Store) -> None:
    token = token_of(sent)
    link = TOKENS.make(TokenContent(contact_id=contact_of(sent, 2), mailing_id=1, topic="newsletter"))
    assert told(sent, key=delivery_key(1, token), token=link) is Reconciled.UNKNOWN
    assert (state(sent, 1), state(sent, 2)) == ("uncertain", "uncertain")


@given(text=st.text(max_size=60) | st.from_regex(reconciling._MESSAGE_ID))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
def test_no_text_breaks_it(sent: Store, text: str) -> None:
    assert told(sent, key=text, message_id=text, token=text) is Reconciled.UNKNOWN


def test_an_event_that_is_faster_than_the_doubt_settles_it_when_it_comes_up(sent: Store) -> None:
    with sent.writing() as connection:
        connection.execute(update(schema.delivery).where(schema.delivery.c.id == 1).values(state="attempting"))
        connection.execute(update(schema.attempt).where(schema.attempt.c.delivery_id == 1).values(outcome=None))
    assert told(sent, key=delivery_key(1, token_of(sent))) is Reconciled.NOTED
    assert state(sent, 1) == "attempting"
    with sent.writing() as connection:
        connection.execute(update(schema.delivery).where(schema.delivery.c.id == 1).values(state="uncertain"))
        connection.execute(update(schema.attempt).where(schema.attempt.c.delivery_id == 1).values(outcome="uncertain"))
    settle(sent, MailingRef.parse(LETTER), now=AT_TEN)
    assert (state(sent, 1), state(sent, 2)) == ("accepted", "uncertain")


def test_evidence_of_what_this_ledger_never_tried_holds_the_mailing(run: Run, letter: Path, use: Settings) -> None:
    """A restored copy: what had gone is planned there."""
    use({"MLGROUP_NOW": AT_TEN.isoformat()})
    assert run("plan", LETTER).code == 0
    with closing(open_ledger(letter)) as store:
        key = delivery_key(1, token_of(store))
        link = TOKENS.make(TokenContent(contact_id=contact_of(store, 1), mailing_id=1, topic="newsletter"))
        assert told(store, token=link) is Reconciled.UNKNOWN, "previews carry such links, too"
        assert told(store, key=key) is Reconciled.NEVER_ATTEMPTED
        assert told(store, key=key) is Reconciled.NEVER_ATTEMPTED
    held = run("dispatch", "--live", "--json")
    assert held.code == 1
    shown = run("status", LETTER, "--json").json
    assert (shown["state"], shown["counts"]["planned"]) == ("held", 6)
    assert any(re.search("restored, older copy", remark) for remark in shown["remarks"])
    assert run("resume", LETTER, "--reason", "it was a test").code == 0
    assert run("dispatch", "--live").code == 0
