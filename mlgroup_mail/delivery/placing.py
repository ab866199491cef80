"""Placing what a provider tells: which delivery of ours an event is about, or which mail outside mailings."""

import logging
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from mlgroup_mail.delivery.reconciling import ReadKey, read_key, read_message_id, sender_domain
from mlgroup_mail.model import Bounce, CourtesyKind, EventKind, ProviderEvent, SignalKind
from mlgroup_mail.store import Connection
from mlgroup_mail.store.aliases import find_by_alias
from mlgroup_mail.store.citations import CitedCourtesy, CitedDelivery, cited_by_ids, cited_by_tokens
from mlgroup_mail.store.unplaced_events import find_unplaced

log = logging.getLogger(__name__)

_COURTESY = re.compile(rf"({'|'.join(CourtesyKind)})\.([0-9a-f]{{16}})", re.ASCII)
"""As `delivery.courtesies` begins a Message-ID: the kind of mail, and its token."""


@dataclass(kw_only=True, slots=True)
class Found:
    """Where events belong. `freed` are those that had waited, and are among the others now.

    `never_tried` are about deliveries that this ledger never tried, `outside` about mails outside mailings, `waiting`
    about what is not known yet; `nobody_s` are about nobody here.
    """

    placed: list[tuple[ProviderEvent, CitedDelivery]] = field(default_factory=list)
    never_tried: list[tuple[ProviderEvent, CitedDelivery]] = field(default_factory=list)
    outside: list[tuple[ProviderEvent, CitedCourtesy]] = field(default_factory=list)
    waiting: list[ProviderEvent] = field(default_factory=list)
    freed: list[ProviderEvent] = field(default_factory=list)
    nobody_s: int = 0

    @property
    def opts_out(self) -> bool:
        """Whether an opt-out may follow from them."""
        return any(may_opt_out(event) for event, _ in (*self.placed, *self.never_tried, *self.outside))

    @property
    def aliases(self) -> dict[str, int]:
        """What else the provider calls the deliveries among them: alias -> delivery."""
        return {event.alias: cited.delivery_id for event, cited in self.placed if event.alias}


def may_opt_out(event: ProviderEvent) -> bool:
    """Whether an opt-out may follow from it: a soft bounce may be the last of several."""
    return event.asks is not None or event.bounce is Bounce.SOFT


def place(connection: Connection, events: Sequence[ProviderEvent]) -> Found:
    """Find where each of these events belongs, a few hundred at a time; only reads."""
    found, cites = Found(), [_cites(event) for event in events]
    named = _Named(connection, cites)
    unnamed: list[ProviderEvent] = []
    for event, key in zip(events, cites, strict=True):
        if isinstance(key, _CourtesyKey):
            _place_outside(found, event, named.courtesy(key))
        elif key is None and _may_lack_a_key(event):
            unnamed.append(event)
        else:
            _place(found, event, named.delivery(key) if key else None)
    _place_by_alias(connection, found, unnamed)
    return found


@dataclass(frozen=True, kw_only=True, slots=True)
class _CourtesyKey:
    kind: str
    token: str


def _cites(event: ProviderEvent) -> ReadKey | _CourtesyKey | None:
    """The key of ours that an event cites; None where it cites none, or two that contradict each other."""
    key = read_key(event.key)
    if key and event.message_id.startswith(f"<{event.key}@"):
        # As nearly all events are.
        return key
    by_message = read_message_id(event.message_id)
    if key and by_message and (key.delivery_id, key.token) != (by_message.delivery_id, by_message.token):
        log.warning("an event cites several deliveries: %s, %s", key.delivery_id, by_message.delivery_id)
        return None
    if key or (by_message and not event.key):
        return key or by_message
    return _courtesy_key(event.key or event.message_id.lstrip("<").partition("@")[0])


def _courtesy_key(text: str) -> _CourtesyKey | None:
    match = _COURTESY.fullmatch(text)
    return _CourtesyKey(kind=match[1], token=match[2]) if match else None


def _may_lack_a_key(event: ProviderEvent) -> bool:
    """Whether it counts though it cites nothing of ours.

    An account may serve others too: of what may be theirs, no more is looked up and kept than what an opt-out or a
    bounce needs.
    """
    counts = event.asks is not None or event.kind is EventKind.BOUNCED
    return counts and bool(event.alias) and not event.key


class _Named:
    """What keys name."""

    def __init__(self, connection: Connection, keys: Iterable[ReadKey | _CourtesyKey | None]) -> None:
        self._connection = connection
        ids = {key.delivery_id for key in keys if isinstance(key, ReadKey)}
        tokens = {key.token for key in keys if isinstance(key, _CourtesyKey)}
        self._deliveries = cited_by_ids(connection, ids)
        self._courtesies = cited_by_tokens(connection, tokens)
        self._domains: dict[int, str] = {}

    def delivery(self, key: ReadKey) -> CitedDelivery | None:
        """The delivery of a key; None where it is another ledger's, or stands in a Message-ID that is not ours."""
        cited = self._deliveries.get(key.delivery_id)
        if cited is None or cited.mailing.token != key.token:
            return None
        return cited if not key.domain or key.domain == self._domain(cited.mailing.mailing_id) else None

    def courtesy(self, key: _CourtesyKey) -> CitedCourtesy | None:
        """The mail outside mailings of a key; None where it is another ledger's."""
        cited = self._courtesies.get(key.token)
        return cited if cited and cited.kind == key.kind else None

    def _domain(self, mailing_id: int) -> str:
        if mailing_id not in self._domains:
            self._domains[mailing_id] = sender_domain(self._connection, mailing_id)
        return self._domains[mailing_id]


def _place(found: Found, event: ProviderEvent, cited: CitedDelivery | None) -> None:
    if cited is None or not _concerns_somebody(event, cited):
        found.nobody_s += 1
    elif cited.attempted:
        found.placed.append((event, cited))
    else:
        found.never_tried.append((event, cited))


def _concerns_somebody(event: ProviderEvent, cited: CitedDelivery) -> bool:
    """Whether there is somebody whom it is about: an old delivery has no address any more, but who wants out is known.

    A bounce is about the address that was written to.
    """
    by_the_reader = event.asks is not None and event.asks is not SignalKind.BOUNCE
    return not cited.erased and (bool(cited.address) or by_the_reader)


def _place_outside(found: Found, event: ProviderEvent, cited: CitedCourtesy | None) -> None:
    if cited is None or not cited.address:
        found.nobody_s += 1
    else:
        found.outside.append((event, cited))


def _place_by_alias(connection: Connection, found: Found, events: Sequence[ProviderEvent]) -> None:
    """Events that cite nothing of ours, and those that have waited for what these events tell."""
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
