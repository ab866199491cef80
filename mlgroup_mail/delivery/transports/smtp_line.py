"""One of the connections to a mail server: made when needed, made anew when worn, left in good order."""

import contextlib
import logging
import socket
import ssl

from mlgroup_mail.delivery.transports.oauth import TokenSource
from mlgroup_mail.delivery.transports.smtp_connection import connect, say_goodbye
from mlgroup_mail.delivery.transports.smtp_conversation import Conversation
from mlgroup_mail.delivery.transports.smtp_replies import Smtp
from mlgroup_mail.delivery.transports.smtp_server import SmtpServer

log = logging.getLogger(__name__)

_REPLIES = 8192
"""Bytes read at once: some dozen replies."""


class Line:
    """A place for one connection and what is said over it. No read and no write waits; connecting does."""

    def __init__(self, server: SmtpServer, tokens: TokenSource | None = None) -> None:
        self.abilities: frozenset[str] = frozenset()
        """What the server says it can do: the keywords of its EHLO, in small letters."""
        self.busy = False
        """Set while its words and answers are dealt with: interrupted there, nobody knows which have been."""
        self._server = server
        self._tokens = tokens
        self._connection: Smtp | None = None
        self._talk = _no_talk()

    @property
    def stands(self) -> bool:
        """Whether there is a connection; the server may have left it all the same."""
        return self._connection is not None

    @property
    def ready(self) -> bool:
        """Whether it is good for messages as it is."""
        return self.stands and not self._worn

    @property
    def talk(self) -> Conversation:
        """What is said over the connection; over, where there is none."""
        return self._talk

    @property
    def takes(self) -> bool:
        """Whether it is good for another message right now."""
        return self._talk.takes and not self._worn

    @property
    def sock(self) -> socket.socket:
        """The connection's socket, which never waits. Raises ConnectionError where there is none."""
        if self._connection is None or self._connection.sock is None:
            raise ConnectionError("not connected")
        return self._connection.sock

    def open(self) -> None:
        """Connect, unless a connection stands that is good for a message. Raises TransportError where that fails."""
        if self._connection is not None:
            if self._talk.over or not self._talk.idle or self._connection.has_spoken():
                self.drop()
            elif self._worn:
                self.close()
        if self._connection is None:
            connection = connect(self._server, self._tokens)
            self.abilities = frozenset(connection.esmtp_features)
            self._talk = Conversation(pipelining="pipelining" in self.abilities)
            self._connection = connection
            self.sock.setblocking(False)
            log.info("connected to the mail server")

    def read(self) -> None:
        """Hear what the server has said by now. Raises OSError where the connection is gone."""
        while not self._talk.over:
            try:
                data = self.sock.recv(_REPLIES)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            if not data:
                raise ConnectionError("the connection ended")
            self._talk.hear(data)

    def write(self, piece: memoryview) -> bool:
        """Write as much of this as the connection takes now; whether it took any. Raises OSError where it is gone."""
        self._talk.writing(len(piece))
        try:
            size = self.sock.send(piece)
        except BlockingIOError:
            self._talk.wrote(0)
            return False
        except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
            # TLS may have put all of it into a record of which a part is on its way.
            return False
        except OSError:
            # Many a server says why before it hangs up.
            self.read()
            raise
        self._talk.wrote(size)
        return True

    def cut(self, *, unless_answering: bool = False) -> None:
        """Break off what is being handed over, if anything is; `unless_answering` leaves a finished message its answer.

        What comes of it is told by how far it had come.
        """
        talk = self._talk
        if self.busy or not (talk.idle or (unless_answering and talk.answering)):
            talk.end()

    def drop(self) -> None:
        """Let go of the connection without a word."""
        connection, self._connection = self._connection, None
        self.busy = False
        self._talk.end()
        if connection is not None:
            connection.close()

    def close(self) -> None:
        """Take leave of the server. Safe to call twice."""
        if self._talk.over or not self._talk.idle:
            # In the middle of a message a QUIT would be read as part of it.
            self.drop()
            return
        connection, self._connection = self._connection, None
        self._talk = _no_talk()
        if connection is not None:
            with contextlib.suppress(OSError):
                say_goodbye(connection)

    @property
    def _worn(self) -> bool:
        return self._talk.served >= self._server.messages_per_connection


def _no_talk() -> Conversation:
    talk = Conversation(pipelining=False)
    talk.over = True
    return talk
