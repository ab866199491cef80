"""Forgetting what has been kept for long enough, a few rows at a time.

A chore says which rows are due and empties some of them; emptied ones are due no more, so that it can be stopped
anywhere and done again. What `verify` goes by stays: states, attempts, numbers, rules, and the keyed hashes of those
who were erased.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, and_, delete, exists, func, not_, or_, select, update

from mlgroup_mail.model import DeliveryState, MailingState, Restriction, SignalKind
from mlgroup_mail.model.retention import Retained
from mlgroup_mail.store import schema
from mlgroup_mail.store.belongings import of_numbers, other_rows
from mlgroup_mail.store.erasure import blank_addresses, empty_contacts, stop_all_mail
from mlgroup_mail.store.join_requests import QUESTION_TO_A_STRANGER
from mlgroup_mail.store.second_copies import ACCEPTED_BEFORE
from mlgroup_mail.store.suppressions import STANDING, WAS_ERASED

_CONTACT, _KNOWN = schema.contact, schema.contact_address
_DELIVERY, _MAILING, _EVENT = schema.delivery, schema.mailing, schema.delivery_event
_SIGNAL, _RULE, _JOURNAL, _COURTESY = schema.signal, schema.suppression, schema.journal, schema.courtesy
_ALIAS, _UNPLACED = schema.provider_alias, schema.unplaced_event
_REQUEST, _BURST = schema.join_request, schema.burst_opt_out
_ENTRY, _REMOVAL = schema.provider_entry, schema.provider_removal

KEPT_NO_LONGER = "kept no longer"
"""What stands where a text stood that had been kept for long enough."""
_DONE_WITH = ("", WAS_ERASED, KEPT_NO_LONGER)
_BY_ITSELF = "mlgroup-mail"


@dataclass(frozen=True, kw_only=True, slots=True)
class Chore:
    """One table's part of a kind: `due` says which rows, by the moment before which they are kept no longer.

    `key` orders them. `clear` empties rows: (connection, keys, now); where there is none they are deleted. `decides`
    tells that consent is written, which claims must not meet halfway.
    """

    kind: Retained
    key: Column[Any]
    due: Callable[[datetime], ColumnElement[bool]]
    clear: Callable[[Connection, Sequence[Any], datetime], None] | None = None
    decides: bool = False


def count_due(connection: Connection, chore: Chore, before: datetime) -> int:
    """How many rows there are to do."""
    statement = select(func.count()).select_from(chore.key.table).where(chore.due(before))
    return int(connection.execute(statement).scalar_one())


def some_due(connection: Connection, chore: Chore, before: datetime, *, after: Any, limit: int) -> list[Any]:
    """The keys of the next rows to do, in order, behind the key `after` (None: from the beginning)."""
    statement = select(chore.key).where(chore.due(before)).order_by(chore.key).limit(limit)
    if after is not None:
        statement = statement.where(chore.key > after)
    return list(connection.execute(statement).scalars())


def clear_some(connection: Connection, chore: Chore, before: datetime, keys: Sequence[Any], *, now: datetime) -> int:
    """Do those of these that are due still; returns how many they were."""
    still_due = chore.key.in_(keys), chore.due(before)
    if chore.clear is None:
        return int(connection.execute(delete(chore.key.table).where(*still_due)).rowcount)
    due = list(connection.execute(select(chore.key).where(*still_due)).scalars())
    if due:
        chore.clear(connection, due, now)
    return len(due)


def _of_old_mailing(before: datetime) -> ColumnElement[bool]:
    """Whether a delivery's mailing is over, and was before that moment."""
    over = select(_MAILING.c.id).where(
        _MAILING.c.state.in_([MailingState.FINISHED, MailingState.CANCELLED]),
        _MAILING.c.stop_at < before,
        _MAILING.c.changed_at < before,
    )
    return _DELIVERY.c.mailing_id.in_(over)


_SETTLED = _DELIVERY.c.state.in_(
    [state for state in DeliveryState if not state.open and state is not DeliveryState.UNCERTAIN]
)
"""Somebody may still decide about the others, and would have to know whom to write to."""

_NEEDED_AS_EVIDENCE = exists().where(
    _DELIVERY.c.id == _EVENT.c.delivery_id,
    or_(not_(_SETTLED), and_(_DELIVERY.c.state == DeliveryState.ACCEPTED, not_(ACCEPTED_BEFORE))),
)
"""Whether nothing but events shows that a delivery was accepted, whichever of its tries: `verify` asks for one."""


def _old_delivery(before: datetime) -> ColumnElement[bool]:
    return and_(_DELIVERY.c.address != "", _SETTLED, _of_old_mailing(before))


def _blank_deliveries(connection: Connection, keys: Sequence[int], now: datetime) -> None:  # noqa: ARG001
    blank_addresses(connection, keys)


