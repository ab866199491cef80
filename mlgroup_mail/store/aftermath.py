"""What became known after a mailing: delivery events, and the rules that its readers' signals led to."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, exists, func, or_, select

from mlgroup_mail.model import ALL_TOPICS, DeliveryState, Restriction, SignalKind
from mlgroup_mail.store import schema
from mlgroup_mail.store.mailings import MailingRow

_DELIVERY, _EVENT, _RULE, _KNOWN = schema.delivery, schema.delivery_event, schema.suppression, schema.contact_address

_HAVE_IT = (DeliveryState.ACCEPTED, DeliveryState.UNCERTAIN)
"""They got it, or may have."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LaterRules:
    """How many recipients came under rules of one kind; `on_all` of them on all topics."""

    kind: SignalKind
    restriction: Restriction
    people: int
    on_all: int


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
    statement = (
        select(_RULE.c.kind, _RULE.c.restriction, _RULE.c.topic, _RULE.c.contact_id, _RULE.c.address_key)
        .where(_RULE.c.at >= since, or_(cited, in_time), or_(by_person, by_mailbox))
        .distinct()
    )
    people: Counter[tuple[str, str]] = Counter()
    on_all: Counter[tuple[str, str]] = Counter()
    for kind, restriction, topic, _, _ in connection.execute(statement):
        people[kind, restriction] += 1
        on_all[kind, restriction] += topic == ALL_TOPICS
    return [
        LaterRules(
            kind=SignalKind(kind),
            restriction=Restriction(restriction),
            people=number,
            on_all=on_all[kind, restriction],
        )
        for (kind, restriction), number in sorted(people.items())
    ]
