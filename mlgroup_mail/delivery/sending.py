"""Sending mailings: which of their batches are due, in what order, and when one has to wait for a person."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mlgroup_mail import addresses
from mlgroup_mail.clock import Clock
from mlgroup_mail.consent.restrictions import restrictions
from mlgroup_mail.delivery.allow_list import require_allowed
from mlgroup_mail.delivery.approving import embedded_pictures
from mlgroup_mail.delivery.dispatch import dispatch
from mlgroup_mail.delivery.merging import Links, Merge
from mlgroup_mail.delivery.ownership import ownership
from mlgroup_mail.delivery.roads import Hearing
from mlgroup_mail.delivery.stopping import Stop
from mlgroup_mail.delivery.transports.base import Transport
from mlgroup_mail.delivery.waiting import PATIENCE_SECONDS, wait_out
from mlgroup_mail.errors import RefusedByServerError
from mlgroup_mail.model import DeliveryState, ExclusionReason, MailingRef, MailingStep
from mlgroup_mail.model.mailing import DISPATCHABLE
from mlgroup_mail.store import Connection, Store
from mlgroup_mail.store.claims import Claims, Restrictions
from mlgroup_mail.store.deliveries import last_attempt, oldest_due, to_go
from mlgroup_mail.store.events import settle_by_evidence
from mlgroup_mail.store.failures import PauseRule, pause_by_itself
from mlgroup_mail.store.mailings import MailingRow, find_mailing, has_any, settle_mailing, write_journal
from mlgroup_mail.store.owners import give_up_dead
from mlgroup_mail.store.plans import batches_of, compiled_variants, variants
from mlgroup_mail.store.rates import Rates, Wait
from mlgroup_mail.store.transitions import move_mailing

OVERDUE = timedelta(hours=2)
"""A mailing that was begun and then stood still for so long waits for a person: an outage, a restored backup."""

_LOOK_AGAIN_SECONDS = 0.5

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


def send_due(parts: Sending, refs: Sequence[MailingRef], *, progress: Progress = silent) -> None:
    """Send what is due of these mailings; returns when nothing due of them is open any more.

    What dead processes left behind is settled first. Deliveries that another living process is attempting are waited
    for. Raises ConfigurationError where the allow-list forbids what is planned, before anything of that mailing goes;
    TransportError where the server as a whole does not take mail; where that is a RefusedByServerError the mailing is
    paused.
    """
    try:
        with ownership(parts.store, parts.clock) as owner:
            claims = Claims(
                parts.store,
                owner,
                transport=parts.transport.name,
                restrictions=restrictions_in_force(parts.allowed_domains, Hearing(parts.clock)),
                rates=parts.rates,
                pause=parts.pause,
            )
            for ref in refs:
                if not parts.stop.asked:
                    _send_mailing(parts, claims, ref, progress)
    finally:
        parts.transport.close()


def _send_mailing(parts: Sending, claims: Claims, ref: MailingRef, progress: Progress) -> None:
    while True:
        give_up_dead(parts.store, now=parts.clock.now())
        mailing = settle(parts.store, ref, now=parts.clock.now())
        if _send_batches(parts, claims, mailing, progress):
            continue
        if not _others_are_attempting(parts, ref) or parts.stop.asked:
            return
        parts.stop.wait(_LOOK_AGAIN_SECONDS)


def _send_batches(parts: Sending, claims: Claims, mailing: MailingRow, progress: Progress) -> bool:
    """Send what is due; returns whether more may go now, because a rate has been waited out."""
    now = parts.clock.now()
    with parts.store.reading() as connection:
        batches = [batch for batch in batches_of(connection, mailing, to_go=True) if batch.due_at <= now]
        compiled = compiled_variants(connection, mailing.mailing_id)
        keys = variants(connection, mailing.mailing_id)
        waiting = oldest_due(connection, mailing.mailing_id)
        still = to_go(connection, mailing.mailing_id).domains if parts.allowed_domains is not None else {}
    # Where nothing may go yet, the mail server is not troubled.
    if mailing.state not in DISPATCHABLE or waiting is None or not waiting <= now < mailing.stop_at:
        return False
    require_allowed(still, parts.allowed_domains, where=str(mailing.ref))
    pictures = embedded_pictures(parts.store, mailing)
    links = parts.links(mailing.topic)
    merge = Merge(mailing, compiled, pictures=pictures, links=links, clock=parts.clock, keys=keys)
    merge.rehearse()
    waits: list[Wait] = []
    with _pausing_where_refused(parts, mailing.ref):
        for batch in batches:
            wait = dispatch(
                batch,
                claims=claims,
                merge=merge,
                transport=parts.transport,
                clock=parts.clock,
                progress=lambda done: progress(mailing.ref, done),
                stop=parts.stop,
            )
            if wait and wait.everybody:
                if wait.seconds > PATIENCE_SECONDS:
                    claims.put_off(batch, wait, now=parts.clock.now())
                return False
            if wait:
                waits.append(wait)
    if not waits:
        return False
    soonest = min(waits, key=lambda each: each.seconds)
    return wait_out(soonest, wanted=lambda: claims.still_wanted(batches[0], now=parts.clock.now()), stop=parts.stop)


@contextmanager
def _pausing_where_refused(parts: Sending, ref: MailingRef) -> Iterator[None]:
    """Pause the mailing where the mail server takes nothing from us: the next try would be refused like this one."""
    try:
        yield
    except RefusedByServerError as refusal:
        problem = refusal.problem
        reason = f"paused by itself: {problem.where}: {problem.message}. {problem.mend}"
        with parts.store.writing() as connection:
            pause_by_itself(connection, _row(connection, ref).mailing_id, reason, now=parts.clock.now())
        mend = f"{problem.mend}\n  {ref} is paused until then. Afterwards: mlgroup-mail resume {ref}"
        raise RefusedByServerError(problem.message, where=problem.where, mend=mend) from None


def settle(store: Store, ref: MailingRef, *, now: datetime) -> MailingRow:
    """Expire what is too late, finish what has nothing open, hold what stood still too long; returns the row then."""
    with store.writing() as connection:
        settle_by_evidence(connection, _row(connection, ref).mailing_id, now=now)
        settle_mailing(connection, _row(connection, ref).mailing_id, now=now)
        mailing = _row(connection, ref)
        if mailing.state in DISPATCHABLE and (reason := _stood_still(connection, mailing, now=now)):
            move_mailing(connection, mailing.mailing_id, MailingStep.HOLD, now=now, reason=reason)
            write_journal(
                connection, mailing.mailing_id, MailingStep.HOLD, reason=reason, actor="mlgroup-mail", now=now
            )
        return _row(connection, ref)


def _stood_still(connection: Connection, mailing: MailingRow, *, now: datetime) -> str:
    """Why a person should look before it goes on; empty where nothing speaks against it."""
    last = last_attempt(connection, mailing.mailing_id)
    due = oldest_due(connection, mailing.mailing_id) if last else None
    if last is None or due is None:
        return ""
    since = max(last[1], due, mailing.resumed_at or due)
    if now - since < OVERDUE:
        return ""
    hours = int((now - since).total_seconds() // 3600)
    return f"it was begun, and nothing has gone for {hours} hours; was there an outage, or is this a restored copy?"


def _others_are_attempting(parts: Sending, ref: MailingRef) -> bool:
    """Whether another process still waits for an answer; settles the mailing where none does."""
    with parts.store.writing() as connection:
        mailing = _row(connection, ref)
        if has_any(connection, mailing.mailing_id, [DeliveryState.ATTEMPTING]):
            return True
        settle_mailing(connection, mailing.mailing_id, now=parts.clock.now())
        return False


def restrictions_in_force(allowed_domains: tuple[str, ...] | None, hearing: Hearing | None = None) -> Restrictions:
    """Consent, asked in each claim.

    ConfigurationError ends the claim where the allow-list forbids what is planned. With `hearing`, DeafRoadError does
    as soon as one of the roads of consent is deaf.
    """

    def restrict(connection: Connection, people: Mapping[int, str], topic: str) -> dict[int, ExclusionReason]:
        if hearing:
            hearing.require(connection)
        stopped = restrictions(connection, people, topic)
        free = (address for contact_id, address in people.items() if contact_id not in stopped)
        require_allowed(Counter(map(addresses.domain, free)), allowed_domains)
        return stopped

    return restrict


def _row(connection: Connection, ref: MailingRef) -> MailingRow:
    found = find_mailing(connection, ref)
    assert found is not None, "sending begins with an approved mailing"
    return found
