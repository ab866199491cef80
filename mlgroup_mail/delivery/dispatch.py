"""The main path: sending what is still open in a batch, each person at most once."""

from collections.abc import Callable, Iterable

from mlgroup_mail.clock import Clock, boot_seconds
from mlgroup_mail.delivery.transports.base import MayBegin, Transport
from mlgroup_mail.model import Batch, Message, Outcome
from mlgroup_mail.store.claims import Claims, Window

BEGIN_WITHIN_SECONDS = 30.0
"""What was not begun so long after its claim is handed back: an opt-out may have come in since."""


def dispatch(
    batch: Batch,
    *,
    claims: Claims,
    merge: Callable[[Window], Iterable[Message]],
    transport: Transport,
    clock: Clock,
    progress: Callable[[int], None],
) -> None:
    """Send what is still open in a batch.

    Each window is one durable transaction: the last outcomes are recorded, opt-outs read again, the next attempts
    written. Raises TransportError where the server as a whole does not take mail; what was not tried stays as it is.
    """
    outcomes: list[Outcome] = []
    try:
        transport.open()
        while window := claims.next(batch, transport.window, record=outcomes, now=clock.now()):
            outcomes = transport.send(merge(window), _may_begin(window))
            progress(len(outcomes))
            transport.open()
    finally:
        claims.record(outcomes, now=clock.now())


def _may_begin(window: Window) -> MayBegin:
    return lambda: boot_seconds() - window.claimed_at < BEGIN_WITHIN_SECONDS
