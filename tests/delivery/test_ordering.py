"""What people order: each order stands in the journal with a name, and one that makes no sense is refused."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from mlgroup_mail.delivery import ordering
from mlgroup_mail.delivery.settling import settle
from mlgroup_mail.errors import MailingStateError, UsageError
from mlgroup_mail.model import DeliveryStep, MailingRef, MailingState, OutcomeKind
from mlgroup_mail.store import Store
from tests.delivery.ledgers import RecordingTransport, counts, dispatch_all, journal
from tests.factories import NOON, REF, reread

STEPS = (DeliveryStep.RESOLVE_ACCEPTED, DeliveryStep.RESOLVE_RESEND)


def order(store: Store, what: Callable[..., object], ref: MailingRef = REF) -> object:
    return what(store, ref, reason="because", by="the editor", now=NOON)


def resolve(store: Store, step: DeliveryStep, address: str | None = None) -> int:
    return ordering.resolve(store, REF, step, address=address, reason="they say so", by="the editor", now=NOON)


def in_doubt(store: Store) -> None:
    dispatch_all(store, RecordingTransport(OutcomeKind.UNCERTAIN))
    assert settle(store, REF, now=NOON).state is MailingState.FINISHED


def test_orders_stand_in_the_journal(store: Store) -> None:
    for what in (ordering.pause, ordering.resume, ordering.cancel):
        order(store, what)
    assert journal(store)[1:] == [(act, "because", "the editor") for act in ("pause", "resume", "cancel")]
    assert reread(store).state is MailingState.CANCELLED
    assert counts(store) == {"cancelled": 6}


@pytest.mark.parametrize(
    ("first", "then", "words"),
    [
        (ordering.pause, ordering.pause, "is paused: it cannot pause"),
        (ordering.cancel, ordering.resume, "is cancelled: it cannot resume"),
        (ordering.cancel, ordering.cancel, "add a new"),
        (ordering.cancel, ordering.pause, "is cancelled"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused_and_changes_nothing(
    store: Store, first: Callable[..., object], then: Callable[..., object], words: str
) -> None:
    order(store, first)
    before = (reread(store), journal(store))
    with pytest.raises(MailingStateError, match=words):
        order(store, then)
    assert (reread(store), journal(store)) == before


def test_what_is_planned_cannot_be_resumed(store: Store) -> None:
    with pytest.raises(MailingStateError, match="is planned: it cannot resume"):
        order(store, ordering.resume)


@pytest.mark.parametrize("what", [ordering.pause, ordering.resume, ordering.cancel])
def test_an_order_about_what_the_ledger_does_not_know_is_a_slip(store: Store, what: Callable[..., object]) -> None:
    with pytest.raises(UsageError, match="knows no mailing"):
        order(store, what, MailingRef("2021-10-newsletter", "isue"))


@pytest.mark.parametrize(("step", "state"), list(zip(STEPS, ("accepted", "planned"), strict=True)))
def test_a_person_settles_all_doubt_or_one_address_s(store: Store, step: DeliveryStep, state: str) -> None:
    in_doubt(store)
    assert resolve(store, step, " Person3@OFFICE3.example ") == 1
    assert counts(store) == {"uncertain": 5, state: 1}
    assert resolve(store, step) == 5
    assert counts(store) == {state: 6}
    assert journal(store)[1:] == [(step.value, "they say so", "the editor")] * 6


@pytest.mark.parametrize("step", STEPS)
def test_what_is_not_in_doubt_cannot_be_resolved(store: Store, step: DeliveryStep) -> None:
    dispatch_all(store, RecordingTransport())
    for address in (None, "person3@office3.example", "nobody@office.example"):
        with pytest.raises(UsageError, match="uncertain"):
            resolve(store, step, address)
    with pytest.raises(UsageError, match="--address"):
        resolve(store, step, "nobody")
    assert counts(store) == {"accepted": 6}


def test_more_time_is_48_hours_from_now_and_nothing_that_is_over_gets_any(store: Store) -> None:
    late = NOON + timedelta(days=30)
    ordering.extend(store, reread(store), reason="the printer", by="the editor", now=late)
    assert reread(store).stop_at == late + timedelta(hours=48)
    assert journal(store)[-1] == ("late", "the printer", "the editor")
    order(store, ordering.cancel)
    with pytest.raises(MailingStateError, match="nothing left to send"):
        ordering.extend(store, reread(store), reason="x", by="x", now=late)
