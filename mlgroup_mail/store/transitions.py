"""The only place that changes a state: every other query leaves `state` alone."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Update, bindparam, literal, or_, select, update

from mlgroup_mail.errors import MailingStateError
from mlgroup_mail.model import DeliveryStep, MailingRef, MailingState, MailingStep
from mlgroup_mail.model import delivery as delivery_table
from mlgroup_mail.model import mailing as mailing_table
from mlgroup_mail.store import schema

Values = dict[str, Any]


def move_deliveries(
    connection: Connection, step: DeliveryStep, moves: Sequence[Values], *, now: datetime, also: Iterable[str] = ()
) -> int:
    """Take one step with several deliveries; returns how many were in a state that allows it.

    Each of `moves` holds `id` and the columns named in `also`. A delivery in another state is left as it is: the
    caller compares the count where it must be all.
    """
    if not moves:
        return 0
    columns = ("id", *also)
    statement = _move(step, columns)
    moved = 0
    for move in moves:
        result = connection.execute(statement, {"b_now": now} | {f"b_{column}": move[column] for column in columns})
        moved += result.rowcount
    return moved


@cache
def _move(step: DeliveryStep, columns: Sequence[str]) -> Update:
    """The step of one delivery. Made once: to make it costs more than to run it, and each delivery takes several."""
    table = schema.delivery
    allowed = or_(*(table.c.state == literal(state) for state in delivery_table.sources(step)))
    values: Values = {column: bindparam(f"b_{column}") for column in columns if column != "id"}
    return (
        update(table)
        .where(table.c.id == bindparam("b_id"), allowed)
        .values(state=delivery_table.target(step), changed_at=bindparam("b_now"), **values)
    )


def move_all_deliveries(
    connection: Connection, step: DeliveryStep, mailing_id: int, *, now: datetime, reason: str
) -> int:
    """Take one step with every delivery of a mailing whose state allows it; returns how many."""
    table = schema.delivery
    result = connection.execute(
        update(table)
        .where(table.c.mailing_id == mailing_id, table.c.state.in_(delivery_table.sources(step)))
        .values(state=delivery_table.target(step), reason=reason, changed_at=now)
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
