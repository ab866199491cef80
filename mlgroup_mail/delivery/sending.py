"""Sending mailings: which of their batches are due, in what order, and when one has to wait for a person."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial

from mlgroup_mail import addresses
from mlgroup_mail.clock import Clock
from mlgroup_mail.consent.restrictions import restrictions
from mlgroup_mail.delivery.allow_list import require_allowed
from mlgroup_mail.delivery.approving import embedded_pictures
from mlgroup_mail.delivery.dispatch import dispatch
from mlgroup_mail.delivery.merging import Links, Merge
from mlgroup_mail.delivery.ownership import ownership
from mlgroup_mail.delivery.roads import Hearing
from mlgroup_mail.delivery.settling import others_are_attempting, settle
from mlgroup_mail.delivery.short_pauses import short_pauses
from mlgroup_mail.delivery.stopping import Stop
from mlgroup_mail.delivery.transports.base import Transport
from mlgroup_mail.delivery.waiting import PATIENCE_SECONDS, wait_out
from mlgroup_mail.delivery.wall_clock import SteadyClock
from mlgroup_mail.errors import MailingSetUpError, RefusedByServerError
from mlgroup_mail.model import Batch, ExclusionReason, MailingRef, Scope
from mlgroup_mail.model.mailing import DISPATCHABLE
from mlgroup_mail.store import Connection, Store
from mlgroup_mail.store.canaries import FIRST_BATCH
from mlgroup_mail.store.claims import Claims, Restrictions
from mlgroup_mail.store.deliveries import oldest_due, to_go
from mlgroup_mail.store.failures import PauseRule, pause_by_itself
from mlgroup_mail.store.mailings import MailingRow
from mlgroup_mail.store.owners import Owner, give_up_dead
from mlgroup_mail.store.plans import batches_of, compiled_variants, variants
from mlgroup_mail.store.rates import Rates, Wait

_LOOK_AGAIN_SECONDS = 0.5
"""After how long it is asked again what has become of what another process is attempting."""

Progress = Callable[[MailingRef, int], None]
"""(mailing, how many more have an outcome), told after each window."""


def silent(ref: MailingRef, done: int) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sending:
    """The parts that sending needs, wired once."""

    store: Store
    transport: Transport
    clock: Clock
    links: Callable[[str], Links]
    """The opt-out links of a topic."""
    allowed_domains: tuple[str, ...] | None
    """Only these are written to; None: everybody."""
    stop: Stop = field(default_factory=Stop)
    """Asked when somebody wants it to end: the open window is finished, nothing new is begun, nothing waited for."""
    rates: Rates = field(default_factory=Rates)
    """What the transport may be given."""
    pause: PauseRule = field(default_factory=PauseRule)
    """When a mailing pauses by itself."""
    witness: Callable[[Owner], AbstractContextManager[object]] = nullcontext
    """Open while anything may go: leaves beside the ledger that this owner was sending."""
    note_key: Callable[[Connection], None] = lambda _: None
    """Called where attempts are written: notes the key that their links are signed with."""


@short_pauses()
def send_due(
    parts: Sending, refs: Sequence[MailingRef], *, progress: Progress = silent
) -> tuple[MailingSetUpError, ...]:
    """Send what is due of these mailings; returns when nothing due of them is open any more.

    They have turns, in their order: where one has to wait for a receiving domain the next goes on. What dead processes
    left behind is settled first. Deliveries that another living process is attempting are waited for. What keeps a
    single mailing from going, as where the allow-list forbids what is planned, is returned: the others go on. Raises
    ClockError where the clock was set ahead meanwhile; TransportError where the server as a whole does not take mail;
    where that is a RefusedByServerError the mailing is paused.
    """
    clock = SteadyClock(parts.clock)
    parts = replace(parts, clock=clock)
    try:
        with ownership(parts.store, clock) as owner, parts.witness(owner):
            claims = Claims(
                parts.store,
                owner,
                transport=parts.transport.name,
                restrictions=restrictions_in_force(parts.allowed_domains, Hearing(clock), clock),
                rates=parts.rates,
                pause=parts.pause,
                note_key=parts.note_key,
            )
            return _in_turns(parts, [_Run(parts, claims, ref, progress) for ref in refs])
    finally:
        parts.transport.close()


def _in_turns(parts: Sending, runs: Sequence["_Run"]) -> tuple[MailingSetUpError, ...]:
    """Give each mailing one turn after the other, until none of them is worth another soon; returns what kept some."""
    hindered: list[MailingSetUpError] = []
    while runs:
        give_up_dead(parts.store, now=parts.clock.now())
        waits: dict[_Run, float] = {}
        for run in runs:
            if parts.stop.asked:
                return tuple(hindered)
            try:
                seconds = run.turn()
            except MailingSetUpError as error:
                hindered.append(error)
                continue
            if seconds is not None and seconds <= PATIENCE_SECONDS:
                waits[run] = seconds
        runs = list(waits)
        if runs:
            parts.store.let_go()
            wait_out(min(waits.values()), wanted=partial(_any_wanted, runs), stop=parts.stop)
    return tuple(hindered)


def _any_wanted(runs: Sequence["_Run"]) -> bool:
    return any(run.wanted() for run in runs)


class _Run:
    """One mailing while this process sends it: what its turns need is made ready once."""

    def __init__(self, parts: Sending, claims: Claims, ref: MailingRef, progress: Progress) -> None:
        self._parts, self._claims, self._ref = parts, claims, ref
        self._progress = partial(progress, ref)
        self._merge: Merge | None = None
        self._batches: list[Batch] = []

    def turn(self) -> float | None:
        """Send what may go now; returns after how many seconds another turn is worth it, None where none is."""
        mailing = settle(self._parts.store, self._ref, now=self._parts.clock.now())
        if waits := self._send_due(mailing):
            return min(wait.seconds for wait in waits)
        others = others_are_attempting(self._parts.store, self._ref, now=self._parts.clock.now())
        return _LOOK_AGAIN_SECONDS if others else None

    def wanted(self) -> bool:
        """Whether anything may still be claimed, or is being attempted elsewhere; asked while it waits."""
        clock = self._parts.clock
        return not self._batches or self._claims.still_wanted(self._batches[0], now=clock.now)

    def _send_due(self, mailing: MailingRow) -> list[Wait]:
        """Hand over what is due; returns what some of it has to wait for."""
        now = self._parts.clock.now()
        with self._parts.store.reading() as connection:
            batches = [batch for batch in batches_of(connection, mailing, to_go=True) if batch.due_at <= now]
            waiting = oldest_due(connection, mailing.mailing_id)
        self._batches = batches
        # Where nothing may go yet, the mail server is not troubled.
        if mailing.state not in DISPATCHABLE or waiting is None or not waiting <= now < mailing.stop_at:
            return []
        if self._merge is None:
            self._merge = _ready_to_merge(self._parts, mailing)
        waits: list[Wait] = []
        with _pausing_where_refused(self._parts, mailing):
            for batch in batches:
                wait = dispatch(
                    batch,
                    claims=self._claims,
                    merge=self._merge,
                    transport=self._parts.transport,
                    clock=self._parts.clock,
                    progress=self._progress,
                    stop=self._parts.stop,
                )
                if wait and wait.scope is Scope.SERVER:
                    if wait.seconds > PATIENCE_SECONDS:
                        self._claims.put_off(batch, wait, now=self._parts.clock.now())
                    return []
                if wait:
                    waits.append(wait)
                    if batch.number == FIRST_BATCH:
                        # The first canaries go before everybody else.
                        return waits
        return waits


def _ready_to_merge(parts: Sending, mailing: MailingRow) -> Merge:
    """What makes the mailing's messages, once it is sure that it can and may: raises MailingSetUpError where not."""
    with parts.store.reading() as connection:
        compiled = compiled_variants(connection, mailing.mailing_id)
        keys = variants(connection, mailing.mailing_id)
        still = to_go(connection, mailing.mailing_id).domains if parts.allowed_domains is not None else {}
    require_allowed(still, parts.allowed_domains, where=str(mailing.ref))
    merge = Merge(
        mailing,
        compiled,
        pictures=embedded_pictures(parts.store, mailing),
        links=parts.links(mailing.topic),
        clock=parts.clock,
        keys=keys,
        build=parts.transport.build,
    )
    merge.rehearse()
    return merge


