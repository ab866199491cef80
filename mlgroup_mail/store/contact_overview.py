"""All that is known of many people at once: for the list as a file, read in chunks."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, select

from mlgroup_mail.model import Contact, DeliveryState, MailingRef, SignalKind, Suppression
from mlgroup_mail.store import schema
from mlgroup_mail.store.contacts import contact_from
from mlgroup_mail.store.suppressions import STANDING, suppression_from
from mlgroup_mail.store.transactions import count, rows

_CONTACT, _KNOWN, _RULE = schema.contact, schema.contact_address, schema.suppression
_DELIVERY, _MAILING, _EVENT = schema.delivery, schema.mailing, schema.delivery_event
_BOUNCED = "bounced"


@dataclass(frozen=True, kw_only=True, slots=True)
class ContactOverview:
    """One person with their history.

    `others` are addresses they have or had beside the present one, `shared` those of them that somebody else on the
    list has or had too. `moved_from` are those they no longer have, `moved_at` is when they got the present one.
    `rules` are the standing suppressions and holds that reach them. `bounced_at` is the latest bounce of a message,
    hard or soft; `accepted` the latest mailing accepted for them. `now_contact_id` is whose row took this one's place.
    """

    contact: Contact
    origin: str
    others: tuple[str, ...]
    shared: tuple[str, ...]
    moved_from: tuple[str, ...]
    moved_at: datetime | None
    rules: tuple[Suppression, ...]
    bounced_at: datetime | None
    accepted: MailingRef | None
    accepted_at: datetime | None
    joined_at: datetime
    changed_at: datetime
    left_at: datetime | None
    now_contact_id: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Numbers:
    """How many people are on the list, have left it, and were erased."""

    listed: int
    left: int
    erased: int


def count_people(connection: Connection) -> Numbers:
    """How many there are of each."""
    erased = _CONTACT.c.erased_at.is_not(None)
    return Numbers(
        listed=count(connection, _CONTACT, *_which(left=False)),
        left=count(connection, _CONTACT, *_which(left=True)),
        erased=count(connection, _CONTACT, erased),
    )


def sources_with_ids(connection: Connection) -> list[str]:
    """The sources that have ids of their own."""
    statement = select(_CONTACT.c.source).distinct().where(_CONTACT.c.external_id != "", _CONTACT.c.erased_at.is_(None))
    return sorted(connection.execute(statement).scalars())


def overviews(connection: Connection, *, left: bool, chunk: int = 2000) -> Iterator[list[ContactOverview]]:
    """Everybody on the list, or everybody who left it and was not erased, in order of id, a chunk at a time."""
    bounces = _bounces(connection)
    last = 0
    while found := rows(
        connection,
        select(_CONTACT).where(_CONTACT.c.id > last, *_which(left=left)).order_by(_CONTACT.c.id).limit(chunk),
    ):
        first, last = found[0]["id"], found[-1]["id"]
        addresses = _addresses(connection, first, last)
        shared = _shared(connection, first, last)
        rules = rules_between(connection, first, last)
        accepted = _accepted(connection, first, last)
        people = []
        for row in found:
            known = addresses[row["id"]]
            others = [each for each in known if each["address_key"] != row["address_key"]]
            moved_from = tuple(each["address_key"] for each in others if each["moved_away"])
            own = next((each["since"] for each in known if each["address_key"] == row["address_key"]), None)
            mailing, accepted_at = accepted.get(row["id"], (None, None))
            people.append(
                ContactOverview(
                    contact=contact_from(row),
                    origin=row["origin"],
                    others=tuple(each["address_key"] for each in others),
                    shared=tuple(each["address_key"] for each in others if each["address_key"] in shared[row["id"]]),
                    moved_from=moved_from,
                    moved_at=own if moved_from else None,
                    rules=tuple(rules.get(row["id"], ())),
                    bounced_at=bounces.get(row["id"]),
                    accepted=mailing,
                    accepted_at=accepted_at,
                    joined_at=row["joined_at"],
                    changed_at=row["changed_at"],
                    left_at=row["left_at"],
                    now_contact_id=row["moved_to"],
                )
            )
        yield people


def rules_between(connection: Connection, first: int, last: int) -> Mapping[int, list[Suppression]]:
    """The standing rules that reach the contacts from id `first` to `last`, on any topic, as `standing_rules` has."""
    known, columns = _KNOWN.c, list(_RULE.c)
    here = known.contact_id.between(first, last)
    of_before = and_(_RULE.c.contact_id.is_(None), _RULE.c.kind != SignalKind.BOUNCE)
    statements = (
        select(_RULE.c.contact_id.label("person"), *columns).where(STANDING, _RULE.c.contact_id.between(first, last)),
        select(known.contact_id.label("person"), *columns)
        .join(_KNOWN, known.address_key == _RULE.c.address_key)
        .where(STANDING, here, known.current | of_before),
    )
    found: dict[int, dict[int, Suppression]] = defaultdict(dict)
    for statement in statements:
        for row in rows(connection, statement):
            found[row["person"]][row["id"]] = suppression_from(row)
    return {person: sorted(rules.values(), key=lambda rule: rule.number) for person, rules in found.items()}


def _which(*, left: bool) -> tuple[ColumnElement[bool], ...]:
    gone = _CONTACT.c.left_at
    # Canaries are the team's own addresses: they were never on the list.
    departed = and_(gone.is_not(None), _CONTACT.c.origin != schema.CANARY)
    return (departed if left else gone.is_(None), _CONTACT.c.erased_at.is_(None))


def _addresses(connection: Connection, first: int, last: int) -> dict[int, list[Any]]:
    statement = (
        select(_KNOWN).where(_KNOWN.c.contact_id.between(first, last)).order_by(_KNOWN.c.since, _KNOWN.c.address_key)
    )
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows(connection, statement):
        found[row["contact_id"]].append(row)
    return found


def _shared(connection: Connection, first: int, last: int) -> dict[int, set[str]]:
    """The addresses of these people that somebody else on the list has or had."""
    other = _KNOWN.alias()
    statement = (
        select(_KNOWN.c.contact_id, _KNOWN.c.address_key)
        .join(other, and_(other.c.address_key == _KNOWN.c.address_key, other.c.contact_id != _KNOWN.c.contact_id))
        .join(_CONTACT, _CONTACT.c.id == other.c.contact_id)
        .where(_KNOWN.c.contact_id.between(first, last), _CONTACT.c.left_at.is_(None))
    )
    found: dict[int, set[str]] = defaultdict(set)
    for contact_id, address_key in connection.execute(statement):
        found[contact_id].add(address_key)
    return found


def _accepted(connection: Connection, first: int, last: int) -> dict[int, tuple[MailingRef, datetime]]:
    """The latest mailing that was accepted for each."""
    newest = func.row_number().over(
        partition_by=_DELIVERY.c.contact_id, order_by=[_DELIVERY.c.changed_at.desc(), _DELIVERY.c.id.desc()]
    )
    ranked = (
        select(
            _DELIVERY.c.contact_id, _MAILING.c.campaign, _MAILING.c.name, _DELIVERY.c.changed_at, newest.label("rank")
        )
        # By way of the mailings: deliveries are indexed by mailing and contact.
        .join_from(_MAILING, _DELIVERY, _DELIVERY.c.mailing_id == _MAILING.c.id)
        .where(_DELIVERY.c.contact_id.between(first, last), _DELIVERY.c.state == DeliveryState.ACCEPTED)
        .subquery()
    )
    statement = select(ranked).where(ranked.c.rank == 1)
    return {
        row["contact_id"]: (MailingRef(row["campaign"], row["name"]), row["changed_at"])
        for row in rows(connection, statement)
    }


def _bounces(connection: Connection) -> dict[int, datetime]:
    """When a message to somebody last bounced: few, and read at once, because events are indexed by delivery."""
    statement = (
        select(_DELIVERY.c.contact_id, func.max(_EVENT.c.at).label("at"))
        .join(_DELIVERY, _DELIVERY.c.id == _EVENT.c.delivery_id)
        .where(_EVENT.c.kind == _BOUNCED)
        .group_by(_DELIVERY.c.contact_id)
    )
    return {row["contact_id"]: row["at"] for row in rows(connection, statement)}
