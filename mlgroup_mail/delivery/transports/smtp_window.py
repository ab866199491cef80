"""A window's messages, shared among connections: each takes the next as soon as it is free."""

import logging
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from queue import Empty, SimpleQueue

from mlgroup_mail.delivery.transports.base import NOT_BEGUN, MayBegin
from mlgroup_mail.delivery.transports.smtp_line import Line
from mlgroup_mail.delivery.transports.smtp_meaning import Next
from mlgroup_mail.delivery.transports.smtp_transaction import Handed
from mlgroup_mail.errors import TransportError
from mlgroup_mail.model import Message, Outcome, OutcomeKind, Scope

log = logging.getLogger(__name__)


class SharedWindow:
    """What is still to begin, and what has become of the rest.

    `work` runs in a thread for each connection; everything else belongs to the thread that waits for outcomes.
    """

    def __init__(self, messages: Sequence[Message], may_begin: MayBegin, *, connections: int) -> None:
        self._to_begin = deque(messages)
        self._may_begin = may_begin
        self._known: SimpleQueue[Outcome | None] = SimpleQueue()
        self._working = connections
        self._stopped = threading.Event()
        self._why_not = NOT_BEGUN
        self.refusal: Handed | None = None
        """The answer by which the server takes nothing from us, where it gave one."""

    def work(self, line: Line) -> None:
        """Hand over message after message until none is left or none may begin."""
        try:
            while not self._stopped.is_set() and self._to_begin:
                self._hand_next(line)
        except TransportError as failure:
            self._why_not = failure.problem.message
        finally:
            self._known.put(None)

    def stop(self) -> None:
        """Let nothing more begin."""
        self._stopped.set()

    def outcomes(self, *, within: float | None = None) -> Iterator[Outcome]:
        """Each outcome as soon as it is known, until every connection has done its part.

        Raises TimeoutError where that takes more than `within` seconds; asked again it goes on.
        """
        until = time.monotonic() + within if within is not None else None
        while self._working:
            left = max(until - time.monotonic(), 0.0) if until is not None else None
            try:
                outcome = self._known.get(timeout=left)
            except Empty:
                raise TimeoutError from None
            if outcome is None:
                self._working -= 1
            else:
                yield outcome

    def unbegun(self) -> Iterator[Outcome]:
        """What never began, once every connection has done its part: due again at once."""
        while self._to_begin:
            yield _handed_back(self._to_begin.popleft(), self._why_not)

    def _may_begin_now(self) -> bool:
        return not self._stopped.is_set() and self._may_begin()

    def _hand_next(self, line: Line) -> None:
        try:
            message = self._to_begin.popleft()
        except IndexError:  # another connection was faster
            return
        try:
            handed = line.hand(message, self._may_begin_now)
        except TransportError:
            # It was not begun: another connection may take it.
            self._to_begin.appendleft(message)
            raise
        self._known.put(_outcome(message, handed) if handed else _handed_back(message, NOT_BEGUN))
        if handed and handed.next is Next.PAUSE:
            self.refusal, self._why_not = handed, handed.detail
            self.stop()


def _outcome(message: Message, handed: Handed) -> Outcome:
    meaning = handed.meaning
    if meaning.kind is not OutcomeKind.ACCEPTED:
        log.info("attempt %d: %s, %s", message.attempt_id, meaning.kind, handed.detail)
    return Outcome(
        attempt_id=message.attempt_id,
        kind=meaning.kind,
        detail=handed.detail,
        scope=meaning.scope,
        # Where the server takes nothing from us, the person has not had their turn.
        retry_after=0.0 if meaning.next is Next.PAUSE else None,
    )


def _handed_back(message: Message, why: str) -> Outcome:
    return Outcome(
        attempt_id=message.attempt_id, kind=OutcomeKind.DEFERRED, detail=why, scope=Scope.SERVER, retry_after=0.0
    )
