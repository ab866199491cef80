"""Mailings: approval, state, and what people ordered."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, exists, func, insert, or_, select, update

from mlgroup_mail.errors import MailingStateError
from mlgroup_mail.model import DeliveryState, DeliveryStep, MailingRef, MailingState, MailingStep
from mlgroup_mail.model.delivery import sources
from mlgroup_mail.model.mailing import TRANSITIONS
from mlgroup_mail.store import schema
from mlgroup_mail.store.transactions import insert_returning_id, next_number, rows
from mlgroup_mail.store.transitions import move_deliveries_of, move_mailing

_TABLE = schema.mailing
_OPEN = [state for state in DeliveryState if state.open]

BY_ITSELF = "mlgroup-mail"
"""Who has decided, in the journal, where nobody of the team did."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MailingRow:
    """A mailing as the ledger has it. `source` is the approved content as JSON, `digest` its hash."""

    mailing_id: int
    ref: MailingRef
    topic: str
    state: MailingState
    state_reason: str
    send_at: datetime
    stop_at: datetime
    token: str
    digest: str
    source: str
    approved_by: str
    approved_at: datetime
    plan_cursor: int
    audience: int | None
    resumed_at: datetime | None

    def state_at(self, now: datetime) -> MailingState:
        """The state a person is shown: past `stop_at`, what was still to go has expired."""
        unfinished = self.state not in {MailingState.FINISHED, MailingState.CANCELLED}
        return MailingState.EXPIRED if unfinished and now >= self.stop_at else self.state


def find_mailing(connection: Connection, ref: MailingRef) -> MailingRow | None:
    """The mailing's row; None where it was never approved."""
    statement = select(_TABLE).where(_TABLE.c.campaign == ref.campaign, _TABLE.c.name == ref.mailing)
    row = connection.execute(statement).mappings().first()
    return _mailing(row) if row else None


def lock_mailing(connection: Connection, mailing_id: int) -> MailingRow:
    """The mailing's row as it is now, which nobody else changes until this transaction ends."""
    statement = select(_TABLE).where(_TABLE.c.id == mailing_id).with_for_update()
    return _mailing(connection.execute(statement).mappings().one())


def source_of(connection: Connection, mailing_id: int) -> str:
    """The mailing's stored source, read and not locked: who has locked a delivery may wait for the mailing."""
    return str(connection.execute(select(_TABLE.c.source).where(_TABLE.c.id == mailing_id)).scalar_one())


def all_mailings(connection: Connection) -> list[MailingRow]:
    """Every mailing the ledger knows, in order of time."""
    return [_mailing(row) for row in rows(connection, select(_TABLE).order_by(_TABLE.c.send_at, _TABLE.c.id))]


def mailings_not_over(connection: Connection) -> list[MailingRow]:
    """The mailings of which anything may still become something else, in order of time.

    A finished or cancelled one is among them where a delivery of it is open or in doubt.
    """
    over = _TABLE.c.state.in_([MailingState.FINISHED, MailingState.CANCELLED])
    table = schema.delivery
    unclear = exists().where(table.c.mailing_id == _TABLE.c.id, table.c.state.in_([*_OPEN, DeliveryState.UNCERTAIN]))
    statement = select(_TABLE).where(or_(~over, unclear)).order_by(_TABLE.c.send_at, _TABLE.c.id)
    return [_mailing(row) for row in rows(connection, statement)]


def approve_mailing(
    connection: Connection,
    ref: MailingRef,
    *,
    topic: str,
    send_at: datetime,
    stop_at: datetime,
    digest: str,
    source: str,
    by: str,
    now: datetime,
) -> int:
    """Bind what goes out; an approval of which nobody is planned is replaced by the new one. Returns the mailing's id.

    Raises MailingStateError where somebody is planned.
    """
    values: dict[str, Any] = {
        "topic": topic,
        "send_at": send_at,
        "stop_at": stop_at,
        "digest": digest,
        "source": source,
        "approved_by": by,
        "approved_at": now,
    }
    found = find_mailing(connection, ref)
    if found is None:
        mailing_id = insert_returning_id(
            connection,
            _TABLE,
            {
                **values,
                "campaign": ref.campaign,
                "name": ref.mailing,
                # Part of every Message-ID of this mailing: an answer that cites one cannot be guessed.
                "token": secrets.token_hex(8),
                "state": MailingState.APPROVED,
                "changed_at": now,
            },
        )
    else:
        mailing_id = found.mailing_id
        _take_plan_back(connection, lock_mailing(connection, mailing_id))
        move_mailing(connection, mailing_id, MailingStep.APPROVE, now=now, plan_cursor=0, **values)
    write_journal(connection, mailing_id, "approve", reason=digest, actor=by, now=now)
    return mailing_id


def _take_plan_back(connection: Connection, mailing: MailingRow) -> None:
    """Forget the exclusions of a plan that was begun and holds no recipient: another approval has other rules."""
    if mailing.state is not MailingState.PLANNING:
        return
    recipients = [state for state in DeliveryState if state is not DeliveryState.EXCLUDED]
    if has_any(connection, mailing.mailing_id, recipients):
        raise MailingStateError(
            f"a part of {mailing.ref} is planned already, from the text that was approved",
            mend=f"Go on with that: mlgroup-mail plan {mailing.ref}. Or cancel it, and add a new [[mailing]].",
        )
    connection.execute(delete(schema.delivery).where(schema.delivery.c.mailing_id == mailing.mailing_id))


