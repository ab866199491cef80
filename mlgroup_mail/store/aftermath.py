"""What became known after a mailing: delivery events, and the rules that its readers' signals led to."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any

from sqlalchemy import Connection, and_, exists, func, or_, select

from mlgroup_mail.model import ALL_TOPICS, DeliveryState, EventKind, Restriction, SignalKind
from mlgroup_mail.store import schema
from mlgroup_mail.store.mailings import MailingRow

_DELIVERY, _EVENT, _RULE, _KNOWN = schema.delivery, schema.delivery_event, schema.suppression, schema.contact_address
_SIGNAL = schema.signal

_HAVE_IT = (DeliveryState.ACCEPTED, DeliveryState.UNCERTAIN)
"""They got it, or may have."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LaterRules:
    """How many recipients came under rules of one kind; `on_all` of them on all topics.

    `median_seconds` and `max_seconds`: how long it took from their request to the rule's effect.
    """

    kind: SignalKind
    restriction: Restriction
    people: int
    on_all: int
    median_seconds: float
    max_seconds: float


def count_events(connection: Connection, mailing: MailingRow) -> dict[str, int]:
    """How many deliveries each kind of delivery event was told of."""
    statement = (
        select(_EVENT.c.kind, func.count(func.distinct(_EVENT.c.delivery_id)).label("number"))
        .join(_DELIVERY, _DELIVERY.c.id == _EVENT.c.delivery_id)
        .where(_DELIVERY.c.mailing_id == mailing.mailing_id)
        .group_by(_EVENT.c.kind)
        .order_by(_EVENT.c.kind)
    )
    return {row.kind: row.number for row in connection.execute(statement)}


def bad_news(connection: Connection, mailing: MailingRow) -> dict[int, tuple[EventKind, str]]:
    """The deliveries of a mailing that did not arrive after all, or were not wanted: id -> what it was, and its words.

    Of several events about one the heaviest counts; of several of that, the latest.
    """
    statement = (
        select(_EVENT.c.delivery_id, _EVENT.c.kind, _EVENT.c.detail)
        .join(_DELIVERY, _DELIVERY.c.id == _EVENT.c.delivery_id)
        .where(
            _DELIVERY.c.mailing_id == mailing.mailing_id,
            _EVENT.c.kind.in_([kind for kind in EventKind if kind.unwelcome]),
        )
        .order_by(_EVENT.c.at, _EVENT.c.detail)
    )
    told = [(delivery_id, EventKind(kind), detail) for delivery_id, kind, detail in connection.execute(statement)]
    return {delivery_id: (kind, detail) for delivery_id, kind, detail in sorted(told, key=lambda each: each[1].weight)}


def later_rules(connection: Connection, mailing: MailingRow, *, since: datetime, until: datetime) -> list[LaterRules]:
    """The suppressions and holds that recipients came under because of this mailing, as far as that can be told.

    A rule counts where its evidence cites the mailing, whenever that was; else where it is about the mailing's topic or
    all topics and its signal came between `since` and `until`. Lifted ones count: the signal was there.
    """
    theirs = and_(_DELIVERY.c.mailing_id == mailing.mailing_id, _DELIVERY.c.state.in_(_HAVE_IT))
    by_person = exists().where(theirs, _DELIVERY.c.contact_id == _RULE.c.contact_id)
    # By way of the mailbox's holders: deliveries have an index of contacts, and none of addresses that would serve.
    by_mailbox = exists().where(
        _RULE.c.contact_id.is_(None),
        _KNOWN.c.address_key == _RULE.c.address_key,
        _DELIVERY.c.contact_id == _KNOWN.c.contact_id,
        _DELIVERY.c.address_key == _RULE.c.address_key,
        theirs,
    )
    cited = or_(*(_RULE.c.evidence.contains(word, autoescape=True) for word in (str(mailing.ref), mailing.token)))
    in_time = and_(_RULE.c.topic.in_([ALL_TOPICS, mailing.topic]), _RULE.c.at.between(since, until))
    whose = (_RULE.c.kind, _RULE.c.restriction, _RULE.c.topic, _RULE.c.contact_id, _RULE.c.address_key)
    statement = (
        select(*whose, _RULE.c.at, _SIGNAL.c.recorded_at)
        .join(_SIGNAL, _SIGNAL.c.id == _RULE.c.signal_id)
        .where(_RULE.c.at >= since, or_(cited, in_time), or_(by_person, by_mailbox))
        .order_by(_RULE.c.number)
    )
    first: dict[tuple[Any, ...], float] = {}
    for *rule, at, recorded_at in connection.execute(statement):
        # Somebody may have said the same thing several times; a clock elsewhere may be ahead of ours.
        first.setdefault(tuple(rule), max((recorded_at - at).total_seconds(), 0.0))
    kinds: dict[tuple[str, str], list[tuple[str, float]]] = defaultdict(list)
    for (kind, restriction, topic, *_), seconds in first.items():
        kinds[kind, restriction].append((topic, seconds))
    return [
        LaterRules(
            kind=SignalKind(kind),
            restriction=Restriction(restriction),
            people=len(found),
            on_all=sum(topic == ALL_TOPICS for topic, _ in found),
            median_seconds=median(seconds for _, seconds in found),
            max_seconds=max(seconds for _, seconds in found),
        )
        for (kind, restriction), found in sorted(kinds.items())
    ]
