"""Mail outside mailings: its own durable attempt, and the tables whose rows wait for one."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, func, select, update

from mlgroup_mail.model import CourtesyKind, KeptBack, Outcome, OutcomeKind
from mlgroup_mail.store import schema
from mlgroup_mail.store.back_off import waiting_time
from mlgroup_mail.store.transactions import insert_returning_id

_TABLE = schema.courtesy

MOST_TRIES = 4
"""So often a mail is tried that was surely not accepted, or could not be made."""
HINDERED_FOR = timedelta(hours=6)
"""After so long it is looked at again whether what was in a mail's way still is."""


def begin_courtesy(connection: Connection, *, kind: CourtesyKind, address: str, token: str, now: datetime) -> int:
    """Write the attempt; returns its id."""
    values = {"kind": kind, "address": address, "token": token, "begun_at": now}
    return insert_returning_id(connection, _TABLE, values)


def end_courtesy(connection: Connection, outcome: Outcome, *, now: datetime) -> None:
    """Write what came of it; `attempt_id` is the courtesy's id."""
    connection.execute(
        update(_TABLE)
        .where(_TABLE.c.id == outcome.attempt_id)
        .values(outcome=outcome.kind, detail=outcome.detail, ended_at=now)
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class CourtesyQueue:
    """A table with `courtesy_columns`; a row is named by its `key`. Of each row one mail is under way at most."""

    table: Table
    key: str

    def due(self, now: datetime) -> ColumnElement[bool]:
        """Whether a row's mail may be tried."""
        return self.table.c.next_at <= now

    def next_time(self, connection: Connection) -> datetime | None:
        """When the first of those that wait may be tried; None where none waits."""
        moment: datetime | None = connection.execute(select(func.min(self.table.c.next_at))).scalar_one()
        return moment

    def begun(self, connection: Connection, row: int, *, courtesy_id: int) -> None:
        """A mail to them is under way: it may have gone, so none is due any more."""
        self._set(connection, row, next_at=None, courtesy_id=courtesy_id, kept_back="")

    def put_off(
        self,
        connection: Connection,
        row: int,
        because: KeptBack,
        *,
        now: datetime,
        a_try: bool = True,
        seconds: float | None = None,
    ) -> None:
        """It surely has not gone: it is due again later, longer after each try, unless there were tries enough.

        `seconds` is a time to wait that somebody named.
        """
        before = connection.execute(select(self.table.c.tries).where(self._is(row))).scalar_one()
        tries = before + int(a_try)
        wait = waiting_time(max(tries, 1)) if seconds is None else timedelta(seconds=seconds)
        self._set(connection, row, tries=tries, next_at=now + wait if tries < MOST_TRIES else None, kept_back=because)

    def hinder(self, connection: Connection, row: int, because: KeptBack, *, now: datetime) -> None:
        """Something is in its way, which is not the mail server's fault: it is looked at again after some hours."""
        self._set(connection, row, next_at=now + HINDERED_FOR, kept_back=because)

    def drop(self, connection: Connection, row: int, because: KeptBack) -> None:
        """None is to go any more."""
        self._set(connection, row, next_at=None, kept_back=because)

    def kept_back(self, connection: Connection, *conditions: ColumnElement[bool]) -> Counter[KeptBack]:
        """How many have not got theirs, by the reason."""
        reason = self.table.c.kept_back
        statement = select(reason, func.count()).where(reason != "", *conditions).group_by(reason)
        return Counter({KeptBack(name): number for name, number in connection.execute(statement)})

    def _is(self, row: int) -> ColumnElement[bool]:
        return self.table.c[self.key] == row

    def _set(self, connection: Connection, row: int, **values: Any) -> None:
        connection.execute(update(self.table).where(self._is(row)).values(**values))


@dataclass(frozen=True, kw_only=True, slots=True)
class Unaccepted:
    """How many mails of a kind were begun and not accepted: `outcome` is "" where none is known (yet)."""

    kind: str
    outcome: str
    number: int


def unaccepted(connection: Connection, *, since: datetime, before: datetime) -> list[Unaccepted]:
    """The mails outside mailings begun in that time that may not have arrived; those put off are tried again."""
    outcome = func.coalesce(_TABLE.c.outcome, "")
    statement = (
        select(_TABLE.c.kind, outcome, func.count())
        .where(
            _TABLE.c.begun_at.between(since, before),
            outcome.not_in([OutcomeKind.ACCEPTED, OutcomeKind.DEFERRED]),
            _TABLE.c.kind != CourtesyKind.TEST,
        )
        .group_by(_TABLE.c.kind, outcome)
        .order_by(_TABLE.c.kind, outcome)
    )
    return [
        Unaccepted(kind=kind, outcome=found, number=number) for kind, found, number in connection.execute(statement)
    ]
