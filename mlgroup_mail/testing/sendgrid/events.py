"""What the Event Webhook says about those who were accepted: a story for each, told by a seed.

The keys are those of the service's "Event Webhook Reference"; custom arguments stand beside them, in the same object.
"""

import base64
import random
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from mlgroup_mail.testing.sendgrid.truth import Accepted

Event = dict[str, Any]
"""One event, as it stands in a batch."""


class Fate(StrEnum):
    """What becomes of a message. Every fate begins with `processed`, but `dropped`, which is told instead of it."""

    DELIVERED = "delivered"
    """The recipient's server took it."""
    DEFERRED = "deferred"
    """It was put off twice, then delivered."""
    STUCK = "stuck"
    """It was put off, and nothing more is known."""
    BOUNCED = "bounced"
    """There is no such mailbox: the service writes to it no more."""
    BLOCKED = "blocked"
    """The recipient's server refused this message."""
    NO_HOST = "no host"
    """There is no such host: a block, and, unlike the others, without a status."""
    DROPPED = "dropped"
    """The service did not send it: the address stands on one of its lists."""
    OPENED = "opened"
    """Delivered and opened."""
    CLICKED = "clicked"
    """Delivered, opened, and a link followed."""
    COMPLAINED = "complained"
    """Delivered and reported as spam."""
    UNSUBSCRIBED = "unsubscribed"
    """Delivered, and all mail of this account refused."""
    GROUP_UNSUBSCRIBED = "group unsubscribed"
    """Delivered, and one group of mail refused."""
    BOUNCED_LATER = "bounced later"
    """Delivered to a gateway, which sent it back afterwards: that event has no `sg_message_id`."""
    STRANGE = "strange"
    """Delivered, followed by an event of a kind that nobody has heard of."""


_HARD: Event = {
    "event": "bounce",
    "type": "bounce",
    "status": "5.1.1",
    "bounce_classification": "Invalid Address",
    "reason": "550 5.1.1 The email account that you tried to reach does not exist",
    "tls": 1,
    "ip": "192.0.2.1",
}
_READER: Event = {"useragent": "Mozilla/5.0", "ip": "192.0.2.7"}
_PROCESSED: Event = {"event": "processed"}
_DELIVERED: Event = {"event": "delivered", "response": "250 2.0.0 OK", "tls": 1, "ip": "192.0.2.1"}
_OPENED: Event = {"event": "open", "sg_content_type": "html", "sg_machine_open": False, **_READER}


def _deferred(attempt: int) -> Event:
    return {"event": "deferred", "attempt": str(attempt), "response": "451 4.7.1 Please try again later", "tls": 0}


def _dropped(reason: str | None = None) -> tuple[Event, ...]:
    return ({"event": "dropped", "reason": reason or "Bounced Address", "status": "5.0.0"},)


_STORIES: Mapping[Fate, tuple[Event, ...]] = {
    Fate.DELIVERED: (_PROCESSED, _DELIVERED),
    Fate.DEFERRED: (_PROCESSED, _deferred(1), _deferred(2), _DELIVERED),
    Fate.STUCK: (_PROCESSED, _deferred(1)),
    Fate.BOUNCED: (_PROCESSED, _HARD),
    Fate.BLOCKED: (
        _PROCESSED,
        {
            "event": "bounce",
            "type": "blocked",
            "status": "5.7.1",
            "bounce_classification": "Reputation",
            "reason": "554 5.7.1 Service unavailable; client host is blocked",
            "tls": 1,
            "ip": "192.0.2.1",
        },
    ),
    Fate.NO_HOST: (
        _PROCESSED,
        {
            "event": "bounce",
            "type": "blocked",
            "bounce_classification": "Unclassified",
            "reason": "unable to get mx info: failed to get IPs from PTR record",
            "tls": 0,
        },
    ),
    Fate.DROPPED: _dropped(),
    Fate.OPENED: (_PROCESSED, _DELIVERED, _OPENED),
    Fate.CLICKED: (
        _PROCESSED,
        _DELIVERED,
        _OPENED,
        {"event": "click", "url": "https://events.example/join", "url_offset": {"index": 0, "type": "html"}, **_READER},
    ),
    Fate.COMPLAINED: (_PROCESSED, _DELIVERED, {"event": "spamreport"}),
    Fate.UNSUBSCRIBED: (_PROCESSED, _DELIVERED, {"event": "unsubscribe"}),
    Fate.GROUP_UNSUBSCRIBED: (
        _PROCESSED,
        _DELIVERED,
        {"event": "group_unsubscribe", "asm_group_id": 1, "url": "https://lists.example/asm", **_READER},
    ),
    Fate.BOUNCED_LATER: (_PROCESSED, _DELIVERED, {**_HARD, "sg_message_id": None}),
    Fate.STRANGE: (_PROCESSED, _DELIVERED, {"event": "carrier_pigeon", "altitude": 12.5, "crew": ["a", "b"]}),
}

