"""Delivery events: what is learned after the attempt, each recorded once."""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, or_, select

from mlgroup_mail.model import Bounce, DeliveryState, DeliveryStep, EventKind, MailingRef, Road
from mlgroup_mail.model.delivery import sources
from mlgroup_mail.store import schema
from mlgroup_mail.store.second_copies import ACCEPTED_BEFORE, IN_DOUBT, SHOWN
from mlgroup_mail.store.transactions import insert_new, rows
from mlgroup_mail.store.transitions import move_deliveries

_DELIVERY, _EVENT = schema.delivery, schema.delivery_event
_ATTEMPT, _MAILING = schema.attempt, schema.mailing


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryEvent:
    """What was learned of a delivery after its attempt. `detail` holds no address or name; `bounce`: of which sort."""

    delivery_id: int
    kind: EventKind
    source: Road
    at: datetime
    detail: str = ""
    bounce: Bounce | None = None

    @property
    def fingerprint(self) -> str:
        """What makes two of them the same: what they say of which delivery, whatever number the teller gave them.

        It begins with the delivery, so that events that come together stand together in the index.
        """
        parts = (self.kind, self.source, self.detail, self.bounce, self.at.timestamp())
        said = hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()
        return f"{self.delivery_id:012x}{said[:32]}"


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordedEvents:
    """How many events were not in the ledger before, and how many deliveries they took out of doubt."""

    new: int
    settled: int


def record_events(connection: Connection, events: Iterable[DeliveryEvent], *, now: datetime) -> RecordedEvents:
    """Keep events, which show that their deliveries had been accepted; where that was in doubt, it no longer is.

    A second copy that a person has ordered, and nobody has taken over, does not go then. The same event told again is
    not kept twice; it ends doubt that has come up since. A thousand or so at a time: they are asked for in one query.
    """
    told = {event.fingerprint: event for event in events}
    known = set(connection.execute(_KNOWN, {"told": list(told)}).scalars())
    # In one order: two processes that write the same events would wait for each other.
    news = sorted(told.keys() - known)
    insert_new(connection, _EVENT, [_row(fingerprint, told[fingerprint]) for fingerprint in news], columns=_OF_AN_EVENT)
    settled = _settle(connection, {event.delivery_id: event.source for event in told.values()}, now=now)
    return RecordedEvents(new=len(news), settled=settled)


_KNOWN = select(_EVENT.c.fingerprint).where(_EVENT.c.fingerprint.in_(bindparam("told", expanding=True)))
_OF_AN_EVENT = ("delivery_id", "kind", "source", "fingerprint", "detail", "at", "bounce")


def _row(fingerprint: str, event: DeliveryEvent) -> tuple[Any, ...]:
    bounce = event.bounce or ""
    return (event.delivery_id, event.kind, event.source, fingerprint, event.detail, event.at, bounce)


def _settle(connection: Connection, shown: Mapping[int, str], *, now: datetime) -> int:
    """End the doubt about those of `shown` (delivery -> by what) that are in doubt; returns how many they were.

    That a person ordered a second copy meanwhile does not end it: that one goes no more. What was never tried, or is
    surely not accepted, is in no doubt.
    """
    asked = list(shown)
    # Two statements: what is read of the attempts has to be from after the wait for the lock.
    for statement in (_NOT_ACCEPTED, _IN_DOUBT):
        asked = list(connection.execute(statement, {"asked": asked}).scalars()) if asked else []
    # Without the kind: the events of a delivery come in any order.
    moves = [{"id": key, "reason": f"shown by {shown[key]}"} for key in asked]
    return move_deliveries(connection, DeliveryStep.EVIDENCE, moves, now=now, also=("reason",))


_ASKED = select(_DELIVERY.c.id).where(_DELIVERY.c.id.in_(bindparam("asked", expanding=True))).order_by(_DELIVERY.c.id)
_NOT_ACCEPTED = _ASKED.where(schema.TRIED, _DELIVERY.c.state.in_(sources(DeliveryStep.EVIDENCE))).with_for_update(
    key_share=True
)
_IN_DOUBT = _ASKED.where(IN_DOUBT)


def record_evidence(
    connection: Connection, delivery_id: int, *, kind: str, source: str, detail: str, at: datetime, now: datetime
) -> bool:
    """Keep one event, as `record_events`; returns whether it took its delivery out of doubt."""
    event = DeliveryEvent(delivery_id=delivery_id, kind=EventKind(kind), source=Road(source), detail=detail, at=at)
    return record_events(connection, [event], now=now).settled == 1


def settle_by_evidence(connection: Connection, mailing_id: int, *, now: datetime) -> int:
    """Settle doubt that came up after its evidence had: an event may be faster than the death of an owner is noticed.

    Returns how many deliveries are accepted by it.
    """
    known = doubtful_with_evidence(connection, mailing_id)
    return _settle(connection, dict.fromkeys(known, "what had come before"), now=now)


