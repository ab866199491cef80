"""One of the connections to a mail server: made when needed, made anew when worn, left in good order."""

import contextlib
import logging
import socket

from mlgroup_mail.delivery.transports.base import MayBegin
from mlgroup_mail.delivery.transports.oauth import TokenSource
from mlgroup_mail.delivery.transports.smtp_connection import connect, say_goodbye
from mlgroup_mail.delivery.transports.smtp_meaning import Next, Phase
from mlgroup_mail.delivery.transports.smtp_replies import Smtp
from mlgroup_mail.delivery.transports.smtp_server import SmtpServer
from mlgroup_mail.delivery.transports.smtp_transaction import Handed, Transaction
from mlgroup_mail.model import Message

log = logging.getLogger(__name__)


class Line:
    """A place for one connection. Used by one thread at a time; only `stands` and `cut` may be called by another."""

    def __init__(self, server: SmtpServer, tokens: TokenSource | None = None) -> None:
        self._server = server
        self._tokens = tokens
        self._connection: Smtp | None = None
        self._served = 0
        self._transaction: Transaction | None = None

    @property
    def stands(self) -> bool:
        """Whether there is a connection; the server may have left it all the same."""
        connection = self._connection
        return connection is not None and connection.sock is not None

    def open(self) -> None:
        """Connect, unless a connection stands that is good for a message. Raises TransportError where that fails."""
        if self._connection is not None and self._connection.has_spoken():
            self._connection.close()
            self._connection = None
        elif self._served >= self._server.messages_per_connection:
            self.close()
        if self._connection is None:
            self._connection = connect(self._server, self._tokens)
            self._served = 0
            log.info("connected to the mail server")

    def hand(self, message: Message, may_begin: MayBegin) -> Handed | None:
        """Give a message to the server; None where it may not begin any more.

        Raises TransportError where there is no connection and none comes about: the message was not begun.
        """
        self.open()
        served = self._served
        handed = self._try(message, may_begin)
        if handed is not None and handed.next is Next.RENEW and served:
            # So many messages, or so long a silence: a new connection starts from nothing. No dot was written.
            self.open()
            handed = self._try(message, may_begin)
        return handed

    def cut(self, *, unless_answering: bool = False) -> None:
        """Break off a message that is being handed over, if there is one; `unless_answering` leaves it its answer.

        What the thread that uses this line makes of it is decided there, by how far the message had come.
        """
        transaction, connection = self._transaction, self._connection
        if transaction is None or connection is None or (unless_answering and transaction.phase is Phase.DOT):
            return
        sock = connection.sock
        if sock is not None:
            with contextlib.suppress(OSError):
                # Below TLS, whose own shutdown is not made for two threads.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def close(self) -> None:
        """Take leave of the server. Safe to call twice."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if self._transaction is not None:
            # Interrupted in the middle of a message: a QUIT would be read as part of it.
            connection.close()
            self._transaction = None
        else:
            say_goodbye(connection)

    def _try(self, message: Message, may_begin: MayBegin) -> Handed | None:
        connection = self._connection
        assert connection is not None, "opened right before"
        # Set before the question: whoever stops this window says so first and looks for a message to cut then.
        self._transaction = Transaction(connection, message, answer_timeout=self._server.answer_timeout)
        try:
            if not may_begin():
                return None
            self._served += 1
            return self._transaction.run()
        except BaseException:
            # Not foreseen: nobody knows what would be read as part of this message.
            connection.close()
            raise
        finally:
            self._transaction = None
            if connection.sock is None:
                self._connection = None
