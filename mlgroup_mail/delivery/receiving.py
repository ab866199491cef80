"""Taking in what the provider tells: events for the ledger, and the opt-outs that follow from them.

The same events in any order, told once or several times, in one request or in many, lead to the same ledger: each is
kept once, doubt ends one way only, an opt-out is never taken back, and what cannot be placed yet waits for what places
it. A chunk is one transaction, on one side or the other of every claim and of every erasure.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime

from mlgroup_mail import addresses
from mlgroup_mail.consent.applying import apply_within
from mlgroup_mail.consent.bounces import USUAL_RULE, SoftBounceRule, suppress_for_soft_bounces
from mlgroup_mail.delivery.reconciling import ReadKey, hold_older_copy, read_key, read_message_id, sender_domain
from mlgroup_mail.model import ALL_TOPICS, Bounce, EventKind, ProviderEvent, Road, Signal, SignalKind
from mlgroup_mail.store import Connection, Store
from mlgroup_mail.store.aliases import (
    find_by_alias,
    find_unplaced,
    forget_unplaced,
    keep_unplaced,
    remember_aliases,
)
from mlgroup_mail.store.events import CitedDelivery, DeliveryEvent, cited_by_ids, last_begun, record_events
from mlgroup_mail.store.transactions import chunked

log = logging.getLogger(__name__)

CHUNK = 500
"""Events of one transaction, which no claim and no opt-out waits longer for than for a claim."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Received:
    """What came of events, in numbers. What `new` and `known` leave is about nobody here, or has to wait.

    `settled` deliveries were in doubt; `opt_outs` are new signals; `waiting` events cite what is not known yet;
    `never_tried` ones a delivery that this ledger never tried, whose mailing is held then.
    """

    new: int = 0
    known: int = 0
    settled: int = 0
    opt_outs: int = 0
    waiting: int = 0
    never_tried: int = 0
    nobody_s: int = 0

    def __add__(self, other: "Received") -> "Received":
        both = {each.name: getattr(self, each.name) + getattr(other, each.name) for each in fields(self)}
        return Received(**both)


def receive(
    store: Store, events: Iterable[ProviderEvent], *, now: datetime, soft: SoftBounceRule = USUAL_RULE
) -> Received:
    """Take events in, in chunks; returns when all of them are durable. Told again, they change nothing.

    `soft`: how many soft bounces suppress an address.
    """
    received = Received()
    for chunk in chunked(events, CHUNK):
        received += _receive(store, chunk, soft, now=now)
    return received


def _receive(store: Store, events: Sequence[ProviderEvent], soft: SoftBounceRule, *, now: datetime) -> Received:
    if not any(_may_opt_out(event) for event in events):
        with store.claiming() as connection:
            found = _find(connection, events)
            # An opt-out may have waited for one of these.
            if not found.opts_out:
                return _write(connection, found, soft, now=now)
    with store.deciding() as connection:
        return _write(connection, _find(connection, events), soft, now=now)


def _may_opt_out(event: ProviderEvent) -> bool:
    """Whether an opt-out may follow from it: a soft bounce may be the last of several."""
    return event.asks is not None or event.bounce is Bounce.SOFT


@dataclass(kw_only=True, slots=True)
class _Found:
    """Where the events of a chunk belong. `freed` are those that had waited, and are among the `placed` now."""

    placed: list[tuple[ProviderEvent, CitedDelivery]] = field(default_factory=list)
    never_tried: list[tuple[ProviderEvent, CitedDelivery]] = field(default_factory=list)
    waiting: list[ProviderEvent] = field(default_factory=list)
    freed: list[ProviderEvent] = field(default_factory=list)
    nobody_s: int = 0

    @property
    def opts_out(self) -> bool:
        return any(_may_opt_out(event) for event, _ in (*self.placed, *self.never_tried))

    @property
    def aliases(self) -> dict[str, int]:
        return {event.alias: cited.delivery_id for event, cited in self.placed if event.alias}


def _find(connection: Connection, events: Sequence[ProviderEvent]) -> _Found:
    """Only reads."""
    found, cites = _Found(), [_cites(event) for event in events]
    named = _Named(connection, cited_by_ids(connection, {key.delivery_id for key in cites if key}))
    unnamed: list[ProviderEvent] = []
    for event, key in zip(events, cites, strict=True):
        if key is None and _may_lack_a_key(event):
            unnamed.append(event)
        else:
            _place(found, event, named.delivery(key) if key else None)
    _place_by_alias(connection, found, unnamed)
    return found


def _may_lack_a_key(event: ProviderEvent) -> bool:
    """Whether it counts though it cites nothing of ours.

    An account may serve others too: of what may be theirs, no more is looked up and kept than what an opt-out or a
    bounce needs.
    """
    counts = event.asks is not None or event.kind is EventKind.BOUNCED
    return counts and bool(event.alias) and not event.key


