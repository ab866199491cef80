"""What the ledger's rows say about each invariant. Each function returns the violations it finds, in words."""

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, exists, func, not_, or_, select
from sqlalchemy.orm import aliased

from mlgroup_mail.model import (
    ALL_TOPICS,
    DeliveryState,
    DeliveryStep,
    MailingState,
    MailingStep,
    OutcomeKind,
    SignalKind,
)
from mlgroup_mail.store import schema
from mlgroup_mail.store.contacts import STORED_AS_THEY_ARE
from mlgroup_mail.store.second_copies import ACCEPTED_BEFORE, SHOWN
from mlgroup_mail.store.transactions import rows

_DELIVERY, _ATTEMPT, _MAILING, _BATCH = schema.delivery, schema.attempt, schema.mailing, schema.batch
_JOURNAL, _RULE, _OWNER = schema.journal, schema.suppression, schema.owner
_EXPIRED = "expired"


def _journalled(step: DeliveryStep, *, after: ColumnElement[int] | int = 0) -> ColumnElement[bool]:
    """Whether a person ordered this step for the delivery, after that number."""
    return exists().where(_JOURNAL.c.delivery_id == _DELIVERY.c.id, _JOURNAL.c.act == step, _JOURNAL.c.number > after)


def accepted_twice(connection: Connection) -> Iterator[str]:
    """1: a delivery was tried again although it was not surely unaccepted, or a mailbox has two acceptances."""
    earlier, later = aliased(_ATTEMPT), aliased(_ATTEMPT)
    again = (
        select(later.c.id, later.c.delivery_id)
        .join(earlier, and_(earlier.c.delivery_id == later.c.delivery_id, earlier.c.id < later.c.id))
        .join(_DELIVERY, _DELIVERY.c.id == later.c.delivery_id)
        .where(
            or_(earlier.c.outcome.is_(None), earlier.c.outcome != OutcomeKind.DEFERRED),
            # A person's order allows one more try: it must be younger than the try that it does not trust.
            not_(_journalled(DeliveryStep.RESOLVE_RESEND, after=earlier.c.number)),
        )
    )
    for row in rows(connection, again):
        yield f"delivery {row['delivery_id']} was tried again (attempt {row['id']}) without being surely unaccepted"
    known = select(_DELIVERY.c.id, _DELIVERY.c.state).where(schema.CLAIMABLE, schema.TRIED, ACCEPTED_BEFORE)
    for row in rows(connection, known):
        yield f"delivery {row['id']} was accepted, and is {row['state']}: it would go again"
    mailboxes = (
        select(_DELIVERY.c.mailing_id, func.min(_DELIVERY.c.id).label("first"))
        .where(_DELIVERY.c.state == DeliveryState.ACCEPTED)
        .group_by(_DELIVERY.c.mailing_id, _DELIVERY.c.address_key)
        .having(func.count() > 1)
    )
    for row in rows(connection, mailboxes):
        yield f"a mailbox has two accepted deliveries of mailing {row['mailing_id']} (the first is {row['first']})"


def lost(connection: Connection) -> Iterator[str]:
    """2: the states do not add up to the audience, or a finished mailing has something open."""
    counted = (
        select(_MAILING.c.id, _MAILING.c.audience, func.count(_DELIVERY.c.id).label("found"))
        .outerjoin(_DELIVERY, _DELIVERY.c.mailing_id == _MAILING.c.id)
        .where(_MAILING.c.audience.is_not(None))
        .group_by(_MAILING.c.id, _MAILING.c.audience)
        .having(func.count(_DELIVERY.c.id) != _MAILING.c.audience)
    )
    for row in rows(connection, counted):
        yield f"mailing {row['id']} was planned for {row['audience']}, the ledger has {row['found']}"
    still_open = (
        select(_MAILING.c.id, func.count().label("found"))
        .join(_DELIVERY, _DELIVERY.c.mailing_id == _MAILING.c.id)
        .where(
            _MAILING.c.state == MailingState.FINISHED,
            _DELIVERY.c.state.in_([state for state in DeliveryState if state.open]),
        )
        .group_by(_MAILING.c.id)
    )
    for row in rows(connection, still_open):
        yield f"mailing {row['id']} is finished, and {row['found']} deliveries are open"
    to_go = (
        select(_MAILING.c.id, func.count().label("found"))
        .join(_DELIVERY, _DELIVERY.c.mailing_id == _MAILING.c.id)
        .where(_MAILING.c.state == MailingState.CANCELLED, _DELIVERY.c.state == DeliveryState.PLANNED)
        .group_by(_MAILING.c.id)
    )
    for row in rows(connection, to_go):
        yield f"mailing {row['id']} is cancelled, and {row['found']} deliveries are still to go"


