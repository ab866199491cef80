"""A mailing in numbers: the databases count alike, and a million deliveries come back as a few rows."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from mlgroup_mail.consent.applying import apply_signal
from mlgroup_mail.delivery import ordering
from mlgroup_mail.model import ALL_TOPICS, DeliveryState, Road, Signal, SignalKind
from mlgroup_mail.store import Store
from mlgroup_mail.store.aftermath import count_events, later_rules
from mlgroup_mail.store.events import record_evidence
from mlgroup_mail.store.journal import journal_of
from mlgroup_mail.store.outcome_counts import (
    accepted_at,
    attempted_between,
    count_answers,
    count_exclusions,
    shares_by_country,
    shares_by_domain,
)
from tests.delivery.ledgers import RecordingTransport, dispatch_all
from tests.factories import NOON, REF, make_store, planned_mailing, reread


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A ledger with a mailing to six people at noon, accepted for all of them."""
    url = (request.getfixturevalue("postgres_url"),) if request.param == "postgresql" else ()
    with closing(make_store(tmp_path, *url)) as made:
        planned_mailing(made, 6)
        yield made


def test_the_numbers_of_a_mailing(store: Store) -> None:
    dispatch_all(store, RecordingTransport())
    with store.reading() as connection:
        mailing = reread(store)
        assert attempted_between(connection, mailing) == (NOON, NOON)
        assert list(accepted_at(connection, mailing, (NOON, NOON))) == [(NOON + timedelta(seconds=1), 6)]
        minute = (NOON, NOON + timedelta(hours=2))
        assert list(accepted_at(connection, mailing, minute)) == [(NOON + timedelta(minutes=1), 6)]
        assert sum(share.number for share in shares_by_country(connection, mailing)) == 6
        domains = shares_by_domain(connection, mailing)
        assert sorted(share.group for share in domains) == [f"office{number}.example" for number in range(1, 7)]
        assert {(share.state, share.number, share.put_off) for share in domains} == {(DeliveryState.ACCEPTED, 1, 0)}
        assert count_exclusions(connection, mailing) == {}
        assert count_answers(connection, mailing, most=3) == []
        assert [entry.act for entry in journal_of(connection, mailing)] == ["approve"]


def test_a_mailing_that_nobody_tried_has_no_times(store: Store) -> None:
    with store.reading() as connection:
        assert attempted_between(connection, reread(store)) is None
    ordering.pause(store, REF, reason="wait", by="Anna", now=NOON)
    with store.reading() as connection:
        assert [entry.act for entry in journal_of(connection, reread(store))] == ["approve", "pause"]


def test_what_is_learned_later(store: Store) -> None:
    dispatch_all(store, RecordingTransport())
    for contact_id, minutes in ((1, 5), (2, 60 * 24 * 30)):
        at = NOON + timedelta(minutes=minutes)
        signal = Signal(kind=SignalKind.OPT_OUT, topic=ALL_TOPICS, road=Road.PAGE, at=at, contact_id=contact_id)
        apply_signal(store, signal, now=at)
    with store.writing() as connection:
        for kind in ("bounced", "bounced", "complained"):
            at = NOON + timedelta(hours=1)
            record_evidence(connection, 3, kind=kind, source="mailbox", detail="", at=at, now=at)
    with store.reading() as connection:
        mailing = reread(store)
        assert count_events(connection, mailing) == {"bounced": 1, "complained": 1}
        (rules,) = later_rules(connection, mailing, since=NOON, until=NOON + timedelta(days=14))
        assert (rules.kind, rules.people, rules.on_all) == (SignalKind.OPT_OUT, 1, 1)