USUAL: Mapping[Fate, float] = {
    Fate.DELIVERED: 60,
    Fate.OPENED: 15,
    Fate.CLICKED: 5,
    Fate.DEFERRED: 5,
    Fate.BOUNCED: 4,
    Fate.BLOCKED: 2,
    Fate.NO_HOST: 1,
    Fate.DROPPED: 2,
    Fate.STUCK: 2,
    Fate.STRANGE: 1,
    Fate.COMPLAINED: 1,
    Fate.UNSUBSCRIBED: 1,
    Fate.GROUP_UNSUBSCRIBED: 1,
    Fate.BOUNCED_LATER: 1,
}
"""How often each fate is, as weights."""


def tell(
    accepted: Iterable[Accepted],
    *,
    seed: int = 0,
    fates: Mapping[str, Fate] | None = None,
    weights: Mapping[Fate, float] = USUAL,
    dropped_for: Mapping[str, str] | None = None,
    own_smtp_ids: bool = False,
) -> list[Event]:
    """All events about these recipients, in the order of their time.

    `fates`: of single addresses; the others' are drawn by `weights`. `dropped_for`: the reasons of single drops.
    `own_smtp_ids`: `smtp-id` is one of the service's own instead of the Message-ID that the recipient was sent.
    """
    chance = random.Random(seed)  # noqa: S311 - a seed makes a story that can be told again.
    told: list[Event] = []
    for place, person in enumerate(accepted):
        fate = (fates or {}).get(person.address) or chance.choices([*weights], [*weights.values()])[0]
        moment = person.at
        for step in _dropped((dropped_for or {}).get(person.address)) if fate is Fate.DROPPED else _STORIES[fate]:
            moment += chance.uniform(0, 600)
            told.append(_event(person, place, step, moment, chance, own_smtp_ids=own_smtp_ids))
    return sorted(told, key=lambda event: int(event["timestamp"]))


def _event(
    person: Accepted, place: int, step: Event, moment: float, chance: random.Random, *, own_smtp_ids: bool
) -> Event:
    own = f"<{person.answer_id}@geopod-ismtpd-{place % 9}>"
    event = {
        "email": person.address,
        "timestamp": int(moment),
        "smtp-id": own if own_smtp_ids or not person.message_id else person.message_id,
        "sg_message_id": f"{person.answer_id}.recvd-{place:08x}-1-{person.request:X}-1.0",
        **step,
        "sg_event_id": event_id(chance),
        **person.custom_args,
    }
    return {name: value for name, value in event.items() if value is not None}


def event_id(chance: random.Random) -> str:
    """A new `sg_event_id`."""
    return base64.urlsafe_b64encode(chance.randbytes(24)).decode()


def account_event(kind: str = "compliance_suspend", *, at: float, seed: int = 0) -> Event:
    """An event about the account and nobody's mail: it has neither address nor message."""
    chance = random.Random(seed)  # noqa: S311 - see `tell`.
    return {"event": "account_status_change", "type": kind, "timestamp": int(at), "sg_event_id": event_id(chance)}
