"""Signals and suppressions. Writers run inside `Store.deciding`, readers for a claim inside `Store.claiming`."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, RowMapping, and_, or_, select, union_all, update

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
    person = [_TABLE.c.address_key == addresses.key(address)]
    if contact_id is not None:
        known = select(schema.contact_address.c.address_key).where(schema.contact_address.c.contact_id == contact_id)
        person += [_TABLE.c.contact_id == contact_id, _TABLE.c.address_key.in_(known)]
    statement = update(_TABLE).where(_STANDING, or_(*person))
    if topic != ALL_TOPICS:
        statement = statement.where(_TABLE.c.topic == topic)
    result = connection.execute(
        statement.values(lifted_number=number, lifted_at=now, lifted_by=by, lifted_reason=reason)
    )
    return int(result.rowcount)


def standing_rules(
    connection: Connection, contact_ids: Iterable[int], *, topic: str
) -> list[tuple[int, Restriction, SignalKind, str]]:
    """The rules that stand against these people on this topic: (contact id, restriction, kind, topic).

    A rule by address reaches whoever has, or had, that address; a bounce only whoever has it now.
    """
    ids = list(contact_ids)
    if not ids:
        return []
    known = schema.contact_address
    on_topic = and_(_STANDING, _TABLE.c.topic.in_([ALL_TOPICS, topic]))
    columns = (_TABLE.c.restriction, _TABLE.c.kind, _TABLE.c.topic)
    by_person = select(_TABLE.c.contact_id, *columns).where(on_topic, _TABLE.c.contact_id.in_(ids))
    by_address = (
        select(known.c.contact_id, *columns)
        .join(known, known.c.address_key == _TABLE.c.address_key)
        .where(
            on_topic,
            known.c.contact_id.in_(ids),
            or_(_TABLE.c.kind != SignalKind.BOUNCE, known.c.current),
        )
    )
    found = connection.execute(union_all(by_person, by_address)).all()
    return [(key, Restriction(restriction), SignalKind(kind), on) for key, restriction, kind, on in found]


def suppressions(
    connection: Connection, *, address: str | None = None, contact_id: int | None = None, standing: bool = True
) -> list[Suppression]:
    """All rules, or those on one person (by any address they have or had), newest last."""
    statement = select(_TABLE).order_by(_TABLE.c.number, _TABLE.c.id)
    if standing:
        statement = statement.where(_STANDING)
    if address is not None or contact_id is not None:
        person = [_TABLE.c.address_key == addresses.key(address)] if address else []
        if contact_id is not None:
            known = select(schema.contact_address.c.address_key).where(
                schema.contact_address.c.contact_id == contact_id
            )
            person += [_TABLE.c.contact_id == contact_id, _TABLE.c.address_key.in_(known)]
        statement = statement.where(or_(*person))
    return [_suppression(row) for row in rows(connection, statement)]


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