def _cites(event: ProviderEvent) -> ReadKey | None:
    """The key of ours that an event cites; None where it cites none, or two that contradict each other."""
    key = read_key(event.key)
    if key and event.message_id.startswith(f"<{event.key}@"):
        # As nearly all events are.
        return key
    by_message = read_message_id(event.message_id)
    if not event.key:
        return by_message
    if key and by_message and (key.delivery_id, key.token) != (by_message.delivery_id, by_message.token):
        log.warning("an event cites several deliveries: %s, %s", key.delivery_id, by_message.delivery_id)
        return None
    return key


class _Named:
    """The deliveries that keys name."""

    def __init__(self, connection: Connection, deliveries: Mapping[int, CitedDelivery]) -> None:
        self._connection, self._deliveries = connection, deliveries
        self._domains: dict[int, str] = {}

    def delivery(self, key: ReadKey) -> CitedDelivery | None:
        """The delivery of a key; None where it is another ledger's, or stands in a Message-ID that is not ours."""
        cited = self._deliveries.get(key.delivery_id)
        if cited is None or cited.mailing.token != key.token:
            return None
        return cited if not key.domain or key.domain == self._domain(cited.mailing.mailing_id) else None

    def _domain(self, mailing_id: int) -> str:
        if mailing_id not in self._domains:
            self._domains[mailing_id] = sender_domain(self._connection, mailing_id)
        return self._domains[mailing_id]


def _place(found: _Found, event: ProviderEvent, cited: CitedDelivery | None) -> None:
    if cited is None or not cited.address:
        # Nobody's here, or an erased person's.
        found.nobody_s += 1
    elif cited.attempted:
        found.placed.append((event, cited))
    else:
        found.never_tried.append((event, cited))


def _place_by_alias(connection: Connection, found: _Found, events: Sequence[ProviderEvent]) -> None:
    """Events that cite nothing of ours, and those that have waited for what this chunk tells."""
    told = found.aliases
    found.freed = find_unplaced(connection, told)
    known = {**find_by_alias(connection, {event.alias for event in events}), **told}
    together = [*events, *found.freed]
    deliveries = cited_by_ids(connection, {known[event.alias] for event in together if event.alias in known})
    for event in together:
        if event.alias in known:
            _place(found, event, deliveries.get(known[event.alias]))
        else:
            found.waiting.append(event)


def _write(connection: Connection, found: _Found, soft: SoftBounceRule, *, now: datetime) -> Received:
    for cited in {each.mailing.mailing_id: each for _, each in found.never_tried}.values():
        hold_older_copy(connection, cited, now=now)
    remember_aliases(connection, found.aliases)
    forget_unplaced(connection, found.freed)
    waiting = keep_unplaced(connection, found.waiting, now=now)
    recorded = record_events(connection, _events(connection, found.placed), now=now)
    # A restored copy knows nothing of a try that its reader has answered: they mean it all the same.
    heard = (*found.placed, *found.never_tried)
    signals = [_signal(event, event.asks, cited) for event, cited in heard if event.asks]
    opt_outs = apply_within(connection, signals, now=now) if signals else 0
    bounced = {addresses.key(cited.address) for event, cited in found.placed if event.bounce is Bounce.SOFT}
    if bounced and recorded.new:
        opt_outs += suppress_for_soft_bounces(connection, bounced, rule=soft, road=Road.PROVIDER, now=now)
    return Received(
        new=recorded.new,
        known=len(found.placed) - recorded.new,
        settled=recorded.settled,
        opt_outs=opt_outs,
        waiting=waiting,
        never_tried=len(found.never_tried),
        nobody_s=found.nobody_s,
    )


def _events(connection: Connection, placed: Sequence[tuple[ProviderEvent, CitedDelivery]]) -> Iterator[DeliveryEvent]:
    """The events for the ledger.

    When somebody opened a mail is nobody's business: what shows no more than that it was there is dated with the try.
    """
    bare = {cited.delivery_id for event, cited in placed if event.kind is EventKind.PROCESSED}
    begun = last_begun(connection, bare)
    for event, cited in placed:
        dated = begun.get(cited.delivery_id, event.at) if event.kind is EventKind.PROCESSED else event.at
        yield DeliveryEvent(
            delivery_id=cited.delivery_id,
            kind=event.kind,
            source=Road.PROVIDER,
            at=dated,
            detail=event.detail,
            bounce=event.bounce,
        )


def _signal(event: ProviderEvent, asks: SignalKind, cited: CitedDelivery) -> Signal:
    """The evidence names mailing and delivery. A bounce is about the address that was written to, others the person."""
    return Signal(
        kind=asks,
        topic=ALL_TOPICS if event.every_topic else cited.mailing.topic,
        road=Road.PROVIDER,
        at=event.at,
        address=cited.address if asks is SignalKind.BOUNCE else "",
        contact_id=cited.contact_id,
        reason=event.detail,
        evidence=f"{cited.mailing.ref}, delivery {cited.delivery_id}: {event.kind} at SendGrid",
    )
