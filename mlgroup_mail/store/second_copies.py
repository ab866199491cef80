"""Second copies: a person may order one where the first is in doubt (`resolve --resend`).

What shows later that the first one had arrived stops the second as long as nobody has taken that over. Where somebody
has, or may have, the person may have got two, and it is told.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection, and_, exists, func, or_, select

from mlgroup_mail.model import DeliveryStep, OutcomeKind
from mlgroup_mail.model.delivery import sources
from mlgroup_mail.store import schema
from mlgroup_mail.store.lists import among, as_list
from mlgroup_mail.store.transitions import move_deliveries

_DELIVERY, _ATTEMPT, _EVENT, _JOURNAL = schema.delivery, schema.attempt, schema.delivery_event, schema.journal

FIRST_COPY_ARRIVED = "the first copy had been accepted, so no second one goes"
"""Why a delivery that a person ordered again is accepted."""

_EACH = _ATTEMPT.alias("each_attempt")
ACCEPTED_BEFORE = exists().where(_EACH.c.delivery_id == _DELIVERY.c.id, _EACH.c.outcome == OutcomeKind.ACCEPTED)
"""Whether any try of a delivery was accepted, be it the latest or not."""
IN_DOUBT = exists().where(_EACH.c.delivery_id == _DELIVERY.c.id, _EACH.c.outcome == OutcomeKind.UNCERTAIN)
"""Whether that is not known of one of them: only of such a one an event can tell more than the ledger knows."""
SHOWN = and_(IN_DOUBT, exists().where(_EVENT.c.delivery_id == _DELIVERY.c.id))
"""Whether an event shows that one was."""

_MAY_HAVE_ARRIVED = or_(
    _ATTEMPT.c.outcome.is_(None), _ATTEMPT.c.outcome.in_([OutcomeKind.ACCEPTED, OutcomeKind.UNCERTAIN])
)
_KNOWN = (
    select(_DELIVERY.c.id)
    .where(
        among(_DELIVERY.c.id, "asked"),
        _DELIVERY.c.state.in_(sources(DeliveryStep.EVIDENCE)),
        or_(ACCEPTED_BEFORE, SHOWN),
    )
    .order_by(_DELIVERY.c.id)
)


def stop_second_copies(connection: Connection, delivery_ids: Sequence[int], *, now: datetime) -> int:
    """Let those of these deliveries go no more of which a copy was accepted already; returns how many they are.

    The caller has locked them.
    """
    if not delivery_ids:
        return 0
    known = connection.execute(_KNOWN, {"asked": as_list(delivery_ids)}).scalars().all()
    moves = [{"id": delivery_id, "reason": FIRST_COPY_ARRIVED} for delivery_id in known]
    return move_deliveries(connection, DeliveryStep.EVIDENCE, moves, now=now, also=("reason",))


def perhaps_twice(connection: Connection, delivery_ids: Collection[int]) -> frozenset[int]:
    """Those of these deliveries of which two copies may have arrived. A few at a time."""
    statement = (
        select(_ATTEMPT.c.delivery_id)
        .where(_ATTEMPT.c.delivery_id.in_(list(delivery_ids)), _MAY_HAVE_ARRIVED)
        .group_by(_ATTEMPT.c.delivery_id)
        .having(func.count() > 1)
    )
    return frozenset(connection.execute(statement).scalars())


def perhaps_twice_in(connection: Connection, mailing_id: int) -> frozenset[int]:
    """The deliveries of a mailing of which two copies may have arrived, found among those that were ordered again."""
    ordered = (
        select(_JOURNAL.c.delivery_id)
        .distinct()
        .where(_JOURNAL.c.mailing_id == mailing_id, _JOURNAL.c.act == DeliveryStep.RESOLVE_RESEND)
    )
    return perhaps_twice(connection, connection.execute(ordered).scalars().all())
