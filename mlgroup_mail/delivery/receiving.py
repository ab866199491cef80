"""Taking in what the provider tells: events for the ledger, and the opt-outs that follow from them.

The same events in any order, told once or several times, in one request or in many, lead to the same ledger: each is
kept once, doubt ends one way only, an opt-out is never taken back, and what cannot be placed yet waits for what places
it. A chunk is one transaction, on one side or the other of every claim and of every erasure.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from mlgroup_mail import addresses
from mlgroup_mail.consent.applying import apply_within
from mlgroup_mail.consent.bounces import USUAL_RULE, SoftBounceRule, suppress_for_soft_bounces
from mlgroup_mail.delivery.placing import Found, may_opt_out, place
from mlgroup_mail.delivery.reconciling import hold_older_copy
from mlgroup_mail.model import ALL_TOPICS, Bounce, EventKind, ProviderEvent, Road, Signal, SignalKind
from mlgroup_mail.store import Connection, Store
from mlgroup_mail.store.aliases import remember_aliases
from mlgroup_mail.store.citations import CitedCourtesy, CitedDelivery, last_begun
from mlgroup_mail.store.events import DeliveryEvent, known_events, record_events
from mlgroup_mail.store.suppressions import said_by_provider
from mlgroup_mail.store.transactions import chunked
from mlgroup_mail.store.unplaced_events import forget_unplaced, keep_unplaced

CHUNK = 500
"""Events of one transaction, which no claim and no opt-out waits longer for than for a claim."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Received:
    """What came of events, in numbers. What `new` and `known` leave is about nobody here, or has to wait.

    `settled` deliveries were in doubt; `opt_outs` are new signals; `waiting` events cite what is not known yet;
    `never_tried` ones a delivery that this ledger never tried, whose mailing is held then; `outside` ones a mail
    outside mailings, of which nothing is kept but the opt-outs.
    """

    new: int = 0
    known: int = 0
    settled: int = 0
    opt_outs: int = 0
    waiting: int = 0
    never_tried: int = 0
    outside: int = 0
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
    if not any(may_opt_out(event) for event in events):
        with store.claiming() as connection:
            found = place(connection, events)
            # An opt-out may have waited for one of these.
            if not found.opts_out:
                return _write(connection, found, soft, now=now)
    with store.deciding() as connection:
        return _write(connection, place(connection, events), soft, now=now)


def _write(connection: Connection, found: Found, soft: SoftBounceRule, *, now: datetime) -> Received:
    for cited in {each.mailing.mailing_id: each for _, each in found.never_tried}.values():
        hold_older_copy(connection, cited, now=now)
    remember_aliases(connection, found.aliases)
    forget_unplaced(connection, found.freed)
    waiting = keep_unplaced(connection, found.waiting, now=now)
    signals = _news(connection, found.placed)
    recorded = record_events(connection, _events(connection, found.placed), now=now)
    # A restored copy knows nothing of a try that its reader has answered: they mean it all the same.
    signals += [_signal(event, event.asks, cited) for event, cited in found.never_tried if event.asks]
    signals += [_signal_outside(event, event.asks, cited) for event, cited in found.outside if event.asks]
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
        outside=len(found.outside),
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
        yield _event(event, cited, at=dated)


def _event(event: ProviderEvent, cited: CitedDelivery, *, at: datetime) -> DeliveryEvent:
    return DeliveryEvent(
        delivery_id=cited.delivery_id,
        kind=event.kind,
        source=Road.PROVIDER,
        at=at,
        detail=event.detail,
        bounce=event.bounce,
    )


def _news(connection: Connection, placed: Sequence[tuple[ProviderEvent, CitedDelivery]]) -> list[Signal]:
    """The opt-outs that follow from events, without what was heard before.

    The provider tells of one bounce by an event, by its list, and again by each later mail that it drops: what its word
    has led to already stands once. And an event that the ledger has says nothing more, also where somebody has lifted
    since what followed from it.
    """
    asking = [(event, event.asks, cited) for event, cited in placed if event.asks]
    known = known_events(connection, [_event(event, cited, at=event.at) for event, _, cited in asking])
    said = said_by_provider(connection, {addresses.key(cited.address) for _, _, cited in asking if cited.address})
    news = []
    for event, asks, cited in asking:
        signal = _signal(event, asks, cited)
        word = (asks.value, signal.topic, addresses.key(cited.address))
        # A rule that names nobody is on whoever has that mailbox; one that names somebody goes with them.
        stands = said & {(*word, None), (*word, cited.contact_id)}
        if not stands and _event(event, cited, at=event.at).fingerprint not in known:
            said.add((*word, cited.contact_id))
            news.append(signal)
    return news


def _signal(event: ProviderEvent, asks: SignalKind, cited: CitedDelivery) -> Signal:
    """The evidence names mailing and delivery. A bounce is about the address that was written to, others the person."""
    return Signal(
        kind=asks,
        topic=ALL_TOPICS if event.every_topic or asks is not SignalKind.OPT_OUT else cited.mailing.topic,
        road=Road.PROVIDER,
        at=event.at,
        address=cited.address if asks is SignalKind.BOUNCE else "",
        contact_id=cited.contact_id,
        reason=event.detail,
        evidence=f"{cited.mailing.ref}, delivery {cited.delivery_id}: {event.kind} at SendGrid",
    )


def _signal_outside(event: ProviderEvent, asks: SignalKind, cited: CitedCourtesy) -> Signal:
    """Such a mail belongs to no topic, and perhaps to no contact: it is the address that says so, and of all mail."""
    return Signal(
        kind=asks,
        topic=ALL_TOPICS,
        road=Road.PROVIDER,
        at=event.at,
        address=cited.address,
        reason=event.detail,
        evidence=f"{cited.kind} mail {cited.courtesy_id}: {event.kind} at SendGrid",
    )
