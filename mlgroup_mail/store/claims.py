"""Windows: recording what became of the last one and claiming the next, in one durable transaction."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Connection,
    Integer,
    Row,
    Select,
    String,
    bindparam,
    exists,
    insert,
    or_,
    select,
    update,
)

from mlgroup_mail.clock import boot_seconds
from mlgroup_mail.model import Batch, DeliveryStep, ExclusionReason, MailingState, MailingStep, Outcome, Scope
from mlgroup_mail.model.mailing import DISPATCHABLE
from mlgroup_mail.store import schema
from mlgroup_mail.store.back_off import SERVER_UNTIL, waiting_domains
from mlgroup_mail.store.canaries import rides_now
from mlgroup_mail.store.column_types import Moment
from mlgroup_mail.store.failures import PauseRule
from mlgroup_mail.store.lists import among, as_list
from mlgroup_mail.store.owners import Owner, renew
from mlgroup_mail.store.rates import Place, Places, Rates, Wait
from mlgroup_mail.store.recording import record_outcomes
from mlgroup_mail.store.transactions import Store, next_number
from mlgroup_mail.store.transitions import claim_deliveries, move_deliveries, move_mailing

Restrictions = Callable[[Connection, Mapping[int, str], str], Mapping[int, ExclusionReason]]
"""(connection, {contact id: address}, topic) -> who must not be written to, and why."""

_DELIVERY, _ATTEMPT, _BATCH = schema.delivery, schema.attempt, schema.batch

_ANY_VARIANT = ("claim_group",)
_ONE_VARIANT = ("claim_group", "variant_id")
"""What the deliveries of a window have in common."""

_LOOKED_AT_ONCE = 500
"""At how many a claim looks of whom none may go, before others have their turn: whoever opts out waits for it."""


class Claimed(NamedTuple):
    """One delivery of a window: its attempt is durable, nothing of it has left.

    A tuple: each delivery makes one, and a frozen dataclass takes three times as long to make.
    """

    attempt_id: int
    delivery_id: int
    contact_id: int
    variant_id: int
    address: str
    fields: dict[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """The few deliveries that one durable claim covers. `claimed_at` is in `boot_seconds`.

    It may be empty: nobody it looked at may go, as where very many have opted out since they were planned. There may be
    more to look at.
    """

    number: int
    claimed_at: float
    deliveries: tuple[Claimed, ...]


class Claims:
    """What one owner claims and records, through one transport."""

    def __init__(
        self,
        store: Store,
        owner: Owner,
        *,
        transport: str,
        restrictions: Restrictions,
        rates: Rates | None = None,
        pause: PauseRule | None = None,
        note_key: Callable[[Connection], None] = lambda _: None,
    ) -> None:
        """`rates`: what the transport may be given; None for no limit. `pause`: when a mailing pauses by itself.

        `note_key` is called in each claim that writes attempts: what their links are signed with.
        """
        self._store = store
        self._owner = owner
        self._transport = transport
        self._restrictions = restrictions
        self._rates = rates or Rates()
        self._pause = pause or PauseRule()
        self._note_key = note_key
        self._places: list[Place] = []

    def next(
        self,
        batch: Batch,
        size: int,
        *,
        record: Sequence[Outcome],
        now: Callable[[], datetime],
        one_variant: bool = False,
    ) -> Window | Wait | None:
        """Record the last window's outcomes and claim up to `size` deliveries: of one claim group, or of none.

        `one_variant`: all of them read the same variant.

        None where nothing is due; where what is due has to wait for a rate, how long. Opt-outs and holds are read in
        this very transaction: whoever is found becomes `excluded` for good. Where this process was given up for dead
        nothing is written and OwnerLostError is raised: `record` takes late answers. `now` is asked when all locks
        are held that others may keep for long: nothing begins after the mailing's end because it had to wait.
        """
        with self._store.claiming() as connection:
            claimed_at = boot_seconds()
            renew(connection, self._owner)
            record_outcomes(connection, record, pause=self._pause, now=now())
            places = Places(connection, self._rates, self._transport)
            places.give_back(self._places)
            alike = _ONE_VARIANT if one_variant else _ANY_VARIANT
            found = self._claim(connection, places, batch, size, alike, claimed_at=claimed_at, now=now())
        self._places = places.taken
        return found

    def record(self, outcomes: Sequence[Outcome], *, now: datetime) -> None:
        """Record outcomes without claiming anything."""
        if outcomes:
            with self._store.writing() as connection:
                record_outcomes(connection, outcomes, pause=self._pause, now=now)

    def still_wanted(self, batch: Batch, *, now: Callable[[], datetime]) -> bool:
        """Whether a batch may still be claimed from: asked again and again while a rate is waited out."""
        with self._store.reading() as connection:
            wanted = _dispatchable(connection, batch, now=now(), locked=False) is not None
        self._store.let_go()
        return wanted

    def put_off(self, batch: Batch, wait: Wait, *, now: datetime) -> None:
        """Give every batch of the mailing a new time: it is not overdue, it has to wait."""
        until = now + timedelta(seconds=wait.seconds)
        with self._store.writing() as connection:
            connection.execute(
                update(_BATCH)
                .where(_BATCH.c.mailing_id == batch.mailing_id, _BATCH.c.due_at < until, _holds_claimable())
                .values(due_at=until)
            )

    def _claim(
        self,
        connection: Connection,
        places: Places,
        batch: Batch,
        size: int,
        alike: Sequence[str],
        *,
        claimed_at: float,
        now: datetime,
    ) -> Window | Wait | None:
        mailing = _dispatchable(connection, batch, now=now)
        if mailing is None:
            return None
        number = next_number(connection)
        looked_at = 0
        while found := _due(connection, batch, size, alike, besides=places.waiting_domains(), now=now):
            if free := self._without_restricted(connection, found, mailing.topic, now=now):
                going = _server_waits(mailing, now=now) or places.take([row.domain for row in free])
                if not isinstance(going, Wait):
                    taken = [row for row, goes in zip(free, going, strict=True) if goes]
                    if taken:
                        self._note_key(connection)
                    deliveries = self._begin_attempts(connection, batch, taken, mailing.state, number=number, now=now)
                    return Window(number=number, claimed_at=claimed_at, deliveries=deliveries)
                if going.scope is Scope.SERVER:
                    return going
            looked_at += len(found)
            if looked_at >= _LOOKED_AT_ONCE:
                return Window(number=number, claimed_at=claimed_at, deliveries=())
        return places.soonest(_due_domains(batch, now=now)) or _held_up_by_server(connection, batch, mailing, now=now)

    def _without_restricted(
        self, connection: Connection, found: Sequence[Row[Any]], topic: str, *, now: datetime
    ) -> Sequence[Row[Any]]:
        """Those who may be written to; the others are excluded for good."""
        stopped = self._restrictions(connection, {row.contact_id: row.address for row in found}, topic)
        if not stopped:
            return found
        out = [{"id": row.id, "reason": stopped[row.contact_id]} for row in found if row.contact_id in stopped]
        move_deliveries(connection, DeliveryStep.EXCLUDE, out, now=now, also=("reason",))
        return [row for row in found if row.contact_id not in stopped]

    def _begin_attempts(
        self,
        connection: Connection,
        batch: Batch,
        taken: Sequence[Row[Any]],
        state: str,
        *,
        number: int,
        now: datetime,
    ) -> tuple[Claimed, ...]:
        begun = {
            "owner": self._owner.owner_id,
            "number": number,
            "transport": self._transport,
            "now": now,
            "deliveries": as_list(row.id for row in taken),
        }
        attempts = {delivery_id: attempt_id for attempt_id, delivery_id in connection.execute(_BEGIN, begun).all()}
        moved = claim_deliveries(connection, owner_id=self._owner.owner_id, number=number, now=now)
        assert moved == len(taken), "rows locked in this transaction cannot have moved"
        if state == MailingState.PLANNED:
            move_mailing(connection, batch.mailing_id, MailingStep.BEGIN_SENDING, now=now)
        return tuple(
            Claimed(
                attempt_id=attempts[row.id],
                delivery_id=row.id,
                contact_id=row.contact_id,
                variant_id=row.variant_id,
                address=row.address,
                fields=row.fields,
            )
            for row in taken
        )


_BEGIN = (
    insert(_ATTEMPT)
    .from_select(
        ["delivery_id", "owner_id", "number", "transport", "begun_at"],
        select(
            _DELIVERY.c.id,
            *(bindparam("owner", type_=Integer), bindparam("number", type_=BigInteger)),
            *(bindparam("transport", type_=String), bindparam("now", type_=Moment)),
        )
        .where(among(_DELIVERY.c.id, "deliveries"))
        .order_by(_DELIVERY.c.id),
    )
    .returning(_ATTEMPT.c.id, _ATTEMPT.c.delivery_id)
)
"""The attempts of a window, in one statement."""

# Statements of every claim are made once: to make one costs more than to run it.
_MAILING = schema.mailing
_STATE = select(
    *(_MAILING.c.topic, _MAILING.c.state, _MAILING.c.stop_at),
    SERVER_UNTIL.label("server_until"),
).where(_MAILING.c.id == bindparam("mailing_id"))
_STATE_LOCKED = _STATE.with_for_update()


def _dispatchable(connection: Connection, batch: Batch, *, now: datetime, locked: bool = True) -> Row[Any] | None:
    """The mailing's topic and state where its deliveries may be claimed now: read anew each time, so `pause` counts.

    `server_until` is until when the mail server takes nothing; None where it has not said so.
    """
    asked = {"mailing_id": batch.mailing_id}
    row = connection.execute(_STATE, asked).one()
    if locked and row.state == MailingState.PLANNED:
        # The first claim moves the mailing, so it locks its row before any delivery's, in the order that `cancel` does.
        row = connection.execute(_STATE_LOCKED, asked).one()
    return row if row.state in DISPATCHABLE and batch.due_at <= now < row.stop_at else None


def _server_waits(mailing: Row[Any], *, now: datetime) -> Wait | None:
    """How long the mail server has asked for nothing at all."""
    until: datetime | None = mailing.server_until
    return Wait(seconds=(until - now).total_seconds(), scope=Scope.SERVER) if until and until > now else None


def _held_up_by_server(connection: Connection, batch: Batch, mailing: Row[Any], *, now: datetime) -> Wait | None:
    """The wait that the mail server has named, where nobody is due and somebody will be then."""
    wait = _server_waits(mailing, now=now)
    if wait is None:
        return None
    then = now + timedelta(seconds=wait.seconds)
    return wait if connection.execute(_due_domains(batch, now=then).limit(1)).first() else None


def _due(
    connection: Connection,
    batch: Batch,
    size: int,
    alike: Sequence[str],
    *,
    besides: Select[tuple[str]] | None,
    now: datetime,
) -> list[Row[Any]]:
    """Deliveries that may go now and have the columns `alike` in common with the first of them.

    `besides` are the domains that may be given nothing, where there are limits.
    """
    statement = _TO_CLAIM if besides is None else _TO_CLAIM.where(_DELIVERY.c.domain.not_in(besides))
    asked = {"mailing_id": batch.mailing_id, "batch_id": batch.batch_id, "size": size, "now": now}
    found = connection.execute(statement, asked).all()
    return next((list(window) for _, window in groupby(found, key=attrgetter(*alike))), [])


def _due_domains(batch: Batch, *, now: datetime) -> Select[tuple[str]]:
    asked = {"mailing_id": batch.mailing_id, "batch_id": batch.batch_id, "now": now}
    return select(_DELIVERY.c.domain).where(*_IS_DUE).params(asked)


_IS_DUE = (
    _DELIVERY.c.batch_id == bindparam("batch_id"),
    schema.CLAIMABLE,
    or_(_DELIVERY.c.next_at.is_(None), _DELIVERY.c.next_at <= bindparam("now")),
    _DELIVERY.c.domain.not_in(waiting_domains(bindparam("now", type_=Moment))),
    rides_now(bindparam("mailing_id", type_=Integer)),
)
_TO_CLAIM = (
    select(
        *(_DELIVERY.c.id, _DELIVERY.c.contact_id, _DELIVERY.c.variant_id, _DELIVERY.c.address, _DELIVERY.c.fields),
        *(_DELIVERY.c.domain, _DELIVERY.c.claim_group),
    )
    .where(*_IS_DUE)
    # Those who are alike stand together.
    .order_by(_DELIVERY.c.claim_group, _DELIVERY.c.variant_id, _DELIVERY.c.id)
    .limit(bindparam("size", type_=Integer))
    .with_for_update(skip_locked=True)
)


def _holds_claimable() -> Any:
    return exists().where(_DELIVERY.c.batch_id == _BATCH.c.id, schema.CLAIMABLE)
