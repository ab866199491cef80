"""The main path: sending what is still open in a batch, each person at most once."""

import logging
from collections.abc import Callable, Iterable
from functools import partial

from mlgroup_mail.clock import Clock, boot_seconds
from mlgroup_mail.delivery.stopping import Stop
from mlgroup_mail.delivery.transports.base import MayBegin, Transport
from mlgroup_mail.delivery.waiting import PATIENCE_SECONDS, wait_out
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
    is. Where `stop` is asked the windows that are open are finished, and none is begun.
    """
    heard, waited = _Heard(progress), 0.0
    wanted = partial(claims.still_wanted, batch, now=clock.now)
    try:
        while True:
            if not transport.ready():
                # What is known, or soon will be, must not wait in memory for a reconnection.
                heard.add(transport.send((), _never))
                claims.record(heard.outcomes, now=clock.now())
                heard.outcomes.clear()
            transport.open()
            if stop.asked:
                return None
            window = claims.next(
                batch, transport.window, record=heard.outcomes, now=clock.now, one_variant=transport.one_variant
            )
            heard.outcomes.clear()
            if isinstance(window, Window):
                messages, failed = _made(window, merge)
                heard.add(failed)
                heard.add(transport.send(messages, _may_begin(window), more=True))
                continue
            heard.add(transport.send((), _never))
            if heard.outcomes:
                # What came of the last ones decides what is due now.
                continue
            if window is None:
                return None
            # Who puts everybody off again and again, each time for a moment, is left to a later dispatch.
            waited = waited + window.seconds if heard.put_off else 0.0
            patient = window.scope is Scope.SERVER and waited <= PATIENCE_SECONDS
            if not (patient and wait_out(window.seconds, wanted=wanted, stop=stop)):
                return window
    finally:
        try:
            heard.add(transport.send((), _never))
        finally:
            claims.record(heard.outcomes, now=clock.now())


class _Heard:
    """What is known and not recorded yet."""

    def __init__(self, progress: Callable[[int], None]) -> None:
        self.outcomes: list[Outcome] = []
        self.put_off = False
        """Whether all that came last were put off."""
        self._progress = progress

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Hear these one by one: an interruption keeps those that are known."""
        before = len(self.outcomes)
        for outcome in outcomes:
            self.outcomes.append(outcome)
        if news := self.outcomes[before:]:
            self.put_off = all(outcome.kind is OutcomeKind.DEFERRED for outcome in news)
            self._progress(len(news))


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


def _never() -> bool:
    return False


def _may_begin(window: Window) -> MayBegin:
    return lambda: boot_seconds() - window.claimed_at < BEGIN_WITHIN_SECONDS
