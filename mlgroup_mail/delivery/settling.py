"""How a mailing stands before and after its turn: what expires, what is finished, what waits for a person."""

from datetime import datetime, timedelta

from mlgroup_mail.model import DeliveryState, MailingRef, MailingStep
from mlgroup_mail.model.mailing import DISPATCHABLE
from mlgroup_mail.store import Connection, Store
from mlgroup_mail.store.deliveries import last_attempt, oldest_due
from mlgroup_mail.store.events import doubtful_with_evidence, settle_by_evidence
from mlgroup_mail.store.mailings import (
    BY_ITSELF,
    MailingRow,
    find_mailing,
    has_any,
    is_unsettled,
    order_mailing,
    settle_mailing,
)

OVERDUE = timedelta(hours=2)
"""A mailing that was begun and then stood still for so long waits for a person: an outage, a restored backup."""


def settle(store: Store, ref: MailingRef, *, now: datetime) -> MailingRow:
    """Expire what is too late, finish what has nothing open, hold what stood still too long; returns the row then.

    Where nothing of it is to do it only reads: nobody who opts out waits for it.
    """
    with store.reading() as connection:
        mailing = _row(connection, ref)
        if not _to_do(connection, mailing, now=now):
            return mailing
    settle_in_parts(store, ref, now=now)
    with store.writing() as connection:
        settle_by_evidence(connection, mailing.mailing_id, now=now)
        mailing = _row(connection, ref)
        if mailing.state in DISPATCHABLE and (reason := _stood_still(connection, mailing, now=now)):
            order_mailing(connection, mailing.mailing_id, MailingStep.HOLD, reason=reason, actor=BY_ITSELF, now=now)
        return _row(connection, ref)


def others_are_attempting(store: Store, ref: MailingRef, *, now: datetime) -> bool:
    """Whether another process still waits for an answer; settles the mailing where none does."""
    with store.reading() as connection:
        mailing = _row(connection, ref)
        if has_any(connection, mailing.mailing_id, [DeliveryState.ATTEMPTING]):
            return True
        unsettled = is_unsettled(connection, mailing, now=now)
    if unsettled:
        settle_in_parts(store, ref, now=now)
    return False


def settle_in_parts(store: Store, ref: MailingRef, *, now: datetime) -> int:
    """Expire, cancel and finish what is to be, in transactions so short that nobody waits; returns how many ended."""
    ended = 0
    while True:
        with store.reading() as connection:
            mailing = _row(connection, ref)
            if not is_unsettled(connection, mailing, now=now):
                return ended
        with store.writing() as connection:
            ended += settle_mailing(connection, mailing.mailing_id, now=now)


def _to_do(connection: Connection, mailing: MailingRow, *, now: datetime) -> bool:
    """Whether `settle` would write anything."""
    return bool(
        is_unsettled(connection, mailing, now=now)
        or doubtful_with_evidence(connection, mailing.mailing_id)
        or (mailing.state in DISPATCHABLE and _stood_still(connection, mailing, now=now))
    )


def _stood_still(connection: Connection, mailing: MailingRow, *, now: datetime) -> str:
    """Why a person should look before it goes on; empty where nothing speaks against it."""
    last = last_attempt(connection, mailing.mailing_id)
    due = oldest_due(connection, mailing.mailing_id) if last else None
    if last is None or due is None:
        return ""
    since = max(last[1], due, mailing.resumed_at or due)
    if now - since < OVERDUE:
        return ""
    hours = int((now - since).total_seconds() // 3600)
    return f"it was begun, and nothing has gone for {hours} hours; was there an outage, or is this a restored copy?"


def _row(connection: Connection, ref: MailingRef) -> MailingRow:
    found = find_mailing(connection, ref)
    assert found is not None, "sending begins with an approved mailing"
    return found
