"""Forgetting a person and keeping the promise: their rows stay as numbers, emptied, and no list brings them back.

Deliveries, attempts and rules are still counted and checked (`verify`), and nothing in them says whose they were. What
lies outside the database is `delivery.forgetting`'s, as far as it can be reached at all.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Text, cast, delete, insert, literal, select, text, update

from mlgroup_mail.errors import UsageError
from mlgroup_mail.model import ALL_TOPICS, DeliveryState, DeliveryStep, ExclusionReason, Road, Signal, SignalKind
from mlgroup_mail.store import schema
from mlgroup_mail.store.belongings import Belongings, belongings, courtesies_of, other_rows, signals_of
from mlgroup_mail.store.contacts import STORED_AS_THEY_ARE
from mlgroup_mail.store.mailings import write_journal
from mlgroup_mail.store.suppressions import WAS_ERASED, add_suppressions, record_signals
from mlgroup_mail.store.transactions import chunked
from mlgroup_mail.store.transitions import move_deliveries

_TABLE, _KNOWN, _DELIVERY = schema.contact, schema.contact_address, schema.delivery
_SIGNAL, _RULE, _COURTESY, _JOURNAL = schema.signal, schema.suppression, schema.courtesy, schema.journal

_ATTEMPT, _EVENT = schema.attempt, schema.delivery_event

_AT_ONCE = 1000
EXPIRED = "expired"
"""The reason of a delivery that was put off for too long: `verify` goes by it."""


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


def erased_at(connection: Connection, mac: str) -> datetime | None:
    """When an address was forgotten, by what is left of it; None where it was not."""
    return connection.execute(select(schema.erased.c.at).where(schema.erased.c.mac == mac)).scalar_one_or_none()


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
    theirs = belongings(connection, who)
    traces = (
        _blank_signals(connection, signals_of(connection, theirs))
        + _blank_rules(connection, theirs.own)
        + _blank_courtesies(connection, courtesies_of(connection, theirs))
        + _delete_others(connection, theirs)
    )
    if theirs.contact_id is None and not traces:
        raise UsageError("nobody has or had this address, and nothing is known of it", mend="Is it spelled right?")
    taken_back, deliveries = _blank_deliveries(connection, theirs, now=now)
    _blank_journal(connection, theirs)
    empty_contacts(connection, theirs.numbers, now=now)
    _remember(connection, [mark, *map(mac, theirs.own)], now=now)
    stop_all_mail(connection, theirs.numbers, reason="wants to be forgotten", by=by, now=now)
    write_journal(connection, None, "erase", reason=reason, actor=by, now=now, contact_id=theirs.contact_id)
    return Forgotten(
        contact_id=theirs.contact_id,
        addresses=len(theirs.own),
        shared=len(theirs.shared),
        deliveries=deliveries,
        taken_back=taken_back,
    )


def empty_contacts(connection: Connection, ids: Sequence[int], *, now: datetime) -> None:
    """Leave of these rows nothing but their numbers. What stops mail to them is the caller's: `stop_all_mail`."""
    connection.execute(delete(_KNOWN).where(_KNOWN.c.contact_id.in_(ids)))
    empty: dict[str, Any] = dict.fromkeys(("address", "address_key", *STORED_AS_THEY_ARE), "")
    connection.execute(
        update(_TABLE)
        .where(_TABLE.c.id.in_(ids))
        .values(**empty, themes=[], topics=[], left_at=now, changed_at=now, erased_at=now)
    )


def _blank_deliveries(connection: Connection, theirs: Belongings, *, now: datetime) -> tuple[int, int]:
    """Take back what has not gone; returns how many that were, and how many rows there are."""
    to_go = connection.execute(
        select(_DELIVERY.c.id).where(
            theirs.deliveries, _DELIVERY.c.state.in_([each for each in DeliveryState if each.claimable])
        )
    ).scalars()
    moves = [{"id": key, "reason": ExclusionReason.OPTED_OUT} for key in to_go]
    taken_back = move_deliveries(connection, DeliveryStep.EXCLUDE, moves, now=now, also=("reason",))
    ids = list(connection.execute(select(_DELIVERY.c.id).where(theirs.deliveries)).scalars())
    for some in chunked(ids, _AT_ONCE):
        _blank_what_was_told(connection, some)
        blank_addresses(connection, some)
    return taken_back, len(ids)


