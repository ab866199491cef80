"""SendGrid's events in our words: a literal table, a few readings, nothing else.

Source: the service's page "Event Webhook Reference". What the table does not have is passed over: other kinds of event
come up every few years, and some are about the account and nobody's mail. Custom arguments stand in the event itself,
beside its own keys.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from mlgroup_mail import addresses
from mlgroup_mail.delivery.bounce_meaning import by_status
from mlgroup_mail.delivery.transports.sendgrid_template import DELIVERY
from mlgroup_mail.errors import UsageError
from mlgroup_mail.model import Bounce, EventKind, ProviderEvent, SignalKind

_UNTIL_2200 = 7_258_118_400
_READ_AT_MOST, _LONGEST_DETAIL = 1000, 200


class SendGridEvent(BaseModel):
    """One event as it comes; keys that are not named here are nobody's business."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    event: str
    timestamp: Annotated[float, Field(ge=0, lt=_UNTIL_2200, allow_inf_nan=False)]
    email: str | None = None
    smtp_id: str | None = Field(default=None, alias="smtp-id")
    sg_message_id: str | None = None
    type: str | None = None
    status: str | None = None
    reason: str | None = None
    response: str | None = None
    bounce_classification: str | None = None
    key: Any = Field(default=None, alias=DELIVERY)
    """Whatever others who share the account put there."""


_EVENTS = TypeAdapter(list[SendGridEvent])


@dataclass(frozen=True, kw_only=True, slots=True)
class _Word:
    """What one of SendGrid's words means."""

    kind: EventKind
    asks: SignalKind | None = None
    every_topic: bool = True
    says: str = ""


_WORDS: Mapping[str, _Word] = {
    "processed": _Word(kind=EventKind.PROCESSED),
    "deferred": _Word(kind=EventKind.DEFERRED),
    "delivered": _Word(kind=EventKind.DELIVERED),
    "bounce": _Word(kind=EventKind.BOUNCED),
    "dropped": _Word(kind=EventKind.DROPPED),
    "spamreport": _Word(kind=EventKind.COMPLAINED, asks=SignalKind.COMPLAINT, says="marked as spam"),
    "unsubscribe": _Word(
        kind=EventKind.ANSWERED, asks=SignalKind.OPT_OUT, says="unsubscribed from all mail at SendGrid"
    ),
    "group_unsubscribe": _Word(
        kind=EventKind.ANSWERED,
        asks=SignalKind.OPT_OUT,
        every_topic=False,
        says="unsubscribed from this kind of mail at SendGrid",
    ),
    # What people read is not kept: that the message was there is all that is taken from it.
    "open": _Word(kind=EventKind.PROCESSED),
    "click": _Word(kind=EventKind.PROCESSED),
}
"""`group_resubscribe` is not among them: only a person of the team lifts an opt-out."""

_DROPPED_FOR: Mapping[str, SignalKind] = {
    "bounced address": SignalKind.BOUNCE,
    "invalid": SignalKind.BOUNCE,
    "spam reporting address": SignalKind.COMPLAINT,
    "unsubscribed address": SignalKind.OPT_OUT,
}
"""The reasons of a drop that are about the recipient: the address is on one of the service's lists."""

_CLASSES: Mapping[str, Bounce] = {
    "invalid address": Bounce.HARD,
    "technical": Bounce.SOFT,
    "content": Bounce.SOFT,
    "reputation": Bounce.SOFT,
    "frequency or volume too high": Bounce.SOFT,
    "mailbox unavailable": Bounce.SOFT,
}
"""Source: the service's page "Bounce and Block Classifications"."""


class UnreadableEventsError(UsageError):
    """This is no list of events: nothing of it is taken."""


def read_events(body: bytes) -> list[SendGridEvent]:
    """The events of a request's body; raises UnreadableEventsError, which shows nothing of it."""
    try:
        return _EVENTS.validate_json(body)
    except ValidationError as error:
        raise UnreadableEventsError(f"not a list of events ({error.error_count()} faults)") from None


def in_our_words(event: SendGridEvent) -> ProviderEvent | None:
    """What an event says; None for a kind that says nothing to us."""
    word = _WORDS.get(event.event)
    if word is None:
        return None
    said = (event.response if word.kind in _ANSWERED_BY_A_SERVER else event.reason) or ""
    bounce = _bounce(event) if word.kind is EventKind.BOUNCED else None
    asks = _asks(word, event, bounce)
    return ProviderEvent(
        kind=word.kind,
        at=datetime.fromtimestamp(event.timestamp, UTC),
        key=event.key if isinstance(event.key, str) else "",
        message_id=event.smtp_id or "",
        alias=_alias(event),
        bounce=bounce,
        asks=asks,
        every_topic=word.every_topic,
        detail=word.says if word.says or word.kind is EventKind.PROCESSED else without_address(said, event.email or ""),
    )


_ANSWERED_BY_A_SERVER = frozenset({EventKind.DELIVERED, EventKind.DEFERRED})


def _asks(word: _Word, event: SendGridEvent, bounce: Bounce | None) -> SignalKind | None:
    if word.kind is EventKind.DROPPED:
        return _DROPPED_FOR.get((event.reason or "").strip().casefold())
    return SignalKind.BOUNCE if bounce is Bounce.HARD else word.asks


def _bounce(event: SendGridEvent) -> Bounce:
    """Blocks are soft, whatever their code; else the code decides, then the service's own classification.

    Where neither says anything, the service's word for it does: it writes to such an address no more.
    """
    if event.type != "bounce":
        return Bounce.SOFT
    coded = by_status(event.status or "") or by_status((event.reason or "")[:_READ_AT_MOST])
    return coded or _CLASSES.get((event.bounce_classification or "").strip().casefold(), Bounce.HARD)


def _alias(event: SendGridEvent) -> str:
    """A hash of the service's own name of the request and of the recipient; "" where it names none of both.

    `sg_message_id` begins with the `X-Message-Id` of the answer to the request, up to the first dot. The hash begins
    with that of the name, so that those of a request stand together in the index.
    """
    name = (event.sg_message_id or "").partition(".")[0].strip()
    address = addresses.key((event.email or "").strip())
    return _hash(name)[:8] + _hash(f"{name}\x1f{address}")[:24] if name and address else ""


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()


def without_address(said: str, address: str) -> str:
    """A server's answer on one line, short, without the recipient's address and with every other one masked."""
    start = said[:_READ_AT_MOST]
    clean = start if start.isprintable() else "".join(char if char.isprintable() else " " for char in start)
    words = clean.split()
    # What was cut may have been half an address.
    text = " ".join(words[:-1] if len(said) > _READ_AT_MOST else words)
    folded = text.casefold()
    for part in (address, address.rpartition("@")[0]):
        if len(part) > 2 and part.casefold() in folded:
            text = re.sub(rf"(?<!\w){re.escape(part)}(?!\w)", "…", text, flags=re.IGNORECASE)
    return addresses.mask_text(text)[:_LONGEST_DETAIL]
