"""A mailing in numbers, counted by the database: a million deliveries are a few hundred rows here."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Text, case, func, or_, select, type_coerce

from mlgroup_mail.model import DeliveryState, ExclusionReason
from mlgroup_mail.store import schema
from mlgroup_mail.store.mailings import MailingRow

_DELIVERY, _ATTEMPT, _CONTACT = schema.delivery, schema.attempt, schema.contact

_BY_THE_SECOND = timedelta(hours=1)
"""Acceptances of a mailing no longer than this are counted by the second, of others by the minute."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """How many deliveries of one group (a country, a domain) are in one state.

    `put_off` of them were deferred at least once, whatever became of them.
    """

    group: str
    state: DeliveryState
    number: int
    put_off: int


def shares_by_country(connection: Connection, mailing: MailingRow) -> list[Share]:
    """By the country that the list has for each recipient now (ISO 3166 alpha-2); "" where it has none."""
    return _shares(connection, mailing, _CONTACT.c.country, of_contacts=True)


def shares_by_domain(connection: Connection, mailing: MailingRow) -> list[Share]:
    """By the domain that the recipient's address ends in; "" for people who were forgotten since."""
    return _shares(connection, mailing, _DELIVERY.c.domain)


def count_exclusions(connection: Connection, mailing: MailingRow) -> dict[ExclusionReason, int]:
    """How many of the audience were left out, by reason, in the order of the reasons."""
    statement = (
        select(_DELIVERY.c.reason, func.count().label("number"))
        .where(_DELIVERY.c.mailing_id == mailing.mailing_id, _DELIVERY.c.state == DeliveryState.EXCLUDED)
        .group_by(_DELIVERY.c.reason)
    )
    found: dict[str, int] = {row.reason: row.number for row in connection.execute(statement)}
    return {reason: found[reason] for reason in ExclusionReason if reason in found}


def count_answers(connection: Connection, mailing: MailingRow, *, most: int) -> list[tuple[DeliveryState, str, int]]:
    """What mail servers said to those who are refused or deferred: state, answer, how many; the most frequent ones."""
    number = func.count()
    statement = (
        select(_DELIVERY.c.state, _DELIVERY.c.reason, number)
        .where(
            _DELIVERY.c.mailing_id == mailing.mailing_id,
            _DELIVERY.c.state.in_([DeliveryState.REFUSED, DeliveryState.DEFERRED]),
        )
        .group_by(_DELIVERY.c.state, _DELIVERY.c.reason)
        .order_by(number.desc(), _DELIVERY.c.reason)
        .limit(most)
    )
    return [(DeliveryState(state), reason, count) for state, reason, count in connection.execute(statement)]


def attempted_between(connection: Connection, mailing: MailingRow) -> tuple[datetime, datetime] | None:
    """When the first attempt began, and when the last one began or ended; None where nothing was attempted."""
    last = func.max(func.coalesce(_ATTEMPT.c.ended_at, _ATTEMPT.c.begun_at))
    first, end = connection.execute(
        select(func.min(_ATTEMPT.c.begun_at), last)
        .join(_DELIVERY, _DELIVERY.c.id == _ATTEMPT.c.delivery_id)
        .where(_DELIVERY.c.mailing_id == mailing.mailing_id)
    ).one()
    return (first, end) if first is not None else None


def transports_of(connection: Connection, mailing: MailingRow) -> frozenset[str]:
    """The names of the transports by which a mailing's attempts were made."""
    statement = (
        select(_ATTEMPT.c.transport)
        .distinct()
        .join(_DELIVERY, _DELIVERY.c.id == _ATTEMPT.c.delivery_id)
        .where(_DELIVERY.c.mailing_id == mailing.mailing_id)
    )
    return frozenset(connection.execute(statement).scalars())


def accepted_at(
    connection: Connection, mailing: MailingRow, span: tuple[datetime, datetime]
) -> Iterator[tuple[datetime, int]]:
    """How many became accepted in each second or minute in which any did, by its end, in order.

    `span` says how long the mailing took, and so which of the two it is.
    """
    unit, length = ("second", 1) if span[1] - span[0] <= _BY_THE_SECOND else ("minute", 60)
    moment = _cut_to(connection, _DELIVERY.c.changed_at, unit)
    statement = (
        select(moment.label("moment"), func.count())
        .where(_DELIVERY.c.mailing_id == mailing.mailing_id, _DELIVERY.c.state == DeliveryState.ACCEPTED)
        .group_by("moment")
        .order_by("moment")
    )
    for found, number in connection.execute(statement):
        when = datetime.fromisoformat(found).replace(tzinfo=UTC) if isinstance(found, str) else found
        yield when.astimezone(UTC) + timedelta(seconds=length), number


def _shares(
    connection: Connection, mailing: MailingRow, group: ColumnElement[Any], *, of_contacts: bool = False
) -> list[Share]:
    deferred = or_(_DELIVERY.c.attempts > 1, _DELIVERY.c.state == DeliveryState.DEFERRED)
    columns = (group.label("of_group"), _DELIVERY.c.state, func.count(), func.sum(case((deferred, 1), else_=0)))
    statement = select(*columns).where(_DELIVERY.c.mailing_id == mailing.mailing_id)
    if of_contacts:
        statement = statement.join(_CONTACT, _CONTACT.c.id == _DELIVERY.c.contact_id)
    return [
        Share(group=name, state=DeliveryState(state), number=number, put_off=put_off)
        for name, state, number, put_off in connection.execute(statement.group_by("of_group", _DELIVERY.c.state))
    ]


def _cut_to(connection: Connection, moment: ColumnElement[datetime], unit: str) -> ColumnElement[Any]:
    if connection.dialect.name == "postgresql":
        return func.date_trunc(unit, moment)
    # As SQLite keeps it: "2021-11-02 09:00:00.000000".
    length = len("2021-11-02 09:00:00") if unit == "second" else len("2021-11-02 09:00")
    return func.substr(type_coerce(moment, Text), 1, length)
