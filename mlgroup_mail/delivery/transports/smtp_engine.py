"""One thread drives all connections to a mail server: whichever can go on does, and none waits for another.

Connecting is the exception, because smtplib waits in it: a connection that is gone or worn is made anew only when
nothing is in the air over the others, so that nobody's answer is kept waiting by it.
"""

import logging
import selectors
import time
from collections.abc import Iterator, Sequence
from functools import partial

from mlgroup_mail.delivery.transports.smtp_handed import failed, lost, unsendable
from mlgroup_mail.delivery.transports.smtp_letter import letter_of, why_unsendable
from mlgroup_mail.delivery.transports.smtp_line import Line
from mlgroup_mail.delivery.transports.smtp_meaning import Phase
from mlgroup_mail.delivery.transports.smtp_server import SmtpServer
from mlgroup_mail.delivery.transports.smtp_window import Window
from mlgroup_mail.errors import TransportError
from mlgroup_mail.model import Outcome

log = logging.getLogger(__name__)

_NEVER = float("inf")
_A_MOMENT = 0.002
"""Seconds, about what a claim takes: a claim of many costs hardly more than one of few."""


class Engine:
    """Hands a window's messages over the lines."""

    def __init__(self, server: SmtpServer, lines: Sequence[Line], window: Window) -> None:
        self._server, self._lines, self._window = server, lines, window
        self._selector = selectors.DefaultSelector()
        self._blocked: set[Line] = set()
        self._deadlines: dict[Line, float] = {}
        """Until when something has to happen over the lines that have a message in the air."""
        self._given_up: set[Line] = set()
        self._ending = False
        for line in lines:
            if line.stands:
                self._watch(line)

    @property
    def in_the_air(self) -> bool:
        """Whether answers are still to come."""
        return bool(self._deadlines)

    def run(self, *, leaving: int = 0, within: float | None = None) -> Iterator[Outcome]:
        """Each outcome as soon as it is known, until nothing is in the air and nothing more can begin.

        It ends a moment after everything has begun and at most `leaving` are in the air. Raises TimeoutError where that
        takes more than `within` seconds. Asked again it goes on.
        """
        until = time.monotonic() + within if within is not None else _NEVER
        leave_at = _NEVER
        while True:
            self._occupy()
            yield from self._window.known()
            if not self._deadlines:
                if not self._renew():
                    return
                continue
            leave_at = min(leave_at, time.monotonic() + _A_MOMENT) if self._may_leave(leaving) else _NEVER
            if time.monotonic() >= leave_at:
                return
            self._wait(until, leave_at)

    def cut(self, *, unless_answering: bool = False) -> None:
        """Break off what is being handed over; `unless_answering` goes on listening for the answers to final dots."""
        self._ending = True
        for line in self._lines:
            line.cut(unless_answering=unless_answering)
            self._take_stock(line)

    def close(self) -> None:
        """Leave nothing in the air. What had no outcome by now gets none told."""
        self.cut()
        self._selector.close()

    def _may_leave(self, leaving: int) -> bool:
        window = self._window
        if window.open > leaving or window.stopped or window.waiting:
            return False
        return all(line.talk.begun for line in self._deadlines)

    def _occupy(self) -> None:
        """Give every line that takes one a message, the idle ones first."""
        for line in sorted(self._lines, key=self._deadlines.__contains__):
            if not self._window.waiting:
                return
            if line.takes:
                self._advance(line)

    def _wait(self, until: float, leave_at: float) -> None:
        """Wait until something happens, or has not happened for too long."""
        now = time.monotonic()
        if now >= until:
            raise TimeoutError
        soonest = min(until, leave_at, *self._deadlines.values())
        for key, _ in self._selector.select(max(soonest - now, 0.0)):
            self._advance(key.data)
        now = time.monotonic()
        if now >= soonest:
            for line in [line for line, deadline in self._deadlines.items() if now >= deadline]:
                line.talk.end(partial(lost, silent=True))
                self._take_stock(line)

    def _advance(self, line: Line) -> None:
        """Go on with a line as far as it goes without waiting."""
        talk, before = line.talk, line.talk.progress
        # Not reset where it is interrupted: `Line.cut` must know.
        line.busy = True
        try:
            self._converse(line)
        except OSError:
            talk.end()
        except Exception as error:  # whatever it is, what is told is how far the message had come
            _note(error)
            talk.end(failed)
        line.busy = False
        self._take_stock(line, progress=talk.progress != before)

    def _converse(self, line: Line) -> None:
        talk = line.talk
        self._offer(line)
        self._listen(line)
        while not talk.over:
            if self._ending and not talk.answering:
                talk.end()
                return
            self._offer(line)
            piece = talk.to_write()
            if not piece:
                self._watch_writing(line, False)
                return
            if (message := talk.beginning(piece)) and not self._window.may_begin(message):
                self._window.hand_back(talk.withdraw())
                continue
            if not line.write(piece):
                self._watch_writing(line, True)
                return
            # An answer that is there before the next word is none to it.
            self._listen(line)

    def _listen(self, line: Line) -> None:
        """Hear what is there. What came of a message is told before the next one begins: it may stop the window."""
        line.read()
        self._tell(line)

    def _tell(self, line: Line) -> None:
        while line.talk.handed:
            letter, handed = line.talk.handed.popleft()
            self._window.settle(letter.message, handed, may_renew=not letter.first)

    def _offer(self, line: Line) -> None:
        """Give it the next message, if it takes one."""
        while line.takes and self._window.waiting:
            message = self._window.next()
            try:
                if reason := why_unsendable(message, line.abilities):
                    self._window.settle(message, unsendable(reason))
                else:
                    line.talk.take(letter_of(message, line.abilities))
            except Exception as error:  # whatever it is, it is this one's alone
                _note(error)
                self._window.settle(message, failed(Phase.MAIL))

    def _take_stock(self, line: Line, *, progress: bool = False) -> None:
        """See what came of messages over this line, and until when the next thing has to happen."""
        talk = line.talk
        self._tell(line)
        if talk.over:
            self._unwatch(line)
            line.drop()
        if not talk.in_the_air:
            self._deadlines.pop(line, None)
        elif progress or line not in self._deadlines:
            # RFC 5321, 4.5.3.2: ten minutes for the answer to the final dot, less for everything before it.
            patience = self._server.answer_timeout if talk.answering else self._server.timeout
            self._deadlines[line] = time.monotonic() + patience

    def _renew(self) -> bool:
        """Connect anew for what is waiting; whether at least one line takes it."""
        wanted, opened = self._window.waiting, 0
        for line in self._lines:
            if opened < wanted and line not in self._given_up:
                opened += self._opened(line)
        return opened > 0

    def _opened(self, line: Line) -> bool:
        self._unwatch(line)
        try:
            line.open()
        except TransportError as failure:
            self._window.why_not = failure.problem.message
            self._given_up.add(line)
            return False
        self._watch(line)
        return True

    def _watch(self, line: Line) -> None:
        self._selector.register(line.sock, selectors.EVENT_READ, line)

    def _unwatch(self, line: Line) -> None:
        if line.stands:
            self._selector.unregister(line.sock)
        self._blocked.discard(line)

    def _watch_writing(self, line: Line, blocked: bool) -> None:
        if blocked is (line in self._blocked):
            return
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if blocked else 0)
        self._selector.modify(line.sock, events, line)
        (self._blocked.add if blocked else self._blocked.discard)(line)


def _note(error: Exception) -> None:
    # Its text may hold an address or a part of the message, so only its kind is told.
    log.error("a message could not be handed over: %s", type(error).__name__)
