"""Reading deliveries: for `log`, `explain`, progress, and a person's decisions on doubtful ones."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, func, select

from mlgroup_mail import addresses
from mlgroup_mail.model import DeliveryState, DeliveryStep, MailingRef
from mlgroup_mail.store import schema
from mlgroup_mail.store.claims import reopen_finished
from mlgroup_mail.store.mailings import MailingRow, write_journal
from mlgroup_mail.store.transactions import rows
from mlgroup_mail.store.transitions import move_deliveries

_DELIVERY, _ATTEMPT, _BATCH, _MAILING = schema.delivery, schema.attempt, schema.batch, schema.mailing
_CHUNK = 5000


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryRow:
    """One line of a mailing's log."""

    delivery_id: int
    ref: MailingRef
    address: str
    contact_id: int
    state: DeliveryState
    reason: str
    attempts: int
    at: datetime


def deliveries(connection: Connection, mailing: MailingRow) -> Iterator[DeliveryRow]:
    """Every delivery of a mailing in order, read in chunks."""
    last = 0
    while True:
        found = rows(
            connection,
            _select_deliveries()
            .where(_DELIVERY.c.mailing_id == mailing.mailing_id, _DELIVERY.c.id > last)
            .order_by(_DELIVERY.c.id)
            .limit(_CHUNK),
        )
        if not found:
            return
        yield from map(_delivery, found)
        last = found[-1]["id"]


def deliveries_to(connection: Connection, contact_id: int) -> list[DeliveryRow]:
    """Every delivery to one person, over all mailings, in order."""
    statement = _select_deliveries().where(_DELIVERY.c.contact_id == contact_id).order_by(_DELIVERY.c.id)
    return [_delivery(row) for row in rows(connection, statement)]


def uncertain_deliveries(
    connection: Connection, mailing: MailingRow, *, address: str | None = None
) -> list[DeliveryRow]:
    """The doubtful deliveries of a mailing, or the one to an address."""
    statement = _select_deliveries().where(
        _DELIVERY.c.mailing_id == mailing.mailing_id, _DELIVERY.c.state == DeliveryState.UNCERTAIN
    )
    if address is not None:
        statement = statement.where(_DELIVERY.c.address_key == addresses.key(address))
    return [_delivery(row) for row in rows(connection, statement.order_by(_DELIVERY.c.id))]


def resolve_delivery(
    connection: Connection,
    mailing: MailingRow,
    row: DeliveryRow,
    step: DeliveryStep,
    *,
    reason: str,
    by: str,
    now: datetime,
) -> bool:
    """Settle a doubtful delivery by a person's word, in the journal; False where it was settled meanwhile."""
    move = {"id": row.delivery_id, "reason": f"resolved: {reason}", "next_at": now}
    if not move_deliveries(connection, step, [move], now=now, also=("reason", "next_at")):
        return False
    write_journal(connection, mailing.mailing_id, step, reason=reason, actor=by, now=now, delivery_id=row.delivery_id)
    if step is DeliveryStep.RESOLVE_RESEND:
        reopen_finished(connection, row.delivery_id, now=now)
    return True


def last_attempt_at(connection: Connection, mailing_id: int) -> datetime | None:
    """When the latest attempt of a mailing began."""
    latest = select(func.max(_DELIVERY.c.attempt_id)).where(_DELIVERY.c.mailing_id == mailing_id).scalar_subquery()
    return connection.execute(select(_ATTEMPT.c.begun_at).where(_ATTEMPT.c.id == latest)).scalar_one_or_none()


def oldest_due(connection: Connection, mailing_id: int) -> datetime | None:
    """Since when the longest-waiting delivery of a mailing may go: its batch's time, or its own after a deferral."""
    waiting = [state for state in DeliveryState if state.claimable]
    fresh = (
        select(func.min(_BATCH.c.due_at))
        .join(_DELIVERY, _DELIVERY.c.batch_id == _BATCH.c.id)
        .where(_BATCH.c.mailing_id == mailing_id, _DELIVERY.c.state.in_(waiting), _DELIVERY.c.next_at.is_(None))
    )
    deferred = select(func.min(_DELIVERY.c.next_at)).where(
        _DELIVERY.c.mailing_id == mailing_id, _DELIVERY.c.state.in_(waiting)
    )
    found = [connection.execute(statement).scalar_one_or_none() for statement in (fresh, deferred)]
    return min((moment for moment in found if moment is not None), default=None)


def ledger_id(connection: Connection) -> str:
    """The id that this database was given when it was made."""
    return str(connection.execute(select(schema.ledger.c.ledger_id)).scalar_one())


def _select_deliveries() -> Select[Any]:
    return select(
        _DELIVERY.c.id,
        _MAILING.c.campaign,
        _MAILING.c.name,
        _DELIVERY.c.address,
        _DELIVERY.c.contact_id,
        _DELIVERY.c.state,
        _DELIVERY.c.reason,
        _DELIVERY.c.attempts,
        _DELIVERY.c.changed_at,
    ).join(_MAILING, _MAILING.c.id == _DELIVERY.c.mailing_id)


def _delivery(row: RowMapping) -> DeliveryRow:
    return DeliveryRow(
        delivery_id=row["id"],
        ref=MailingRef(row["campaign"], row["name"]),
        address=row["address"],
        contact_id=row["contact_id"],
        state=DeliveryState(row["state"]),
        reason=row["reason"],
        attempts=row["attempts"],
        at=row["changed_at"],
    )