def doubtful_with_evidence(connection: Connection, mailing_id: int) -> list[int]:
    """The deliveries of a mailing that are in doubt although they are known to be accepted: by an event, or before."""
    statement = select(_DELIVERY.c.id).where(
        _DELIVERY.c.mailing_id == mailing_id,
        _DELIVERY.c.state == DeliveryState.UNCERTAIN,
        or_(SHOWN, ACCEPTED_BEFORE),
    )
    return list(connection.execute(statement).scalars())


def last_words(connection: Connection, delivery_ids: Collection[int]) -> dict[int, DeliveryEvent]:
    """The event that says what became of each of these: the latest of the heaviest kind. A few at a time."""
    statement = (
        select(_EVENT).where(_EVENT.c.delivery_id.in_(list(delivery_ids))).order_by(_EVENT.c.at, _EVENT.c.detail)
    )
    told = [
        DeliveryEvent(
            delivery_id=row["delivery_id"],
            kind=EventKind(row["kind"]),
            source=Road(row["source"]),
            at=row["at"],
            detail=row["detail"],
            bounce=Bounce(row["bounce"]) if row["bounce"] else None,
        )
        for row in rows(connection, statement)
    ]
    return {event.delivery_id: event for event in sorted(told, key=lambda event: event.kind.weight)}


@dataclass(frozen=True, kw_only=True, slots=True)
class CitedMailing:
    """The mailing of a delivery that something from outside names."""

    mailing_id: int
    token: str
    ref: MailingRef
    topic: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CitedDelivery:
    """A delivery that something from outside names.

    `attempted`: whether this ledger tried it. `address`: "" where its person was erased.
    """

    delivery_id: int
    contact_id: int
    address: str
    attempted: bool
    mailing: CitedMailing


def cited_by_id(connection: Connection, delivery_id: int) -> CitedDelivery | None:
    """The delivery of that number; the caller compares the mailing's token."""
    return cited_by_ids(connection, [delivery_id]).get(delivery_id)


def cited_by_ids(connection: Connection, delivery_ids: Collection[int]) -> dict[int, CitedDelivery]:
    """The same for many, a thousand or so at a time: id -> delivery."""
    return _cited(connection, _CITED_BY_ID, {"cited": list(delivery_ids)}) if delivery_ids else {}


def cited_by_person(connection: Connection, mailing_id: int, contact_id: int) -> CitedDelivery | None:
    """The delivery of a mailing to a person, also where their row was joined to another since."""
    moved = select(schema.contact.c.moved_to).where(schema.contact.c.id == contact_id).scalar_subquery()
    theirs = or_(_DELIVERY.c.contact_id == contact_id, _DELIVERY.c.contact_id == moved)
    found = _cited(connection, _CITED.where(_DELIVERY.c.mailing_id == mailing_id, theirs).order_by(_DELIVERY.c.id))
    return next((each for each in found.values() if each.attempted), next(iter(found.values()), None))


def last_begun(connection: Connection, delivery_ids: Collection[int]) -> dict[int, datetime]:
    """When the latest attempt of each of these began: id -> moment. A thousand or so at a time."""
    if not delivery_ids:
        return {}
    return {row[0]: row[1] for row in connection.execute(_LAST_BEGUN, {"cited": list(delivery_ids)})}


_CITED = select(
    _DELIVERY.c.id, _DELIVERY.c.contact_id, _DELIVERY.c.address, _DELIVERY.c.attempts, _DELIVERY.c.mailing_id
)
_CITED_BY_ID = _CITED.where(_DELIVERY.c.id.in_(bindparam("cited", expanding=True)))
_LAST_BEGUN = (
    select(_DELIVERY.c.id, _ATTEMPT.c.begun_at)
    .join(_ATTEMPT, _ATTEMPT.c.id == _DELIVERY.c.attempt_id)
    .where(_DELIVERY.c.id.in_(bindparam("cited", expanding=True)))
)


def _cited(
    connection: Connection, statement: Select[Any], values: dict[str, Any] | None = None
) -> dict[int, CitedDelivery]:
    """Mailings are read apart: there are few of them, and hundreds of deliveries."""
    found = connection.execute(statement, values or {}).all()
    mailings = _mailings(connection, {row.mailing_id for row in found})
    return {
        delivery_id: CitedDelivery(
            delivery_id=delivery_id,
            contact_id=contact_id,
            address=address,
            attempted=attempts > 0,
            mailing=mailings[mailing_id],
        )
        for delivery_id, contact_id, address, attempts, mailing_id in found
    }


def _mailings(connection: Connection, mailing_ids: Collection[int]) -> dict[int, CitedMailing]:
    if not mailing_ids:
        return {}
    columns = (_MAILING.c.id, _MAILING.c.token, _MAILING.c.campaign, _MAILING.c.name, _MAILING.c.topic)
    return {
        row.id: CitedMailing(
            mailing_id=row.id, token=row.token, ref=MailingRef(row.campaign, row.name), topic=row.topic
        )
        for row in connection.execute(select(*columns).where(_MAILING.c.id.in_(list(mailing_ids))))
    }
