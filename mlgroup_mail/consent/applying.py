"""From a signal to a standing rule, once."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from mlgroup_mail import addresses
from mlgroup_mail.errors import UsageError
from mlgroup_mail.model import ALL_TOPICS, Signal, SignalKind, Suppression
from mlgroup_mail.store import Connection, Store, suppressions
from mlgroup_mail.store.contacts import find_addresses, find_contact, find_holders, find_successors
from mlgroup_mail.store.suppressions import Recorded
from mlgroup_mail.store.transactions import chunked

CHUNK = 5000
"""Signals that are applied in one transaction: claims wait for one such chunk at most."""


Sieve = Callable[[Connection, Sequence[Signal]], list[Signal]]
"""Which of these signals may be kept; asked within the transaction that keeps them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Applied:
    """What came of a signal: whom it names, and whether it is `new`, or its evidence had been applied before.

    A sieve that lets it not through leaves it neither new nor anybody's.
    """

    contact_id: int | None
    new: bool


def apply_signal(store: Store, signal: Signal, *, now: datetime, sieve: Sieve | None = None) -> Applied:
    """Record the signal and the rule it leads to, in one serialised transaction.

    An address that is nobody's yet is suppressed all the same: whoever joins with it later is not written to.
    A complaint stops all topics, whatever it names.
    """
    with store.deciding() as connection:
        if sieve is not None and not sieve(connection, [signal]):
            return Applied(contact_id=None, new=False)
        (understood,) = _understood(connection, [signal])
        new = _record(connection, [understood], now=now) == 1
    return Applied(contact_id=understood.contact_id, new=new)


def apply_signals(store: Store, signals: Iterable[Signal], *, now: datetime, sieve: Sieve | None = None) -> int:
    """The same for many, in chunks; returns how many were new.

    A crash between two chunks loses nothing: whatever is applied twice counts once.
    """
    new = 0
    for chunk in chunked(signals, CHUNK):
        with store.deciding() as connection:
            new += apply_within(connection, sieve(connection, chunk) if sieve else chunk, now=now)
    return new


def apply_within(connection: Connection, signals: Iterable[Signal], *, now: datetime) -> int:
    """The same within a transaction that is `deciding` already; returns how many were new."""
    return sum(_record(connection, _understood(connection, chunk), now=now) for chunk in chunked(signals, CHUNK))


def _understood(connection: Connection, signals: Sequence[Signal]) -> list[Signal]:
    """Each signal with the person it means, and on all topics where its kind says so."""
    if any(signal.kind is SignalKind.LIFT for signal in signals):
        raise ValueError("a lift is a person's act: see lift_suppressions")
    unnamed = {addresses.key(signal.address) for signal in signals if signal.contact_id is None and signal.address}
    holders = find_holders(connection, unnamed)
    successors = find_successors(connection, {signal.contact_id for signal in signals if signal.contact_id is not None})
    return [
        replace(
            signal,
            contact_id=holders.get(addresses.key(signal.address))
            if signal.contact_id is None
            else successors.get(signal.contact_id, signal.contact_id),
            topic=ALL_TOPICS if signal.kind in {SignalKind.COMPLAINT, SignalKind.BOUNCE} else signal.topic,
        )
        for signal in signals
    ]


def _record(connection: Connection, signals: Sequence[Signal], *, now: datetime) -> int:
    recorded = suppressions.record_signals(connection, signals, now=now)
    suppressions.add_suppressions(connection, _with_mailboxes(connection, recorded))
    return len(recorded)


def _with_mailboxes(connection: Connection, recorded: Sequence[Recorded]) -> list[Recorded]:
    """A rule on a person whom a link named holds for their mailbox too: a source may give its ids to others one day.

    The signal stays as it was received, so that the same evidence told again is known by it.
    """
    named = {each.signal.contact_id for each in recorded if each.signal.contact_id is not None}
    mailboxes = find_addresses(connection, named)
    return [
        replace(each, signal=replace(each.signal, address=mailboxes.get(each.signal.contact_id, "")))
        if each.signal.contact_id is not None and not each.signal.address and each.signal.kind is not SignalKind.BOUNCE
        else each
        for each in recorded
    ]


def lift_suppressions(
    store: Store, *, address: str, topic: str, by: str, reason: str, now: datetime, several: bool = True
) -> int:
    """End the rules on a person and topic (`ALL_TOPICS`: all of theirs); returns how many there were.

    Only a person does this, with a name and a reason: nothing that reads lists or files calls it. Raises UsageError,
    and keeps nothing, where none stands, and without `several` where they are about more than one topic.
    """
    with store.deciding() as connection:
        contact = find_contact(connection, address)
        contact_id = contact.contact_id if contact else None
        standing = suppressions.suppressions(connection, address=address, contact_id=contact_id)
        meant = [rule for rule in standing if topic in (ALL_TOPICS, rule.topic)]
        if not meant:
            raise _nothing_to_lift(standing, topic)
        if not several and len({rule.topic for rule in meant}) > 1:
            raise UsageError(
                f"{len(meant)} opt-outs stand for this person: {_listed(meant)}",
                mend="Say which with --topic TOPIC, or lift all of them with --all-topics.",
            )
        return suppressions.end_rules(
            connection, meant, contact_id=contact_id, topic=topic, address=address, by=by, reason=reason, now=now
        )


def _nothing_to_lift(standing: Sequence[Suppression], topic: str) -> UsageError:
    if not standing:
        return UsageError(
            "there is nothing to lift: no standing opt-out of this person",
            mend="See what stands, and for whom: mlgroup-mail opt-out list",
        )
    return UsageError(
        f"there is no standing opt-out of this person on {topic}; what stands: {_listed(standing)}",
        mend="Name one of these with --topic, or lift all of them with --all-topics.",
    )


def _listed(rules: Sequence[Suppression]) -> str:
    return "; ".join(
        f"{rule.on} (by the road “{rule.road}” since {rule.at:%Y-%m-%d}{f': {rule.reason}' if rule.reason else ''})"
        for rule in rules
    )


def standing_suppressions(store: Store, *, address: str | None = None) -> list[Suppression]:
    """All standing rules, or those on the person with this address."""
    with store.reading() as connection:
        contact = find_contact(connection, address) if address else None
        return suppressions.suppressions(
            connection, address=address, contact_id=contact.contact_id if contact else None
        )
