"""What the ledger's numbers and counts say: whether its rows fit together, and came in an order that can have been.

Like `store.verification`: each function returns the violations it finds, in words.
"""

from collections.abc import Iterator

from sqlalchemy import Connection, Integer, Select, and_, case, column, exists, func, or_, select, table
from sqlalchemy.orm import aliased

from mlgroup_mail.model import DeliveryState, DeliveryStep, MailingState, MailingStep, SignalKind
from mlgroup_mail.store import schema
from mlgroup_mail.store.transactions import rows

_DELIVERY, _ATTEMPT, _MAILING, _BATCH = schema.delivery, schema.attempt, schema.mailing, schema.batch
_JOURNAL, _RULE, _VARIANT = schema.journal, schema.suppression, schema.variant

_BY_A_PERSON = (DeliveryStep.RESOLVE_ACCEPTED, DeliveryStep.RESOLVE_RESEND)
_BEFORE_THE_END_OF_PLANNING = (MailingState.APPROVED, MailingState.PLANNING, MailingState.CANCELLED)


def misplaced(connection: Connection) -> Iterator[str]:
    """2: who could never go, because batch or text are missing or another mailing's; and an audience never counted."""
    astray = (
        select(_DELIVERY.c.id)
        .outerjoin(_BATCH, and_(_BATCH.c.id == _DELIVERY.c.batch_id, _BATCH.c.mailing_id == _DELIVERY.c.mailing_id))
        .outerjoin(
            _VARIANT, and_(_VARIANT.c.id == _DELIVERY.c.variant_id, _VARIANT.c.mailing_id == _DELIVERY.c.mailing_id)
        )
        .where(_DELIVERY.c.state != DeliveryState.EXCLUDED, or_(_BATCH.c.id.is_(None), _VARIANT.c.id.is_(None)))
    )
    for row in rows(connection, astray):
        yield f"delivery {row['id']} has no batch or no text of its own mailing"
    uncounted = select(_MAILING.c.id).where(
        _MAILING.c.audience.is_(None), _MAILING.c.state.not_in(_BEFORE_THE_END_OF_PLANNING)
    )
    for row in rows(connection, uncounted):
        yield f"the audience of mailing {row['id']} was never counted, and it is planned"


def attempts_astray(connection: Connection) -> Iterator[str]:
    """4: a delivery's own count and latest attempt are not those of its attempts."""
    found = (
        select(
            _ATTEMPT.c.delivery_id,
            func.sum(case((schema.NO_TRY, 0), else_=1)).label("number"),
            func.max(_ATTEMPT.c.id).label("latest"),
        )
        .group_by(_ATTEMPT.c.delivery_id)
        .subquery()
    )
    statement = (
        select(_DELIVERY.c.id, _DELIVERY.c.attempts, func.coalesce(found.c.number, 0).label("number"))
        .outerjoin(found, found.c.delivery_id == _DELIVERY.c.id)
        .where(
            or_(
                _DELIVERY.c.attempts != func.coalesce(found.c.number, 0),
                func.coalesce(_DELIVERY.c.attempt_id, 0) != func.coalesce(found.c.latest, 0),
            )
        )
    )
    for row in rows(connection, statement):
        yield (
            f"delivery {row['id']} says that it was tried {row['attempts']} times, the ledger has {row['number']} "
            "tries, or its latest attempt is another"
        )


def numbers_out_of_order(connection: Connection) -> Iterator[str]:
    """3: numbers that claims and consent writers cannot have drawn from one sequence."""
    earlier, later = aliased(_ATTEMPT), aliased(_ATTEMPT)
    turned = (
        select(later.c.id, later.c.delivery_id)
        .join(earlier, and_(earlier.c.delivery_id == later.c.delivery_id, earlier.c.id < later.c.id))
        .where(earlier.c.number >= later.c.number)
    )
    for row in rows(connection, turned):
        yield f"attempt {row['id']} of delivery {row['delivery_id']} has a number that is not after the one before it"
    for row in rows(connection, select(_RULE.c.id).where(_RULE.c.lifted_number <= _RULE.c.number)):
        yield f"opt-out {row['id']} was lifted before it was made"
    doubled = select(_JOURNAL.c.number).group_by(_JOURNAL.c.number).having(func.count() > 1)
    for row in rows(connection, doubled):
        yield f"two orders have the number {row['number']}"
    highest = {
        where.name: connection.execute(select(func.coalesce(func.max(where.c.number), 0))).scalar_one()
        for where in (_ATTEMPT, _JOURNAL, _RULE, schema.signal)
    }
    # Last: a sequence belongs to no transaction, and goes on while others claim.
    last = int(connection.execute(_last_number(connection)).scalar_one())
    for name, number in highest.items():
        if number > last:
            yield f"the table “{name}” has the number {number}, and only {last} were given out"