def _old_alias(before: datetime) -> ColumnElement[bool]:
    return _ALIAS.c.delivery_id.in_(select(_DELIVERY.c.id).where(_of_old_mailing(before)))


_STANDS = exists().where(_RULE.c.signal_id == _SIGNAL.c.id, STANDING)
_IS_HOLD = exists().where(_RULE.c.signal_id == _SIGNAL.c.id, STANDING, _RULE.c.restriction == Restriction.HOLD)
"""Somebody has yet to decide, and needs to know about what."""


def _old_signal(before: datetime) -> ColumnElement[bool]:
    """Signals with texts, and those with an address that no rule needs any more."""
    has_words = or_(_SIGNAL.c.reason != "", _SIGNAL.c.evidence.not_in(_DONE_WITH))
    needless = and_(_SIGNAL.c.address != "", not_(_STANDS))
    return and_(_SIGNAL.c.recorded_at < before, or_(has_words, needless), not_(_IS_HOLD))


def _blank_signals(connection: Connection, keys: Sequence[int], now: datetime) -> None:  # noqa: ARG001
    """The fingerprint stays: evidence that is told again must not undo what somebody has lifted."""
    needless = list(connection.execute(select(_SIGNAL.c.id).where(_SIGNAL.c.id.in_(keys), not_(_STANDS))).scalars())
    connection.execute(
        update(_SIGNAL)
        .where(_SIGNAL.c.id.in_(keys), _SIGNAL.c.evidence != WAS_ERASED)
        .values(reason="", evidence=KEPT_NO_LONGER)
    )
    connection.execute(update(_SIGNAL).where(_SIGNAL.c.id.in_(needless)).values(address=""))
    connection.execute(
        update(_RULE)
        .where(_RULE.c.signal_id.in_(keys), _RULE.c.evidence != WAS_ERASED)
        .values(reason="", evidence=KEPT_NO_LONGER)
    )
    connection.execute(update(_RULE).where(_RULE.c.signal_id.in_(needless)).values(address_key=""))


def _old_lift(before: datetime) -> ColumnElement[bool]:
    return and_(_RULE.c.lifted_at < before, _RULE.c.lifted_reason.not_in(_DONE_WITH))


def _blank_lifts(connection: Connection, keys: Sequence[int], now: datetime) -> None:  # noqa: ARG001
    connection.execute(update(_RULE).where(_RULE.c.id.in_(keys)).values(lifted_reason=KEPT_NO_LONGER))


def _old_entry(before: datetime) -> ColumnElement[bool]:
    about_somebody = or_(_JOURNAL.c.contact_id.is_not(None), _JOURNAL.c.delivery_id.is_not(None))
    return and_(_JOURNAL.c.at < before, about_somebody, _JOURNAL.c.reason.not_in(_DONE_WITH))


def _blank_entries(connection: Connection, keys: Sequence[int], now: datetime) -> None:  # noqa: ARG001
    # What a person decided must never look as if nobody had given a reason.
    connection.execute(update(_JOURNAL).where(_JOURNAL.c.id.in_(keys)).values(reason=KEPT_NO_LONGER))


def _old_courtesy(before: datetime) -> ColumnElement[bool]:
    return and_(_COURTESY.c.begun_at < before, _COURTESY.c.address != "")


def _blank_courtesies(connection: Connection, keys: Sequence[int], now: datetime) -> None:  # noqa: ARG001
    connection.execute(update(_COURTESY).where(_COURTESY.c.id.in_(keys)).values(address="", detail=""))


_SAYS_SO_STILL = or_(
    exists().where(STANDING, _RULE.c.address_key == _ENTRY.c.address_key),
    exists().where(_REMOVAL.c.address_key == _ENTRY.c.address_key, _REMOVAL.c.done_at.is_(None)),
)
"""An opt-out or bounce of the mailbox stands, or is just being lifted: what is on which list has to be known then."""

_STILL_CONCERNED = exists().where(
    _DELIVERY.c.contact_id == _CONTACT.c.id, schema.OF_ANY_MAILING, not_(_SETTLED), _DELIVERY.c.address != ""
)


_BY_NAME = exists().where(STANDING, _RULE.c.contact_id == _CONTACT.c.id)
_BY_MAILBOX = exists().where(
    STANDING,
    _RULE.c.kind != SignalKind.BOUNCE,
    _KNOWN.c.contact_id == _CONTACT.c.id,
    _RULE.c.address_key == _KNOWN.c.address_key,
    # Not `IS NULL`: SQLite would go through all rules that name nobody, each time.
    or_(_KNOWN.c.current, func.coalesce(_RULE.c.contact_id, 0) == 0),
)
OPTED_OUT = or_(_BY_NAME, _BY_MAILBOX)
"""Whether a rule stands against a contact that their number, or an address they had, is needed for. Not a bounce: that
stays with its mailbox."""


