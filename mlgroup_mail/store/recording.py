"""What became of attempts: each answer is written once, with all that follows from it."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, bindparam, exists, select, update

from mlgroup_mail.model import DeliveryState, DeliveryStep, MailingState, MailingStep, Outcome, OutcomeKind, Scope
from mlgroup_mail.model.delivery import TRANSITIONS
from mlgroup_mail.store import schema
from mlgroup_mail.store.back_off import THE_SERVER, back_off, end_back_off, take_turns, waiting_time
from mlgroup_mail.store.failures import PauseRule, pause_where_too_much_fails
from mlgroup_mail.store.lists import among, as_list
from mlgroup_mail.store.row_updates import RowUpdate
from mlgroup_mail.store.second_copies import stop_second_copies
from mlgroup_mail.store.transitions import move_deliveries, move_mailing

_DELIVERY, _ATTEMPT, _BACK_OFF = schema.delivery, schema.attempt, schema.back_off


def record_outcomes(connection: Connection, outcomes: Sequence[Outcome], *, pause: PauseRule, now: datetime) -> None:
    """Write what attempts gave: the deliveries' states, who has to wait, and whether the mailing pauses by itself."""
    found = _answered(connection, outcomes)
    if not found:
        return
    accepted = [each for each in found if each.outcome.kind is OutcomeKind.ACCEPTED]
    taking = {each.delivery.domain for each in accepted}
    if len(accepted) < len(found) or any(each.delivery.backed_off for each in found):
        backed_off = take_turns(connection, {THE_SERVER, *(each.delivery.domain for each in found)})
        end_back_off(connection, taking & backed_off)
    _write_answers(connection, found, now=now)
    put_off = [each for each in found if each.step and each.outcome.kind is OutcomeKind.DEFERRED]
    # By domain, as the turns were taken.
    in_order = sorted(put_off, key=lambda each: str(each.delivery.domain))
    next_tries = {each.outcome.attempt_id: _next_try(connection, each, taking=taking, now=now) for each in in_order}
    by_step: dict[DeliveryStep, list[_Answered]] = defaultdict(list)
    for each in found:
        if each.step:
            by_step[each.step].append(each)
    for step, alike in by_step.items():
        _move(connection, step, alike, next_tries, now=now)
    tried_again = [each for each in found if each.delivery.attempts > 1]
    failed_again = [each.delivery.id for each in tried_again if each.outcome.kind is not OutcomeKind.ACCEPTED]
    stop_second_copies(connection, failed_again, now=now)
    for mailing_id in sorted({each.delivery.mailing_id for each in found if _speaks_against(each.outcome)}):
        pause_where_too_much_fails(connection, mailing_id, pause, now=now)


class _Answered(NamedTuple):
    """An outcome that counts, the delivery that it is about, and the step that this takes.

    None: the answer is late, and the delivery has gone on without it.
    """

    outcome: Outcome
    step: DeliveryStep | None
    delivery: Row[Any]

    @property
    def claim_group(self) -> int | None:
        """With whom alone it may be claimed from now on. One that goes no more has none."""
        if self.outcome.kind is not OutcomeKind.DEFERRED:
            return None
        if self.outcome.half is None:
            group: int | None = self.delivery.claim_group
            return group
        return int(self.delivery.number) * 2 + self.outcome.half


_ASKED_ABOUT = (
    select(
        *(_ATTEMPT.c.id.label("attempt_id"), _ATTEMPT.c.outcome, _ATTEMPT.c.number),
        *(_DELIVERY.c.id, _DELIVERY.c.mailing_id, _DELIVERY.c.state, _DELIVERY.c.domain, _DELIVERY.c.claim_group),
        *(_DELIVERY.c.attempts, _DELIVERY.c.attempt_id.label("latest_id")),
        exists().where(_BACK_OFF.c.domain == _DELIVERY.c.domain).label("backed_off"),
    )
    .join(_DELIVERY, _DELIVERY.c.id == _ATTEMPT.c.delivery_id)
    .where(among(_ATTEMPT.c.id, "attempts"))
    .order_by(_ATTEMPT.c.id)
    .with_for_update(key_share=True)
)


