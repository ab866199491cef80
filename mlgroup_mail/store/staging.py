"""A pulled list on its way into the store: temporary tables of one connection, which others neither see nor wait for.

A million people go through here in chunks; who is who and what changes is then a matter of a few statements.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from operator import attrgetter
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Connection, Integer, MetaData, Table, Text, text, update

from mlgroup_mail import addresses
from mlgroup_mail.model import Contact
from mlgroup_mail.store.column_types import Key
from mlgroup_mail.store.contacts import STORED_AS_THEY_ARE
from mlgroup_mail.store.transactions import chunked, load

CHUNK = 10_000
"""People who are in memory at a time."""

_metadata = MetaData()


def _temporary(name: str, *columns: Column[Any]) -> Table:
    return Table(name, _metadata, *columns, prefixes=["TEMPORARY"])


incoming = _temporary(
    "incoming",
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("address_key", Text, nullable=False),
    Column("id_scope", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("themes", Text, nullable=False),
    Column("topics", Text, nullable=False),
    *(Column(name, Text, nullable=False) for name in STORED_AS_THEY_ARE),
)
"""The contacts as cleaned, in the order of the list. `id_scope` begins the ids that their source gives."""

incoming_alias = _temporary(
    "incoming_alias",
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("address_key", Text, nullable=False),
)

incoming_opt_out = _temporary(
    "incoming_opt_out",
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("address_key", Text, nullable=False, index=True),
    Column("position", Integer),
)
"""The opt-outs that the list states, in their order; `position` is the contact that each speaks of."""

found = _temporary(
    "found",
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("contact_id", BigInteger, nullable=False, index=True),
    Column("fresh", Boolean, nullable=False),
)
"""Who of the stored people each contact is; `fresh` are those who were not stored before."""

change = _temporary(
    "change",
    Column("contact_id", Key, primary_key=True, autoincrement=False),
    Column("position", Integer, nullable=False),
    Column("returned", Boolean, nullable=False),
)
"""Stored people whose row is to be written again."""

gone = _temporary("gone", Column("contact_id", Key, primary_key=True, autoincrement=False))
"""Stored people whom their sources no longer have."""

newcomer = _temporary(
    "newcomer",
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("organisation", Text, nullable=False),
)
vanished = _temporary(
    "vanished",
    Column("contact_id", Key, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("organisation", Text, nullable=False),
)
suspect = _temporary(
    "suspect",
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("contact_id", BigInteger, nullable=False),
    Column("suppressed", Boolean, nullable=False),
)
"""New ones, and the vanished one that each may be: see `store.suspected_moves`."""


def make_tables(connection: Connection) -> None:
    """Make the temporary tables, empty. They end with the connection, or with `drop_tables`."""
    _metadata.drop_all(connection)
    _metadata.create_all(connection)


def drop_tables(connection: Connection) -> None:
    """Take them away before the connection serves others."""
    _metadata.drop_all(connection)


def stage(
    connection: Connection, contacts: Iterable[Contact], *, progress: Callable[[int], object] = lambda _: None
) -> None:
    """Take in the contacts, once and in chunks; `progress` is told how many there were so far."""
    done = 0
    for people in chunked(contacts, CHUNK):
        numbered = range(done, done + len(people))
        load(connection, incoming, map(_row, numbered, people))
        load(connection, incoming_alias, _aliases(numbered, people))
        done += len(people)
        progress(done)


def stage_opt_outs(connection: Connection, mailboxes: Iterable[str]) -> None:
    """Take in the addresses of the opt-outs that the list states, after `stage`."""
    keys = ((place, addresses.key(each)) for place, each in enumerate(mailboxes))
    load(connection, incoming_opt_out, keys, columns=("place", "address_key"))
    connection.execute(
        update(incoming_opt_out)
        .where(incoming_opt_out.c.address_key == incoming.c.address_key)
        .values(position=incoming.c.position)
    )


def analyse(connection: Connection, *tables: Table) -> None:
    """Let PostgreSQL count what has just been written: it takes tables for nearly empty ones otherwise."""
    if connection.dialect.name == "postgresql":
        for table in tables:
            connection.execute(text(f"ANALYZE {table.name}"))


_plain = attrgetter(*STORED_AS_THEY_ARE)


def _row(position: int, contact: Contact) -> tuple[Any, ...]:
    return (
        position,
        addresses.key(contact.address),
        _id_scope(contact),
        contact.address,
        as_json(contact.themes),
        as_json(contact.topics),
        *_plain(contact),
    )


def _id_scope(contact: Contact) -> str:
    """What the ids of one source have in common, as `members:`; they alone can contradict each other."""
    own = f"{contact.source}:"
    if contact.external_id.startswith(own):
        return own
    source, colon, _ = contact.external_id.partition(":")
    return source + colon if colon else ""


def _aliases(positions: Iterable[int], people: Iterable[Contact]) -> Iterator[tuple[int, int, str]]:
    for position, contact in zip(positions, people, strict=True):
        if contact.aliases:
            keys = dict.fromkeys(map(addresses.key, contact.aliases))
            keys.pop(addresses.key(contact.address), None)
            for place, key in enumerate(keys, start=1):
                yield position, place, key


@lru_cache(maxsize=10_000)
def as_json(values: tuple[str, ...]) -> str:
    """As SQLAlchemy writes a JSON column: texts are compared, and must be the same."""
    return json.dumps(list(values))
