"""Reading deliveries: for `log`, `explain`, progress, and a person's decisions on doubtful ones."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, case, exists, func, select

from mlgroup_mail import addresses
from mlgroup_mail.model import DeliveryState, DeliveryStep, MailingRef
from mlgroup_mail.store import schema
from mlgroup_mail.store.back_off import server_waits_until
from mlgroup_mail.store.canaries import rides_now
from mlgroup_mail.store.mailings import MailingRow, write_journal
from mlgroup_mail.store.recording import reopen_finished
from mlgroup_mail.store.second_copies import perhaps_twice_in
from mlgroup_mail.store.transactions import rows
from mlgroup_mail.store.transitions import move_deliveries

_DELIVERY, _ATTEMPT, _BATCH, _MAILING = schema.delivery, schema.attempt, schema.batch, schema.mailing
_BACK_OFF = schema.back_off
_CHUNK = 5000


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryRow:
    """One line of a mailing's log. `variant_id` is the compiled text it is made of; None for the excluded."""

    delivery_id: int
    ref: MailingRef
    address: str
    contact_id: int
    state: DeliveryState
    reason: str
    attempts: int
    at: datetime
    variant_id: int | None
    canary: str = ""
    """The place of one of the team who rides along, "first" or "last"; "" for everybody else."""


def deliveries(connection: Connection, mailing: MailingRow) -> Iterator[DeliveryRow]:
    """Every delivery of a mailing in the order of contacts, read in chunks, each from where the index has it."""
    last = 0
    while True:
        found = rows(
            connection,
            _select_deliveries()
            .where(_DELIVERY.c.mailing_id == mailing.mailing_id, _DELIVERY.c.contact_id > last)
            .order_by(_DELIVERY.c.contact_id)
            .limit(_CHUNK),
        )
        if not found:
            return
        yield from map(_delivery, found)
        last = found[-1]["contact_id"]


def deliveries_to(connection: Connection, contact_id: int) -> list[DeliveryRow]:
    """Every delivery to one person, over all mailings, in order."""
    statement = _select_deliveries().where(_DELIVERY.c.contact_id == contact_id, schema.OF_ANY_MAILING)
    return [_delivery(row) for row in rows(connection, statement.order_by(_DELIVERY.c.id))]


def canary_deliveries(connection: Connection, mailing: MailingRow) -> list[DeliveryRow]:
    """The deliveries of a mailing to canaries, the first ones first."""
    statement = _select_deliveries().where(
        _DELIVERY.c.mailing_id == mailing.mailing_id,
        schema.A_CANARY,
    )
    return [_delivery(row) for row in rows(connection, statement.order_by(_DELIVERY.c.canary, _DELIVERY.c.id))]


def uncertain_deliveries(
    connection: Connection, mailing: MailingRow, *, address: str | None = None, contact_id: int | None = None
) -> list[DeliveryRow]:
    """The doubtful deliveries of a mailing, or the one to an address or to a contact."""
    statement = _select_deliveries().where(
        _DELIVERY.c.mailing_id == mailing.mailing_id, _DELIVERY.c.state == DeliveryState.UNCERTAIN
    )
    if address is not None:
        statement = statement.where(_DELIVERY.c.address_key == addresses.key(address))
    if contact_id is not None:
        statement = statement.where(_DELIVERY.c.contact_id == contact_id)
    return [_delivery(row) for row in rows(connection, statement.order_by(_DELIVERY.c.id))]


def deliveries_perhaps_twice(connection: Connection, mailing: MailingRow) -> list[DeliveryRow]:
    """The deliveries of a mailing of which two copies may have arrived, because a person ordered the second."""
    twice = perhaps_twice_in(connection, mailing.mailing_id)
    statement = _select_deliveries().where(_DELIVERY.c.id.in_(sorted(twice)))
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


def last_attempt(connection: Connection, mailing_id: int) -> tuple[int, datetime] | None:
    """The number of a mailing's latest attempt, and when it began; None where nothing was tried.

    Numbers go up over all mailings: they tell which of them went out last.
    """
    latest = select(func.max(_DELIVERY.c.attempt_id)).where(_DELIVERY.c.mailing_id == mailing_id, schema.TRIED)
    statement = select(_ATTEMPT.c.id, _ATTEMPT.c.begun_at).where(_ATTEMPT.c.id == latest.scalar_subquery())
    found = connection.execute(statement).first()
    return (found[0], found[1]) if found else None


def oldest_due(connection: Connection, mailing_id: int) -> datetime | None:
    """Since when the longest-waiting delivery of a mailing may go.

    That is its batch's time, or the latest of its own after a deferral, its domain's and the mail server's.
    """
    oldest: datetime | None = None
    for batch_id, due_at in connection.execute(_batches_to_go(mailing_id)).all():
        # Nothing goes before its batch. So hardly ever more than the first batch is looked at, of thousands.
        if oldest and due_at >= oldest:
            break
        # None where others took the last of it meanwhile.
        if of_batch := _oldest_of_batch(connection, mailing_id, batch_id):
            oldest = min(oldest or of_batch, of_batch)
    server = server_waits_until(connection)
    return max(oldest, server) if oldest and server else oldest


def _batches_to_go(mailing_id: int) -> Select[tuple[int, datetime]]:
    """The batches of a mailing of which something may still go, and their times."""
    something = exists().where(_DELIVERY.c.batch_id == _BATCH.c.id, schema.CLAIMABLE)
    return (
        select(_BATCH.c.id, _BATCH.c.due_at)
        .where(_BATCH.c.mailing_id == mailing_id, something)
        .order_by(_BATCH.c.due_at)
    )


def _oldest_of_batch(connection: Connection, mailing_id: int, batch_id: int) -> datetime | None:
    moment = _later(_later(_BATCH.c.due_at, _DELIVERY.c.next_at), _BACK_OFF.c.until)
    statement = (
        select(func.min(moment))
        .select_from(_DELIVERY)
        .join(_BATCH, _BATCH.c.id == _DELIVERY.c.batch_id)
        .outerjoin(_BACK_OFF, _BACK_OFF.c.domain == _DELIVERY.c.domain)
        .where(_DELIVERY.c.batch_id == batch_id, schema.CLAIMABLE, rides_now(mailing_id))
    )
    found: datetime | None = connection.execute(statement).scalar_one()
    return found


def _later(moment: ColumnElement[datetime], other: ColumnElement[Any]) -> ColumnElement[datetime]:
    """The later of two moments, of which the other may be missing."""
    return case((other > moment, other), else_=moment)


@dataclass(frozen=True, kw_only=True, slots=True)
class ToGo:
    """What is still to go of a mailing: how many to each receiving domain, and when the last batch of it is due."""

    domains: dict[str, int]
    last_due: datetime | None


def to_go(connection: Connection, mailing_id: int) -> ToGo:
    """What a claim may still take of a mailing, now or later."""
    statement = (
        select(_DELIVERY.c.domain, func.count(), func.max(_BATCH.c.due_at))
        .join(_BATCH, _BATCH.c.id == _DELIVERY.c.batch_id)
        .where(
            _DELIVERY.c.mailing_id == mailing_id,
            schema.CLAIMABLE,
        )
        .group_by(_DELIVERY.c.domain)
    )
    found = connection.execute(statement).all()
    return ToGo(
        domains={domain: number for domain, number, _ in found}, last_due=max((due for *_, due in found), default=None)
    )


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
        _DELIVERY.c.variant_id,
        _DELIVERY.c.canary,
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
        variant_id=row["variant_id"],
        canary=row["canary"],
    )
