"""What a pull would change in the stored list: who came, who changed, who left; and how that looks to a person.

The staged contacts (`store.staging`) are compared with the stored ones after `contact_identity.identify`. Nothing is
written but what is staged: whoever pulls can look at the numbers and leave everything as it is.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Text,
    and_,
    case,
    cast,
    exists,
    func,
    insert,
    not_,
    or_,
    select,
    type_coerce,
    update,
)

from mlgroup_mail import addresses
from mlgroup_mail.store import schema
from mlgroup_mail.store.contacts import STORED_AS_THEY_ARE
from mlgroup_mail.store.staging import change, found, gone, incoming, incoming_opt_out
from mlgroup_mail.store.transactions import count

_TABLE, _KNOWN = schema.contact, schema.contact_address
_FIELDS = ("address", *STORED_AS_THEY_ARE, "themes", "topics")
_LISTS = frozenset({"themes", "topics"})
_EXAMPLES = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncResult:
    """What a pull does to the stored list: numbers of people.

    `outdated` are those whom a list has at an address that they have moved away from (`store.moving`): the stored one
    stays.
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


def compare(connection: Connection, *, sources: frozenset[str]) -> SyncResult:
    """Find out what the staged contacts change, after `identify` and without changing anything."""
    outdated = _keep_addresses(connection)
    _find_changes(connection)
    missing = select(_TABLE.c.id).where(_TABLE.c.source.in_(sources), *_MISSING)
    connection.execute(insert(gone).from_select(["contact_id"], missing))
    people, known = count(connection, incoming), count(connection, found)
    returned = count(connection, change, change.c.returned)
    changed = count(connection, change) - returned
    return SyncResult(
        added=people - known,
        changed=changed,
        unchanged=known - changed - returned,
        left=count(connection, gone),
        returned=returned,
        outdated=outdated,
    )


def find_orphans(connection: Connection, *, sources: frozenset[str], leave: bool) -> int:
    """How many listed people came from a source that is none of `sources`, nor are in them; after `compare`.

    With `leave` they are among those who leave.
    """
    orphans = select(_TABLE.c.id).where(_TABLE.c.source.not_in(sources), *_MISSING)
    if leave:
        connection.execute(insert(gone).from_select(["contact_id"], orphans))
    return count(connection, orphans.subquery())


def opt_outs_told_before(connection: Connection) -> set[int]:
    """Which of the staged opt-outs are no news, by place: the person is stored with that very status."""
    statement = (
        select(incoming_opt_out.c.place)
        .join(incoming, incoming.c.position == incoming_opt_out.c.position)
        .join(found, found.c.position == incoming.c.position)
        .join(_TABLE, _TABLE.c.id == found.c.contact_id)
        .where(_TABLE.c.status == incoming.c.status)
    )
    return set(connection.execute(statement).scalars())


def people_opted_out(connection: Connection) -> dict[int, int]:
    """Whose each of the staged opt-outs is, place -> contact id: the row's person, whoever else has that mailbox.

    After the list was written: newcomers have numbers then.
    """
    statement = select(incoming_opt_out.c.place, found.c.contact_id).join(
        found, found.c.position == incoming_opt_out.c.position
    )
    return {row.place: row.contact_id for row in connection.execute(statement)}


def people_of(connection: Connection, sources: frozenset[str]) -> int:
    """How many people on the stored list came from these sources."""
    return count(connection, _TABLE, _TABLE.c.source.in_(sources), _TABLE.c.left_at.is_(None))


def changed_fields(connection: Connection) -> dict[str, int]:
    """For how many people each field would change, the most frequent first."""
    sums = [func.sum(case((_differs(field), 1), else_=0)).label(field) for field in _FIELDS]
    row = connection.execute(_changing(select(*sums))).one()
    numbers = {field: int(number) for field, number in zip(_FIELDS, row, strict=True) if number}
    return dict(sorted(numbers.items(), key=lambda item: -item[1]))


def examples(connection: Connection) -> list[Example]:
    """Some of those who would leave, then some of those who would change: ten at most, half of each if there are."""
    leaving = select(_TABLE.c.id, _TABLE.c.address).join(gone, gone.c.contact_id == _TABLE.c.id)
    changing = _changing(select(_TABLE.c.id, _TABLE.c.address, *(_differs(field).label(field) for field in _FIELDS)))
    left = [
        Example(contact_id=row.id, address_masked=addresses.mask(row.address))
        for row in connection.execute(leaving.order_by(_TABLE.c.id).limit(_EXAMPLES))
    ]
    changed = [
        Example(
            contact_id=contact_id,
            address_masked=addresses.mask(address),
            fields=tuple(field for field, differs in zip(_FIELDS, different, strict=True) if differs),
        )
        for contact_id, address, *different in connection.execute(changing.order_by(_TABLE.c.id).limit(_EXAMPLES))
    ]
    half = _EXAMPLES // 2
    return [*left[: max(half, _EXAMPLES - len(changed))], *changed[: max(half, _EXAMPLES - len(left))]]


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
        .where(or_(returned, *(_differs(field) for field in _FIELDS)))
    )
    connection.execute(insert(change).from_select(["contact_id", "position", "returned"], different))


_MISSING = (
    _TABLE.c.left_at.is_(None),
    _TABLE.c.origin == schema.FROM_A_LIST,
    not_(exists().where(found.c.contact_id == _TABLE.c.id)),
)
"""Who came by a list, is on the stored one, and is not in the pulled one."""


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
