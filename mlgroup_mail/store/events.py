"""Delivery events: what is learned after the attempt, each recorded once."""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, or_, select

from mlgroup_mail.model import Bounce, DeliveryState, DeliveryStep, EventKind, Road
from mlgroup_mail.model.delivery import sources
from mlgroup_mail.store import schema
from mlgroup_mail.store.lists import among, as_list
from mlgroup_mail.store.second_copies import ACCEPTED_BEFORE, IN_DOUBT, SHOWN
from mlgroup_mail.store.transactions import insert_new, rows
from mlgroup_mail.store.transitions import move_deliveries

_DELIVERY, _EVENT = schema.delivery, schema.delivery_event


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
        parts = (self.kind, self.source, self.detail, str(self.bounce), str(self.at.timestamp()))
        said = hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
        return f"{self.delivery_id:012x}{said[:32]}"


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordedEvents:
    """How many events were not in the ledger before, and how many deliveries they took out of doubt."""

    new: int
    settled: int


def record_events(connection: Connection, events: Iterable[DeliveryEvent], *, now: datetime) -> RecordedEvents:
    """Keep events, which show that their deliveries had been accepted; where that was in doubt, it no longer is.

    A second copy that a person has ordered, and nobody has taken over, does not go then. The same event told again is
    not kept twice; it ends doubt that has come up since. A thousand or so at a time.
    """
    told = {event.fingerprint: event for event in events}
    # In one order: two processes that write the same events would wait for each other.
    in_order = [_row(fingerprint, event) for fingerprint, event in sorted(told.items(), key=itemgetter(0))]
    new = insert_new(connection, _EVENT, in_order, columns=_OF_AN_EVENT)
    settled = _settle(connection, {event.delivery_id: event.source for event in told.values()}, now=now)
    return RecordedEvents(new=new, settled=settled)


def known_events(connection: Connection, events: Iterable[DeliveryEvent]) -> set[str]:
    """The fingerprints of those of these events that are in the ledger."""
    told = [event.fingerprint for event in events]
    return set(connection.execute(_KNOWN, {"told": as_list(told)}).scalars()) if told else set()


_KNOWN = select(_EVENT.c.fingerprint).where(among(_EVENT.c.fingerprint, "told"))
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
        asked = list(connection.execute(statement, {"asked": as_list(asked)}).scalars()) if asked else []
    # Without the kind: the events of a delivery come in any order.
    moves = [{"id": key, "reason": f"shown by {shown[key]}"} for key in asked]
    return move_deliveries(connection, DeliveryStep.EVIDENCE, moves, now=now, also=("reason",))


_ASKED = select(_DELIVERY.c.id).where(among(_DELIVERY.c.id, "asked")).order_by(_DELIVERY.c.id)
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