def _answered(connection: Connection, outcomes: Sequence[Outcome]) -> list[_Answered]:
    """An attempt's answer counts once: in time, or late, which ends the doubt about it whatever has become since."""
    if not outcomes:
        return []
    attempts = {"attempts": as_list(outcome.attempt_id for outcome in outcomes)}
    asked_about = {row.attempt_id: row for row in connection.execute(_ASKED_ABOUT, attempts).all()}
    found = []
    for outcome in outcomes:
        row = asked_about.pop(outcome.attempt_id, None)
        if row and (row.outcome is None or _ends_doubt(outcome, row)):
            found.append(_Answered(outcome, _step(outcome, row), row))
    return found


def _ends_doubt(outcome: Outcome, row: Row[Any]) -> bool:
    return row.outcome == OutcomeKind.UNCERTAIN and outcome.kind is not OutcomeKind.UNCERTAIN


def _step(outcome: Outcome, row: Row[Any]) -> DeliveryStep | None:
    if row.outcome is None:
        return outcome.kind.step
    step = outcome.kind.late_step
    # Of an earlier try than the latest only its acceptance says what became of the person's message.
    counts = step is DeliveryStep.LATE_ACCEPT or row.attempt_id == row.latest_id
    return step if step and counts and (row.state, step) in TRANSITIONS else None


_WRITE_ANSWERS = RowUpdate(_ATTEMPT, ("outcome", "detail", "scope"), common=["ended_at"])
_TAKE_BACK = update(_DELIVERY).where(_DELIVERY.c.id == bindparam("b_id")).values(attempts=_DELIVERY.c.attempts - 1)


def _write_answers(connection: Connection, found: Sequence[_Answered], *, now: datetime) -> None:
    """Write each answer into its attempt; what was no try does not count as one."""
    answers = [
        {
            "id": each.outcome.attempt_id,
            "outcome": each.outcome.kind,
            "detail": each.outcome.detail,
            "scope": each.outcome.scope if each.outcome.is_a_try else None,
        }
        for each in found
    ]
    _WRITE_ANSWERS.run(connection, answers, {"ended_at": now})
    no_tries = [{"b_id": each.delivery.id} for each in found if not each.outcome.is_a_try]
    if no_tries:
        connection.execute(_TAKE_BACK, no_tries)


def _move(
    connection: Connection,
    step: DeliveryStep,
    found: Sequence[_Answered],
    next_tries: Mapping[int, datetime | None],
    *,
    now: datetime,
) -> None:
    """Let all deliveries whose answers mean this step take it."""
    moves = [
        {
            "id": each.delivery.id,
            "reason": each.outcome.detail,
            "next_at": next_tries.get(each.outcome.attempt_id),
            "claim_group": each.claim_group,
        }
        for each in found
    ]
    moved = move_deliveries(connection, step, moves, now=now, also=("reason", "next_at", "claim_group"))
    assert moved == len(moves), "rows locked in this transaction cannot have moved"
    if step is DeliveryStep.LATE_DEFER:
        for each in found:
            reopen_finished(connection, each.delivery.id, now=now)


def _speaks_against(outcome: Outcome) -> bool:
    """Whether it may be the one that makes it too many."""
    return outcome.kind is not OutcomeKind.ACCEPTED and outcome.is_a_try


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
    if outcome.kind is not OutcomeKind.DEFERRED or answered.step is None:
        return None
    if outcome.scope is Scope.SERVER and outcome.retry_after is not None:
        return back_off(connection, THE_SERVER, retry_after=outcome.retry_after, now=now)
    if not outcome.is_a_try:
        return now
    if outcome.scope is Scope.DOMAIN and row.domain not in taking:
        return back_off(connection, row.domain, retry_after=outcome.retry_after, now=now)
    if outcome.retry_after is not None:
        return now + timedelta(seconds=outcome.retry_after)
    return now + waiting_time(row.attempts)
