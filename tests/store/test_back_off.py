"""A domain that puts us off is left alone for a while, all of it and only it."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from mlgroup_mail.clock import FixedClock
from mlgroup_mail.consent.restrictions import restrictions
from mlgroup_mail.delivery.settling import settle
from mlgroup_mail.model import Batch, MailingRef, MailingState, Outcome, OutcomeKind, Scope
from mlgroup_mail.store import Store, schema
from mlgroup_mail.store.back_off import BACK_OFF
from mlgroup_mail.store.claims import Claims, Window
from mlgroup_mail.store.deliveries import oldest_due
from mlgroup_mail.store.owners import begin_owner
from mlgroup_mail.store.plans import batches_of
from mlgroup_mail.store.rates import Wait
from tests.factories import NOON, REF, make_store, planned_mailing, reread

BUSY = "office1.example"
"""Persons 1, 8, 15 and 22 are there."""
SECOND = timedelta(seconds=1)


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def store(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Store]:
    """A ledger with a mailing to twenty-four people at seven domains, due now."""
    url = request.getfixturevalue("postgres_url") if request.param == "PostgreSQL" else None
    with closing(make_store(tmp_path, url)) as made:
        planned_mailing(made, 24)
        yield made


@pytest.fixture
def claims(store: Store) -> Iterator[Claims]:
    owner = begin_owner(store, now=NOON)
    with owner.lock_file:
        yield Claims(store, owner, transport="smtp", restrictions=restrictions)


@pytest.fixture
def batch(store: Store) -> Batch:
    with store.reading() as connection:
        (found,) = batches_of(connection, reread(store))
    return found


def people(found: Window | Wait | None) -> list[int]:
    return [each.contact_id for each in found.deliveries] if isinstance(found, Window) else []


def put_off(found: Window | Wait | None, scope: Scope, *, retry_after: float | None = None) -> list[Outcome]:
    assert isinstance(found, Window)
    kind = OutcomeKind.DEFERRED
    return [
        Outcome(attempt_id=each.attempt_id, kind=kind, detail="450 4.7.1 later", scope=scope, retry_after=retry_after)
        for each in found.deliveries
    ]


def accepted(found: Window | Wait | None) -> list[Outcome]:
    assert isinstance(found, Window)
    return [Outcome(attempt_id=each.attempt_id, kind=OutcomeKind.ACCEPTED) for each in found.deliveries]


def test_others_at_the_domain_wait_and_the_other_domains_go_on(claims: Claims, batch: Batch) -> None:
    first = claims.next(batch, 1, record=[], now=lambda: NOON)
    assert people(first) == [1]
    rest = claims.next(batch, 24, record=put_off(first, Scope.DOMAIN), now=lambda: NOON)
    assert people(rest) == [number for number in range(2, 25) if number % 7 != 1]
    assert claims.next(batch, 24, record=accepted(rest), now=lambda: NOON + BACK_OFF[0] - SECOND) is None
    assert people(claims.next(batch, 24, record=[], now=lambda: NOON + BACK_OFF[0])) == [1, 8, 15, 22]


def test_it_waits_longer_each_time_until_it_takes_one(claims: Claims, batch: Batch) -> None:
    rest = claims.next(batch, 24, record=[], now=lambda: NOON)
    assert isinstance(rest, Window)
    others = [each.attempt_id for each in rest.deliveries if not each.address.endswith(BUSY)]
    claims.record([Outcome(attempt_id=each, kind=OutcomeKind.ACCEPTED) for each in others], now=NOON)
    busy = [each for each in put_off(rest, Scope.DOMAIN) if each.attempt_id not in others]
    claims.record(busy, now=NOON)
    now = NOON
    for pause in BACK_OFF[:3]:
        assert claims.next(batch, 1, record=[], now=FixedClock(now + pause - SECOND).now) is None, (
            "four answers are one failure"
        )
        now += pause
        window = claims.next(batch, 1, record=[], now=FixedClock(now).now)
        assert people(window) == [1]
        claims.record(put_off(window, Scope.DOMAIN), now=now)
    now += BACK_OFF[3]
    window = claims.next(batch, 1, record=[], now=lambda: now)
    window = claims.next(batch, 1, record=accepted(window), now=lambda: now)
    claims.record(put_off(window, Scope.DOMAIN), now=now)
    assert people(claims.next(batch, 24, record=[], now=lambda: now + BACK_OFF[0])) == [8, 15, 22], (
        "as after a first failure"
    )


def test_a_full_mailbox_is_the_person_s_own(claims: Claims, batch: Batch) -> None:
    first = claims.next(batch, 1, record=[], now=lambda: NOON)
    rest = claims.next(batch, 24, record=put_off(first, Scope.RECIPIENT), now=lambda: NOON)
    assert people(rest) == list(range(2, 25))


def test_a_domain_that_has_just_taken_one_is_not_put_off_by_another(claims: Claims, batch: Batch) -> None:
    """Greylisting is for each sender and recipient: the domain is open."""
    window = claims.next(batch, 8, record=[], now=lambda: NOON)
    assert people(window) == list(range(1, 9))
    answers = [*accepted(window)[:7], put_off(window, Scope.DOMAIN)[7]]
    rest = claims.next(batch, 24, record=answers, now=lambda: NOON)
    assert {15, 22} <= set(people(rest))
    assert people(claims.next(batch, 24, record=[], now=lambda: NOON + BACK_OFF[0])) == [8]


def test_the_time_that_a_server_names_is_kept(claims: Claims, batch: Batch) -> None:
    first = claims.next(batch, 1, record=[], now=lambda: NOON)
    claims.record(put_off(first, Scope.DOMAIN, retry_after=3600.0), now=NOON)
    rest = claims.next(batch, 24, record=[], now=lambda: NOON + timedelta(minutes=59))
    assert not {1, 8, 15, 22} & set(people(rest))
    assert {1, 8, 15, 22} <= set(people(claims.next(batch, 24, record=[], now=lambda: NOON + timedelta(hours=1))))


def test_where_the_mail_server_itself_names_a_time_everybody_waits(claims: Claims, batch: Batch) -> None:
    first = claims.next(batch, 2, record=[], now=lambda: NOON)
    found = claims.next(batch, 2, record=put_off(first, Scope.SERVER, retry_after=300.0), now=lambda: NOON)
    assert found == Wait(seconds=300.0, scope=Scope.SERVER)
    assert people(claims.next(batch, 2, record=[], now=lambda: NOON + timedelta(minutes=5))) == [1, 2]


def test_where_only_those_are_left_whom_the_server_put_off_the_wait_is_told(claims: Claims, batch: Batch) -> None:
    """It is waited out as any other; nobody has to run the same command again for it."""
    window = claims.next(batch, 24, record=[], now=lambda: NOON)
    assert isinstance(window, Window)
    answers = [replace(each, begun=False) for each in put_off(window, Scope.SERVER, retry_after=3.0)]
    assert claims.next(batch, 24, record=answers, now=lambda: NOON) == Wait(seconds=3.0, scope=Scope.SERVER)
    later = NOON + 3 * SECOND
    again = claims.next(batch, 24, record=[], now=lambda: later)
    assert people(again) == list(range(1, 25)), "one answer is no reason to pause, however many it was for"
    assert claims.next(batch, 24, record=put_off(again, Scope.RECIPIENT), now=lambda: later) is None


def test_who_waits_for_a_domain_is_not_overdue(store: Store, claims: Claims, batch: Batch) -> None:
    window = claims.next(batch, 24, record=[], now=lambda: NOON)
    assert isinstance(window, Window)
    busy = [each for each in window.deliveries if each.address.endswith(BUSY)]
    kinds = {each.attempt_id: OutcomeKind.ACCEPTED for each in window.deliveries if each not in busy}
    claims.record([Outcome(attempt_id=key, kind=kind) for key, kind in kinds.items()], now=NOON)
    waits = [each for each in put_off(window, Scope.DOMAIN, retry_after=3 * 3600) if each.attempt_id not in kinds]
    claims.record(waits, now=NOON)
    with store.reading() as connection:
        assert oldest_due(connection, batch.mailing_id) == NOON + timedelta(hours=3)
    assert settle(store, REF, now=NOON + timedelta(hours=4)).state is MailingState.SENDING
    assert settle(store, REF, now=NOON + timedelta(hours=5)).state is MailingState.HELD


def test_the_oldest_is_found_in_whichever_batch_it_is(store: Store, claims: Claims) -> None:
    """The first batch is put off by three hours and the second is due in one; then the second is put off too."""
    other = MailingRef("2021-11-newsletter", "issue")
    mailing = planned_mailing(store, 4, batch_size=2, ref=other)
    with store.reading() as connection:
        first, second = batches_of(connection, mailing)
    hour = timedelta(hours=1)
    with store.writing() as connection:
        connection.execute(
            update(schema.batch).where(schema.batch.c.id == second.batch_id).values(due_at=second.due_at + hour)
        )

    def oldest() -> datetime | None:
        with store.reading() as connection:
            return oldest_due(connection, mailing.mailing_id)

    assert oldest() == NOON
    window = claims.next(first, 2, record=[], now=lambda: NOON)
    claims.record(put_off(window, Scope.RECIPIENT, retry_after=3 * 3600), now=NOON)
    assert oldest() == NOON + hour
    later = NOON + hour
    with store.reading() as connection:
        _, second = batches_of(connection, mailing)
    window = claims.next(second, 2, record=[], now=lambda: later)
    claims.record(put_off(window, Scope.RECIPIENT, retry_after=3600), now=later)
    assert oldest() == NOON + 2 * hour
