"""Forgetting a person and keeping the promise: their rows stay as numbers, emptied, and no list brings them back.

Deliveries, attempts and rules are still counted and checked (`verify`), and nothing in them says whose they were. What
lies outside the database (messages in the outbox, mailboxes, backups) is not reached from here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Text, cast, delete, insert, literal, or_, select, text, update

from mlgroup_mail import addresses
from mlgroup_mail.errors import UsageError
from mlgroup_mail.model import ALL_TOPICS, DeliveryState, DeliveryStep, ExclusionReason, Road, Signal, SignalKind
from mlgroup_mail.store import schema
from mlgroup_mail.store.contact_lookup import find_person, numbers_of, read_address
from mlgroup_mail.store.contacts import STORED_AS_THEY_ARE
from mlgroup_mail.store.mailings import write_journal
from mlgroup_mail.store.suppressions import add_suppressions, record_signals
from mlgroup_mail.store.transactions import chunked, rows
from mlgroup_mail.store.transitions import move_deliveries

_TABLE, _KNOWN, _DELIVERY = schema.contact, schema.contact_address, schema.delivery
_SIGNAL, _RULE, _COURTESY, _JOURNAL = schema.signal, schema.suppression, schema.courtesy, schema.journal

_AT_ONCE = 1000
WAS_ERASED = "erased"


@dataclass(frozen=True, kw_only=True, slots=True)
class Forgotten:
    """What was forgotten: whose number it was (None: nobody's on the list), and how much of each.

    `shared` addresses are somebody else's too: they stay with them, and are not remembered as erased. `log_busy` tells
    that SQLite's log still has what was overwritten, because somebody reads from it.
    """

    contact_id: int | None
    addresses: int
    shared: int
    deliveries: int
    taken_back: int
    log_busy: bool = False


def erased_macs(connection: Connection) -> frozenset[str]:
    """What is left of erased people's addresses: see `consent.erasing`."""
    return frozenset(connection.execute(select(schema.erased.c.mac)).scalars())


def overwrite_freed_pages(connection: Connection) -> None:
    """SQLite leaves what it deletes in its file until it needs the space, unless it is told to write zeros."""
    if connection.dialect.name == "sqlite":
        connection.execute(text("PRAGMA secure_delete=ON"))


def forget(
    connection: Connection, who: str, *, mac: Callable[[str], str], mark: str, by: str, reason: str, now: datetime
) -> Forgotten:
    """Empty every row of the person with this address or number, and stop all mail to what is left. Inside `deciding`.

    `mac` gives what is remembered of an address, `mark` is what is remembered of its key.

    Raises UsageError where nothing is known of them.
    """
    person = find_person(connection, who)
    ids = numbers_of(connection, person["id"]) if person else []
    mailboxes = _mailboxes(connection, ids)
    if person is None:
        mailboxes = {addresses.key(read_address(who))} if not who.isdigit() else set()
    shared = _of_others(connection, mailboxes, ids)
    own = mailboxes - shared
    traces = _blank_signals(connection, ids, own) + _blank_rules(connection, own) + _blank_courtesies(connection, own)
    if person is None and not traces:
        raise UsageError("nobody has or had this address, and nothing is known of it", mend="Is it spelled right?")
    taken_back, deliveries = _blank_deliveries(connection, ids, now=now)
    _blank_journal(connection, ids)
    _blank_contacts(connection, ids, now=now)
    _remember(connection, [mark, *map(mac, own)], now=now)
    for contact_id in ids:
        _stop_all_mail(connection, contact_id, by=by, now=now)
    write_journal(
        connection, None, "erase", reason=reason, actor=by, now=now, contact_id=person["id"] if person else None
    )
    return Forgotten(
        contact_id=person["id"] if person else None,
        addresses=len(own),
        shared=len(shared),
        deliveries=deliveries,
        taken_back=taken_back,
    )


def _mailboxes(connection: Connection, ids: Sequence[int]) -> set[str]:
    known = connection.execute(select(_KNOWN.c.address_key).where(_KNOWN.c.contact_id.in_(ids))).scalars()
    present = connection.execute(select(_TABLE.c.address_key).where(_TABLE.c.id.in_(ids))).scalars()
    return {*known, *present} - {""}


def _of_others(connection: Connection, mailboxes: set[str], ids: Sequence[int]) -> set[str]:
    """A mailbox that passed on is its present holder's; one that this person only had, anybody's who has or had it."""
    present = select(_KNOWN.c.address_key).where(_KNOWN.c.contact_id.in_(ids), _KNOWN.c.current)
    statement = (
        select(_KNOWN.c.address_key)
        .join(_TABLE, _TABLE.c.id == _KNOWN.c.contact_id)
        .where(
            _KNOWN.c.address_key.in_(mailboxes),
            _KNOWN.c.contact_id.not_in(ids),
            or_(_KNOWN.c.current, _KNOWN.c.address_key.not_in(present)),
            _TABLE.c.left_at.is_(None),
        )
    )
    return set(connection.execute(statement).scalars())


def _blank_contacts(connection: Connection, ids: Sequence[int], *, now: datetime) -> None:
    connection.execute(delete(_KNOWN).where(_KNOWN.c.contact_id.in_(ids)))
    empty: dict[str, Any] = dict.fromkeys(("address", "address_key", *STORED_AS_THEY_ARE), "")
    connection.execute(
        update(_TABLE)
        .where(_TABLE.c.id.in_(ids))
        .values(**empty, themes=[], topics=[], left_at=now, changed_at=now, erased_at=now)
    )


def _blank_deliveries(connection: Connection, ids: Sequence[int], *, now: datetime) -> tuple[int, int]:
    """Take back what has not gone; returns how many that were, and how many rows there are."""
    theirs = _DELIVERY.c.contact_id.in_(ids)
    to_go = connection.execute(
        select(_DELIVERY.c.id).where(theirs, _DELIVERY.c.state.in_([each for each in DeliveryState if each.claimable]))
    ).scalars()
    moves = [{"id": key, "reason": ExclusionReason.OPTED_OUT} for key in to_go]
    taken_back = move_deliveries(connection, DeliveryStep.EXCLUDE, moves, now=now, also=("reason",))
    blanked = connection.execute(
        update(_DELIVERY)
        .where(theirs)
        .values(address="", address_key=literal(f"{WAS_ERASED}:") + cast(_DELIVERY.c.id, Text), domain="", fields={})
    )
    return taken_back, int(blanked.rowcount)


def _blank_journal(connection: Connection, ids: Sequence[int]) -> None:
    """Why somebody moved or resolved a delivery of theirs: people write names and addresses there."""
    deliveries = select(_DELIVERY.c.id).where(_DELIVERY.c.contact_id.in_(ids))
    theirs = or_(_JOURNAL.c.contact_id.in_(ids), _JOURNAL.c.delivery_id.in_(deliveries))
    # A reason stays one: what a person decided must never look as if nobody had given any.
    connection.execute(update(_JOURNAL).where(theirs, _JOURNAL.c.reason != "").values(reason=WAS_ERASED))


def _blank_signals(connection: Connection, ids: Sequence[int], own: set[str]) -> int:
    """Their evidence, and the hash of it, from which an address could be guessed."""
    theirs = [
        row.id
        for row in connection.execute(
            select(_SIGNAL.c.id, _SIGNAL.c.address, _SIGNAL.c.contact_id).execution_options(yield_per=_AT_ONCE)
        )
        if row.contact_id in ids or (row.contact_id is None and addresses.key(row.address) in own)
    ]
    for some in chunked(theirs, _AT_ONCE):
        connection.execute(
            update(_SIGNAL)
            .where(_SIGNAL.c.id.in_(some))
            .values(
                address="",
                reason="",
                evidence=WAS_ERASED,
                fingerprint=literal(f"{WAS_ERASED}:") + cast(_SIGNAL.c.id, Text),
            )
        )
        connection.execute(update(_RULE).where(_RULE.c.signal_id.in_(some)).values(reason="", evidence=WAS_ERASED))
        connection.execute(
            update(_RULE)
            .where(_RULE.c.signal_id.in_(some), _RULE.c.lifted_number.is_not(None))
            .values(lifted_reason=WAS_ERASED)
        )
    return len(theirs)


def _blank_rules(connection: Connection, own: set[str]) -> int:
    """A rule on a mailbox that is somebody else's by now stays: that mailbox said no."""
    result = connection.execute(update(_RULE).where(_RULE.c.address_key.in_(own)).values(address_key=""))
    return int(result.rowcount)


def _blank_courtesies(connection: Connection, own: set[str]) -> int:
    found = rows(connection, select(_COURTESY.c.id, _COURTESY.c.address).where(_COURTESY.c.address != ""))
    theirs = [row["id"] for row in found if addresses.key(row["address"]) in own]
    for some in chunked(theirs, _AT_ONCE):
        connection.execute(update(_COURTESY).where(_COURTESY.c.id.in_(some)).values(address=""))
    return len(theirs)


def _remember(connection: Connection, macs: Sequence[str], *, now: datetime) -> None:
    new = set(macs) - erased_macs(connection)
    if new:
        connection.execute(insert(schema.erased), [{"mac": each, "at": now} for each in sorted(new)])


def _stop_all_mail(connection: Connection, contact_id: int, *, by: str, now: datetime) -> None:
    """Whatever becomes of a row that still names them, nothing goes out."""
    signal = Signal(
        kind=SignalKind.OPT_OUT,
        topic=ALL_TOPICS,
        road=Road.HAND,
        at=now,
        contact_id=contact_id,
        reason="wants to be forgotten",
        evidence=f"{WAS_ERASED} contact {contact_id}",
        actor=by,
    )
    add_suppressions(connection, record_signals(connection, [signal], now=now))
