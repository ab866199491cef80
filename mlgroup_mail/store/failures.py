"""A mailing that pauses by itself: because too much of it fails, or because the mail server takes nothing from us."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, FromClause, RowMapping, func, select

from mlgroup_mail.model import MailingStep, OutcomeKind, Scope
from mlgroup_mail.model.mailing import DISPATCHABLE
from mlgroup_mail.store import schema
from mlgroup_mail.store.mailings import BY_ITSELF, lock_mailing, order_mailing
from mlgroup_mail.store.transactions import rows

_ATTEMPT, _DELIVERY, _JOURNAL = schema.attempt, schema.delivery, schema.journal

_LOOK_BACK = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class PauseRule:
    """When too much fails: more than `percent` of the last answers, once there are `after` of them."""

    after: int = 20
    percent: int = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What one attempt gave, and whom that was about."""

    kind: OutcomeKind
    scope: Scope
    domain: str

    @property
    def failed(self) -> bool:
        """Whether something is wrong with the mailing, the list or the server; a deferral of one's own is usual."""
        return self.kind in (OutcomeKind.REFUSED, OutcomeKind.UNCERTAIN) or (
            self.kind is OutcomeKind.DEFERRED and self.scope is Scope.SERVER
        )


def too_many_failures(answers: Sequence[Answer], rule: PauseRule) -> str:
    """Why a mailing with these answers, the latest first, should pause; empty where it need not.

    Deferrals of single people and domains (a full mailbox, greylisting) are nobody's fault and not counted; but where
    so many domains in a row take nothing at all, it is not theirs.
    """
    counted = [answer for answer in answers if answer.failed or answer.kind is OutcomeKind.ACCEPTED]
    failed = sum(answer.failed for answer in counted)
    if len(counted) >= rule.after and failed * 100 > rule.percent * len(counted):
        return f"{failed} of the last {len(counted)} answers were refusals or failures"
    put_off = set()
    for answer in answers:
        if answer.kind is OutcomeKind.ACCEPTED:
            break
        if answer.scope is not Scope.RECIPIENT:
            put_off.add(answer.domain)
    return f"{len(put_off)} domains in a row have taken nothing" if len(put_off) >= rule.after else ""


def pause_where_too_much_fails(connection: Connection, mailing_id: int, rule: PauseRule, *, now: datetime) -> None:
    """Look at the latest answers of all processes since the last `resume`, and pause where too many are failures."""
    found = _latest_answers(connection, mailing_id, most=max(_LOOK_BACK, rule.after))
    answers = [
        Answer(kind=OutcomeKind(row["outcome"]), scope=Scope(row["scope"]), domain=row["domain"]) for row in found
    ]
    if reason := too_many_failures(answers, rule):
        last = next(row["detail"] for row in found if row["outcome"] != OutcomeKind.ACCEPTED)
        pause_by_itself(connection, mailing_id, f"paused by itself: {reason}. The latest: {last}", now=now)


def _latest_answers(connection: Connection, mailing_id: int, *, most: int) -> list[RowMapping]:
    """The latest answers since the last `resume`, the latest first, found without going through all of the mailing's.

    The `most` latest attempts of a mailing are among those of its `most` deliveries that were tried last.
    """
    latest = _ATTEMPT.alias()
    tried_last = (
        select(_DELIVERY.c.id)
        .join(latest, latest.c.id == _DELIVERY.c.attempt_id)
        .where(_DELIVERY.c.mailing_id == mailing_id, schema.TRIED, *_answered(latest))
        .order_by(_DELIVERY.c.attempt_id.desc())
        .limit(most)
    )
    # Two statements: a planner that takes them as one may begin with all attempts.
    delivery_ids = connection.execute(tried_last).scalars().all()
    resumed = (
        select(func.coalesce(func.max(_JOURNAL.c.number), 0))
        .where(_JOURNAL.c.mailing_id == mailing_id, _JOURNAL.c.act.in_([MailingStep.RESUME, "late"]))
        .scalar_subquery()
    )
    statement = (
        select(_ATTEMPT.c.id, _ATTEMPT.c.outcome, _ATTEMPT.c.scope, _ATTEMPT.c.detail, _DELIVERY.c.domain)
        .join(_DELIVERY, _DELIVERY.c.id == _ATTEMPT.c.delivery_id)
        .where(_ATTEMPT.c.delivery_id.in_(delivery_ids), *_answered(_ATTEMPT), _ATTEMPT.c.number > resumed)
    )
    return sorted(rows(connection, statement), key=lambda row: int(row["id"]), reverse=True)[:most]


def _answered(attempt: FromClause) -> tuple[ColumnElement[bool], ...]:
    """Somebody has answered: it is neither under way, nor was it handed back or left by a dead process."""
    return attempt.c.outcome.is_not(None), attempt.c.scope.is_not(None)


def pause_by_itself(connection: Connection, mailing_id: int, reason: str, *, now: datetime) -> bool:
    """Pause a mailing that is under way; False where somebody else has stopped it already."""
    if lock_mailing(connection, mailing_id).state not in DISPATCHABLE:
        return False
    order_mailing(connection, mailing_id, MailingStep.PAUSE, reason=reason, actor=BY_ITSELF, now=now)
    return True
