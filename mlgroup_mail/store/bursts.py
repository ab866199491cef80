"""Opt-outs by page that came right after a mailing reached their mailboxes, and what was made of them."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, func, or_, select

from mlgroup_mail.model import DeliveryState, KeptBack, OutcomeKind
from mlgroup_mail.store import schema
from mlgroup_mail.store.courtesies import CourtesyQueue
from mlgroup_mail.store.transactions import count, insert_new

_BURST, _SIGNAL, _RULE = schema.burst_opt_out, schema.signal, schema.suppression
_DELIVERY, _ATTEMPT, _CONTACT = schema.delivery, schema.attempt, schema.contact
_WRITTEN_TO = (_CONTACT.c.address, _CONTACT.c.language)
MAILS = CourtesyQueue(table=_BURST, key="signal_id")
"""The one that asks each reader whether it was they."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EarlyOptOut:
    """An opt-out by page, shortly after a mailing went to its reader, at a receiving domain."""

    signal_id: int
    contact_id: int
    mailing_id: int
    domain: str


def early_opt_outs(connection: Connection, *, since: datetime, within: timedelta) -> list[EarlyOptOut]:
    """Those recorded since then that came `within` that time of a try that was accepted.

    Of its beginning: a gateway clicks before the answer is recorded, or even given.
    """
    statement = (
        select(
            _SIGNAL.c.id,
            _SIGNAL.c.contact_id,
            _SIGNAL.c.at,
            _ATTEMPT.c.begun_at,
            _DELIVERY.c.mailing_id,
            _DELIVERY.c.domain,
        )
        .select_from(_SIGNAL)
        .join(_DELIVERY, and_(_DELIVERY.c.contact_id == _SIGNAL.c.contact_id, schema.OF_ANY_MAILING))
        .join(_ATTEMPT, _ATTEMPT.c.id == _DELIVERY.c.attempt_id)
        .where(
            schema.BY_PAGE,
            _SIGNAL.c.recorded_at >= since,
            _DELIVERY.c.state == DeliveryState.ACCEPTED.value,
            _DELIVERY.c.domain != "",
            _ATTEMPT.c.outcome == OutcomeKind.ACCEPTED,
            _ATTEMPT.c.begun_at >= since - within,
        )
        .order_by(_SIGNAL.c.id, _DELIVERY.c.id)
    )
    return [
        EarlyOptOut(signal_id=row.id, contact_id=row.contact_id, mailing_id=row.mailing_id, domain=row.domain)
        for row in connection.execute(statement)
        if row.at - within <= row.begun_at <= row.at
    ]


def accepted_at(connection: Connection, mailing_id: int, domain: str) -> int:
    """How many of a mailing were accepted for a receiving domain."""
    return count(
        connection,
        _DELIVERY,
        _DELIVERY.c.mailing_id == mailing_id,
        _DELIVERY.c.domain == domain,
        _DELIVERY.c.state == DeliveryState.ACCEPTED.value,
    )


def flag(connection: Connection, found: Collection[EarlyOptOut], *, now: datetime) -> int:
    """Note that a mail gateway may have clicked these; returns how many were not noted before."""
    known = set(
        connection.execute(
            select(_BURST.c.signal_id).where(_BURST.c.signal_id.in_([each.signal_id for each in found]))
        ).scalars()
    )
    news = {each.signal_id: each for each in found if each.signal_id not in known}
    rows = [(key, each.mailing_id, each.domain, now, now, 0, "") for key, each in sorted(news.items())]
    columns = ("signal_id", "mailing_id", "domain", "flagged_at", "next_at", "tries", "kept_back")
    insert_new(connection, _BURST, rows, columns=columns)
    return len(news)


@dataclass(frozen=True, kw_only=True, slots=True)
class Unasked:
    """Somebody whose opt-out a gateway may have clicked, and who has not been asked."""

    signal_id: int
    contact_id: int
    mailing_id: int
    topic: str
    address: str
    language: str


def next_unasked(connection: Connection, *, since: datetime, now: datetime, lock: int = 0) -> Unasked | None:
    """The next of those flagged since then to be asked whether it was they; None for nobody.

    With `lock`, the one with that signal alone, and nobody else changes it meanwhile.

    Only who has but opt-outs of such bursts, none of which was lifted or led to a mail: whoever opted out before, or
    again by another road, meant it. Of several opt-outs of one reader the first one counts.
    """
    other, burst = _RULE.alias("other"), _BURST.alias("other_burst")
    theirs = or_(
        other.c.contact_id == _SIGNAL.c.contact_id,
        and_(other.c.address_key != "", other.c.address_key == _CONTACT.c.address_key),
    )
    another_counts = or_(burst.c.next_at.is_(None), burst.c.signal_id < _BURST.c.signal_id)
    meant_or_settled = (
        select(other.c.id)
        .outerjoin(burst, burst.c.signal_id == other.c.signal_id)
        .where(theirs, or_(burst.c.signal_id.is_(None), another_counts, other.c.lifted_number.is_not(None)))
        .exists()
    )
    statement = (
        select(_BURST.c.signal_id, _SIGNAL.c.contact_id, _BURST.c.mailing_id, _SIGNAL.c.topic, *_WRITTEN_TO)
        .select_from(_BURST)
        .join(_SIGNAL, _SIGNAL.c.id == _BURST.c.signal_id)
        .join(_CONTACT, _CONTACT.c.id == _SIGNAL.c.contact_id)
        .where(
            MAILS.due(now),
            _BURST.c.flagged_at >= since,
            _CONTACT.c.left_at.is_(None),
            _CONTACT.c.address != "",
            ~meant_or_settled,
        )
        .order_by(_BURST.c.signal_id)
        .limit(1)
    )
    if lock:
        statement = statement.where(_BURST.c.signal_id == lock).with_for_update(of=_BURST)
    row = connection.execute(statement).first()
    if row is None:
        return None
    return Unasked(
        signal_id=row.signal_id,
        contact_id=row.contact_id,
        mailing_id=row.mailing_id,
        topic=row.topic,
        address=row.address,
        language=row.language,
    )


def kept_back(connection: Connection, *, since: datetime) -> Counter[KeptBack]:
    """How many of those flagged since then have not been asked, by the reason."""
    return MAILS.kept_back(connection, _BURST.c.flagged_at >= since)


def flagged_rules(connection: Connection) -> dict[int, str]:
    """The rules that a gateway may have clicked: id -> the receiving domain."""
    statement = select(_RULE.c.id, _BURST.c.domain).join(_BURST, _BURST.c.signal_id == _RULE.c.signal_id)
    return {row.id: row.domain for row in connection.execute(statement)}


def flagged_of(connection: Connection, mailing_id: int) -> dict[str, int]:
    """How many opt-outs a mailing's gateways may have clicked, by receiving domain."""
    statement = select(_BURST.c.domain, func.count()).where(_BURST.c.mailing_id == mailing_id).group_by(_BURST.c.domain)
    return {row[0]: row[1] for row in connection.execute(statement.order_by(_BURST.c.domain))}
