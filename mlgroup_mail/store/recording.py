"""What became of attempts: each answer is written once, with all that follows from it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, RowMapping, bindparam, exists, select, update

from mlgroup_mail.model import DeliveryState, DeliveryStep, MailingState, MailingStep, Outcome, OutcomeKind, Scope
from mlgroup_mail.store import schema
from mlgroup_mail.store.back_off import EVERYBODY, back_off, end_back_off, take_turns, waiting_time
from mlgroup_mail.store.failures import PauseRule, pause_where_too_much_fails
from mlgroup_mail.store.transactions import rows
from mlgroup_mail.store.transitions import move_deliveries, move_mailing

_DELIVERY, _ATTEMPT = schema.delivery, schema.attempt


def record_outcomes(connection: Connection, outcomes: Sequence[Outcome], *, pause: PauseRule, now: datetime) -> None:
    """Write what attempts gave: the deliveries' states, who has to wait, and whether the mailing pauses by itself."""
    found = _answered(connection, outcomes)
    domains = {each.delivery["domain"] for each in found}
    taking = {each.delivery["domain"] for each in found if each.outcome.kind is OutcomeKind.ACCEPTED}
    if found:
        take_turns(connection, {*domains, EVERYBODY})
        end_back_off(connection, taking)
    for answered in sorted(found, key=lambda each: str(each.delivery["domain"])):
        _write_answer(connection, answered, next_at=_next_try(connection, answered, taking=taking, now=now), now=now)
    for mailing_id in sorted({each.delivery["mailing_id"] for each in found if _speaks_against(each.outcome)}):
        pause_where_too_much_fails(connection, mailing_id, pause, now=now)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Answered:
    """An outcome that counts: the step it takes, and the delivery that takes it."""

    outcome: Outcome
    step: DeliveryStep
    delivery: RowMapping


_WAITED_FOR = (
    select(
        _ATTEMPT.c.id.label("attempt_id"),
        _ATTEMPT.c.outcome,
        *(_DELIVERY.c.id, _DELIVERY.c.mailing_id, _DELIVERY.c.attempts, _DELIVERY.c.domain),
    )
    .join(_DELIVERY, _DELIVERY.c.id == _ATTEMPT.c.delivery_id)
    .where(_ATTEMPT.c.id.in_(bindparam("attempts", expanding=True)), _DELIVERY.c.attempt_id == _ATTEMPT.c.id)
    .order_by(_ATTEMPT.c.id)
    .with_for_update()
)


def _answered(connection: Connection, outcomes: Sequence[Outcome]) -> list[_Answered]:
    """An attempt's answer counts once: in time, or late where the delivery still waits on this very attempt."""
    if not outcomes:
        return []
    attempts = {"attempts": [outcome.attempt_id for outcome in outcomes]}
    waiting = {row["attempt_id"]: row for row in rows(connection, _WAITED_FOR, attempts)}
    found = []
    for outcome in outcomes:
        row = waiting.pop(outcome.attempt_id, None)
        step = _step(outcome, row["outcome"]) if row else None
        if row and step:
            found.append(_Answered(outcome=outcome, step=step, delivery=row))
    return found


def _step(outcome: Outcome, recorded: str | None) -> DeliveryStep | None:
    if recorded is None:
        return outcome.kind.step
    return outcome.kind.late_step if recorded == OutcomeKind.UNCERTAIN else None


_WRITE_ANSWER = (
    update(_ATTEMPT)
    .where(_ATTEMPT.c.id == bindparam("b_id"))
    .values({name: bindparam(f"b_{name}") for name in ("outcome", "detail", "ended_at", "scope")})
)


def _write_answer(connection: Connection, answered: _Answered, *, next_at: datetime | None, now: datetime) -> None:
    outcome, row = answered.outcome, answered.delivery
    move = {"id": row["id"], "reason": outcome.detail, "next_at": next_at}
    if move_deliveries(connection, answered.step, [move], now=now, also=("reason", "next_at")):
        connection.execute(
            _WRITE_ANSWER,
            {
                "b_id": outcome.attempt_id,
                "b_outcome": outcome.kind,
                "b_detail": outcome.detail,
                "b_ended_at": now,
                "b_scope": None if _handed_back(outcome) else outcome.scope,
            },
        )
        if answered.step is DeliveryStep.LATE_DEFER:
            reopen_finished(connection, row["id"], now=now)


def _speaks_against(outcome: Outcome) -> bool:
    """Whether it may be the one that makes it too many."""
    return outcome.kind is not OutcomeKind.ACCEPTED and not _handed_back(outcome)


def _handed_back(outcome: Outcome) -> bool:
    """Whether it was never begun: nobody has answered."""
    return outcome.kind is OutcomeKind.DEFERRED and outcome.retry_after == 0


def due_again(connection: Connection, mailing_id: int, *, now: datetime) -> None:
    """Let those go at once whom the mail server has put off for nothing of their own."""
    ours = exists().where(_ATTEMPT.c.id == _DELIVERY.c.attempt_id, _ATTEMPT.c.scope == Scope.SERVER)
    connection.execute(
        update(_DELIVERY)
        .where(
            _DELIVERY.c.mailing_id == mailing_id,
            _DELIVERY.c.state == DeliveryState.DEFERRED,
            ours,
        )
        .values(next_at=now)
    )


def reopen_finished(connection: Connection, delivery_id: int, *, now: datetime) -> None:
    """A finished mailing one of whose deliveries is to go again is not finished."""
    table = schema.mailing
    row = connection.execute(
        select(table.c.id, table.c.state)
        .join(_DELIVERY, _DELIVERY.c.mailing_id == table.c.id)
        .where(_DELIVERY.c.id == delivery_id)
        .with_for_update(of=table)
    ).one()
    if row.state == MailingState.FINISHED:
        move_mailing(connection, row.id, MailingStep.REOPEN, now=now)


def _next_try(
    connection: Connection, answered: _Answered, *, taking: Collection[str], now: datetime
) -> datetime | None:
    """When a deferred one may go again; None where there is no next time. `taking`: domains that have just accepted."""
    outcome, row = answered.outcome, answered.delivery
    if outcome.kind is not OutcomeKind.DEFERRED:
        return None
    if outcome.scope is Scope.DOMAIN and row["domain"] not in taking:
        return back_off(connection, row["domain"], retry_after=outcome.retry_after, now=now)
    if outcome.scope is Scope.SERVER and outcome.retry_after:
        return back_off(connection, EVERYBODY, retry_after=outcome.retry_after, now=now)
    if outcome.retry_after is not None:
        return now + timedelta(seconds=outcome.retry_after)
    return now + waiting_time(row["attempts"])
