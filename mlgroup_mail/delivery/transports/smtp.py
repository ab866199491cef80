"""The `smtp` transport: one message after the other over a connection that stays open between windows."""

import logging
import smtplib
from collections.abc import Iterator, Sequence

from mlgroup_mail.delivery.transports.base import NOT_BEGUN, MayBegin
from mlgroup_mail.delivery.transports.pacing import Pace
from mlgroup_mail.delivery.transports.smtp_connection import SmtpServer, connect, is_alive, say_goodbye
from mlgroup_mail.delivery.transports.smtp_transaction import Handed, Next, hand_over
from mlgroup_mail.errors import TransportError
from mlgroup_mail.model import Message, Outcome, OutcomeKind

log = logging.getLogger(__name__)


class SmtpTransport:
    """Hands messages to a mail server, in lockstep: each answer is read before the next word."""

    name = "smtp"
    window = 2

    def __init__(self, server: SmtpServer) -> None:
        self._server = server
        self._pace = Pace(server.per_minute)
        self._connection: smtplib.SMTP | None = None
        self._within_message = False
        self._failure: TransportError | None = None

    def open(self) -> None:
        """Wait until the rate allows more, and connect unless a connection stands.

        Raises TransportError where that fails.
        """
        if failure := self._failure:
            self._failure = None
            raise failure
        self._pace.wait()
        self._connected()

    def ready(self) -> bool:
        """Whether a connection stands and the rate allows more."""
        return self._connection is not None and self._failure is None and self._pace.free()

    def send(self, messages: Sequence[Message], may_begin: MayBegin) -> Iterator[Outcome]:
        """Hand over each message; one outcome a message, in order, whatever happens, each as soon as it is known."""
        self._pace.spend(len(messages))
        for message in messages:
            yield self._send(message, may_begin)

    def close(self) -> None:
        """Take leave of the server. Safe to call twice."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if self._within_message:
            # Interrupted in the middle of a message: a QUIT would be read as part of it.
            connection.close()
            self._within_message = False
        else:
            say_goodbye(connection)

    def _send(self, message: Message, may_begin: MayBegin) -> Outcome:
        idle = self._connection is not None
        handed = self._try(message, may_begin)
        if handed is not None and handed.next is Next.STALE and idle:
            # The server had hung up on an idle connection, and the message has not begun: on a new one it can.
            handed = self._try(message, may_begin)
        if handed is None:
            return Outcome(attempt_id=message.attempt_id, kind=OutcomeKind.DEFERRED, detail=NOT_BEGUN, retry_after=0.0)
        if handed.kind is not OutcomeKind.ACCEPTED:
            log.info("attempt %d: %s, %s", message.attempt_id, handed.kind, handed.detail)
        return Outcome(attempt_id=message.attempt_id, kind=handed.kind, detail=handed.detail)

    def _try(self, message: Message, may_begin: MayBegin) -> Handed | None:
        """One try on a connection that stands; None where the message may not begin any more."""
        try:
            if self._failure:
                raise self._failure
            connection = self._connected()
        except TransportError as failure:
            self._failure = failure
            return Handed(kind=OutcomeKind.DEFERRED, detail=failure.problem.message, next=Next.DROP)
        if not may_begin():
            return None
        self._within_message = True
        handed = hand_over(connection, message, answer_timeout=self._server.answer_timeout)
        self._within_message = False
        if handed.next is Next.SERVER_REFUSES:
            self._failure = TransportError(
                f"it takes nothing from this sender: {handed.detail}",
                where=self._server.place,
                mend="Check the sender's address in mlgroup.toml and the login in MLGROUP_SMTP_USER.",
            )
        if handed.next in (Next.DROP, Next.STALE):
            self._connection = None
        return handed

    def _connected(self) -> smtplib.SMTP:
        if self._connection is not None and not is_alive(self._connection):
            self._connection.close()
            self._connection = None
        if self._connection is None:
            self._connection = connect(self._server)
            log.info("connected to the mail server")
        return self._connection
