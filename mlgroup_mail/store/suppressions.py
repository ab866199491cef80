"""Signals and suppressions. Writers run inside `Store.deciding`, readers for a claim inside `Store.claiming`."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, or_, select, union_all, update

from mlgroup_mail import addresses
from mlgroup_mail.model import ALL_TOPICS, Restriction, Road, Signal, SignalKind, Suppression
from mlgroup_mail.store import schema
from mlgroup_mail.store.transactions import insert_returning_id, next_number, rows

_TABLE = schema.suppression
_STANDING = _TABLE.c.lifted_number.is_(None)


def record_signal(connection: Connection, signal: Signal, *, now: datetime) -> tuple[int, int] | None:
    """Append a signal; returns (signal id, number), or None where the very same evidence is recorded already."""
    fingerprint = _fingerprint(signal)
    if connection.execute(select(schema.signal.c.id).where(schema.signal.c.fingerprint == fingerprint)).first():
        return None
    number = next_number(connection)
    signal_id = insert_returning_id(
        connection,
        schema.signal,
        {
            "fingerprint": fingerprint,
            "number": number,
            "kind": signal.kind,
            "topic": signal.topic,
            "road": signal.road,
            "address": signal.address,
            "contact_id": signal.contact_id,
            "reason": signal.reason,
            "evidence": signal.evidence,
            "actor": signal.actor,
            "at": signal.at,
            "recorded_at": now,
        },
    )
    return signal_id, number


def add_suppression(
    connection: Connection, signal: Signal, *, signal_id: int, number: int, restriction: Restriction
) -> int:
    """Write the rule that a recorded signal leads to; returns its id."""
    return insert_returning_id(
        connection,
        _TABLE,
        {
            "number": number,
            "signal_id": signal_id,
            "restriction": restriction,
            "kind": signal.kind,
            "topic": signal.topic,
            "address_key": addresses.key(signal.address) if signal.address else "",
            # A bounce speaks of the mailbox, not of the person: a new address is free of it.
            "contact_id": None if signal.kind is SignalKind.BOUNCE else signal.contact_id,
            "reason": signal.reason,
            "road": signal.road,
            "evidence": signal.evidence,
            "at": signal.at,
        },
    )


def lift(
    connection: Connection,
    *,
    address: str,
    contact_id: int | None,
    topic: str,
    by: str,
    reason: str,
    number: int,
    now: datetime,
) -> int:
    """End every standing rule on this person and topic (`ALL_TOPICS`: on every topic); returns how many."""
    statement = update(_TABLE).where(_STANDING, _reaches(address, contact_id))
    if topic != ALL_TOPICS:
        statement = statement.where(_TABLE.c.topic == topic)
    result = connection.execute(
        statement.values(lifted_number=number, lifted_at=now, lifted_by=by, lifted_reason=reason)
    )
    return int(result.rowcount)


def standing_rules(
    connection: Connection, people: Mapping[int, str], *, topic: str
) -> list[tuple[int, Restriction, SignalKind, str]]:
    """The rules that stand against these people on this topic: (contact id, restriction, kind, topic).

    `people` maps contact ids to the addresses they would be written to at. A rule reaches the person it names, and
    whoever would be written to at its address. A rule of before anybody had that address reaches all who have had it
    since; a bounce speaks of the mailbox alone.
    """
    if not people:
        return []
    holders: dict[str, list[int]] = defaultdict(list)
    for contact_id, address in people.items():
        holders[addresses.key(address)].append(contact_id)
    known = schema.contact_address
    on_topic = and_(_STANDING, _TABLE.c.topic.in_([ALL_TOPICS, topic]))
    columns = (_TABLE.c.restriction, _TABLE.c.kind, _TABLE.c.topic)
    by_person = select(_TABLE.c.contact_id, *columns).where(on_topic, _TABLE.c.contact_id.in_(list(people)))
    by_history = (
        select(known.c.contact_id, *columns)
        .join(known, known.c.address_key == _TABLE.c.address_key)
        .where(
            on_topic,
            known.c.contact_id.in_(list(people)),
            _TABLE.c.contact_id.is_(None),
            _TABLE.c.kind != SignalKind.BOUNCE,
        )
    )
    by_mailbox = select(_TABLE.c.address_key, *columns).where(on_topic, _TABLE.c.address_key.in_(list(holders)))
    found = [tuple(row) for row in connection.execute(union_all(by_person, by_history))]
    for mailbox, *rule in connection.execute(by_mailbox):
        found += [(contact_id, *rule) for contact_id in holders[mailbox]]
    return [(key, Restriction(restriction), SignalKind(kind), on) for key, restriction, kind, on in found]


def suppressions(
    connection: Connection, *, address: str | None = None, contact_id: int | None = None, standing: bool = True
) -> list[Suppression]:
    """All rules, or those on one person (by any address they have or had), newest last."""
    statement = select(_TABLE).order_by(_TABLE.c.number, _TABLE.c.id)
    if standing:
        statement = statement.where(_STANDING)
    if address is not None:
        statement = statement.where(_reaches(address, contact_id))
    return [_suppression(row) for row in rows(connection, statement)]


def _reaches(address: str, contact_id: int | None) -> ColumnElement[bool]:
    """The rules that `standing_rules` would find for this person at this address."""
    mailbox = _TABLE.c.address_key == addresses.key(address)
    if contact_id is None:
        return mailbox
    known = select(schema.contact_address.c.address_key).where(schema.contact_address.c.contact_id == contact_id)
    before = and_(_TABLE.c.contact_id.is_(None), _TABLE.c.address_key.in_(known))
    return or_(mailbox, _TABLE.c.contact_id == contact_id, before)


def file_was_imported(connection: Connection, digest: str) -> bool:
    """Whether a file with this content was imported before, under whatever name."""
    table = schema.imported_file
    return connection.execute(select(table.c.digest).where(table.c.digest == digest)).first() is not None


def remember_file(connection: Connection, *, digest: str, name: str, count: int, now: datetime) -> None:
    """Keep that a file was imported; another process may have read the same one at the same time."""
    if not file_was_imported(connection, digest):
        connection.execute(schema.imported_file.insert().values(digest=digest, name=name, rows=count, at=now))


def _fingerprint(signal: Signal) -> str:
    """What makes two signals the same one: a road may deliver its evidence twice."""
    parts: Sequence[object] = (
        signal.kind,
        signal.topic,
        signal.road,
        addresses.key(signal.address),
        signal.contact_id,
        signal.evidence,
        signal.at.isoformat(),
    )
    return hashlib.sha256("\x1f".join(str(part) for part in parts).encode()).hexdigest()


def _suppression(row: RowMapping) -> Suppression:
    return Suppression(
        suppression_id=row["id"],
        number=row["number"],
        restriction=Restriction(row["restriction"]),
        kind=SignalKind(row["kind"]),
        topic=row["topic"],
        address=row["address_key"],
        contact_id=row["contact_id"],
        reason=row["reason"],
        road=Road(row["road"]),
        evidence=row["evidence"],
        at=row["at"],
        lifted_at=row["lifted_at"],
        lifted_by=row["lifted_by"],
        lifted_reason=row["lifted_reason"],
    )
