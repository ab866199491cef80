"""Who of the stored people each contact of a pulled list is.

By the source's own id first, for everybody, then by the address they have, then by any they had: a mailbox that went
to a successor must not take its former holder's place, opt-outs and all. Two different ids of a source are two
people, whatever address they share, unless the name is the same too. An id does not count where name and address say
that it was given to somebody else: many lists number their rows, and number them anew when one is taken out. Where
several stored people could be meant, those on the list come before those who left, and whoever stands earlier in the
pulled list chooses first.
"""

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    exists,
    func,
    literal,
    literal_column,
    not_,
    or_,
    select,
    text,
    union_all,
)

from mlgroup_mail.store import schema
from mlgroup_mail.store.staging import CHUNK, analyse, found, incoming, incoming_alias
from mlgroup_mail.store.transactions import load

_TABLE, _KNOWN = schema.contact, schema.contact_address


def identify(connection: Connection) -> None:
    """Fill `found` from the staged contacts; whoever is missing from it is new."""
    analyse(connection, _TABLE, _KNOWN, incoming, incoming_alias)
    highest = connection.execute(select(func.max(_TABLE.c.id))).scalar() or 0
    taken = bytearray(highest + 1)
    if connection.execute(select(_TABLE.c.id).where(_TABLE.c.external_id != literal_column("''")).limit(1)).first():
        # For this way only: with it SQLite would go through everybody's history in the next one, for six seconds.
        connection.execute(text("CREATE INDEX incoming_mailbox ON incoming (address_key)"))
        _take(connection, _by_id(), taken)
        connection.execute(text("DROP INDEX incoming_mailbox"))
    for way in (_by_address, _by_history):
        analyse(connection, found)
        _take(connection, way(), taken)
    analyse(connection, found)


def _take(connection: Connection, candidates: Select[tuple[int, int]], taken: bytearray) -> None:
    """Give each position the first of its candidates whom nobody before has taken; they come in order."""
    served, matches = -1, []
    for position, contact_id in connection.execute(candidates.execution_options(yield_per=CHUNK)):
        if position != served and not taken[contact_id]:
            served, taken[contact_id] = position, True
            matches.append((position, contact_id, False))
            if len(matches) == CHUNK:
                load(connection, found, matches)
                matches.clear()
    load(connection, found, matches)


def _by_id() -> Select[tuple[int, int]]:
    """Whoever has the source's own id and has not plainly become another; should it have been given twice, the one with
    the same address first.
    """
    return (
        _candidates()
        .join(_TABLE, _TABLE.c.external_id == incoming.c.external_id)
        .where(_TABLE.c.external_id != literal_column("''"), _OPEN, not_(_given_to_another()))
        .order_by(incoming.c.position, _TABLE.c.address_key != incoming.c.address_key, *_LISTED_FIRST)
    )


def _by_address() -> Select[tuple[int, int]]:
    return (
        _candidates()
        .join(_KNOWN, and_(_KNOWN.c.address_key == incoming.c.address_key, _KNOWN.c.current))
        .join(_TABLE, _TABLE.c.id == _KNOWN.c.contact_id)
        .where(_OPEN, or_(_COMPATIBLE, _SAME_NAME), _STILL_UNKNOWN)
        .order_by(incoming.c.position, *_LISTED_FIRST)
    )


def _by_history() -> Select[tuple[int, int]]:
    """Whoever has or had one of the addresses; where they have moved away from it, only by the same name.

    A row that nobody has brought up to date after a move still means them; another name is a successor's.
    """
    own = select(incoming.c.position, literal(0).label("place"), incoming.c.address_key).where(_STILL_UNKNOWN)
    others = select(incoming_alias.c.position, incoming_alias.c.place, incoming_alias.c.address_key)
    mailbox = union_all(own, others).subquery()
    return (
        _candidates()
        .join(mailbox, mailbox.c.position == incoming.c.position)
        .join(_KNOWN, _KNOWN.c.address_key == mailbox.c.address_key)
        .join(_TABLE, _TABLE.c.id == _KNOWN.c.contact_id)
        .where(_OPEN, _COMPATIBLE, _STILL_UNKNOWN)
        .where(or_(not_(_KNOWN.c.moved_away), _TABLE.c.name == incoming.c.name))
        .order_by(incoming.c.position, mailbox.c.place, *_LISTED_FIRST)
    )


def _given_to_another() -> ColumnElement[bool]:
    """Name and address are others, and one of the two addresses is somebody else's: the list was numbered anew."""
    elsewhere, other = incoming.alias(), _KNOWN.alias()
    return and_(
        _TABLE.c.address_key != incoming.c.address_key,
        _OTHER_NAME,
        or_(
            exists().where(elsewhere.c.address_key == _TABLE.c.address_key),
            exists().where(
                other.c.address_key == incoming.c.address_key, other.c.current, other.c.contact_id != _TABLE.c.id
            ),
        ),
    )


def _candidates() -> Select[tuple[int, int]]:
    return select(incoming.c.position, _TABLE.c.id).select_from(incoming)


_SAME_NAME = and_(_TABLE.c.name == incoming.c.name, incoming.c.name != literal_column("''"))
_OTHER_NAME = and_(
    _TABLE.c.name != incoming.c.name, _TABLE.c.name != literal_column("''"), incoming.c.name != literal_column("''")
)
_OPEN = and_(_TABLE.c.moved_to.is_(None), _TABLE.c.erased_at.is_(None))
_LISTED_FIRST = (_TABLE.c.left_at.is_not(None), _TABLE.c.id)
_STILL_UNKNOWN: ColumnElement[bool] = not_(exists().where(found.c.position == incoming.c.position))

_COMPATIBLE = or_(
    incoming.c.external_id == "",
    _TABLE.c.external_id.in_(["", incoming.c.external_id]),
    func.substr(_TABLE.c.external_id, 1, func.length(incoming.c.id_scope)) != incoming.c.id_scope,
)
"""Ids that differ are two people's where one source gave both."""
