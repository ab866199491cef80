"""Mail outside mailings (a test): its own durable attempt, before its first byte leaves."""

from datetime import datetime

from sqlalchemy import Connection, update

from mlgroup_mail.model import Outcome
from mlgroup_mail.store import schema
from mlgroup_mail.store.transactions import insert_returning_id

_TABLE = schema.courtesy


def begin_courtesy(connection: Connection, *, kind: str, address: str, token: str, now: datetime) -> int:
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
