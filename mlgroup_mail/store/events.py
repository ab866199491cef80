"""Delivery events: what is learned after the attempt, each recorded once."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, exists, insert, or_, select

from mlgroup_mail.model import DeliveryState, DeliveryStep
from mlgroup_mail.store import schema
from mlgroup_mail.store.transactions import rows
from mlgroup_mail.store.transitions import move_deliveries

_DELIVERY, _EVENT = schema.delivery, schema.delivery_event


def record_evidence(
    connection: Connection, delivery_id: int, *, kind: str, source: str, detail: str, at: datetime, now: datetime
) -> bool:
    """Keep an event that shows that a delivery had been accepted; where that was in doubt, it no longer is.

    Returns whether doubt was settled. The same event told again changes nothing.
    """
    fingerprint = hashlib.sha256(
        "\x1f".join([str(delivery_id), kind, source, detail, at.isoformat()]).encode()
    ).hexdigest()
    table = schema.delivery_event
    if connection.execute(select(table.c.id).where(table.c.fingerprint == fingerprint)).first():
        return False
    connection.execute(
        insert(table).values(
            delivery_id=delivery_id, kind=kind, source=source, fingerprint=fingerprint, detail=detail, at=at
        )
    )
    move = {"id": delivery_id, "reason": f"shown by {source}: {kind}"}
    return bool(move_deliveries(connection, DeliveryStep.EVIDENCE, [move], now=now, also=("reason",)))


def settle_by_evidence(connection: Connection, mailing_id: int, *, now: datetime) -> int:
    """Settle doubt that came up after its evidence had: an event may be faster than the death of an owner is noticed.

    Returns how many deliveries are accepted by it.
    """
    statement = select(_DELIVERY.c.id).where(
        _DELIVERY.c.mailing_id == mailing_id,
        _DELIVERY.c.state == DeliveryState.UNCERTAIN,
        exists().where(_EVENT.c.delivery_id == _DELIVERY.c.id),
    )
    moves = [
        {"id": row["id"], "reason": "shown by an event that had come before"} for row in rows(connection, statement)
    ]
    return move_deliveries(connection, DeliveryStep.EVIDENCE, moves, now=now, also=("reason",))


@dataclass(frozen=True, kw_only=True, slots=True)
class CitedDelivery:
    """A delivery that something from outside names, with its mailing. `attempted`: whether this ledger tried it."""

    delivery_id: int
    mailing_id: int
    mailing_token: str
    attempted: bool


def cited_by_id(connection: Connection, delivery_id: int) -> CitedDelivery | None:
    """The delivery of that number; the caller compares the mailing's token."""
    return _cited(connection, _DELIVERY.c.id == delivery_id)


def cited_by_person(connection: Connection, mailing_id: int, contact_id: int) -> CitedDelivery | None:
    """The delivery of a mailing to a person, also where their row was joined to another since."""
    moved = select(schema.contact.c.moved_to).where(schema.contact.c.id == contact_id).scalar_subquery()
    theirs = or_(_DELIVERY.c.contact_id == contact_id, _DELIVERY.c.contact_id == moved)
    return _cited(connection, _DELIVERY.c.mailing_id == mailing_id, theirs, _DELIVERY.c.attempts > 0) or _cited(
        connection, _DELIVERY.c.mailing_id == mailing_id, theirs
    )


def _cited(connection: Connection, *conditions: ColumnElement[bool]) -> CitedDelivery | None:
    mailing = schema.mailing
    statement = (
        select(_DELIVERY.c.id, _DELIVERY.c.attempts, mailing.c.id.label("mailing_id"), mailing.c.token)
        .join(mailing, mailing.c.id == _DELIVERY.c.mailing_id)
        .where(*conditions)
        .order_by(_DELIVERY.c.id)
        .limit(1)
    )
    row = connection.execute(statement).mappings().first()
    if row is None:
        return None
    return CitedDelivery(
        delivery_id=row["id"],
        mailing_id=row["mailing_id"],
        mailing_token=row["token"],
        attempted=row["attempts"] > 0,
    )
