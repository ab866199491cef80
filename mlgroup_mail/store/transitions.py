"""The only place that changes a state: every other query leaves `state` alone."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, bindparam, literal, or_, select, update

from mlgroup_mail.errors import MailingStateError
from mlgroup_mail.model import DeliveryState, DeliveryStep, MailingRef, MailingState, MailingStep
from mlgroup_mail.model import delivery as delivery_table
from mlgroup_mail.model import mailing as mailing_table
from mlgroup_mail.store import schema
from mlgroup_mail.store.row_updates import RowUpdate

Values = dict[str, Any]


def move_deliveries(
    connection: Connection, step: DeliveryStep, moves: Sequence[Values], *, now: datetime, also: Iterable[str] = ()
) -> int:
    """Take one step with several deliveries; returns how many were in a state that allows it.

    Each of `moves` holds `id` and the columns named in `also`. A delivery in another state is left as it is: the
    caller compares the count where it must be all.
    """
    return _move(step, tuple(also)).run(connection, moves, {"changed_at": now})


@cache
def _move(step: DeliveryStep, also: Sequence[str]) -> RowUpdate:
    table = schema.delivery
    allowed = or_(*(table.c.state == literal(state) for state in delivery_table.sources(step)))
    return RowUpdate(table, also, common=["changed_at"], where=[allowed], fixed=_state_after(step))


def _state_after(step: DeliveryStep) -> Values:
    """The state after a step; what goes no more belongs to no claim group, and who is left out to no batch."""
    after = delivery_table.target(step)
    if after is DeliveryState.EXCLUDED:
        return {"state": after, "claim_group": None, "batch_id": None}
    return {"state": after} if after.open else {"state": after, "claim_group": None}


def claim_deliveries(connection: Connection, *, owner_id: int, number: int, now: datetime) -> int:
    """Take the step `claim` with the deliveries of the attempts that this owner has just written; returns how many.

    `number` is those attempts' own.
    """
    return int(connection.execute(_CLAIM, {"b_owner": owner_id, "b_number": number, "b_now": now}).rowcount)


_ATTEMPT, _DELIVERY = schema.attempt, schema.delivery
_CLAIM = (
    update(_DELIVERY)
    .where(
        _DELIVERY.c.id == _ATTEMPT.c.delivery_id,
        _ATTEMPT.c.owner_id == bindparam("b_owner"),
        _ATTEMPT.c.outcome.is_(None),
        _ATTEMPT.c.number == bindparam("b_number"),
        schema.CLAIMABLE,
    )
    .values(
        state=delivery_table.target(DeliveryStep.CLAIM),
        attempt_id=_ATTEMPT.c.id,
        attempts=_DELIVERY.c.attempts + 1,
        reason="",
        changed_at=bindparam("b_now"),
    )
)
"""One statement for a window, however large it is."""


AT_ONCE = 500
"""How many deliveries one transaction takes a step with: a million keep whoever opts out waiting for 20 seconds."""


def move_deliveries_of(
    connection: Connection, step: DeliveryStep, mailing_id: int, *, now: datetime, reason: str
) -> int:
    """Take one step with up to AT_ONCE deliveries of a mailing whose state allows it; returns how many those were."""
    table = schema.delivery
    allowed = table.c.state.in_(delivery_table.sources(step))
    some = select(table.c.id).where(table.c.mailing_id == mailing_id, allowed).limit(AT_ONCE)
    result = connection.execute(
        update(table)
        # Asked again: meanwhile a claim may have taken some of them.
        .where(table.c.id.in_(some), allowed)
        .values(reason=reason, changed_at=now, **_state_after(step))
    )
    return int(result.rowcount)


def move_mailing(
    connection: Connection, mailing_id: int, step: MailingStep, *, now: datetime, reason: str = "", **values: Any
) -> MailingState:
    """Take one step with a mailing; raises MailingStateError in words where its state does not allow it."""
    table = schema.mailing
    row = connection.execute(
        select(table.c.state, table.c.campaign, table.c.name).where(table.c.id == mailing_id).with_for_update()
    ).one()
    state = MailingState(row.state)
    after = mailing_table.TRANSITIONS.get((state, step))
    if after is None:
        raise MailingStateError(
            f"{MailingRef(row.campaign, row.name)} is {state}: it cannot {step.replace('_', ' ')}",
            mend=_WHAT_THEN.get(state, ""),
        )
    connection.execute(
        update(table).where(table.c.id == mailing_id).values(state=after, state_reason=reason, changed_at=now, **values)
    )
    return after


_WHAT_THEN = {
    MailingState.CANCELLED: "A cancelled mailing stays so; add a new [[mailing]] to the campaign.",
    MailingState.FINISHED: "It has gone out. To write to the same people again, add a new [[mailing]].",
    MailingState.PAUSED: "It goes on with `resume`.",
    MailingState.HELD: "It goes on with `resume`.",
    MailingState.APPROVED: "Nothing of it has begun. To keep it from going out, cancel it, or change its text: "
    "that voids the approval.",
}
