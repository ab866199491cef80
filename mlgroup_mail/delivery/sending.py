"""Sending mailings: which of their batches are due, in what order, and when one has to wait for a person."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mlgroup_mail import addresses
from mlgroup_mail.clock import Clock
from mlgroup_mail.consent.restrictions import restrictions
from mlgroup_mail.delivery.approving import embedded_pictures
from mlgroup_mail.delivery.dispatch import dispatch
from mlgroup_mail.delivery.merging import Links, Merge
from mlgroup_mail.delivery.ownership import ownership
from mlgroup_mail.delivery.transports.base import Transport
from mlgroup_mail.model import DeliveryState, ExclusionReason, MailingRef, MailingStep
from mlgroup_mail.model.mailing import DISPATCHABLE
from mlgroup_mail.store import Connection, Store
from mlgroup_mail.store.claims import Claims, Restrictions
from mlgroup_mail.store.deliveries import last_attempt_at, oldest_due
from mlgroup_mail.store.mailings import MailingRow, delivery_counts, find_mailing, settle_mailing
from mlgroup_mail.store.owners import give_up_dead
from mlgroup_mail.store.plans import batches_of, compiled_variants, variants
from mlgroup_mail.store.transitions import move_mailing

OVERDUE = timedelta(hours=2)
"""A mailing that was begun and then stood still for so long waits for a person: an outage, a restored backup."""

_LOOK_AGAIN_SECONDS = 0.5

Progress = Callable[[MailingRef, int], None]
"""(mailing, how many more have an outcome), told after each window."""


def silent(ref: MailingRef, done: int) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sending:
    """The parts that sending needs, wired once."""

    store: Store
    transport: Transport
    clock: Clock
    links: Callable[[str], Links]
    """The opt-out links of a topic."""
    allowed_domains: tuple[str, ...] | None
    """Only these are written to; None: everybody."""


def send_due(parts: Sending, refs: Sequence[MailingRef], *, progress: Progress = silent) -> None:
    """Send what is due of these mailings; returns when nothing due of them is open any more.

    What dead processes left behind is settled first. Deliveries that another living process is attempting are waited
    for. Raises TransportError where the server as a whole does not take mail.
    """
    try:
        with ownership(parts.store, parts.clock) as owner:
            claims = Claims(
                parts.store,
                owner,
                transport=parts.transport.name,
                restrictions=restrictions_in_force(parts.allowed_domains),
            )
            for ref in refs:
                _send_mailing(parts, claims, ref, progress)
    finally:
        parts.transport.close()


def _send_mailing(parts: Sending, claims: Claims, ref: MailingRef, progress: Progress) -> None:
    while True:
        give_up_dead(parts.store, now=parts.clock.now())
        mailing = settle(parts.store, ref, now=parts.clock.now())
        with parts.store.reading() as connection:
            batches = batches_of(connection, mailing)
            compiled = compiled_variants(connection, mailing.mailing_id)
            keys = variants(connection, mailing.mailing_id)
            waiting = oldest_due(connection, mailing.mailing_id)
        now = parts.clock.now()
        # Where nothing may go yet, the mail server is not troubled.
        if mailing.state in DISPATCHABLE and waiting is not None and waiting <= now < mailing.stop_at:
            pictures = embedded_pictures(parts.store, mailing)
            links = parts.links(mailing.topic)
            merge = Merge(mailing, compiled, pictures=pictures, links=links, clock=parts.clock, keys=keys)
            merge.rehearse()
            for batch in batches:
                if batch.due_at <= now:
                    dispatch(
                        batch,
                        claims=claims,
                        merge=merge,
                        transport=parts.transport,
                        clock=parts.clock,
                        progress=lambda done: progress(ref, done),
                    )
        if not _others_are_attempting(parts, ref):
            return
        time.sleep(_LOOK_AGAIN_SECONDS)


def settle(store: Store, ref: MailingRef, *, now: datetime) -> MailingRow:
    """Expire what is too late, finish what has nothing open, hold what stood still too long; returns the row then."""
    with store.writing() as connection:
        settle_mailing(connection, _row(connection, ref).mailing_id, now=now)
        mailing = _row(connection, ref)
        if mailing.state in DISPATCHABLE and (reason := _stood_still(connection, mailing, now=now)):
            move_mailing(connection, mailing.mailing_id, MailingStep.HOLD, now=now, reason=reason)
        return _row(connection, ref)


def _stood_still(connection: Connection, mailing: MailingRow, *, now: datetime) -> str:
    """Why a person should look before it goes on; empty where nothing speaks against it."""
    last = last_attempt_at(connection, mailing.mailing_id)
    due = oldest_due(connection, mailing.mailing_id)
    if last is None or due is None:
        return ""
    since = max(last, due, mailing.resumed_at or last)
    if now - since < OVERDUE:
        return ""
    hours = int((now - since).total_seconds() // 3600)
    return f"it was begun, and nothing has gone for {hours} hours; was there an outage, or is this a restored copy?"


def _others_are_attempting(parts: Sending, ref: MailingRef) -> bool:
    """Whether another process still waits for an answer; settles the mailing where none does."""
    with parts.store.writing() as connection:
        mailing = _row(connection, ref)
        if delivery_counts(connection, mailing.mailing_id)[DeliveryState.ATTEMPTING]:
            return True
        settle_mailing(connection, mailing.mailing_id, now=parts.clock.now())
        return False


def restrictions_in_force(allowed_domains: tuple[str, ...] | None) -> Restrictions:
    """Consent, and outside production the allow-list: both are asked in each claim."""

    def restrict(connection: Connection, people: Mapping[int, str], topic: str) -> dict[int, ExclusionReason]:
        outside = {
            contact_id: ExclusionReason.NOT_ALLOWED
            for contact_id, address in people.items()
            if not addresses.is_allowed(address, allowed_domains)
        }
        return outside | restrictions(connection, people, topic)

    return restrict


def _row(connection: Connection, ref: MailingRef) -> MailingRow:
    found = find_mailing(connection, ref)
    assert found is not None, "sending begins with an approved mailing"
    return found
