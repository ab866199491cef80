"""Bursts are found, and their readers chosen, on each kind of database."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from mlgroup_mail.consent.bursts import flag_bursts
from mlgroup_mail.consent.clicking import Click, Way, apply_clicks
from mlgroup_mail.model import CourtesyKind
from mlgroup_mail.store import Store, schema
from mlgroup_mail.store.bursts import MAILS, flagged_of, flagged_rules, next_unasked
from mlgroup_mail.store.courtesies import begin_courtesy
from tests.delivery.ledgers import RecordingTransport, dispatch_all
from tests.factories import NOON, make_store, planned_mailing

SOON = NOON + timedelta(minutes=4)


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A mailing to 28 people at seven offices, four at each, accepted for all of them at noon."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
    with closing(make_store(tmp_path / "state", url)) as made:
        planned_mailing(made, 28)
        dispatch_all(made, RecordingTransport())
        yield made


def click(store: Store, *people: int) -> None:
    clicks = [Click(contact_id=each, mailing_id=1, topic="newsletter", at=SOON, way=Way.ONE_CLICK) for each in people]
    apply_clicks(store, clicks, now=lambda: SOON)


def test_the_opt_outs_of_one_office_are_a_burst_and_those_of_many_are_none(store: Store) -> None:
    click(store, 1, 8, 15, 2, 3, 4)
    assert flag_bursts(store, now=SOON) == 3
    with store.reading() as connection:
        assert flagged_of(connection, 1) == {"office1.example": 3}
        assert set(flagged_rules(connection).values()) == {"office1.example"}


def test_a_gateway_clicks_before_the_answer_is_recorded(store: Store) -> None:
    """What a window's messages came to is recorded together, when the last of them is answered."""
    with store.writing() as connection:
        connection.execute(update(schema.attempt).values(ended_at=SOON + timedelta(minutes=1)))
    click(store, 1, 8, 15)
    assert flag_bursts(store, now=SOON + timedelta(minutes=2)) == 3


@pytest.mark.parametrize("begun", [timedelta(seconds=1), -timedelta(minutes=30)], ids=["later", "long before"])
def test_what_no_try_came_shortly_before_is_none(store: Store, begun: timedelta) -> None:
    with store.writing() as connection:
        connection.execute(update(schema.attempt).values(begun_at=SOON + begun, ended_at=SOON))
    click(store, 1, 8, 15)
    assert flag_bursts(store, now=SOON + timedelta(minutes=2)) == 0


def test_what_comes_after_it_was_noticed_belongs_to_it(store: Store) -> None:
    click(store, 1, 8, 15)
    assert flag_bursts(store, now=SOON) == 3
    click(store, 22)
    assert (flag_bursts(store, now=SOON), flag_bursts(store, now=SOON)) == (1, 0)


def test_each_reader_is_named_until_a_mail_was_begun(store: Store) -> None:
    click(store, 1, 8, 15)
    flag_bursts(store, now=SOON)
    named = []
    while True:
        with store.claiming() as connection:
            whom = next_unasked(connection, since=NOON, now=SOON)
            if whom is None:
                break
            named.append(whom.contact_id)
            courtesy = begin_courtesy(connection, kind=CourtesyKind.UNDO, address=whom.address, token="t", now=SOON)
            MAILS.begun(connection, whom.signal_id, courtesy_id=courtesy)
    assert named == [1, 8, 15]
    with store.reading() as connection:
        assert next_unasked(connection, since=NOON, now=SOON) is None


def test_after_a_day_nobody_is_asked_any_more(store: Store) -> None:
    click(store, 1, 8, 15)
    flag_bursts(store, now=SOON)
    with store.reading() as connection:
        assert next_unasked(connection, since=SOON + timedelta(seconds=1), now=SOON) is None
