"""SendGrid's events in our words: a literal table, a few readings, nothing else.

Source: the service's page "Event Webhook Reference". What the table does not have is passed over: other kinds of event
come up every few years, and some are about the account and nobody's mail. Custom arguments stand in the event itself,
beside its own keys. So whoever else shares the account may have any value under any name: only two keys have to be as
they are documented, and an event that cannot be read keeps no other from being heard.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from mlgroup_mail import addresses
from mlgroup_mail.delivery.bounce_meaning import by_status
from mlgroup_mail.delivery.transports.sendgrid_template import DELIVERY
from mlgroup_mail.errors import UsageError
from mlgroup_mail.model import Bounce, EventKind, ProviderEvent, SignalKind

_UNTIL_2200 = 7_258_118_400
_READ_AT_MOST, _LONGEST_DETAIL = 1000, 200


class SendGridEvent(BaseModel):
    """One event as it comes; keys that are not named here are nobody's business, what is no text says nothing."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    event: str
    timestamp: Annotated[float, Field(ge=0, lt=_UNTIL_2200, allow_inf_nan=False, strict=False)]
    email: object = None
    smtp_id: object = Field(default=None, alias="smtp-id")
    sg_message_id: object = None
    type: object = None
    status: object = None
    reason: object = None
    response: object = None
    bounce_classification: object = None
    key: object = Field(default=None, alias=DELIVERY)


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


def read_events(body: bytes) -> Sequence[SendGridEvent | None]:
    """The events of a request's body, None for each that cannot be read.

    Raises UnreadableEventsError where it is no list, or none of its events can be read; nothing of it is shown.
    """
    try:
        return _EVENTS.validate_json(body)
    except ValidationError:
        return _read_one_by_one(body)


def _read_one_by_one(body: bytes) -> list[SendGridEvent | None]:
    try:
        # It passes over what a strict reader ends with: halves of characters, numbers of any length.
        found = json.loads(body.decode(errors="replace"), parse_int=float)
    except (ValueError, RecursionError):
        raise UnreadableEventsError("not JSON") from None
    if not isinstance(found, list):
        raise UnreadableEventsError("not a list of events")
    read = [_read_one(each) for each in found]
    if read and not any(read):
        raise UnreadableEventsError(f"a list of {len(read)}, none of them an event as they are known here")
    return read


def _read_one(found: object) -> SendGridEvent | None:
    try:
        return SendGridEvent.model_validate(found)
    except ValidationError:
        return None


def in_our_words(event: SendGridEvent) -> ProviderEvent | None:
    """What an event says; None for a kind that says nothing to us."""
    word = _WORDS.get(event.event)
    if word is None:
        return None
    bounce = _bounce(event) if word.kind is EventKind.BOUNCED else None
    return ProviderEvent(
        kind=word.kind,
        at=datetime.fromtimestamp(event.timestamp, UTC),
        key=_text(event.key),
        message_id=_text(event.smtp_id),
        alias=_alias(event),
        bounce=bounce,
        asks=_asks(word, event, bounce),
        every_topic=word.every_topic,
        detail=_detail(word, event),
    )


def _detail(word: _Word, event: SendGridEvent) -> str:
    if word.says or word.kind is EventKind.PROCESSED:
        return word.says
    said = event.response if word.kind in _ANSWERED_BY_A_SERVER else event.reason
    return without_address(_text(said), _text(event.email))


_ANSWERED_BY_A_SERVER = frozenset({EventKind.DELIVERED, EventKind.DEFERRED})


def _asks(word: _Word, event: SendGridEvent, bounce: Bounce | None) -> SignalKind | None:
    if word.kind is EventKind.DROPPED:
        return _DROPPED_FOR.get(_text(event.reason).strip().casefold())
    return SignalKind.BOUNCE if bounce is Bounce.HARD else word.asks


def _bounce(event: SendGridEvent) -> Bounce:
    """Blocks are soft, whatever their code; else the code decides, then the service's own classification.

    Where neither says anything, the service's word for it does: it writes to such an address no more.
    """
    if event.type != "bounce":
        return Bounce.SOFT
    coded = by_status(_text(event.status)) or by_status(_text(event.reason)[:_READ_AT_MOST])
    return coded or _CLASSES.get(_text(event.bounce_classification).strip().casefold(), Bounce.HARD)


def _alias(event: SendGridEvent) -> str:
    """A hash of the service's own name of the request and of the recipient; "" where it names none of both.

    `sg_message_id` begins with the `X-Message-Id` of the answer to the request, up to the first dot. The hash begins
    with that of the name, so that those of a request stand together in the index.
    """
    name = _text(event.sg_message_id).partition(".")[0].strip()
    address = addresses.key(_text(event.email).strip())
    return _hash_of_name(name) + _hash(f"{name}\x1f{address}")[:24] if name and address else ""


@lru_cache(maxsize=64)
def _hash_of_name(name: str) -> str:
    # A thousand recipients share a request's.
    return _hash(name)[:8]


def _text(value: object) -> str:
    """A value that should be a text: "" where it is none."""
    return value if isinstance(value, str) else ""


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()


def without_address(said: str, address: str) -> str:
    """A server's answer on one line, short, without the recipient's address and with every other one masked."""
    text = _on_one_line(said[: _READ_AT_MOST + 1])
    folded = text.casefold()
    for part in (address, address.rpartition("@")[0]):
        if len(part) > 2 and part.casefold() in folded:
            text = re.sub(rf"(?<!\w){re.escape(part)}(?!\w)", "…", text, flags=re.IGNORECASE)
    return addresses.mask_text(text)[:_LONGEST_DETAIL]


@lru_cache(maxsize=256)
def _on_one_line(said: str) -> str:
    """The start of a text, without what cannot be printed. Servers answer most people in the same words."""
    words = "".join(char if char.isprintable() else " " for char in said[:_READ_AT_MOST]).split()
    # What was cut may have been half an address.
    return " ".join(words[:-1] if len(said) > _READ_AT_MOST else words)
