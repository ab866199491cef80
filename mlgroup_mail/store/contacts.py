"""Contacts as stored: reading them."""

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from sqlalchemy import Connection, RowMapping, Text, cast, func, select

from mlgroup_mail import addresses
from mlgroup_mail.model import Contact
from mlgroup_mail.store import schema
from mlgroup_mail.store.lists import among, as_list
from mlgroup_mail.store.preferences import chosen_between

_TABLE = schema.contact

STORED_AS_THEY_ARE = (
    "name",
    "first_name",
    "organisation",
    "country",
    "timezone",
    "language",
    "status",
    "source",
    "external_id",
)
"""The fields of a contact that are columns of the same name and form."""

_FIELDS = ("address", *STORED_AS_THEY_ARE)
_COLUMNS = (
    _TABLE.c.id,
    cast(_TABLE.c.themes, Text),
    cast(_TABLE.c.topics, Text),
    *(_TABLE.c[name] for name in _FIELDS),
)
"""A contact's columns and no others, lists as the JSON they are: read three times as fast as whole rows (measured)."""


def contacts_after(connection: Connection, contact_id: int, limit: int) -> list[Contact]:
    """The next `limit` people on the list with an id above `contact_id`, in order of id: for work in chunks."""
    statement = (
        select(*_COLUMNS).where(_TABLE.c.id > contact_id, _TABLE.c.left_at.is_(None)).order_by(_TABLE.c.id).limit(limit)
    )
    found = connection.execute(statement).all()
    chosen = chosen_between(connection, found[0][0], found[-1][0]) if found else {}
    return [
        Contact(
            contact_id=key,
            themes=_words(themes),
            topics=_words(topics),
            chosen=chosen.get(key, ()),
            **dict(zip(_FIELDS, fields, strict=True)),
        )
        for key, themes, topics, *fields in found
    ]


def all_contacts(connection: Connection, *, chunk: int = 5000) -> Iterator[Contact]:
    """Everybody on the list, in order of id, read in chunks."""
    last = 0
    while found := contacts_after(connection, last, chunk):
        yield from found
        last = found[-1].contact_id


def find_contact(connection: Connection, address: str) -> Contact | None:
    """Whose address this is, or else was last; None where nobody's. Takes a normalised address."""
    known = schema.contact_address.c
    statement = (
        select(_TABLE)
        .join(schema.contact_address, known.contact_id == _TABLE.c.id)
        .where(known.address_key == addresses.key(address))
        # Whoever has it now comes before whoever had it, and whoever is on the list before whoever left.
        .order_by(known.current.desc(), _TABLE.c.left_at.is_not(None), _TABLE.c.id.desc())
        .limit(1)
    )
    row = connection.execute(statement).mappings().first()
    if row is None:
        return None
    return replace(contact_from(row), chosen=chosen_between(connection, row["id"], row["id"]).get(row["id"], ()))


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownTopics:
    """What is known of the topics that somebody wants: those of their list, and those they have turned on."""

    listed: tuple[str, ...]
    chosen: tuple[str, ...]
    on_the_list: bool


def find_topics(connection: Connection, contact_id: int) -> KnownTopics | None:
    """The topics of the person with this number; None for nobody's."""
    statement = select(_TABLE.c.topics, _TABLE.c.left_at).where(_TABLE.c.id == contact_id)
    row = connection.execute(statement).first()
    chosen = chosen_between(connection, contact_id, contact_id).get(contact_id, ())
    return KnownTopics(listed=tuple(row.topics), chosen=chosen, on_the_list=row.left_at is None) if row else None


def find_holders(connection: Connection, mailboxes: Collection[str]) -> dict[str, int]:
    """The same for many: address key -> contact id, for each that is or was somebody's. A few thousand at a time."""
    if not mailboxes:
        return {}
    found = connection.execute(_HOLDERS, {"mailboxes": as_list(mailboxes)})
    return {row.address_key: row.contact_id for row in found}


_KNOWN = schema.contact_address
_HOLDERS = (
    select(_KNOWN.c.address_key, _KNOWN.c.contact_id)
    .join(_TABLE, _TABLE.c.id == _KNOWN.c.contact_id)
    .where(among(_KNOWN.c.address_key, "mailboxes"))
    # The last one counts: the other way round than in `find_contact`.
    .order_by(_KNOWN.c.current, _TABLE.c.left_at.is_(None), _TABLE.c.id)
)


def find_addresses(connection: Connection, contact_ids: Collection[int]) -> dict[int, str]:
    """The present addresses of these: id -> address. A few thousand at a time."""
    if not contact_ids:
        return {}
    return {row.id: row.address for row in connection.execute(_ADDRESSES, {"people": as_list(contact_ids)})}


_ADDRESSES = select(_TABLE.c.id, _TABLE.c.address).where(among(_TABLE.c.id, "people"))


def find_successors(connection: Connection, contact_ids: Collection[int]) -> dict[int, int]:
    """Of these, the ones that proved to be another contact: id -> that one's id. Links in old mails still name them."""
    if not contact_ids:
        return {}
    return {row.id: row.moved_to for row in connection.execute(_SUCCESSORS, {"people": as_list(contact_ids)})}


_SUCCESSORS = select(_TABLE.c.id, _TABLE.c.moved_to).where(among(_TABLE.c.id, "people"), _TABLE.c.moved_to.is_not(None))


def is_listed(connection: Connection, contact_id: int) -> bool:
    """Whether a person is on the list, and has not left it."""
    statement = select(_TABLE.c.id).where(_TABLE.c.id == contact_id, _TABLE.c.left_at.is_(None))
    return connection.execute(statement).first() is not None


def count_contacts(connection: Connection) -> int:
    """How many people are on the list."""
    return int(
        connection.execute(select(func.count()).select_from(_TABLE).where(_TABLE.c.left_at.is_(None))).scalar_one()
    )


def contact_from(row: RowMapping) -> Contact:
    """A whole row as a contact; its aliases, and what they have chosen for themselves, stand elsewhere."""
    return Contact(
        contact_id=row["id"],
        address=row["address"],
        themes=tuple(row["themes"]),
        topics=tuple(row["topics"]),
        **{column: row[column] for column in STORED_AS_THEY_ARE},
    )


@lru_cache(maxsize=10_000)
def _words(stored: str) -> tuple[str, ...]:
    """A list of words from its JSON: very many people have the same."""
    return tuple(json.loads(stored))
