"""What a pull changes in the stored list: who is who, who came, who left. Runs inside `Store.deciding`.

It decides whom a rule reaches, so no claim may be made meanwhile; and two pulls at once would add a newcomer twice.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from mlgroup_mail import addresses
from mlgroup_mail.model import Contact
from mlgroup_mail.store import schema
from mlgroup_mail.store.contacts import STORED_AS_THEY_ARE
from mlgroup_mail.store.transactions import rows

_TABLE, _KNOWN = schema.contact, schema.contact_address


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

    Whoever came from one of `sources` and is no longer in it gets `left_at`; people of other sources are not touched.
    """
    stored = {row["id"]: row for row in rows(connection, select(_TABLE))}
    history = _history(connection)
    found = _identify(contacts, stored, history)
    changed = unchanged = returned = 0
    for index, contact_id in found.items():
        contact, row = contacts[index], stored[contact_id]
        values = _values(contact)
        if row["left_at"] is None and all(row[column] == value for column, value in values.items()):
            unchanged += 1
            if all(contact_id in history[addresses.key(alias)] for alias in contact.aliases):
                continue
        else:
            returned += row["left_at"] is not None
            changed += row["left_at"] is None
            connection.execute(
                update(_TABLE).where(_TABLE.c.id == contact_id).values(**values, left_at=None, changed_at=now)
            )
        connection.execute(update(_KNOWN).where(_KNOWN.c.contact_id == contact_id).values(current=False))
        _remember(connection, [(contact_id, contact)])
    added = [contact for index, contact in enumerate(contacts) if index not in found]
    _insert(connection, added, now=now)
    gone = stored.keys() - set(found.values())
    left = [key for key in gone if stored[key]["source"] in sources and stored[key]["left_at"] is None]
    if left:
        connection.execute(
            update(_TABLE).where(_TABLE.c.id == bindparam("b_id")).values(left_at=now, changed_at=now),
            [{"b_id": key} for key in left],
        )
    return SyncResult(added=len(added), changed=changed, unchanged=unchanged, left=len(left), returned=returned)


def _identify(
    contacts: Sequence[Contact], stored: dict[int, RowMapping], history: dict[str, list[int]]
) -> dict[int, int]:
    """Who of the stored people each contact is: index -> id; whoever is missing is new.

    By the source's own id first, for everybody, then by the address they have, then by any they had: a mailbox that
    went to a successor must not take its former holder's place, opt-outs and all. Two different ids of a source are
    two people, whatever address they share.
    """
    by_external = {row["external_id"]: key for key, row in stored.items() if row["external_id"]}
    by_current = defaultdict(list)
    for key, row in stored.items():
        by_current[row["address_key"]].append(key)

    def candidates_by_id(contact: Contact) -> Iterable[int]:
        return [by_external[contact.external_id]] if contact.external_id in by_external else []

    def candidates_by_address(contact: Contact) -> Iterable[int]:
        return by_current[addresses.key(contact.address)]

    def candidates_by_history(contact: Contact) -> Iterable[int]:
        return [key for each in (contact.address, *contact.aliases) for key in history[addresses.key(each)]]

    ways: tuple[Callable[[Contact], Iterable[int]], ...]
    ways = (candidates_by_id, candidates_by_address, candidates_by_history)
    found: dict[int, int] = {}
    taken: set[int] = set()
    for candidates in ways:
        for index, contact in enumerate(contacts):
            if index in found:
                continue
            for key in candidates(contact):
                own = stored[key]["external_id"]
                if key not in taken and (not contact.external_id or own in ("", contact.external_id)):
                    found[index] = key
                    taken.add(key)
                    break
    return dict(sorted(found.items()))


def _history(connection: Connection) -> dict[str, list[int]]:
    """Whose each address is or was."""
    history: dict[str, list[int]] = defaultdict(list)
    for row in connection.execute(select(_KNOWN.c.address_key, _KNOWN.c.contact_id)):
        history[row.address_key].append(row.contact_id)
    return history


def _insert(connection: Connection, contacts: Sequence[Contact], *, now: datetime) -> None:
    if contacts:
        ids = connection.execute(
            insert(_TABLE).returning(_TABLE.c.id, sort_by_parameter_order=True),
            [{**_values(contact), "joined_at": now, "changed_at": now} for contact in contacts],
        ).scalars()
        _remember(connection, list(zip(ids, contacts, strict=True)))


def _remember(connection: Connection, people: Sequence[tuple[int, Contact]]) -> None:
    """Keep the addresses of people: the current one and the others."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(_KNOWN)
    values = [
        {"address_key": addresses.key(address), "contact_id": contact_id, "current": address == contact.address}
        for contact_id, contact in people
        for address in dict.fromkeys((contact.address, *contact.aliases))
    ]
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["address_key", "contact_id"], set_={"current": statement.excluded.current}
        ),
        values,
    )


def _values(contact: Contact) -> dict[str, Any]:
    values: dict[str, Any] = {column: getattr(contact, column) for column in STORED_AS_THEY_ARE}
    return values | {
        "address": contact.address,
        "address_key": addresses.key(contact.address),
        "themes": list(contact.themes),
        "topics": list(contact.topics),
    }
