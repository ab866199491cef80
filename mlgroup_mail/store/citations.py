"""What something from outside cites: a delivery of ours with its mailing, or a mail outside mailings."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, or_, select

from mlgroup_mail.model import MailingRef
from mlgroup_mail.store import schema
from mlgroup_mail.store.lists import among, as_list

_DELIVERY, _ATTEMPT = schema.delivery, schema.attempt
_MAILING, _COURTESY, _CONTACT = schema.mailing, schema.courtesy, schema.contact


@dataclass(frozen=True, kw_only=True, slots=True)
class CitedMailing:
    """The mailing of a delivery that something from outside names."""

    mailing_id: int
    token: str
    ref: MailingRef
    topic: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CitedDelivery:
    """A delivery that something from outside names.

    `attempted`: whether this ledger tried it. `address`: "" where it was kept for long enough, or its person was
    `erased`.
    """

    delivery_id: int
    contact_id: int
    address: str
    attempted: bool
    erased: bool
    mailing: CitedMailing


def cited_by_id(connection: Connection, delivery_id: int) -> CitedDelivery | None:
    """The delivery of that number; the caller compares the mailing's token."""
    return cited_by_ids(connection, [delivery_id]).get(delivery_id)


def cited_by_ids(connection: Connection, delivery_ids: Collection[int]) -> dict[int, CitedDelivery]:
    """The same for many, a thousand or so at a time: id -> delivery."""
    return _cited(connection, _CITED_BY_ID, {"cited": as_list(delivery_ids)}) if delivery_ids else {}


def cited_by_person(connection: Connection, mailing_id: int, contact_id: int) -> CitedDelivery | None:
    """The delivery of a mailing to a person, also where their row was joined to another since."""
    moved = select(schema.contact.c.moved_to).where(schema.contact.c.id == contact_id).scalar_subquery()
    theirs = or_(_DELIVERY.c.contact_id == contact_id, _DELIVERY.c.contact_id == moved)
    found = _cited(connection, _CITED.where(_DELIVERY.c.mailing_id == mailing_id, theirs).order_by(_DELIVERY.c.id))
    return next((each for each in found.values() if each.attempted), next(iter(found.values()), None))


def last_begun(connection: Connection, delivery_ids: Collection[int]) -> dict[int, datetime]:
    """When the latest attempt of each of these began: id -> moment. A thousand or so at a time."""
    if not delivery_ids:
        return {}
    return {row[0]: row[1] for row in connection.execute(_LAST_BEGUN, {"cited": as_list(delivery_ids)})}


_CITED = select(
    _DELIVERY.c.id,
    _DELIVERY.c.contact_id,
    _DELIVERY.c.address,
    _DELIVERY.c.attempts,
    _CONTACT.c.erased_at,
    _DELIVERY.c.mailing_id,
).join(_CONTACT, _CONTACT.c.id == _DELIVERY.c.contact_id)
_CITED_BY_ID = _CITED.where(among(_DELIVERY.c.id, "cited"))
_LAST_BEGUN = (
    select(_DELIVERY.c.id, _ATTEMPT.c.begun_at)
    .join(_ATTEMPT, _ATTEMPT.c.id == _DELIVERY.c.attempt_id)
    .where(among(_DELIVERY.c.id, "cited"))
)

_CITED_MAILINGS = select(_MAILING.c.id, _MAILING.c.token, _MAILING.c.campaign, _MAILING.c.name, _MAILING.c.topic).where(
    among(_MAILING.c.id, "cited")
)


def _cited(
    connection: Connection, statement: Select[Any], values: dict[str, Any] | None = None
) -> dict[int, CitedDelivery]:
    """Mailings are read apart: there are few of them, and hundreds of deliveries."""
    found = connection.execute(statement, values or {}).all()
    mailings = _mailings(connection, {mailing_id for *_, mailing_id in found})
    return {
        delivery_id: CitedDelivery(
            delivery_id=delivery_id,
            contact_id=contact_id,
            address=address,
            attempted=attempts > 0,
            erased=erased_at is not None,
            mailing=mailings[mailing_id],
        )
        for delivery_id, contact_id, address, attempts, erased_at, mailing_id in found
    }


def _mailings(connection: Connection, mailing_ids: Collection[int]) -> dict[int, CitedMailing]:
    if not mailing_ids:
        return {}
    return {
        row.id: CitedMailing(
            mailing_id=row.id, token=row.token, ref=MailingRef(row.campaign, row.name), topic=row.topic
        )
        for row in connection.execute(_CITED_MAILINGS, {"cited": as_list(mailing_ids)})
    }


@dataclass(frozen=True, kw_only=True, slots=True)
class CitedCourtesy:
    """A mail outside mailings that something from outside names. `address`: "" where its person was forgotten."""

    courtesy_id: int
    kind: str
    token: str
    address: str


def cited_by_tokens(connection: Connection, tokens: Collection[str]) -> dict[str, CitedCourtesy]:
    """The mails outside mailings that were begun with these tokens, a thousand or so at a time: token -> mail."""
    if not tokens:
        return {}
    found = connection.execute(_COURTESIES, {"tokens": as_list(tokens)})
    return {
        token: CitedCourtesy(courtesy_id=courtesy_id, kind=kind, token=token, address=address)
        for courtesy_id, kind, token, address in found
    }


_COURTESIES = select(_COURTESY.c.id, _COURTESY.c.kind, _COURTESY.c.token, _COURTESY.c.address).where(
    among(_COURTESY.c.token, "tokens")
)