def cancel_mailing(connection: Connection, mailing_id: int, *, reason: str, by: str, now: datetime) -> int:
    """End a mailing: nothing of it is claimed any more. Those being attempted keep their answer.

    Returns how many deliveries were cancelled with it: of a large one the others are left to `settle_mailing`.
    """
    order_mailing(connection, mailing_id, MailingStep.CANCEL, reason=reason, actor=by, now=now)
    return move_deliveries_of(connection, DeliveryStep.CANCEL, mailing_id, now=now, reason="cancelled")


def order_mailing(
    connection: Connection,
    mailing_id: int,
    step: MailingStep,
    *,
    reason: str,
    actor: str,
    now: datetime,
    delivery_id: int | None = None,
    **values: Any,
) -> None:
    """Take a step with a mailing that somebody ordered, or that it takes by itself, and keep who and why.

    `delivery_id`: the one that gave the cause; `values`: further columns of the mailing. Raises MailingStateError.
    """
    # What goes on has no reason to be told: that was the order's.
    standing = "" if step is MailingStep.RESUME else reason
    move_mailing(connection, mailing_id, step, now=now, reason=standing, **values)
    write_journal(connection, mailing_id, step, reason=reason, actor=actor, now=now, delivery_id=delivery_id)


def extend_mailing(
    connection: Connection, mailing_id: int, *, stop_at: datetime, reason: str, by: str, now: datetime
) -> None:
    """Give a mailing more time (`--late`): outside the approved hash, and in the journal.

    Whoever orders that has looked: what stood still before is not held for it again.
    """
    values = {"stop_at": stop_at, "resumed_at": now, "changed_at": now}
    connection.execute(update(_TABLE).where(_TABLE.c.id == mailing_id).values(**values))
    write_journal(connection, mailing_id, "late", reason=reason, actor=by, now=now)


def is_unsettled(connection: Connection, row: MailingRow, *, now: datetime) -> bool:
    """Whether `settle_mailing` has anything to do, asked by a reading: whoever only looks keeps nobody waiting."""
    if row.state is MailingState.CANCELLED:
        return has_any(connection, row.mailing_id, sources(DeliveryStep.CANCEL))
    if now >= row.stop_at and has_any(connection, row.mailing_id, sources(DeliveryStep.EXPIRE)):
        return True
    may_finish = (row.state, MailingStep.FINISH) in TRANSITIONS
    return may_finish and not has_any(connection, row.mailing_id, _OPEN)


def settle_mailing(connection: Connection, mailing_id: int, *, now: datetime) -> int:
    """Expire and finish: a deferred delivery past `stop_at` is refused, a mailing with nothing open is finished.

    A few hundred deliveries at a time, so that nobody waits long: returns how many; ask `is_unsettled` for more.
    """
    row = lock_mailing(connection, mailing_id)
    moved = 0
    if row.state is MailingState.CANCELLED:
        moved = move_deliveries_of(connection, DeliveryStep.CANCEL, row.mailing_id, now=now, reason="cancelled")
    elif now >= row.stop_at:
        moved = move_deliveries_of(connection, DeliveryStep.EXPIRE, row.mailing_id, now=now, reason="expired")
    still_open = has_any(connection, row.mailing_id, _OPEN)
    if not still_open and (row.state, MailingStep.FINISH) in TRANSITIONS:
        move_mailing(connection, row.mailing_id, MailingStep.FINISH, now=now)
    return moved


def delivery_counts(connection: Connection, mailing_id: int) -> dict[DeliveryState, int]:
    """How many deliveries are in each state; every state is there."""
    table = schema.delivery
    statement = select(table.c.state, func.count()).where(table.c.mailing_id == mailing_id).group_by(table.c.state)
    found: dict[str, int] = {row[0]: row[1] for row in connection.execute(statement)}
    return {state: found.get(state, 0) for state in DeliveryState}


def has_any(connection: Connection, mailing_id: int, states: Collection[DeliveryState]) -> bool:
    """Whether a mailing has a delivery in one of these states, asked while others wait: counting a million is slow."""
    table = schema.delivery
    found = exists().where(table.c.mailing_id == mailing_id, table.c.state.in_(states))
    return bool(connection.execute(select(found)).scalar_one())


def write_journal(
    connection: Connection,
    mailing_id: int | None,
    act: str,
    *,
    reason: str,
    actor: str,
    now: datetime,
    delivery_id: int | None = None,
    contact_id: int | None = None,
) -> None:
    """Keep what was ordered or decided, by whom and why."""
    connection.execute(
        insert(schema.journal).values(
            number=next_number(connection),
            mailing_id=mailing_id,
            delivery_id=delivery_id,
            contact_id=contact_id,
            act=act,
            reason=reason,
            actor=actor,
            at=now,
        )
    )


def _mailing(row: RowMapping) -> MailingRow:
    return MailingRow(
        mailing_id=row["id"],
        ref=MailingRef(row["campaign"], row["name"]),
        topic=row["topic"],
        state=MailingState(row["state"]),
        state_reason=row["state_reason"],
        send_at=row["send_at"],
        stop_at=row["stop_at"],
        token=row["token"],
        digest=row["digest"],
        source=row["source"],
        approved_by=row["approved_by"],
        approved_at=row["approved_at"],
        plan_cursor=row["plan_cursor"],
        audience=row["audience"],
        resumed_at=row["resumed_at"],
    )
