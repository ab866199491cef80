"""What time the ledger thinks it is: the witness against a clock that was set."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Select, and_, delete, func, insert, or_, select, update

from mlgroup_mail.clock import boot_seconds
from mlgroup_mail.model import DeliveryState, MailingState
from mlgroup_mail.store import schema
from mlgroup_mail.store.owners import boot_id

_MARK, _ATTEMPT, _DELIVERY = schema.clock_mark, schema.attempt, schema.delivery
_BATCH, _MAILING = schema.batch, schema.mailing

_JUST_NOW = 600.0
"""How far ahead what went just now may stand: its leave to begin later, and the rounding of a day's limit."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ClockMark:
    """What time it was when live mail was last allowed; `number` as in the table."""

    wall: datetime
    boot: str
    boot_seconds: float
    number: int

    def expected(self) -> datetime | None:
        """What time it should be now, where this is still the same boot of the same machine."""
        if self.boot != boot_id():
            return None
        return self.wall + timedelta(seconds=boot_seconds() - self.boot_seconds)


def read_mark(connection: Connection) -> ClockMark | None:
    """The mark; None before the first live mail."""
    row = connection.execute(select(_MARK)).mappings().first()
    if row is None:
        return None
    return ClockMark(wall=row["wall"], boot=row["boot"], boot_seconds=row["boot_seconds"], number=row["number"])


def set_mark(connection: Connection, *, now: datetime, number: int) -> None:
    """Make now the measure."""
    # Two hosts may do so at once: the ledger's one row makes them take turns.
    connection.execute(select(schema.ledger.c.id).with_for_update())
    connection.execute(delete(_MARK))
    connection.execute(insert(_MARK).values(id=1, wall=now, boot=boot_id(), boot_seconds=boot_seconds(), number=number))


def last_live_attempt_at(connection: Connection, *, after: int) -> datetime | None:
    """When the latest attempt began that was to leave the machine, where its number is higher than `after`."""
    latest = (
        select(_ATTEMPT.c.number, _ATTEMPT.c.begun_at)
        .where(_ATTEMPT.c.transport != "outbox")
        .order_by(_ATTEMPT.c.id.desc())
        .limit(1)
    )
    # Numbers go up with the attempts: one query for both would go on to the first of a million that are too old.
    found = connection.execute(latest).first()
    return found.begun_at if found and found.number > after else None


def database_now(connection: Connection) -> datetime | None:
    """The database server's own clock; None for an embedded database."""
    if connection.dialect.name == "sqlite":
        return None
    now: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    return now


def end_waits(connection: Connection, *, now: datetime) -> int:
    """Let everything go now that waits for a moment reckoned by another clock; returns how many deliveries.

    Batches that were put off go at once too, and what counts towards a limit in times to come counts no more.
    """
    connection.execute(delete(schema.back_off).where(schema.back_off.c.until > now))
    result = connection.execute(
        update(_DELIVERY)
        .where(_DELIVERY.c.state == DeliveryState.DEFERRED, _DELIVERY.c.next_at > now)
        .values(next_at=now)
    )
    _end_rates(connection, now=now)
    for mailing in connection.execute(_put_off()).all():
        due_at = max(now, mailing.send_at)
        late = (_BATCH.c.mailing_id == mailing.id, _BATCH.c.due_at > due_at)
        connection.execute(update(_BATCH).where(*late).values(due_at=due_at))
    return int(result.rowcount)


def _put_off() -> Select[tuple[int, datetime]]:
    """The mailings whose batches may have been put off, and their times.

    Those that were begun: whether a batch of theirs waits for a rate or for its spacing is not known. Of the others,
    those whose first batch is later than they are.
    """
    first = select(func.min(_BATCH.c.due_at)).where(_BATCH.c.mailing_id == _MAILING.c.id).scalar_subquery()
    begun = _MAILING.c.state.in_([MailingState.SENDING, MailingState.PAUSED, MailingState.HELD])
    planned = _MAILING.c.state == MailingState.PLANNED
    return select(_MAILING.c.id, _MAILING.c.send_at).where(or_(begun, and_(planned, first > _MAILING.c.send_at)))


def _end_rates(connection: Connection, *, now: datetime) -> None:
    seconds = now.timestamp()
    connection.execute(delete(schema.rate).where(schema.rate.c.next_at > seconds))
    # What went just now may count from a little later on (`store.limits`): it goes on counting.
    connection.execute(delete(schema.rate_use).where(schema.rate_use.c.at > seconds + _JUST_NOW))
    # On SQLite the rates' own clock took the wrong time at the boot: it starts anew from what stands there now.
    connection.execute(delete(schema.ledger_clock))
