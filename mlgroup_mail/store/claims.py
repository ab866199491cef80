"""Windows: recording what became of the last one and claiming the next, in one durable transaction."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, exists, insert, or_, select, update

from mlgroup_mail.clock import boot_seconds
from mlgroup_mail.model import Batch, DeliveryStep, ExclusionReason, MailingState, MailingStep, Outcome
from mlgroup_mail.model.mailing import DISPATCHABLE
from mlgroup_mail.store import schema
from mlgroup_mail.store.back_off import everybody_waits_until, waiting_domains
from mlgroup_mail.store.failures import PauseRule
from mlgroup_mail.store.owners import Owner, renew
from mlgroup_mail.store.rates import Place, Places, Rates, Wait
from mlgroup_mail.store.recording import record_outcomes
from mlgroup_mail.store.transactions import Store, next_number, rows
from mlgroup_mail.store.transitions import move_deliveries, move_mailing

Restrictions = Callable[[Connection, Mapping[int, str], str], Mapping[int, ExclusionReason]]
"""(connection, {contact id: address}, topic) -> who must not be written to, and why."""

_DELIVERY, _ATTEMPT, _BATCH = schema.delivery, schema.attempt, schema.batch


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

    def __init__(
        self,
        store: Store,
        owner: Owner,
        *,
        transport: str,
        restrictions: Restrictions,
        rates: Rates | None = None,
        pause: PauseRule | None = None,
    ) -> None:
        """`rates`: what the transport may be given; None for no limit. `pause`: when a mailing pauses by itself."""
        self._store = store
        self._owner = owner
        self._transport = transport
        self._restrictions = restrictions
        self._rates = rates or Rates()
        self._pause = pause or PauseRule()
        self._places: list[Place] = []

    def next(
        self, batch: Batch, size: int, *, record: Sequence[Outcome], now: Callable[[], datetime]
    ) -> Window | Wait | None:
        """Record the last window's outcomes and claim up to `size` deliveries.

        None where nothing is due; where what is due has to wait for a rate, how long. Opt-outs and holds are read in
        this very transaction: whoever is found becomes `excluded` for good. Where this process was given up for dead
        nothing is written and OwnerLostError is raised: `record` takes late answers. `now` is asked when all locks
        are held that others may keep for long: nothing begins after the mailing's end because it had to wait.
        """
        with self._store.claiming() as connection:
            claimed_at = boot_seconds()
            renew(connection, self._owner)
            record_outcomes(connection, record, pause=self._pause, now=now())
            claimed, places = self._claim(connection, batch, size, claimed_at=claimed_at, now=now())
        self._places = places
        return claimed

    def record(self, outcomes: Sequence[Outcome], *, now: datetime) -> None:
        """Record outcomes without claiming anything."""
        if outcomes:
            with self._store.writing() as connection:
                record_outcomes(connection, outcomes, pause=self._pause, now=now)

    def still_wanted(self, batch: Batch, *, now: datetime) -> bool:
        """Whether a batch may still be claimed from: asked again and again while a rate is waited out."""
        with self._store.reading() as connection:
            return _dispatchable(connection, batch, now=now, locked=False) is not None

    def put_off(self, batch: Batch, wait: Wait, *, now: datetime) -> None:
        """Give every batch of the mailing a new time: it is not overdue, it has to wait."""
        until = now + timedelta(seconds=wait.seconds)
        with self._store.writing() as connection:
            connection.execute(
                update(_BATCH)
                .where(_BATCH.c.mailing_id == batch.mailing_id, _BATCH.c.due_at < until, _holds_claimable())
                .values(due_at=until)
            )

    def _claim(
        self, connection: Connection, batch: Batch, size: int, *, claimed_at: float, now: datetime
    ) -> tuple[Window | Wait | None, list[Place]]:
        mailing = _dispatchable(connection, batch, now=now)
        places = Places(connection, self._rates, self._transport)
        places.give_back(self._places)
        if mailing is None:
            return None, []
        number = next_number(connection)
        asked = everybody_waits_until(connection)
        while found := _due(connection, batch, size, besides=places.waiting_domains(), now=now):
            stopped = self._restrictions(
                connection, {row["contact_id"]: row["address"] for row in found}, mailing["topic"]
            )
            out = [
                {"id": row["id"], "reason": stopped[row["contact_id"]]} for row in found if row["contact_id"] in stopped
            ]
            move_deliveries(connection, DeliveryStep.EXCLUDE, out, now=now, also=("reason",))
            free = [row for row in found if row["contact_id"] not in stopped]
            if free and asked and asked > now:
                return Wait(seconds=(asked - now).total_seconds(), everybody=True), []
            room = places.for_all(len(free)) if free else 0
            if isinstance(room, Wait):
                return room, []
            allowed = places.for_domains([row["domain"] for row in free[:room]])
            if taken := [row for row, may_go in zip(free, allowed, strict=False) if may_go]:
                given = places.take([row["domain"] for row in taken])
                deliveries = self._begin_attempts(connection, batch, taken, mailing["state"], number=number, now=now)
                return Window(number=number, claimed_at=claimed_at, deliveries=deliveries), given
        return places.soonest(_due_domains(batch, now=now)), []

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


def _dispatchable(connection: Connection, batch: Batch, *, now: datetime, locked: bool = True) -> RowMapping | None:
    """The mailing's topic and state where its deliveries may be claimed now: read anew each time, so `pause` counts."""
    table = schema.mailing
    statement = select(table.c.topic, table.c.state, table.c.stop_at).where(table.c.id == batch.mailing_id)
    row = connection.execute(statement).mappings().one()
    if locked and row["state"] == MailingState.PLANNED:
        # The first claim moves the mailing, so it locks its row before any delivery's, in the order that `cancel` does.
        row = connection.execute(statement.with_for_update()).mappings().one()
    return row if row["state"] in DISPATCHABLE and batch.due_at <= now < row["stop_at"] else None


def _due(
    connection: Connection, batch: Batch, size: int, *, besides: Select[tuple[str]], now: datetime
) -> list[RowMapping]:
    """Deliveries that may go now; `besides` are the domains that may be given nothing."""
    table = _DELIVERY
    columns = (table.c.id, table.c.contact_id, table.c.variant_id, table.c.address, table.c.fields, table.c.attempts)
    statement = (
        select(*columns, table.c.domain)
        .where(*_is_due(batch, now=now), table.c.domain.not_in(besides))
        .order_by(table.c.id)
        .limit(size)
        .with_for_update(skip_locked=True)
    )
    return rows(connection, statement)


def _due_domains(batch: Batch, *, now: datetime) -> Select[tuple[str]]:
    return select(_DELIVERY.c.domain).where(*_is_due(batch, now=now))


def _is_due(batch: Batch, *, now: datetime) -> tuple[Any, ...]:
    return (
        _DELIVERY.c.batch_id == batch.batch_id,
        schema.CLAIMABLE,
        or_(_DELIVERY.c.next_at.is_(None), _DELIVERY.c.next_at <= now),
        _DELIVERY.c.domain.not_in(waiting_domains(now)),
    )


def _holds_claimable() -> Any:
    return exists().where(_DELIVERY.c.batch_id == _BATCH.c.id, schema.CLAIMABLE)
