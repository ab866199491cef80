"""Everything that the ledger holds about one person, row by row: for telling it to them (GDPR, article 15)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, select

from mlgroup_mail.store import schema
from mlgroup_mail.store.belongings import Belongings, courtesies_of, other_rows, signals_of
from mlgroup_mail.store.transactions import chunked

Row = Mapping[str, Any]
"""A row as the ledger has it: column -> value."""

_DELIVERY, _MAILING = schema.delivery, schema.mailing
_AT_ONCE = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldDelivery:
    """One mailing's delivery to a person: the row with its mailing's name and topic, and what followed."""

    row: Row
    attempts: tuple[Row, ...]
    events: tuple[Row, ...]
    aliases: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class PersonRecord:
    """What is held. `contacts` has the person's row, and those that proved to be theirs.

    `rules` reach them; `signals` are what these came from, and lifts. `others` are rows of any further table that
    names a contact, a delivery or an address: table -> rows. `erased_at` is when an address was forgotten of which
    nothing but a keyed hash is left.
    """

    theirs: Belongings
    contacts: tuple[Row, ...]
    addresses: tuple[Row, ...]
    deliveries: tuple[HeldDelivery, ...]
    signals: tuple[Row, ...]
    rules: tuple[Row, ...]
    courtesies: tuple[Row, ...]
    journal: tuple[Row, ...]
    others: Mapping[str, tuple[Row, ...]]
    erased_at: datetime | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is held."""
        parts = (self.contacts, self.signals, self.rules, self.courtesies, self.journal, *self.others.values())
        return self.erased_at is None and not any(parts)


def read_record(connection: Connection, theirs: Belongings, *, erased_at: datetime | None = None) -> PersonRecord:
    """Everything that is this person's."""
    deliveries = _deliveries(connection, theirs)
    known = schema.contact_address
    return PersonRecord(
        theirs=theirs,
        contacts=_rows(connection, schema.contact, schema.contact.c.id.in_(theirs.numbers)),
        addresses=_rows(connection, known, known.c.contact_id.in_(theirs.numbers)),
        deliveries=deliveries,
        signals=_by_id(connection, schema.signal, schema.signal.c.id, signals_of(connection, theirs)),
        rules=_rows(connection, schema.suppression, theirs.rules),
        courtesies=_by_id(connection, schema.courtesy, schema.courtesy.c.id, courtesies_of(connection, theirs)),
        journal=_rows(connection, schema.journal, theirs.journal),
        others=_others(connection, theirs),
        erased_at=erased_at,
    )


def _rows(connection: Connection, table: Table, condition: ColumnElement[bool]) -> tuple[Row, ...]:
    statement = select(table).where(condition).order_by(*table.primary_key.columns)
    return tuple(dict(row) for row in connection.execute(statement).mappings())


def _by_id(connection: Connection, table: Table, column: ColumnElement[Any], ids: Iterable[int]) -> tuple[Row, ...]:
    return tuple(row for some in chunked(ids, _AT_ONCE) for row in _rows(connection, table, column.in_(some)))


def _deliveries(connection: Connection, theirs: Belongings) -> tuple[HeldDelivery, ...]:
    statement = (
        select(_DELIVERY, _MAILING.c.campaign, _MAILING.c.name.label("mailing"), _MAILING.c.topic)
        .join(_MAILING, _MAILING.c.id == _DELIVERY.c.mailing_id)
        .where(theirs.deliveries)
        .order_by(_MAILING.c.send_at, _DELIVERY.c.id)
    )
    found = [dict(row) for row in connection.execute(statement).mappings()]
    ids = [row["id"] for row in found]
    attempts = _by_delivery(connection, schema.attempt, ids)
    events = _by_delivery(connection, schema.delivery_event, ids)
    aliases = _by_delivery(connection, schema.provider_alias, ids)
    return tuple(
        HeldDelivery(
            row=row,
            attempts=tuple(attempts[row["id"]]),
            events=tuple(events[row["id"]]),
            aliases=tuple(each["alias"] for each in aliases[row["id"]]),
        )
        for row in found
    )


def _by_delivery(connection: Connection, table: Table, ids: list[int]) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = defaultdict(list)
    for row in _by_id(connection, table, table.c.delivery_id, ids):
        found[row["delivery_id"]].append(row)
    return found


def _others(connection: Connection, theirs: Belongings) -> dict[str, tuple[Row, ...]]:
    """Tables that somebody adds are told, too, without anybody thinking of it."""
    found = {table.name: _rows(connection, table, condition) for table, condition in other_rows(theirs)}
    return {name: rows for name, rows in found.items() if rows}
