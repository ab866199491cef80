"""Signals and suppressions. Writers run inside `Store.deciding`, readers for a claim inside `Store.claiming`."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    RowMapping,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
    union_all,
    update,
)

from mlgroup_mail import addresses
from mlgroup_mail.model import ALL_TOPICS, Restriction, Road, Signal, SignalKind, Suppression
from mlgroup_mail.store import schema
from mlgroup_mail.store.lists import among, as_list
from mlgroup_mail.store.provider_lists import ask_removals
from mlgroup_mail.store.transactions import load, next_number, next_numbers, rows

_TABLE = schema.suppression
WAS_ERASED = "erased"
"""What stands where a text about somebody stood who wanted to be forgotten."""
STANDING = _TABLE.c.lifted_number.is_(None)
"""The rules that nobody has lifted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """A signal that is in the ledger now, and was not before."""

    signal_id: int
    number: int
    signal: Signal


def record_signals(connection: Connection, signals: Sequence[Signal], *, now: datetime) -> list[Recorded]:
    """Append signals in their order; those whose very same evidence is recorded already are passed over.

    A few thousand at a time: their fingerprints are asked for in one query.
    """
    table = schema.signal
    news: dict[str, Signal] = {}
    for signal in signals:
        news.setdefault(_fingerprint(signal), signal)
    asked = {"fingerprints": as_list(news)}
    for _, known in connection.execute(_RECORDED, asked):
        del news[known]
    if not news:
        return []
    numbers = dict(zip(news, next_numbers(connection, len(news)), strict=True))
    load(
        connection,
        table,
        (
            (
                fingerprint,
                numbers[fingerprint],
                signal.kind,
                signal.topic,
                signal.road,
                signal.address,
                signal.contact_id,
                signal.reason,
                signal.evidence,
                signal.actor,
                signal.at,
                now,
            )
            for fingerprint, signal in news.items()
        ),
        columns=_OF_A_SIGNAL,
    )
    ids = {fingerprint: signal_id for signal_id, fingerprint in connection.execute(_RECORDED, asked)}
    return [
        Recorded(signal_id=ids[fingerprint], number=numbers[fingerprint], signal=signal)
        for fingerprint, signal in news.items()
    ]


def add_suppressions(connection: Connection, recorded: Sequence[Recorded]) -> None:
    """Write the rules that recorded signals lead to: a hold for what waits for a decision, else a suppression."""
    load(connection, _TABLE, map(_rule, recorded), columns=_OF_A_RULE)


def said_by_provider(connection: Connection, mailboxes: Collection[str]) -> set[tuple[str, str, str, int | None]]:
    """What the provider's word has led to on these address keys, and stands: (kind, topic, address key, contact)."""
    if not mailboxes:
        return set()
    return {(*row,) for row in connection.execute(_SAID, {"mailboxes": as_list(mailboxes)})}


_SAID = select(_TABLE.c.kind, _TABLE.c.topic, _TABLE.c.address_key, _TABLE.c.contact_id).where(
    STANDING, _TABLE.c.road == Road.PROVIDER.value, among(_TABLE.c.address_key, "mailboxes")
)
_RECORDED = select(schema.signal.c.id, schema.signal.c.fingerprint).where(
    among(schema.signal.c.fingerprint, "fingerprints")
)
_OF_A_SIGNAL = (
    *("fingerprint", "number", "kind", "topic", "road", "address", "contact_id"),
    *("reason", "evidence", "actor", "at", "recorded_at"),
)
_OF_A_RULE = (
    *("number", "signal_id", "restriction", "kind", "topic", "address_key", "contact_id"),
    *("reason", "road", "evidence", "at", "lifted_by", "lifted_reason"),
)


def _rule(recorded: Recorded) -> tuple[Any, ...]:
    signal = recorded.signal
    # A bounce speaks of the mailbox, not of the person: a new address is free of it.
    contact_id = None if signal.kind is SignalKind.BOUNCE else signal.contact_id
    return (
        recorded.number,
        recorded.signal_id,
        Restriction.HOLD if signal.kind is SignalKind.REVIEW else Restriction.SUPPRESSION,
        signal.kind,
        signal.topic,
        addresses.key(signal.address),
        contact_id,
        signal.reason,
        signal.road,
        signal.evidence,
        signal.at,
        "",
        "",
    )


def end_rules(
    connection: Connection,
    rules: Sequence[Suppression],
    *,
    contact_id: int | None,
    topic: str = ALL_TOPICS,
    address: str = "",
    by: str,
    reason: str,
    now: datetime,
    road: Road = Road.HAND,
) -> int:
    """End these standing rules by a person's word, which is a signal of its own; returns how many there were."""
    evidence = Signal(
        kind=SignalKind.LIFT,
        topic=topic,
        road=road,
        at=now,
        address=address,
        contact_id=contact_id,
        reason=reason,
        evidence=f"lift {next_number(connection)}",
        actor=by,
    )
    (recorded,) = record_signals(connection, [evidence], now=now)
    result = connection.execute(
        update(_TABLE)
        .where(STANDING, _TABLE.c.id.in_([rule.suppression_id for rule in rules]))
        .values(lifted_number=recorded.number, lifted_at=now, lifted_by=by, lifted_reason=reason)
    )
    ask_removals(connection, rules, mailboxes={addresses.key(address)} if address else (), now=now)
    return int(result.rowcount)


