"""When a mailing goes by itself, when it waits for a person, and when it is over."""

from datetime import datetime, timedelta

import pytest

from mlgroup_mail.delivery import ordering
from mlgroup_mail.delivery.settling import OVERDUE, settle
from mlgroup_mail.model import DeliveryStep, MailingState, Outcome, OutcomeKind
from mlgroup_mail.store import Store
from mlgroup_mail.store.back_off import BACK_OFF
from mlgroup_mail.store.plans import batches_of
from tests.delivery.ledgers import RecordingTransport, claims_of, counts, dispatch_all
from tests.factories import NOON, REF, reread

STOP = NOON + timedelta(hours=48)
SECOND = timedelta(seconds=1)


def begin(store: Store, kind: OutcomeKind = OutcomeKind.ACCEPTED) -> None:
    """One window goes at noon; the rest stays."""

    class One(RecordingTransport):
        def open(self) -> None:
            if self.begun:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        dispatch_all(store, One(kind))


def state_after(store: Store, moment: datetime) -> MailingState:
    return settle(store, REF, now=moment).state


def test_a_mailing_that_was_begun_and_stood_still_for_two_hours_waits_for_a_person(store: Store) -> None:
    begin(store)
    assert state_after(store, NOON + OVERDUE - SECOND) is MailingState.SENDING
    held = settle(store, REF, now=NOON + OVERDUE)
    assert held.state is MailingState.HELD
    assert "outage" in held.state_reason
    transport = RecordingTransport()
    dispatch_all(store, transport, NOON + OVERDUE)
    assert transport.begun == []


def test_after_resume_it_is_not_held_for_the_same_silence_again(store: Store) -> None:
    begin(store)
    settle(store, REF, now=NOON + OVERDUE)
    ordering.resume(store, REF, reason="looked", by="the editor", now=NOON + 2 * OVERDUE)
    assert state_after(store, NOON + 2 * OVERDUE) is MailingState.SENDING
    assert state_after(store, NOON + 3 * OVERDUE) is MailingState.HELD


def test_a_mailing_that_was_never_begun_may_begin_late(store: Store) -> None:
    assert state_after(store, STOP - SECOND) is MailingState.PLANNED
    transport = RecordingTransport()
    dispatch_all(store, transport, STOP - SECOND)
    assert len(transport.begun) == 6


def test_who_was_put_off_is_not_overdue_before_their_time(store: Store) -> None:
    begin(store)
    dispatch_all(store, RecordingTransport(OutcomeKind.DEFERRED))
    due = NOON + BACK_OFF[0]
    assert state_after(store, due + OVERDUE - SECOND) is MailingState.SENDING
    assert state_after(store, due + OVERDUE) is MailingState.HELD


def test_past_its_end_what_was_put_off_is_refused_and_what_was_not_tried_stays(store: Store) -> None:
    begin(store, OutcomeKind.DEFERRED)
    assert state_after(store, STOP - SECOND) is MailingState.HELD
    mailing = settle(store, REF, now=STOP)
    assert counts(store) == {"refused": 2, "planned": 4}
    assert mailing.state_at(STOP) is MailingState.EXPIRED


def test_it_is_finished_when_nothing_is_open_and_doubt_is_not_open(store: Store) -> None:
    begin(store, OutcomeKind.UNCERTAIN)
    dispatch_all(store, RecordingTransport())
    assert state_after(store, NOON) is MailingState.FINISHED
    assert counts(store) == {"uncertain": 2, "accepted": 4}


def test_a_resend_opens_a_finished_mailing_again(store: Store) -> None:
    dispatch_all(store, RecordingTransport(OutcomeKind.UNCERTAIN))
    settle(store, REF, now=NOON)
    step = DeliveryStep.RESOLVE_RESEND
    ordering.resolve(store, REF, step, address=None, reason="none came", by="the editor", now=NOON)
    assert reread(store).state is MailingState.SENDING
    transport = RecordingTransport()
    dispatch_all(store, transport)
    assert (len(transport.begun), state_after(store, NOON)) == (6, MailingState.FINISHED)


def test_a_cancelled_mailing_lets_go_of_what_comes_back_from_its_last_window(store: Store) -> None:
    with claims_of(store) as claims:
        with store.reading() as connection:
            (batch,) = batches_of(connection, reread(store))
        window = claims.next(batch, 2, record=[], now=lambda: NOON)
        assert window
        assert ordering.cancel(store, REF, reason="wrong text", by="the editor", now=NOON) == 4
        first, second = window.deliveries
        claims.record(
            [
                Outcome(attempt_id=first.attempt_id, kind=OutcomeKind.ACCEPTED),
                Outcome(attempt_id=second.attempt_id, kind=OutcomeKind.DEFERRED),
            ],
            now=NOON,
        )
    assert state_after(store, NOON) is MailingState.CANCELLED
    assert counts(store) == {"accepted": 1, "cancelled": 5}
