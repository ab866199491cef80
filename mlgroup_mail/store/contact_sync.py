"""What a pull changes in the stored list: who came, who changed, who left. Runs inside `Store.deciding`.

It decides whom a rule reaches, so no claim may be made meanwhile; and two pulls at once would add a newcomer twice.
The list is staged before (`store.staging`), then compared, and written only then: whoever pulls can look at the
numbers in between and leave everything as it is.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    Index,
    Table,
    Text,
    and_,
    case,
    cast,
    exists,
    func,
    insert,
    literal,
    not_,
    or_,
    select,
    true,
    type_coerce,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from mlgroup_mail import addresses
from mlgroup_mail.model import Contact
from mlgroup_mail.store import schema
from mlgroup_mail.store.column_types import Moment
from mlgroup_mail.store.contact_identity import identify
from mlgroup_mail.store.contacts import STORED_AS_THEY_ARE
from mlgroup_mail.store.staging import (
    change,
    drop_tables,
    found,
    gone,
    incoming,
    incoming_alias,
    incoming_opt_out,
    make_tables,
    stage,
)
from mlgroup_mail.store.transactions import count

_TABLE, _KNOWN = schema.contact, schema.contact_address
_TEXTS = ("address", *STORED_AS_THEY_ARE)
_LISTS = ("themes", "topics")
_EXAMPLES = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncResult:
    """What a pull does to the stored list: numbers of people. `outdated` tells how many a list has at an address
    that they have moved away from (`store.contact_moves`); the stored one stays.
    """

    added: int
    changed: int
    unchanged: int
    left: int
    returned: int
    outdated: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Example:
    """Somebody who would leave the list, or change: the fields that would, none for who leaves."""

    contact_id: int
    address_masked: str
    fields: tuple[str, ...] = ()


def sync_contacts(
    connection: Connection, contacts: Iterable[Contact], *, sources: frozenset[str], now: datetime
) -> SyncResult:
    """Make the stored list match `contacts`, the whole of `sources`; people keep their ids.

    Whoever came from one of `sources` and is no longer in it gets `left_at`; people of other sources are not touched,
    nor those who did not come by a list.
    """
    make_tables(connection)
    stage(connection, contacts)
    identify(connection)
    result = compare(connection, sources=sources)
    write(connection, now=now)
    drop_tables(connection)
    return result


def compare(connection: Connection, *, sources: frozenset[str]) -> SyncResult:
    """Find out what the staged contacts change, after `identify` and without changing anything."""
    outdated = _keep_addresses(connection)
    _find_changes(connection)
    connection.execute(insert(gone).from_select(["contact_id"], select(_TABLE.c.id).where(*_vanished(sources))))
    incoming_ones, known = count(connection, incoming), count(connection, found)
    returned = count(connection, change, change.c.returned)
    changed = count(connection, change) - returned
    return SyncResult(
        added=incoming_ones - known,
        changed=changed,
        unchanged=known - changed - returned,
        left=count(connection, gone),
        returned=returned,
        outdated=outdated,
    )


def opt_outs_told_before(connection: Connection) -> set[int]:
    """Which of the staged opt-outs are no news, by place: the person is stored with that very status."""
    statement = (
        select(incoming_opt_out.c.place)
        .join(incoming, incoming.c.address_key == incoming_opt_out.c.address_key)
        .join(found, found.c.position == incoming.c.position)
        .join(_TABLE, _TABLE.c.id == found.c.contact_id)
        .where(_TABLE.c.status == incoming.c.status)
    )
    return set(connection.execute(statement).scalars())


def people_of(connection: Connection, sources: frozenset[str]) -> int:
    """How many people on the stored list came from these sources."""
    return count(connection, _TABLE, _TABLE.c.source.in_(sources), _TABLE.c.left_at.is_(None))


def changed_fields(connection: Connection) -> dict[str, int]:
    """For how many people each field would change, the most frequent first."""
    fields = (*_TEXTS, *_LISTS)
    sums = [func.sum(case((_differs(field), 1), else_=0)).label(field) for field in fields]
    row = connection.execute(_changing(select(*sums))).one()
    numbers = {field: int(number) for field, number in zip(fields, row, strict=True) if number}
    return dict(sorted(numbers.items(), key=lambda item: -item[1]))


def examples(connection: Connection) -> list[Example]:
    """Some of those who would leave, then some of those who would change: ten at most, half of each if there are."""
    leaving = select(_TABLE.c.id, _TABLE.c.address).join(gone, gone.c.contact_id == _TABLE.c.id)
    fields = (*_TEXTS, *_LISTS)
    changing = _changing(select(_TABLE.c.id, _TABLE.c.address, *(_differs(field).label(field) for field in fields)))
    left = [
        Example(contact_id=row.id, address_masked=addresses.mask(row.address))
        for row in connection.execute(leaving.order_by(_TABLE.c.id).limit(_EXAMPLES))
    ]
    changed = [
        Example(
            contact_id=contact_id,
            address_masked=addresses.mask(address),
            fields=tuple(field for field, differs in zip(fields, different, strict=True) if differs),
        )
        for contact_id, address, *different in connection.execute(changing.order_by(_TABLE.c.id).limit(_EXAMPLES))
    ]
    half = _EXAMPLES // 2
    return [*left[: max(half, _EXAMPLES - len(changed))], *changed[: max(half, _EXAMPLES - len(left))]]


def write(connection: Connection, *, now: datetime) -> None:
    """Write what `compare` has found."""
    _write_changes(connection, now=now)
    _add_newcomers(connection, now=now)
    _add_aliases(connection, now=now)
    connection.execute(
        update(_TABLE).where(_TABLE.c.id.in_(select(gone.c.contact_id))).values(left_at=now, changed_at=now)
    )


def _keep_addresses(connection: Connection) -> int:
    """Whoever has moved away from the address that a list still has keeps the one that they moved to."""
    outdated = (
        select(incoming.c.position, _TABLE.c.address, _TABLE.c.address_key)
        .join(found, found.c.position == incoming.c.position)
        .join(_TABLE, _TABLE.c.id == found.c.contact_id)
        .join(_KNOWN, and_(_KNOWN.c.contact_id == _TABLE.c.id, _KNOWN.c.address_key == incoming.c.address_key))
        .where(_KNOWN.c.moved_away)
        .subquery()
    )
    if not connection.execute(select(_KNOWN.c.contact_id).where(_KNOWN.c.moved_away).limit(1)).first():
        return 0
    result = connection.execute(
        update(incoming)
        .where(incoming.c.position == outdated.c.position)
        .values(address=outdated.c.address, address_key=outdated.c.address_key)
    )
    return int(result.rowcount)


def _find_changes(connection: Connection) -> None:
    returned = _TABLE.c.left_at.is_not(None)
    different = (
        select(found.c.contact_id, found.c.position, returned)
        .join(incoming, incoming.c.position == found.c.position)
        .join(_TABLE, _TABLE.c.id == found.c.contact_id)
        .where(or_(returned, *(_differs(field) for field in (*_TEXTS, *_LISTS))))
    )
    connection.execute(insert(change).from_select(["contact_id", "position", "returned"], different))


def _vanished(sources: frozenset[str]) -> tuple[ColumnElement[bool], ...]:
    return (
        _TABLE.c.source.in_(sources),
        _TABLE.c.left_at.is_(None),
        _TABLE.c.origin == schema.FROM_A_LIST,
        not_(exists().where(found.c.contact_id == _TABLE.c.id)),
    )


def _differs(field: str) -> ColumnElement[bool]:
    stored = cast(_TABLE.c[field], Text) if field in _LISTS else _TABLE.c[field]
    return type_coerce(stored, Text) != incoming.c[field]


def _changing(columns: Any) -> Any:
    return (
        columns.select_from(change)
        .join(incoming, incoming.c.position == change.c.position)
        .join(_TABLE, _TABLE.c.id == change.c.contact_id)
        .where(not_(change.c.returned))
    )


def _values(connection: Connection) -> dict[str, ColumnElement[Any]]:
    """The columns of a contact as the staged ones have them."""
    values: dict[str, ColumnElement[Any]] = {name: incoming.c[name] for name in ("address_key", *_TEXTS)}
    # SQLite keeps JSON as text, and a cast would make a number of it.
    as_json = cast if connection.dialect.name == "postgresql" else type_coerce
    return values | {name: as_json(incoming.c[name], JSON) for name in _LISTS}


def _write_changes(connection: Connection, *, now: datetime) -> None:
    connection.execute(
        update(_TABLE)
        .where(_TABLE.c.id == change.c.contact_id, incoming.c.position == change.c.position)
        .values(**_values(connection), left_at=None, changed_at=now)
    )
    connection.execute(
        update(_KNOWN)
        .where(
            _KNOWN.c.contact_id == change.c.contact_id,
            incoming.c.position == change.c.position,
            _KNOWN.c.address_key != incoming.c.address_key,
            _KNOWN.c.current,
        )
        .values(current=False)
    )
    has_it = exists().where(
        _KNOWN.c.address_key == incoming.c.address_key, _KNOWN.c.contact_id == change.c.contact_id, _KNOWN.c.current
    )
    new_address = (
        _address(change.c.contact_id, incoming.c.address_key, current=True, now=now)
        .select_from(change)
        .join(incoming, incoming.c.position == change.c.position)
        .where(not_(has_it))
    )
    _remember(connection, new_address, now=now)


def _add_newcomers(connection: Connection, *, now: datetime) -> None:
    """In the order of the list, so that their ids are."""
    fresh = (
        select(incoming.c.position)
        .where(not_(exists().where(found.c.position == incoming.c.position)))
        .order_by(incoming.c.position)
        .subquery()
    )
    number: ColumnElement[int] = func.nextval(func.pg_get_serial_sequence("contact", "id"))
    if connection.dialect.name == "sqlite":
        highest = connection.execute(select(func.coalesce(func.max(_TABLE.c.id), 0))).scalar_one()
        number = literal(highest) + func.row_number().over(order_by=fresh.c.position)
    connection.execute(
        insert(found).from_select(["position", "contact_id", "fresh"], select(fresh.c.position, number, true()))
    )
    values = _values(connection) | {"joined_at": _at(now), "changed_at": _at(now)}
    newcomers = (
        select(found.c.contact_id, *values.values())
        .join(incoming, incoming.c.position == found.c.position)
        .where(found.c.fresh)
        .order_by(found.c.position)
    )
    with _index_made_afterwards(connection, _TABLE, schema.id_index):
        connection.execute(insert(_TABLE).from_select(["id", *values], newcomers, include_defaults=False))
    mailboxes = (
        _address(found.c.contact_id, incoming.c.address_key, current=True, now=now)
        .select_from(found)
        .join(incoming, incoming.c.position == found.c.position)
        .where(found.c.fresh)
        .order_by(found.c.position)
    )
    with _index_made_afterwards(connection, _KNOWN, schema.mailbox_index):
        connection.execute(insert(_KNOWN).from_select(_ADDRESS, mailboxes))


def _add_aliases(connection: Connection, *, now: datetime) -> None:
    known = exists().where(
        _KNOWN.c.address_key == incoming_alias.c.address_key, _KNOWN.c.contact_id == found.c.contact_id
    )
    aliases = (
        _address(found.c.contact_id, incoming_alias.c.address_key, current=False, now=now)
        .select_from(incoming_alias)
        .join(found, found.c.position == incoming_alias.c.position)
        .where(not_(known))
    )
    connection.execute(insert(_KNOWN).from_select(_ADDRESS, aliases))


_ADDRESS = ("contact_id", "address_key", "current", "since", "moved_away")


def _address(contact_id: Any, key: Any, *, current: bool, now: datetime) -> Any:
    return select(contact_id, key, literal(current), _at(now), literal(False))


@contextmanager
def _index_made_afterwards(connection: Connection, table: Table, index: Index) -> Iterator[None]:
    """SQLite sorts a whole index faster than it inserts into one: 0.6 s instead of 3 for a million (measured)."""
    empty = connection.execute(select(table).limit(1)).first() is None
    on_sqlite = connection.dialect.name == "sqlite"
    if empty and on_sqlite:
        index.drop(connection)
    yield
    if empty and on_sqlite:
        index.create(connection)


def _remember(connection: Connection, addresses_of: Any, *, now: datetime) -> None:
    """Keep current addresses, of which some may be known from before."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(_KNOWN).from_select(_ADDRESS, addresses_of)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["contact_id", "address_key"], set_={"current": True, "since": now, "moved_away": False}
        )
    )


def _at(moment: datetime) -> ColumnElement[datetime]:
    return literal(moment, Moment)
