"""The `smtp` transport: a window's messages over connections that stay open between windows."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

from mlgroup_mail.delivery.transports.base import MayBegin
from mlgroup_mail.delivery.transports.smtp_line import Line
from mlgroup_mail.delivery.transports.smtp_pool import Pool
from mlgroup_mail.delivery.transports.smtp_server import SmtpServer
from mlgroup_mail.delivery.transports.smtp_transaction import Handed
from mlgroup_mail.delivery.transports.smtp_window import SharedWindow
from mlgroup_mail.errors import RefusedByServerError
from mlgroup_mail.model import Message, Outcome

_PATIENCE_WHEN_INTERRUPTED = 5.0
"""Seconds that answers to finished messages are still waited for: each that comes is one doubt less."""


class SmtpTransport:
    """Hands messages to a mail server; on each connection in lockstep: each answer is read before the next word."""

    name = "smtp"

    def __init__(self, server: SmtpServer) -> None:
        self.window = 2 * server.connections
        self._server = server
        self._pool = Pool(server)
        self._threads = ThreadPoolExecutor(server.connections, thread_name_prefix="smtp")
        self._refusal: RefusedByServerError | None = None

    def open(self) -> None:
        """Connect unless connections stand.

        Raises RefusedByServerError where the server takes nothing from us, TransportError where it does not answer.
        """
        if refusal := self._refusal:
            self._refusal = None
            raise refusal
        self._pool.open()

    def ready(self) -> bool:
        """Whether connections stand."""
        return self._refusal is None and self._pool.ready

    def send(self, messages: Sequence[Message], may_begin: MayBegin) -> Iterator[Outcome]:
        """Hand over each message; one outcome a message, whatever happens, each as soon as it is known.

        Interrupted (Ctrl-C) it lets nothing more begin, breaks off what has not been finished, waits for the answers
        to what has, tells all that came of it, and only then passes the interruption on.
        """
        lines = self._pool.lines[: len(messages)]
        window = SharedWindow(messages, may_begin, connections=len(lines))
        working = [self._threads.submit(window.work, line) for line in lines]
        try:
            yield from window.outcomes()
        except KeyboardInterrupt:
            yield from self._interrupted(window, lines)
            raise
        finally:
            self._end(window, lines, working)
        for done in working:
            done.result()  # What was not foreseen is not swallowed.
        if window.refusal:
            self._refusal = self._error(window.refusal)
        yield from window.unbegun()

    def close(self) -> None:
        """Take leave of the server. Safe to call twice."""
        self._threads.shutdown()
        self._pool.close()

    def _interrupted(self, window: SharedWindow, lines: Sequence[Line]) -> Iterator[Outcome]:
        window.stop()
        for line in lines:
            line.cut(unless_answering=True)
        try:
            yield from window.outcomes(within=_PATIENCE_WHEN_INTERRUPTED)
        except TimeoutError:
            for line in lines:
                line.cut()
            yield from window.outcomes()
        yield from window.unbegun()

    def _end(self, window: SharedWindow, lines: Sequence[Line], working: Sequence[Future[None]]) -> None:
        """No thread goes on after this. Where all is done there is nothing to break off."""
        window.stop()
        for line in lines:
            line.cut()
        wait(working)

    def _error(self, refusal: Handed) -> RefusedByServerError:
        return RefusedByServerError(
            f"it takes nothing from this sender: {refusal.detail}", where=self._server.place, mend=refusal.mend
        )