def attempted_after_opt_out(connection: Connection) -> Iterator[str]:
    """3: an attempt whose number is higher than that of a rule that stood against it."""
    statement = (
        select(_ATTEMPT.c.id, _ATTEMPT.c.delivery_id, _RULE.c.id.label("rule"))
        .join(_DELIVERY, _DELIVERY.c.id == _ATTEMPT.c.delivery_id)
        .join(_MAILING, _MAILING.c.id == _DELIVERY.c.mailing_id)
        .join(
            _RULE,
            or_(
                _RULE.c.contact_id == _DELIVERY.c.contact_id,
                and_(_RULE.c.address_key != "", _RULE.c.address_key == _DELIVERY.c.address_key),
            ),
        )
        .where(_STOOD)
    )
    for row in rows(connection, statement):
        yield _after_opt_out(row)


_STOOD = and_(
    _RULE.c.number < _ATTEMPT.c.number,
    or_(_RULE.c.lifted_number.is_(None), _RULE.c.lifted_number > _ATTEMPT.c.number),
    or_(_RULE.c.topic == ALL_TOPICS, _RULE.c.topic == _MAILING.c.topic),
)
"""Whether a rule stood against an attempt when that began."""

_SURELY_KNOWN = timedelta(hours=1)
"""An address and a join of rows have a moment and no number, and the moment is that at which a long pull began."""


def attempted_after_former_opt_out(connection: Connection) -> Iterator[str]:
    """3: an attempt against a rule on an address that the person had had, or on whom they had proved to be.

    Only what was known well before the attempt counts: what was learned after it accuses nobody.
    """
    known, person, joined = schema.contact_address, schema.contact, schema.contact.alias("joined")
    tried = (
        select(_ATTEMPT.c.id, _ATTEMPT.c.delivery_id, _ATTEMPT.c.begun_at, _RULE.c.id.label("rule"))
        .join(_DELIVERY, _DELIVERY.c.id == _ATTEMPT.c.delivery_id)
        .join(_MAILING, _MAILING.c.id == _DELIVERY.c.mailing_id)
    )
    by_history = (
        tried.add_columns(known.c.since.label("learned"))
        .join(known, known.c.contact_id == _DELIVERY.c.contact_id)
        .join(_RULE, _RULE.c.address_key == known.c.address_key)
        .where(
            _STOOD,
            # Not `IS NULL`: SQLite would go through all rules that name nobody, each time.
            func.coalesce(_RULE.c.contact_id, 0) == 0,
            _RULE.c.kind != SignalKind.BOUNCE,
            # Rows that are joined pass their addresses on, with the moments that these had.
            ~exists().where(joined.c.moved_to == known.c.contact_id, joined.c.changed_at >= _ATTEMPT.c.begun_at),
        )
    )
    by_successor = (
        tried.add_columns(person.c.changed_at.label("learned"))
        .join(person, person.c.id == _DELIVERY.c.contact_id)
        .join(_RULE, _RULE.c.contact_id == person.c.moved_to)
        .where(_STOOD)
    )
    for statement in (by_history, by_successor):
        for row in rows(connection, statement):
            if row["learned"] + _SURELY_KNOWN <= row["begun_at"]:
                yield _after_opt_out(row)


def _after_opt_out(row: RowMapping) -> str:
    return f"attempt {row['id']} of delivery {row['delivery_id']} began after opt-out {row['rule']}"


def unexplained(connection: Connection) -> Iterator[str]:
    """4: a delivery's state does not follow from its last attempt, evidence, or a person's word."""
    outcome = _ATTEMPT.c.outcome
    # What an event has shown stays so when the attempt's own answer comes after it and says otherwise.
    shown_before = and_(
        exists().where(schema.delivery_event.c.delivery_id == _DELIVERY.c.id),
        _ATTEMPT.c.ended_at >= _DELIVERY.c.changed_at,
    )
    # A person's word counts for the try that it was about, not for one after it.
    again = _journalled(DeliveryStep.RESOLVE_RESEND, after=_ATTEMPT.c.number)
    taken_for_accepted = _journalled(DeliveryStep.RESOLVE_ACCEPTED, after=_ATTEMPT.c.number)
    right = {
        DeliveryState.PLANNED: or_(_DELIVERY.c.attempts == 0, again),
        DeliveryState.ATTEMPTING: and_(_ATTEMPT.c.id.is_not(None), outcome.is_(None)),
        DeliveryState.ACCEPTED: or_(ACCEPTED_BEFORE, SHOWN, shown_before, taken_for_accepted),
        DeliveryState.REFUSED: or_(
            outcome == OutcomeKind.REFUSED, and_(outcome == OutcomeKind.DEFERRED, _DELIVERY.c.reason == _EXPIRED)
        ),
        DeliveryState.DEFERRED: outcome == OutcomeKind.DEFERRED,
        DeliveryState.UNCERTAIN: outcome == OutcomeKind.UNCERTAIN,
        DeliveryState.EXCLUDED: or_(
            _DELIVERY.c.attempts == 0,
            outcome == OutcomeKind.DEFERRED,
            again,
        ),
        DeliveryState.CANCELLED: or_(
            _DELIVERY.c.attempts == 0,
            outcome == OutcomeKind.DEFERRED,
            again,
        ),
    }
    explained = or_(*(and_(_DELIVERY.c.state == state, condition) for state, condition in right.items()))
    statement = (
        select(_DELIVERY.c.id, _DELIVERY.c.state)
        .outerjoin(_ATTEMPT, _ATTEMPT.c.id == _DELIVERY.c.attempt_id)
        .where(not_(func.coalesce(explained, False)))
    )
    for row in rows(connection, statement):
        yield f"delivery {row['id']} is {row['state']}, which its attempts do not explain"
    orphans = (
        select(_ATTEMPT.c.id)
        .join(_OWNER, _OWNER.c.id == _ATTEMPT.c.owner_id)
        .where(outcome.is_(None), _OWNER.c.ended_at.is_not(None))
    )
    for row in rows(connection, orphans):
        yield f"attempt {row['id']} has no outcome, and the process that began it is gone"


