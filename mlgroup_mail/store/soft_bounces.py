"""What is known of mailboxes that took mail or gave it back for now: delivery events, and the provider's lists."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, or_, select

from mlgroup_mail.model import ALL_TOPICS, Bounce, EventKind, SignalKind
from mlgroup_mail.store import schema
from mlgroup_mail.store.lists import among, as_list
from mlgroup_mail.store.suppressions import STANDING

_DELIVERY, _EVENT, _MAILING = schema.delivery, schema.delivery_event, schema.mailing
_ENTRY, _RULE = schema.provider_entry, schema.suppression


@dataclass(frozen=True, kw_only=True, slots=True)
class MailboxEvent:
    """At that time mail to a mailbox was given back for now (`soft`), or it took some. `told` names the evidence."""

    at: datetime
    soft: bool
    told: str


def mailbox_events(connection: Connection, mailboxes: Collection[str]) -> dict[str, list[MailboxEvent]]:
    """What is known of each of these address keys, in no order. A few hundred at a time.

    What was before a person lifted a bounce counts no more.
    """
    found: dict[str, list[MailboxEvent]] = defaultdict(list)
    asked = {"mailboxes": as_list(mailboxes)}
    for key, at, kind, delivery_id, campaign, name in connection.execute(_EVENTS, asked):
        told = f"{campaign}/{name}, delivery {delivery_id}, {at:%Y-%m-%d}"
        found[key].append(MailboxEvent(at=at, soft=kind == EventKind.BOUNCED, told=told))
    for key, at, on in connection.execute(_ENTRIES, asked):
        found[key].append(MailboxEvent(at=at, soft=True, told=f"SendGrid's list “{on}”, {at:%Y-%m-%d}"))
    for key, lifted in connection.execute(_LIFTS, asked):
        found[key] = [event for event in found[key] if event.at > lifted]
    return dict(found)


_EVENTS = (
    select(_DELIVERY.c.address_key, _EVENT.c.at, _EVENT.c.kind, _DELIVERY.c.id, _MAILING.c.campaign, _MAILING.c.name)
    .join(_EVENT, _EVENT.c.delivery_id == _DELIVERY.c.id)
    .join(_MAILING, _MAILING.c.id == _DELIVERY.c.mailing_id)
    .where(
        # Without these two all deliveries there are would be gone through.
        schema.OF_ANY_MAILING,
        schema.RECIPIENT,
        among(_DELIVERY.c.address_key, "mailboxes"),
        or_(_EVENT.c.kind == EventKind.DELIVERED, _EVENT.c.bounce == Bounce.SOFT),
    )
)
_ENTRIES = select(_ENTRY.c.address_key, _ENTRY.c.created, _ENTRY.c.list).where(
    among(_ENTRY.c.address_key, "mailboxes"), _ENTRY.c.bounce == Bounce.SOFT
)
_LIFTS = (
    select(_RULE.c.address_key, func.max(_RULE.c.lifted_at))
    .where(among(_RULE.c.address_key, "mailboxes"), _RULE.c.kind == SignalKind.BOUNCE, _RULE.c.lifted_at.is_not(None))
    .group_by(_RULE.c.address_key)
)


def stopped_mailboxes(connection: Connection, mailboxes: Collection[str], kind: SignalKind) -> set[str]:
    """Those of these address keys on which a rule of that kind stands, for all topics."""
    return set(connection.execute(_STOPPED, {"mailboxes": as_list(mailboxes), "kind": kind}).scalars())


_STOPPED = select(_RULE.c.address_key).where(
    STANDING,
    among(_RULE.c.address_key, "mailboxes"),
    _RULE.c.kind == bindparam("kind"),
    _RULE.c.topic == ALL_TOPICS,
)
