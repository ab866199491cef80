"""The clock that rates are kept by: one for all who share a ledger, and nobody sets it back or forward.

On PostgreSQL it is the database's. On SQLite, where all are on one machine, it is the time since boot, which counts
sleep and which no one sets, plus a number that the first process of each boot writes down: what the wall clock said
then, and never less than the latest moment in the ledger. So a clock that jumps changes nothing until the machine is
booted again, and a night in which the machine was off counts as a night.
"""

import time

from sqlalchemy import Connection, delete, func, insert, select

from mlgroup_mail.clock import boot_seconds
from mlgroup_mail.store import schema
from mlgroup_mail.store.owners import boot_id

_TABLE, _USE = schema.ledger_clock, schema.rate_use


def ledger_now(connection: Connection) -> float:
    """Seconds on that clock. In a transaction that writes: the first of a boot is noted."""
    if connection.dialect.name != "sqlite":
        return float(connection.execute(select(func.extract("epoch", func.clock_timestamp()))).scalar_one())
    ahead = _ahead(connection)
    if ahead is None:
        ahead = _guess(connection)
        connection.execute(delete(_TABLE))
        connection.execute(insert(_TABLE).values(boot=boot_id(), ahead=ahead))
    return boot_seconds() + ahead


def ledger_now_guessed(connection: Connection) -> float:
    """The same for one who only reads: before the first writer of a boot it may be off."""
    if connection.dialect.name != "sqlite":
        return ledger_now(connection)
    ahead = _ahead(connection)
    return boot_seconds() + (_guess(connection) if ahead is None else ahead)


def _ahead(connection: Connection) -> float | None:
    return connection.execute(select(_TABLE.c.ahead).where(_TABLE.c.boot == boot_id())).scalar_one_or_none()


def _guess(connection: Connection) -> float:
    latest = connection.execute(select(func.max(_USE.c.at))).scalar_one() or 0.0
    return max(time.time(), latest) - boot_seconds()