def approved_again_too_late(connection: Connection) -> Iterator[str]:
    """5: an approval was given for what had been planned, or tried, under another one."""
    planned = (
        select(_MAILING.c.id, func.count().label("found"))
        .join(_DELIVERY, _DELIVERY.c.mailing_id == _MAILING.c.id)
        .where(_MAILING.c.state == MailingState.APPROVED)
        .group_by(_MAILING.c.id)
    )
    for row in rows(connection, planned):
        yield f"mailing {row['id']} is approved and not planned, and {row['found']} deliveries are there"
    tried = (
        select(_ATTEMPT.c.id, _ATTEMPT.c.delivery_id)
        .join(_DELIVERY, _DELIVERY.c.id == _ATTEMPT.c.delivery_id)
        .join(_JOURNAL, _JOURNAL.c.mailing_id == _DELIVERY.c.mailing_id)
        .where(_JOURNAL.c.act == MailingStep.APPROVE, _JOURNAL.c.number > _ATTEMPT.c.number)
    )
    for row in rows(connection, tried):
        yield f"attempt {row['id']} of delivery {row['delivery_id']} began before its text was approved"


def lifted_by_nobody(connection: Connection) -> Iterator[str]:
    """6: a suppression that ended without a person's name, reason and signal."""
    signal = schema.signal
    ordered = exists().where(signal.c.kind == SignalKind.LIFT, signal.c.number == _RULE.c.lifted_number)
    statement = select(_RULE.c.id).where(
        or_(_RULE.c.lifted_number.is_not(None), _RULE.c.lifted_at.is_not(None)),
        or_(_RULE.c.lifted_by == "", _RULE.c.lifted_reason == "", not_(ordered)),
    )
    for row in rows(connection, statement):
        yield f"opt-out {row['id']} was lifted, and nobody is named who did it and why"


def not_forgotten(connection: Connection) -> Iterator[str]:
    """6: an erased person's row holds something, or could get mail."""
    person, known = schema.contact, schema.contact_address
    stopped = exists().where(_RULE.c.contact_id == person.c.id, _RULE.c.lifted_number.is_(None))
    kept = or_(
        person.c.left_at.is_(None),
        *(person.c[name] != "" for name in ("address", "address_key", *STORED_AS_THEY_ARE)),
        exists().where(known.c.contact_id == person.c.id),
        exists().where(_DELIVERY.c.contact_id == person.c.id, schema.OF_ANY_MAILING, _DELIVERY.c.address != ""),
        not_(stopped),
    )
    for row in rows(connection, select(person.c.id).where(person.c.erased_at.is_not(None), kept)):
        yield f"contact {row['id']} was erased, and not everything of it is gone or stopped"


def out_of_time(connection: Connection) -> Iterator[str]:
    """10: an attempt before the mailing's time, or after its `stop_at`."""
    statement = (
        select(_ATTEMPT.c.id, _ATTEMPT.c.delivery_id)
        .join(_DELIVERY, _DELIVERY.c.id == _ATTEMPT.c.delivery_id)
        .join(_MAILING, _MAILING.c.id == _DELIVERY.c.mailing_id)
        .outerjoin(_BATCH, _BATCH.c.id == _DELIVERY.c.batch_id)
        .where(
            or_(
                _ATTEMPT.c.begun_at >= _MAILING.c.stop_at,
                and_(_BATCH.c.id.is_(None), _DELIVERY.c.state != DeliveryState.EXCLUDED),
                # Not the batch's time: it is a new one where the batch was put off after it was begun.
                _ATTEMPT.c.begun_at < _MAILING.c.send_at,
            )
        )
    )
    for row in rows(connection, statement):
        yield f"attempt {row['id']} of delivery {row['delivery_id']} began outside its mailing's time"
