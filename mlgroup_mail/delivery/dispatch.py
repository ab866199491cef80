"""The main path: sending what is still open in a batch, each person at most once."""

import logging
from collections.abc import Callable
from functools import partial

from mlgroup_mail.clock import Clock, boot_seconds
from mlgroup_mail.delivery.stopping import Stop
from mlgroup_mail.delivery.transports.base import MayBegin, Transport
from mlgroup_mail.delivery.waiting import wait_out
from mlgroup_mail.model import Batch, Message, Outcome, OutcomeKind, Scope
from mlgroup_mail.store.claims import Claimed, Claims, Window
from mlgroup_mail.store.rates import BEGIN_WITHIN_SECONDS, Wait

log = logging.getLogger(__name__)


def dispatch(
    batch: Batch,
    *,
    claims: Claims,
    merge: Callable[[Claimed], Message],
    transport: Transport,
    clock: Clock,
    progress: Callable[[int], None],
    stop: Stop,
) -> Wait | None:
    """Send what is still open in a batch, each person at most once; returns how long the rest has to wait, if any.

    Each window is one durable transaction: the last outcomes are recorded, opt-outs read again, the next attempts
    written. What holds up all mail is waited out here; what holds up some domains is for the caller, who may have
    other mail. Raises TransportError where the server as a whole does not take mail; what was not tried stays as it
    is. Where `stop` is asked the window that is open is finished, and none is begun.
    """
    outcomes: list[Outcome] = []
    wanted = partial(claims.still_wanted, batch, now=clock.now)
    try:
        while True:
            if outcomes and not transport.ready():
                # What is known must not wait in memory for a reconnection.
                claims.record(outcomes, now=clock.now())
                outcomes = []
            transport.open()
            if stop.asked:
                return None
            window = claims.next(
                batch, transport.window, record=outcomes, now=clock.now, one_variant=transport.one_variant
            )
            outcomes = []
            if isinstance(window, Wait):
                if window.scope is Scope.SERVER and wait_out(window.seconds, wanted=wanted, stop=stop):
                    continue
                return window
            if window is None:
                return None
            messages, failed = _made(window, merge)
            outcomes += failed
            for outcome in transport.send(messages, _may_begin(window)):
                outcomes.append(outcome)  # One by one: an interruption keeps those that are known.
            progress(len(outcomes))
    finally:
        claims.record(outcomes, now=clock.now())


def _made(window: Window, merge: Callable[[Claimed], Message]) -> tuple[list[Message], list[Outcome]]:
    """The window's messages, all made before the first leaves; one that cannot be made is surely not accepted."""
    messages, failed = [], []
    for claimed in window.deliveries:
        try:
            messages.append(merge(claimed))
        except Exception as error:  # whatever it is, it is this one's alone
            # Its text may hold what the person's fields hold, so only its kind is told.
            log.error("delivery %d could not be made: %s", claimed.delivery_id, type(error).__name__)
            detail = f"the message could not be made ({type(error).__name__})"
            failed.append(Outcome(attempt_id=claimed.attempt_id, kind=OutcomeKind.DEFERRED, detail=detail))
    return messages, failed


def _may_begin(window: Window) -> MayBegin:
    return lambda: boot_seconds() - window.claimed_at < BEGIN_WITHIN_SECONDS
