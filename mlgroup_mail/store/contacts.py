"""Contacts as stored: stable ids, every address a person has or had, and what a pull changes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, func, insert, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from mlgroup_mail import addresses
from mlgroup_mail.model import Contact
from mlgroup_mail.store import schema
from mlgroup_mail.store.transactions import rows

_TABLE = schema.contact
_STORED = ("name", "first_name", "organisation", "country", "timezone", "language", "status", "source", "external_id")


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncResult:
    """What a pull did to the stored list: numbers of people."""

    added: int
    changed: int
    unchanged: int
    left: int
    returned: int


def sync_contacts(
    connection: Connection, contacts: Sequence[Contact], *, sources: frozenset[str], now: datetime
) -> SyncResult:
    """Make the stored list match `contacts`, the whole of `sources`; people keep their ids.

    A person is found by `external_id`, else by address or alias. Whoever came from one of `sources` and is no longer
    in it gets `left_at`; people of other sources are not touched.
    """
    _wait_for_other_pulls(connection)
    stored = {row["id"]: row for row in rows(connection, select(_TABLE))}
    by_external = {row["external_id"]: row["id"] for row in stored.values() if row["external_id"]}
    known = select(schema.contact_address.c.address_key, schema.contact_address.c.contact_id)
    by_address = {row.address_key: row.contact_id for row in connection.execute(known)}
    added: list[Contact] = []
    seen: set[int] = set()
    changed = unchanged = returned = 0
    for contact in contacts:
        found = _identify(contact, by_external, by_address)
        if found is None:
            added.append(contact)
            continue
        if found in seen:  # Two rows of the list lead to one stored person: the first row counts.
            continue
        seen.add(found)
        values = _values(contact)
        row = stored[found]
        if row["left_at"] is not None:
            returned += 1
        if row["left_at"] is None and all(row[column] == value for column, value in values.items()):
            unchanged += 1
            if all(addresses.key(alias) in by_address for alias in contact.aliases):
                continue
        else:
            changed += row["left_at"] is None
            connection.execute(
                update(_TABLE).where(_TABLE.c.id == found).values(**values, left_at=None, changed_at=now)
            )
        _remember_addresses(connection, found, contact)
    _insert(connection, added, now=now)
    gone = [
        key for key, row in stored.items() if key not in seen and row["source"] in sources and row["left_at"] is None
    ]
    if gone:
        connection.execute(
            update(_TABLE).where(_TABLE.c.id == bindparam("b_id")).values(left_at=now, changed_at=now),
            [{"b_id": key} for key in gone],
        )
    return SyncResult(added=len(added), changed=changed, unchanged=unchanged, left=len(gone), returned=returned)


def contacts_after(connection: Connection, contact_id: int, limit: int) -> list[Contact]:
    """The next `limit` people on the list with an id above `contact_id`, in order of id: for work in chunks."""
    statement = (
        select(_TABLE).where(_TABLE.c.id > contact_id, _TABLE.c.left_at.is_(None)).order_by(_TABLE.c.id).limit(limit)
    )
    return [_contact(row) for row in rows(connection, statement)]


def all_contacts(connection: Connection, *, chunk: int = 5000) -> Iterator[Contact]:
    """Everybody on the list, in order of id, read in chunks."""
    last = 0
    while found := contacts_after(connection, last, chunk):
        yield from found
        last = found[-1].contact_id


def find_contact(connection: Connection, address: str) -> Contact | None:
    """Whose address this is, or was; None where nobody's. Takes a normalised address."""
    key = schema.contact_address.c
    statement = (
        select(_TABLE)
        .join(schema.contact_address, key.contact_id == _TABLE.c.id)
        .where(key.address_key == addresses.key(address))
    )
    row = connection.execute(statement).mappings().first()
    return _contact(row) if row else None


def count_contacts(connection: Connection) -> int:
    """How many people are on the list."""
    return int(
        connection.execute(select(func.count()).select_from(_TABLE).where(_TABLE.c.left_at.is_(None))).scalar_one()
    )


def _wait_for_other_pulls(connection: Connection) -> None:
    """Two flows may pull at once, and both would add the same newcomer. On SQLite there is one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"LOCK TABLE {_TABLE.name} IN SHARE ROW EXCLUSIVE MODE"))


def _identify(contact: Contact, by_external: dict[str, int], by_address: dict[str, int]) -> int | None:
    if contact.external_id and contact.external_id in by_external:
        return by_external[contact.external_id]
    for address in (contact.address, *contact.aliases):
        if (found := by_address.get(addresses.key(address))) is not None:
            return found
    return None


def _insert(connection: Connection, contacts: Sequence[Contact], *, now: datetime) -> None:
    if not contacts:
        return
    last = connection.execute(select(func.coalesce(func.max(_TABLE.c.id), 0))).scalar_one()
    connection.execute(
        insert(_TABLE), [{**_values(contact), "joined_at": now, "changed_at": now} for contact in contacts]
    )
    fresh = select(_TABLE.c.address_key, _TABLE.c.id).where(_TABLE.c.id > last)
    ids = {row.address_key: row.id for row in connection.execute(fresh)}
    _remember(
        connection,
        [
            {"address_key": addresses.key(address), "contact_id": ids[addresses.key(contact.address)], "current": first}
            for contact in contacts
            for first, address in _with_aliases(contact)
        ],
    )


def _remember_addresses(connection: Connection, contact_id: int, contact: Contact) -> None:
    known = schema.contact_address
    connection.execute(update(known).where(known.c.contact_id == contact_id).values(current=False))
    _remember(
        connection,
        [
            {"address_key": addresses.key(address), "contact_id": contact_id, "current": first}
            for first, address in _with_aliases(contact)
        ],
    )


def _remember(connection: Connection, addresses_: list[dict[str, Any]]) -> None:
    """Keep addresses; one that is known already stays with its person, and is current if it is so now."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(schema.contact_address)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["address_key"],
            set_={"current": statement.excluded.current, "contact_id": statement.excluded.contact_id},
            where=schema.contact_address.c.current.is_(False),
        ),
        addresses_,
    )


def _with_aliases(contact: Contact) -> list[tuple[bool, str]]:
    return [(True, contact.address), *((False, alias) for alias in contact.aliases)]


def _values(contact: Contact) -> dict[str, Any]:
    values: dict[str, Any] = {column: getattr(contact, column) for column in _STORED}
    return values | {
        "address": contact.address,
        "address_key": addresses.key(contact.address),
        "themes": list(contact.themes),
        "topics": list(contact.topics),
    }


def _contact(row: RowMapping) -> Contact:
    return Contact(
        contact_id=row["id"],
        address=row["address"],
        themes=tuple(row["themes"]),
        topics=tuple(row["topics"]),
        **{column: row[column] for column in _STORED},
    )