def rules_astray(connection: Connection) -> Iterator[str]:
    """3: an opt-out that led to no rule, or one whose rule says that it was effective at another time than it was."""
    signal = schema.signal
    statement = (
        select(signal.c.id, _RULE.c.id.label("rule"))
        .outerjoin(_RULE, _RULE.c.signal_id == signal.c.id)
        .where(signal.c.kind != SignalKind.LIFT, or_(_RULE.c.id.is_(None), _RULE.c.number != signal.c.number))
    )
    for row in rows(connection, statement):
        if row["rule"] is None:
            yield f"what was received as signal {row['id']} led to no opt-out, bounce or hold"
        else:
            yield f"opt-out {row['rule']} has another number than the signal {row['id']} that it came from"


def _last_number(connection: Connection) -> Select[tuple[int]]:
    if connection.dialect.name == "postgresql":
        # A sequence is read like a table of one row.
        return select(column("last_value", Integer)).select_from(table("consent_number"))
    return select(schema.counter.c.value).where(schema.counter.c.name == "consent_number")


def begun_after_stop(connection: Connection) -> Iterator[str]:
    """10: more than one window of a process began after `pause`, `hold` or `cancel`, and before `resume`."""
    stop, resumed = _JOURNAL.alias("stop"), _JOURNAL.alias("resumed")
    until = (
        select(func.min(resumed.c.number))
        .where(
            resumed.c.mailing_id == stop.c.mailing_id,
            resumed.c.number > stop.c.number,
            resumed.c.act == MailingStep.RESUME,
        )
        .correlate(stop)
        .scalar_subquery()
    )
    statement = (
        select(stop.c.act, stop.c.number, stop.c.mailing_id, _ATTEMPT.c.owner_id)
        .join(_DELIVERY, _DELIVERY.c.mailing_id == stop.c.mailing_id)
        .join(_ATTEMPT, _ATTEMPT.c.delivery_id == _DELIVERY.c.id)
        .where(
            stop.c.act.in_([MailingStep.PAUSE, MailingStep.HOLD, MailingStep.CANCEL]),
            _ATTEMPT.c.number > stop.c.number,
            or_(until.is_(None), _ATTEMPT.c.number < until),
        )
        .group_by(stop.c.act, stop.c.number, stop.c.mailing_id, _ATTEMPT.c.owner_id)
        .having(func.count(func.distinct(_ATTEMPT.c.number)) > 1)
    )
    for row in rows(connection, statement):
        yield f"process {row['owner_id']} went on with mailing {row['mailing_id']} after the order to {row['act']}"


def decided_by_nobody(connection: Connection) -> Iterator[str]:
    """4: doubt that was settled by a person, without a name or a reason."""
    statement = select(_JOURNAL.c.id, _JOURNAL.c.delivery_id).where(
        _JOURNAL.c.act.in_(_BY_A_PERSON), or_(_JOURNAL.c.actor == "", _JOURNAL.c.reason == "")
    )
    for row in rows(connection, statement):
        yield f"the doubt about delivery {row['delivery_id']} was settled, and nobody is named who did it and why"


def approved_by_nobody(connection: Connection) -> Iterator[str]:
    """5: a mailing that nobody approved, or whose end was moved without an order."""
    ordered = exists().where(_JOURNAL.c.mailing_id == _MAILING.c.id, _JOURNAL.c.act == MailingStep.APPROVE)
    for row in rows(connection, select(_MAILING.c.id).where(or_(_MAILING.c.approved_by == "", ~ordered))):
        yield f"nobody is named who approved mailing {row['id']}"


def was_extended(connection: Connection, mailing_id: int) -> bool:
    """Whether a person gave a mailing more time."""
    found = select(_JOURNAL.c.id).where(_JOURNAL.c.mailing_id == mailing_id, _JOURNAL.c.act == "late").limit(1)
    return connection.execute(found).first() is not None
