"""The `smtp` transport: a window's messages over connections that stay open between windows."""

from collections.abc import Iterator, Sequence

from mlgroup_mail.content.message.message_template import MessageTemplate
from mlgroup_mail.delivery.transports.base import MayBegin
from mlgroup_mail.delivery.transports.smtp_engine import Engine
from mlgroup_mail.delivery.transports.smtp_handed import Handed
from mlgroup_mail.delivery.transports.smtp_pool import Pool
from mlgroup_mail.delivery.transports.smtp_server import SmtpServer
from mlgroup_mail.delivery.transports.smtp_window import Window
from mlgroup_mail.errors import RefusedByServerError
from mlgroup_mail.model import Message, Outcome
from mlgroup_mail.model.message import BuildTemplate

_PATIENCE_WHEN_INTERRUPTED = 5.0
"""Seconds that answers to finished messages are still waited for: each that comes is one doubt less."""


class SmtpTransport:
    """Hands messages to a mail server, over all connections from one thread, pipelined where the server offers it."""

    name = "smtp"
    one_variant = False
    build: BuildTemplate = MessageTemplate.build_for_smtp

    def __init__(self, server: SmtpServer) -> None:
        self._server = server
        self._pool = Pool(server)
        self._engine: Engine | None = None
        """While messages are in the air."""
        self._window = Window()
        self._refusal: RefusedByServerError | None = None

    @property
    def window(self) -> int:
        """Two for each connection, those included of which nothing is known yet."""
        return 2 * self._server.connections - self._window.open

    def open(self) -> None:
        """Connect unless connections stand.

        Raises RefusedByServerError where the server takes nothing from us, TransportError where it does not answer.
        """
        if refusal := self._refusal:
            self._refusal = None
            raise refusal
        if self._engine is None:
            self._pool.open()

    def ready(self) -> bool:
        """Whether connections stand."""
        return self._refusal is None and self._pool.ready

    def send(self, messages: Sequence[Message], may_begin: MayBegin, *, more: bool = False) -> Iterator[Outcome]:
        """Hand over each message; one outcome a message, whatever happens, each as soon as it is known.

        With `more` it returns once everything has begun and little is in the air: each connection has a message while
        the next are claimed.

        Interrupted (Ctrl-C) it lets nothing more begin, breaks off what has not been finished, waits for the answers
        to what has, tells all that came of it, and only then passes the interruption on.
        """
        window = self._window
        window.add(messages, may_begin)
        engine = self._engine = self._engine or Engine(self._server, self._pool.lines, window)
        try:
            yield from engine.run(leaving=self._server.connections if more else 0)
        except KeyboardInterrupt:
            try:
                yield from self._interrupted(window, engine)
            finally:
                self._leave_nothing_in_the_air()
            raise
        if engine.in_the_air:
            return
        self._leave_nothing_in_the_air()
        if window.refusal:
            self._refusal = self._error(window.refusal)
        yield from window.unbegun()

    def close(self) -> None:
        """Take leave of the server. Safe to call twice."""
        self._leave_nothing_in_the_air()
        self._pool.close()

    def _leave_nothing_in_the_air(self) -> None:
        if self._engine is not None:
            self._engine.close()
            self._engine, self._window = None, Window()

    def _interrupted(self, window: Window, engine: Engine) -> Iterator[Outcome]:
        window.stop()
        engine.cut(unless_answering=True)
        try:
            yield from engine.run(within=_PATIENCE_WHEN_INTERRUPTED)
        except TimeoutError:
            engine.cut()
        yield from window.known()
        yield from window.unbegun()

    def _error(self, refusal: Handed) -> RefusedByServerError:
        return RefusedByServerError(
            f"it takes nothing from this sender: {refusal.detail}", where=self._server.place, mend=refusal.mend
        )
