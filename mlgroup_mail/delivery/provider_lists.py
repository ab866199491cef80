"""Keeping the ledger and SendGrid's suppression lists in step.

Reading them only adds: who is on one is not written to, and who vanishes from one stays where they are here. A list is
read by closed stretches of time, each of which begins well before the last one ended; how far it was read is noted
once all of a stretch is in the ledger, so that a crash loses nothing, and what is read twice counts once.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta

from mlgroup_mail import addresses
from mlgroup_mail.clock import Clock
from mlgroup_mail.consent.applying import apply_within
from mlgroup_mail.consent.bounces import USUAL_RULE, SoftBounceRule, suppress_for_soft_bounces
from mlgroup_mail.consent.erasing import WithoutErased
from mlgroup_mail.delivery import roads
from mlgroup_mail.delivery.transports.sendgrid_account import SendGridAccount
from mlgroup_mail.delivery.transports.sendgrid_lists import MOST_ADDED, AddressesRefusedError, Page, SuppressionLists
from mlgroup_mail.errors import TransportError
from mlgroup_mail.model import ALL_TOPICS, Bounce, Road, Signal, SignalKind
from mlgroup_mail.model.provider_list import ListEntry, ProviderList
from mlgroup_mail.store import Connection, Store, provider_lists
from mlgroup_mail.store.soft_bounces import stopped_mailboxes

log = logging.getLogger(__name__)

OVERLAP = timedelta(days=1)
"""How much of what was read is read again: entries may show up late, and clocks differ."""
_FIRST = datetime(2010, 1, 1, tzinfo=UTC)
_LONGEST = timedelta(days=365)
"""A list that was never read is read year by year: what was read stays read, whatever interrupts."""
_CLOCKS_DIFFER = timedelta(hours=1)
"""Where two clocks differ by more, one of them is none: then times are compared as they are."""
_MOST_REFUSED = 20
"""Where so many addresses of one step are refused, it is not about each of them."""
_CLICKED_SINCE = timedelta(hours=1)
"""Younger opt-outs are not pushed yet: SendGrid would drop the mail in which a reader may take one back."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pulled:
    """What came of reading the lists, in numbers.

    Of the `new` entries `opt_outs` led to rules about people (complaints are among them), `bounced` to rules about
    addresses, `soft` ones are soft bounces, `ours` we had put there ourselves, and `erased` people's are not kept.
    `unreadable` ones hold no address. `pushed` were put on the list of unsubscriptions, `refused` ones SendGrid does
    not take onto it; `taken_off` ones were taken off a list after a lift, `left_on` ones SendGrid keeps there.
    """

    entries: int = 0
    new: int = 0
    opt_outs: int = 0
    bounced: int = 0
    soft: int = 0
    ours: int = 0
    erased: int = 0
    unreadable: int = 0
    pushed: int = 0
    refused: int = 0
    taken_off: int = 0
    left_on: int = 0

    def __add__(self, other: "Pulled") -> "Pulled":
        both = {each.name: getattr(self, each.name) + getattr(other, each.name) for each in fields(self)}
        return Pulled(**both)


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderLists:
    """The lists of one account, beside one ledger."""

    store: Store
    account: SendGridAccount
    clock: Clock
    erasure_key: str | None
    soft: SoftBounceRule = USUAL_RULE

    def keep(self, *, reads: bool, writes: bool) -> Pulled:
        """Do all of it, reading or writing or both. Raises as `pull`, after as much as could be done."""
        kept = Pulled()
        try:
            if reads:
                kept += self.pull()
            if writes:
                kept += self.push()
        finally:
            # Last, because what was pushed may have been lifted meanwhile; and whatever became of the rest.
            kept += self.take_off()
        return kept

    def pull(self) -> Pulled:
        """Read what is new on every list. Raises TransportError; what was read until then is kept, and noted."""
        begun = self.clock.now()
        pulled = Pulled()
        try:
            with closing(SuppressionLists(self.account)) as lists:
                for on in ProviderList:
                    pulled += self._pull(lists, on)
        except TransportError as error:
            roads.failed(self.store, roads.SENDGRID, at=self.clock.now(), error=error.problem.message)
            raise
        roads.heard(self.store, roads.SENDGRID, at=begun, clock=self.clock)
        log.info("SendGrid's lists: %s", pulled)
        return pulled

    def push(self) -> Pulled:
        """Put those there who want no mail at all and whom SendGrid does not know of. Raises TransportError.

        In small steps, each of which is noted before and after: broken off, the next one does it again.
        """
        pushed = Pulled()
        with closing(SuppressionLists(self.account)) as lists:
            while some := self._next_to_push():
                refused = _put_there(lists, some, took_others=pushed.pushed > 0)
                taken = [key for key in some if key not in refused]
                with self.store.deciding() as connection:
                    provider_lists.end_push(connection, taken, now=self.clock.now())
                    provider_lists.refuse_push(connection, refused, now=self.clock.now())
                pushed += Pulled(pushed=len(taken), refused=len(refused))
        return pushed

    def take_off(self) -> Pulled:
        """Take those off SendGrid's lists whose opt-out was lifted. Raises TransportError.

        Whom SendGrid keeps there are tried again each time, and keep nobody else waiting.
        """
        with self.store.reading() as connection:
            to_do = provider_lists.removals_to_do(connection)
        if not to_do:
            return Pulled()
        left_on: set[str] = set()
        with closing(SuppressionLists(self.account)) as lists:
            for each in to_do:
                if not lists.remove(each.on, each.spellings):
                    left_on.add(each.key)
                    continue
                with self.store.writing() as connection:
                    provider_lists.end_removal(connection, each.key, each.on, now=self.clock.now())
        return Pulled(taken_off=len({each.key for each in to_do} - left_on), left_on=len(left_on))

    def _next_to_push(self) -> Sequence[str]:
        now = self.clock.now()
        with self.store.deciding() as connection:
            return provider_lists.begin_push(connection, most=MOST_ADDED, older_than=now - _CLICKED_SINCE, now=now)

    def _pull(self, lists: SuppressionLists, on: ProviderList) -> Pulled:
        pulled = Pulled()
        with self.store.reading() as connection:
            known = provider_lists.read_until(connection, on)
        for start, end in stretches(known, now=self.clock.now()):
            until = end
            for page in lists.pages(on, start=start, end=end):
                pulled += replace(self._take_in(page), unreadable=page.unreadable)
                # A clock of ours that is ahead would skip what is still to come.
                until = min(until, page.at or until)
            with self.store.writing() as connection:
                provider_lists.keep_read_until(connection, on, until)
        return pulled

    def _take_in(self, page: Page) -> Pulled:
        ahead = self.clock.now() - page.at if page.at else timedelta()
        ahead = ahead if abs(ahead) < _CLOCKS_DIFFER else timedelta()
        with self.store.reading() as connection:
            if not provider_lists.new_entries(connection, page.entries, ahead=ahead):
                return Pulled(entries=page.first_read)
        with self.store.deciding() as connection:
            new = provider_lists.new_entries(connection, page.entries, ahead=ahead)
            return replace(self._write(connection, new), entries=page.first_read)

    def _write(self, connection: Connection, new: Sequence[ListEntry]) -> Pulled:
        now, sieve = self.clock.now(), WithoutErased(self.erasure_key)
        kept = _without_erased(connection, new, sieve)
        provider_lists.keep_entries(connection, kept)
        pushed = provider_lists.pushed_among(connection, {_mailbox(entry) for entry in kept})
        ours = [entry for entry in kept if entry.on is ProviderList.UNSUBSCRIBES and _mailbox(entry) in pushed]
        signals = _untold(connection, [entry for entry in kept if entry.asks and entry not in ours])
        bounces = [each for each in signals if each.kind is SignalKind.BOUNCE]
        wishes = [each for each in signals if each.kind is not SignalKind.BOUNCE]
        soft = {_mailbox(entry) for entry in kept if entry.bounce is Bounce.SOFT}
        return Pulled(
            new=len(kept),
            opt_outs=apply_within(connection, wishes, now=now),
            bounced=apply_within(connection, bounces, now=now)
            + suppress_for_soft_bounces(connection, soft, rule=self.soft, road=Road.PROVIDER, now=now),
            soft=sum(entry.bounce is Bounce.SOFT for entry in kept),
            ours=len(ours),
            erased=sieve.met,
        )