def rules_of(connection: Connection, contact_id: int) -> list[Suppression]:
    """The standing rules that name this person."""
    statement = select(_TABLE).where(STANDING, _TABLE.c.contact_id == contact_id).order_by(_TABLE.c.id)
    return [suppression_from(row) for row in rows(connection, statement)]


def standing_rules(
    connection: Connection, people: Mapping[int, str], *, topic: str
) -> list[tuple[int, Restriction, SignalKind, str]]:
    """The rules that stand against these people on this topic: (contact id, restriction, kind, topic).

    `people` maps contact ids to the addresses they would be written to at. A rule reaches the person it names, and
    whoever would be written to at its address. A rule of before anybody had that address reaches all who have had it
    since; a bounce speaks of the mailbox alone. Somebody who proved to be another contact is reached by what reaches
    that one.
    """
    if not people:
        return []
    holders: dict[str, list[int]] = defaultdict(list)
    for contact_id, address in people.items():
        holders[addresses.key(address)].append(contact_id)
    first, last = min(people), max(people)
    close = len(people) >= MANY and last - first < 2 * len(people)
    asked = {"first": first, "last": last, "people": as_list(people), "mailboxes": as_list(holders), "topic": topic}
    by_id = connection.execute(_REACH_BETWEEN if close else _REACH, asked)
    found = [tuple(row) for row in by_id if row.contact_id in people]
    for mailbox, *rule in connection.execute(_ON_MAILBOXES, asked):
        found += [(contact_id, *rule) for contact_id in holders[mailbox]]
    return [(key, Restriction(restriction), SignalKind(kind), on) for key, restriction, kind, on in found]


def _reaching(among: Callable[[ColumnElement[int]], ColumnElement[bool]]) -> CompoundSelect[Any]:
    """What reaches contacts otherwise than by their present mailbox; `among`: whether a column names one of them."""
    known, contact = schema.contact_address, schema.contact
    by_person = select(_TABLE.c.contact_id, *_OF_WHAT).where(_ON_TOPIC, among(_TABLE.c.contact_id))
    by_successor = (
        select(contact.c.id, *_OF_WHAT)
        .join(contact, contact.c.moved_to == _TABLE.c.contact_id)
        .where(_ON_TOPIC, among(contact.c.id))
    )
    by_history = (
        select(known.c.contact_id, *_OF_WHAT)
        .join(known, known.c.address_key == _TABLE.c.address_key)
        .where(
            _ON_TOPIC,
            among(known.c.contact_id),
            # Not `IS NULL`: SQLite would go through all rules that name nobody, each time.
            func.coalesce(_TABLE.c.contact_id, 0) == 0,
            _TABLE.c.kind != SignalKind.BOUNCE,
        )
    )
    return union_all(by_person, by_successor, by_history)


_ON_TOPIC = and_(STANDING, _TABLE.c.topic.in_([ALL_TOPICS, bindparam("topic")]))
_OF_WHAT = (_TABLE.c.restriction, _TABLE.c.kind, _TABLE.c.topic)
_REACH = _reaching(lambda column: among(column, "people"))
_REACH_BETWEEN = _reaching(lambda column: column.between(bindparam("first"), bindparam("last")))
"""The same for many who lie close together: a list of hundreds costs more to write down than to look up."""
_ON_MAILBOXES = select(_TABLE.c.address_key, *_OF_WHAT).where(_ON_TOPIC, among(_TABLE.c.address_key, "mailboxes"))
MANY = 100
"""So many close together, or more, are asked for as a range."""


def suppressions(
    connection: Connection, *, address: str | None = None, contact_id: int | None = None, standing: bool = True
) -> list[Suppression]:
    """All rules, or those on one person (by any address they have or had), newest last.

    Among all are not those that are left of people who were forgotten: they say nothing that anybody could act upon.
    """
    statement = select(_TABLE).order_by(_TABLE.c.number, _TABLE.c.id)
    if standing:
        statement = statement.where(STANDING)
    statement = statement.where(_OF_SOMEBODY if address is None else _reaches(address, contact_id))
    return [suppression_from(row) for row in rows(connection, statement)]


_OF_SOMEBODY = or_(
    _TABLE.c.address_key != "",
    and_(
        _TABLE.c.evidence != WAS_ERASED,
        ~exists().where(schema.contact.c.id == _TABLE.c.contact_id, schema.contact.c.erased_at.is_not(None)),
    ),
)


def _reaches(address: str, contact_id: int | None) -> ColumnElement[bool]:
    """The rules that `standing_rules` would find for this person at this address."""
    mailbox = _TABLE.c.address_key == addresses.key(address)
    if contact_id is None:
        return mailbox
    known = select(schema.contact_address.c.address_key).where(schema.contact_address.c.contact_id == contact_id)
    before = and_(_TABLE.c.contact_id.is_(None), _TABLE.c.kind != SignalKind.BOUNCE, _TABLE.c.address_key.in_(known))
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


def suppression_from(row: RowMapping) -> Suppression:
    """A whole row as a suppression."""
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