def _left(before: datetime) -> ColumnElement[bool]:
    return and_(
        _CONTACT.c.left_at < before,
        _CONTACT.c.erased_at.is_(None),
        _CONTACT.c.moved_to.is_(None),
        _CONTACT.c.origin != schema.CANARY,
    )


def _left_without_opt_out(before: datetime) -> ColumnElement[bool]:
    return and_(_left(before), not_(OPTED_OUT), not_(_STILL_CONCERNED))


def _forget(connection: Connection, keys: Sequence[int], now: datetime) -> None:
    """Their rows, and those that proved to be theirs, become nobody's."""
    found = select(_CONTACT.c.id).where(or_(_CONTACT.c.id.in_(keys), _CONTACT.c.moved_to.in_(keys)))
    numbers = list(connection.execute(found).scalars())
    for table, condition in other_rows(of_numbers(connection, numbers)):
        # Somebody who was gone may have asked this week to be back: that is for them to answer.
        if table is not _REQUEST:
            connection.execute(delete(table).where(condition))
    empty_contacts(connection, numbers, now=now)
    stop_all_mail(connection, numbers, reason="left the list", by=_BY_ITSELF, now=now)


_NEEDLESS = {"first_name": "", "country": "", "timezone": "", "language": "", "status": ""}
"""What no opt-out is recognised by. Address, name, organisation and the source's id it is."""


def _left_with_opt_out(before: datetime) -> ColumnElement[bool]:
    return and_(_left(before), OPTED_OUT, or_(*(_CONTACT.c[name] != "" for name in _NEEDLESS)))


def _empty_partly(connection: Connection, keys: Sequence[int], now: datetime) -> None:  # noqa: ARG001
    connection.execute(update(_CONTACT).where(_CONTACT.c.id.in_(keys)).values(**_NEEDLESS, themes=[], topics=[]))


CHORES: tuple[Chore, ...] = (
    Chore(kind=Retained.DELIVERY_DETAILS, key=_DELIVERY.c.id, due=_old_delivery, clear=_blank_deliveries),
    Chore(
        kind=Retained.EVENTS,
        key=_EVENT.c.id,
        due=lambda before: and_(_EVENT.c.at < before, not_(_NEEDED_AS_EVIDENCE)),
    ),
    Chore(kind=Retained.EVENTS, key=_ALIAS.c.alias, due=_old_alias),
    Chore(
        kind=Retained.EVENTS,
        key=_UNPLACED.c.fingerprint,
        due=lambda before: _UNPLACED.c.kept_at < before,
    ),
    Chore(kind=Retained.EVIDENCE, key=_SIGNAL.c.id, due=_old_signal, clear=_blank_signals, decides=True),
    Chore(kind=Retained.EVIDENCE, key=_RULE.c.id, due=_old_lift, clear=_blank_lifts, decides=True),
    Chore(kind=Retained.EVIDENCE, key=_JOURNAL.c.id, due=_old_entry, clear=_blank_entries),
    Chore(
        kind=Retained.EVIDENCE,
        key=_BURST.c.signal_id,
        due=lambda before: _BURST.c.flagged_at < before,
    ),
    Chore(
        kind=Retained.COURTESIES,
        key=_COURTESY.c.id,
        due=lambda before: and_(_old_courtesy(before), not_(QUESTION_TO_A_STRANGER)),
        clear=_blank_courtesies,
    ),
    Chore(
        kind=Retained.JOIN_REQUESTS,
        key=_REQUEST.c.id,
        due=lambda before: _REQUEST.c.asked_at < before,
    ),
    Chore(
        kind=Retained.JOIN_REQUESTS,
        key=_COURTESY.c.id,
        due=lambda before: and_(_old_courtesy(before), QUESTION_TO_A_STRANGER),
        clear=_blank_courtesies,
    ),
    Chore(
        kind=Retained.PROVIDER_LISTS,
        key=_ENTRY.c.address_key,
        due=lambda before: and_(_ENTRY.c.created < before, not_(_SAYS_SO_STILL)),
    ),
    Chore(
        kind=Retained.PROVIDER_LISTS,
        key=_REMOVAL.c.address_key,
        due=lambda before: _REMOVAL.c.done_at < before,
    ),
    Chore(kind=Retained.LEFT_CONTACTS, key=_CONTACT.c.id, due=_left_without_opt_out, clear=_forget, decides=True),
    Chore(kind=Retained.LEFT_CONTACTS, key=_CONTACT.c.id, due=_left_with_opt_out, clear=_empty_partly, decides=True),
)
