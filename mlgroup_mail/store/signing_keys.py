"""Which keys have signed links in mails: a link of a key that is lost opts nobody out."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from mlgroup_mail.store import schema
from mlgroup_mail.store.transactions import insert_new, rows

_TABLE = schema.signing_key


@dataclass(frozen=True, kw_only=True, slots=True)
class SigningKey:
    """A key by its fingerprint: when it first signed, and when somebody gave it up for lost, if anybody did."""

    fingerprint: str
    signed_at: datetime
    retired_at: datetime | None


def keys_that_signed(connection: Connection) -> list[SigningKey]:
    """All of them, oldest first."""
    found = rows(connection, select(_TABLE).order_by(_TABLE.c.signed_at, _TABLE.c.fingerprint))
    return [SigningKey(**row) for row in found]


def note_key(connection: Connection, fingerprint: str, *, now: datetime) -> None:
    """This key signs from now on; one that was given up stays so, for only a person decides that."""
    insert_new(connection, _TABLE, [(fingerprint, now)], columns=("fingerprint", "signed_at"))


def retire(connection: Connection, fingerprint: str, *, now: datetime) -> None:
    """Its links are given up."""
    connection.execute(update(_TABLE).where(_TABLE.c.fingerprint == fingerprint).values(retired_at=now))
