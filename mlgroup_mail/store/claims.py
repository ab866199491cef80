"""Windows: recording what became of the last one and claiming the next, in one durable transaction."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, or_, select, update

from mlgroup_mail.clock import boot_seconds
from mlgroup_mail.model import (
    Batch,
    DeliveryState,
    DeliveryStep,
    ExclusionReason,
    MailingState,
    MailingStep,
    Outcome,
    OutcomeKind,
)
from mlgroup_mail.model.mailing import DISPATCHABLE
from mlgroup_mail.store import schema
from mlgroup_mail.store.owners import Owner, renew
from mlgroup_mail.store.transactions import Store, next_number, rows
from mlgroup_mail.store.transitions import move_deliveries, move_mailing

Restrictions = Callable[[Connection, Mapping[int, str], str], Mapping[int, ExclusionReason]]
"""(connection, {contact id: address}, topic) -> who must not be written to, and why."""

_DELIVERY, _ATTEMPT = schema.delivery, schema.attempt

BACK_OFF = tuple(timedelta(minutes=minutes) for minutes in (5, 15, 60, 240))
"""How long a deferred delivery waits after its first, second ... attempt; the last one stays."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Claimed:
    """One delivery of a window: its attempt is durable, nothing of it has left."""

    attempt_id: int
    delivery_id: int
    contact_id: int
    variant_id: int
    address: str
    fields: dict[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """The few deliveries that one durable claim covers. `claimed_at` is in `boot_seconds`."""

    number: int
    claimed_at: float
    deliveries: tuple[Claimed, ...]


class Claims:
    """What one owner claims and records, through one transport."""

    def __init__(self, store: Store, owner: Owner, *, transport: str, restrictions: Restrictions) -> None:
        self._store = store
        self._owner = owner
        self._transport = transport
        self._restrictions = restrictions

    def next(self, batch: Batch, size: int, *, record: Sequence[Outcome], now: datetime) -> Window | None:
        """Record the last window's outcomes and claim up to `size` deliveries; None where nothing is due.

        Opt-outs and holds are read in this very transaction: whoever is found becomes `excluded` for good. Where
        this process was given up for dead nothing is written and OwnerLostError is raised: `record` takes late answers.
        """
        with self._store.claiming() as connection:
            claimed_at = boot_seconds()
            renew(connection, self._owner)
            _record(connection, record, now=now)
            number, deliveries = self._claim(connection, batch, size, now=now)
        return Window(number=number, claimed_at=claimed_at, deliveries=deliveries) if deliveries else None

    def record(self, outcomes: Sequence[Outcome], *, now: datetime) -> None:
        """Record outcomes without claiming anything."""
        if outcomes:
            with self._store.writing() as connection:
                _record(connection, outcomes, now=now)

    def _claim(
        self, connection: Connection, batch: Batch, size: int, *, now: datetime
    ) -> tuple[int, tuple[Claimed, ...]]:
        mailing = _dispatchable(connection, batch, now=now)
        if mailing is None:
            return 0, ()
        number = next_number(connection)
        while found := _due(connection, batch, size, now=now):
            stopped = self._restrictions(
                connection, {row["contact_id"]: row["address"] for row in found}, mailing["topic"]
            )
            out = [
                {"id": row["id"], "reason": stopped[row["contact_id"]]} for row in found if row["contact_id"] in stopped
            ]
            move_deliveries(connection, DeliveryStep.EXCLUDE, out, now=now, also=("reason",))
            if free := [row for row in found if row["contact_id"] not in stopped]:
                return number, self._begin_attempts(connection, batch, free, mailing["state"], number=number, now=now)
        return number, ()

    def _begin_attempts(
        self,
        connection: Connection,
        batch: Batch,
        taken: Sequence[RowMapping],
        state: str,
        *,
        number: int,
        now: datetime,
    ) -> tuple[Claimed, ...]:
        values = [
            {
                "delivery_id": row["id"],
                "owner_id": self._owner.owner_id,
                "number": number,
                "transport": self._transport,
                "begun_at": now,
            }
            for row in taken
        ]
        statement = insert(_ATTEMPT).returning(_ATTEMPT.c.id, sort_by_parameter_order=True)
        attempts = connection.execute(statement, values).scalars().all()
        moves: list[dict[str, Any]] = [
            {"id": row["id"], "attempt_id": attempt_id, "attempts": row["attempts"] + 1, "reason": ""}
            for row, attempt_id in zip(taken, attempts, strict=True)
        ]
        moved = move_deliveries(
            connection, DeliveryStep.CLAIM, moves, now=now, also=("attempt_id", "attempts", "reason")
        )
        assert moved == len(moves), "rows locked in this transaction cannot have moved"
        if state == MailingState.PLANNED:
            move_mailing(connection, batch.mailing_id, MailingStep.BEGIN_SENDING, now=now)
        return tuple(
            Claimed(
                attempt_id=attempt_id,
                delivery_id=row["id"],
                contact_id=row["contact_id"],
                variant_id=row["variant_id"],
                address=row["address"],
                fields=row["fields"],
            )
            for row, attempt_id in zip(taken, attempts, strict=True)
        )


def _dispatchable(connection: Connection, batch: Batch, *, now: datetime) -> RowMapping | None:
    """The mailing's topic and state where its deliveries may be claimed now: read anew each time, so `pause` counts."""
    table = schema.mailing
    statement = select(table.c.topic, table.c.state, table.c.stop_at).where(table.c.id == batch.mailing_id)
    row = connection.execute(statement).mappings().one()
    if row["state"] == MailingState.PLANNED:
        # The first claim moves the mailing, so it locks its row before any delivery's, in the order that `cancel` does.
        row = connection.execute(statement.with_for_update()).mappings().one()
    return row if row["state"] in DISPATCHABLE and batch.due_at <= now < row["stop_at"] else None


def _due(connection: Connection, batch: Batch, size: int, *, now: datetime) -> list[RowMapping]:
    table = _DELIVERY
    statement = (
        select(table.c.id, table.c.contact_id, table.c.variant_id, table.c.address, table.c.fields, table.c.attempts)
        .where(
            table.c.batch_id == batch.batch_id,
            table.c.state.in_([state for state in DeliveryState if state.claimable]),
            or_(table.c.next_at.is_(None), table.c.next_at <= now),
        )
        .order_by(table.c.id)
        .limit(size)
        .with_for_update(skip_locked=True)
    )
    return rows(connection, statement)


def _record(connection: Connection, outcomes: Sequence[Outcome], *, now: datetime) -> None:
    for outcome in outcomes:
        _record_one(connection, outcome, now=now)


def _record_one(connection: Connection, outcome: Outcome, *, now: datetime) -> None:
    """Write an attempt's answer once: in time, or late where the delivery still waits on this very attempt."""
    row = (
        connection.execute(
            select(_ATTEMPT.c.outcome, _DELIVERY.c.id, _DELIVERY.c.attempts)
            .join(_DELIVERY, _DELIVERY.c.id == _ATTEMPT.c.delivery_id)
            .where(_ATTEMPT.c.id == outcome.attempt_id, _DELIVERY.c.attempt_id == outcome.attempt_id)
            .with_for_update()
        )
        .mappings()
        .first()
    )
    if row is None:
        return
    step = outcome.kind.step if row["outcome"] is None else None
    if row["outcome"] == OutcomeKind.UNCERTAIN:
        step = outcome.kind.late_step
    if step is None:
        return
    move = {"id": row["id"], "reason": outcome.detail, "next_at": _next_try(outcome, row["attempts"], now=now)}
    if move_deliveries(connection, step, [move], now=now, also=("reason", "next_at")):
        connection.execute(
            update(_ATTEMPT)
            .where(_ATTEMPT.c.id == outcome.attempt_id)
            .values(outcome=outcome.kind, detail=outcome.detail, ended_at=now)
        )
        if step is DeliveryStep.LATE_DEFER:
            reopen_finished(connection, row["id"], now=now)


def reopen_finished(connection: Connection, delivery_id: int, *, now: datetime) -> None:
    """A finished mailing one of whose deliveries is to go again is not finished."""
    table = schema.mailing
    row = connection.execute(
        select(table.c.id, table.c.state)
        .join(_DELIVERY, _DELIVERY.c.mailing_id == table.c.id)
        .where(_DELIVERY.c.id == delivery_id)
        .with_for_update(of=table)
    ).one()
    if row.state == MailingState.FINISHED:
        move_mailing(connection, row.id, MailingStep.REOPEN, now=now)


def _next_try(outcome: Outcome, attempts: int, *, now: datetime) -> datetime | None:
    if outcome.kind is not OutcomeKind.DEFERRED:
        return None
    if outcome.retry_after is not None:
        return now + timedelta(seconds=outcome.retry_after)
    return now + BACK_OFF[min(attempts, len(BACK_OFF)) - 1]