def blank_addresses(connection: Connection, ids: Sequence[int]) -> None:
    """Leave of these deliveries whose number they are, and what became of them."""
    connection.execute(
        update(_DELIVERY)
        .where(_DELIVERY.c.id.in_(ids))
        .values(address="", address_key=literal(f"{WAS_ERASED}:") + cast(_DELIVERY.c.id, Text), domain="", fields={})
    )


def _blank_what_was_told(connection: Connection, ids: Sequence[int]) -> None:
    """What servers and the provider said of them, and what the provider calls them: it may name them after all."""
    connection.execute(
        update(_DELIVERY)
        .where(_DELIVERY.c.id.in_(ids), _DELIVERY.c.state.in_(_TOLD), _DELIVERY.c.reason.not_in(["", EXPIRED]))
        .values(reason=WAS_ERASED)
    )
    connection.execute(
        update(_ATTEMPT).where(_ATTEMPT.c.delivery_id.in_(ids), _ATTEMPT.c.detail != "").values(detail=WAS_ERASED)
    )
    # The events' fingerprints stay: the same ones told again would bring back what they said.
    connection.execute(
        update(_EVENT).where(_EVENT.c.delivery_id.in_(ids), _EVENT.c.detail != "").values(detail=WAS_ERASED)
    )
    connection.execute(delete(schema.provider_alias).where(schema.provider_alias.c.delivery_id.in_(ids)))


_TOLD = (DeliveryState.ACCEPTED, DeliveryState.REFUSED, DeliveryState.UNCERTAIN, DeliveryState.ATTEMPTING)
"""The states whose reason is somebody's answer; those of the others are words of ours."""


def _blank_journal(connection: Connection, theirs: Belongings) -> None:
    """Why somebody moved or resolved a delivery of theirs: people write names and addresses there."""
    # A reason stays one: what a person decided must never look as if nobody had given any.
    connection.execute(update(_JOURNAL).where(theirs.journal, _JOURNAL.c.reason != "").values(reason=WAS_ERASED))


def _blank_signals(connection: Connection, ids: Sequence[int]) -> int:
    """Their evidence, and the hash of it, from which an address could be guessed; returns how many there are."""
    for some in chunked(ids, _AT_ONCE):
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
    return len(ids)


def _blank_rules(connection: Connection, own: Collection[str]) -> int:
    """A rule on a mailbox that is somebody else's by now stays: that mailbox said no."""
    result = connection.execute(update(_RULE).where(_RULE.c.address_key.in_(own)).values(address_key=""))
    return int(result.rowcount)


def _blank_courtesies(connection: Connection, ids: Sequence[int]) -> int:
    for some in chunked(ids, _AT_ONCE):
        connection.execute(update(_COURTESY).where(_COURTESY.c.id.in_(some)).values(address="", detail=""))
    return len(ids)


def _delete_others(connection: Connection, theirs: Belongings) -> int:
    """What further tables have of them (their choices, what the provider's lists say): nothing else needs it."""
    return sum(
        int(connection.execute(delete(table).where(condition)).rowcount) for table, condition in other_rows(theirs)
    )


def _remember(connection: Connection, macs: Sequence[str], *, now: datetime) -> None:
    new = set(macs) - erased_macs(connection)
    if new:
        connection.execute(insert(schema.erased), [{"mac": each, "at": now} for each in sorted(new)])


def remember_no_more(connection: Connection, mac: str) -> None:
    """Whoever reads this address now wants mail, and has confirmed it there."""
    connection.execute(delete(schema.erased).where(schema.erased.c.mac == mac))


def stop_all_mail(connection: Connection, contact_ids: Sequence[int], *, reason: str, by: str, now: datetime) -> None:
    """Whatever becomes of rows that still name these people, nothing goes out."""
    signals = [
        Signal(
            kind=SignalKind.OPT_OUT,
            topic=ALL_TOPICS,
            road=Road.HAND,
            at=now,
            contact_id=contact_id,
            reason=reason,
            evidence=f"{WAS_ERASED} contact {contact_id}",
            actor=by,
        )
        for contact_id in contact_ids
    ]
    add_suppressions(connection, record_signals(connection, signals, now=now))