def _put_there(lists: SuppressionLists, some: Sequence[str], *, took_others: bool) -> set[str]:
    """Put them on the list; returns those that SendGrid does not take. `took_others`: whether it took any before.

    Raises AddressesRefusedError where it is not about each of them: they are too many, or it takes nobody at all and
    does not say whom it means.
    """
    refused = _refused_among(lists, some)
    if not took_others and len(refused) == len(some):
        for address, error in refused.items():
            if address not in error.named:
                raise error
    return set(refused)


def _refused_among(lists: SuppressionLists, some: Sequence[str]) -> dict[str, AddressesRefusedError]:
    """Put them on the list, in halves where SendGrid refuses them together; returns what it says of each it refuses."""
    try:
        lists.add(some)
    except AddressesRefusedError as error:
        if len(some) == 1:
            return {some[0]: error}
        middle = len(some) // 2
        refused = _refused_among(lists, some[:middle]) | _refused_among(lists, some[middle:])
        if len(refused) > _MOST_REFUSED:
            raise
        return refused
    return {}


def stretches(known: datetime | None, *, now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The closed stretches of time to read, in order, up to `now`; `known` is up to where the list was read before.

    A mark that is still to come was made by a wrong clock, and gives way.
    """
    start = datetime.fromtimestamp(0, UTC) if known is None else min(known, now) - OVERLAP
    end = _FIRST if known is None else start + _LONGEST
    while end < now:
        yield start, end
        start, end = end, end + _LONGEST
    yield start, now


def _mailbox(entry: ListEntry) -> str:
    return addresses.key(entry.address)


def _without_erased(connection: Connection, entries: Sequence[ListEntry], sieve: WithoutErased) -> list[ListEntry]:
    """Of erased people nothing new is kept, not even that they stand on a list."""
    kept = {signal.address for signal in sieve(connection, [_signal(entry) for entry in entries])}
    return [entry for entry in entries if entry.address in kept]


def _untold(connection: Connection, entries: Sequence[ListEntry]) -> list[Signal]:
    """The opt-outs that follow from entries, less those that stand already: an event may have told of the same."""
    signals = [_signal(entry) for entry in entries]
    stopped = {
        kind: stopped_mailboxes(
            connection, {addresses.key(each.address) for each in signals if each.kind is kind}, kind
        )
        for kind in {each.kind for each in signals}
    }
    return [each for each in signals if addresses.key(each.address) not in stopped[each.kind]]


def _signal(entry: ListEntry) -> Signal:
    return Signal(
        kind=entry.asks or SignalKind.BOUNCE,
        topic=ALL_TOPICS,
        road=Road.PROVIDER,
        at=entry.at,
        address=entry.address,
        reason=entry.detail,
        evidence=f"SendGrid's list “{entry.on}”, entry of {entry.at:%Y-%m-%d %H:%M:%S} UTC",
    )
