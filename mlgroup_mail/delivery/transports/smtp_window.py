"""The messages of a window, and the last ones before it: what is still to begin, and what has become of the rest."""

import logging
from collections import deque
from collections.abc import Iterator, Sequence

from mlgroup_mail.delivery.transports.base import NOT_BEGUN, MayBegin
from mlgroup_mail.delivery.transports.smtp_handed import Handed
from mlgroup_mail.delivery.transports.smtp_meaning import Next
from mlgroup_mail.model import Message, Outcome, OutcomeKind, Scope

log = logging.getLogger(__name__)


class Window:
    """Gives each connection its next message, and keeps what came of each until it is told."""

    def __init__(self) -> None:
        self.refusal: Handed | None = None
        """The answer by which the server takes nothing from us, where it gave one."""
        self.why_not = NOT_BEGUN
        """Why what never begins does not."""
        self._to_begin: deque[Message] = deque()
        self._open: dict[int, MayBegin] = {}
        """By its attempt, each message of which nothing is known yet."""
        self._known: deque[Outcome] = deque()
        self._once_more: set[int] = set()
        self._stopped = False

    def add(self, messages: Sequence[Message], may_begin: MayBegin) -> None:
        """Take on what one claim covers."""
        self._to_begin.extend(messages)
        self._open.update((message.attempt_id, may_begin) for message in messages)

    @property
    def open(self) -> int:
        """Of how many messages nothing is known yet."""
        return len(self._open)

    @property
    def stopped(self) -> bool:
        """Whether nothing more may begin."""
        return self._stopped

    @property
    def waiting(self) -> int:
        """How many messages may still begin."""
        return 0 if self._stopped else len(self._to_begin)

    def next(self) -> Message:
        """The next message that is to begin; only while some are waiting."""
        return self._to_begin.popleft()

    def may_begin(self, message: Message) -> bool:
        """Asked right before a message's first byte."""
        return not self._stopped and self._open[message.attempt_id]()

    def stop(self) -> None:
        """Let nothing more begin."""
        self._stopped = True

    def hand_back(self, message: Message, why: str = NOT_BEGUN) -> None:
        """It has not begun: due again at once."""
        self._tell(
            Outcome(
                attempt_id=message.attempt_id,
                kind=OutcomeKind.DEFERRED,
                detail=why,
                scope=Scope.SERVER,
                begun=False,
            )
        )

    def settle(self, message: Message, handed: Handed, *, may_renew: bool = False) -> None:
        """What came of a message. With `may_renew`, one whose connection was worn begins once more over another."""
        if handed.next is Next.RENEW and may_renew and message.attempt_id not in self._once_more:
            # So many messages, or so long a silence: a new connection starts from nothing. No dot was written.
            self._once_more.add(message.attempt_id)
            self._to_begin.appendleft(message)
            return
        self._tell(_outcome(message, handed))
        if handed.next is Next.PAUSE:
            self.refusal, self.why_not = handed, handed.detail
            self.stop()

    def known(self) -> Iterator[Outcome]:
        """The outcomes that have not been told yet."""
        while self._known:
            yield self._known.popleft()

    def unbegun(self) -> Iterator[Outcome]:
        """What never began, once nothing is in the air any more."""
        while self._to_begin:
            self.hand_back(self._to_begin.popleft(), self.why_not)
        yield from self.known()

    def _tell(self, outcome: Outcome) -> None:
        del self._open[outcome.attempt_id]
        self._known.append(outcome)


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
        begun=meaning.next is not Next.PAUSE,
    )