@contextmanager
def _pausing_where_refused(parts: Sending, mailing: MailingRow) -> Iterator[None]:
    """Pause the mailing where the mail server takes nothing from us: the next try would be refused like this one."""
    try:
        yield
    except RefusedByServerError as refusal:
        problem = refusal.problem
        reason = f"paused by itself: {problem.where}: {problem.message}. {problem.mend}"
        with parts.store.writing() as connection:
            pause_by_itself(connection, mailing.mailing_id, reason, now=parts.clock.now())
        mend = f"{problem.mend}\n  {mailing.ref} is paused until then. Afterwards: mlgroup-mail resume {mailing.ref}"
        raise RefusedByServerError(problem.message, where=problem.where, mend=mend) from None


def restrictions_in_force(
    allowed_domains: tuple[str, ...] | None, hearing: Hearing | None = None, clock: SteadyClock | None = None
) -> Restrictions:
    """Consent, asked in each claim.

    MailingSetUpError ends the claim where the allow-list forbids what is planned. With `hearing`, DeafRoadError does
    as soon as one of the roads of consent is deaf; with `clock`, ClockError where it was set ahead.
    """

    def restrict(connection: Connection, people: Mapping[int, str], topic: str) -> dict[int, ExclusionReason]:
        if clock:
            clock.require_sound()
        if hearing:
            hearing.require(connection)
        stopped = restrictions(connection, people, topic)
        free = (address for contact_id, address in people.items() if contact_id not in stopped)
        require_allowed(Counter(map(addresses.domain, free)), allowed_domains)
        return stopped

    return restrict
