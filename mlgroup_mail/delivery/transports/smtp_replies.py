"""A mail server's replies, read strictly: what is not surely an answer must not pass for one.

smtplib takes "2_5", half a line and lines that contradict one another for answers. After the final dot each of these
would become a message that counts as accepted, or as refused, without anybody having said so.
"""

import re
import smtplib
import socket
import ssl
import time
from dataclasses import dataclass

_LINE = re.compile(rb"([2-5][0-9][0-9])(?:([ -])(.*))?", re.DOTALL)
_LONGEST_LINE = 8192
_LONGEST_REPLY = 65536
_PIECE = 65536

UNREADABLE = -1
"""The code of a reply that is none, as smtplib has it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """One whole reply. `text` is what stands behind the codes, line by line; `code` may be `UNREADABLE`."""

    code: int
    text: bytes


class ReplyReader:
    """Puts replies together from what has arrived, however it was cut (RFC 5321, 4.2.1).

    A reply ends with its last line, that one's end included: half a line has said nothing yet.
    """

    def __init__(self) -> None:
        self._arrived = b""

    @property
    def pending(self) -> bool:
        """Whether something has arrived that no reply was made of yet."""
        return bool(self._arrived)

    def feed(self, data: bytes) -> None:
        """Add what has arrived."""
        self._arrived += data

    def take(self) -> Reply | None:
        """The next reply, once all of it is there; what cannot be read is one reply with all that has arrived."""
        code, texts, at = b"", [], 0
        while (end := self._arrived.find(b"\n", at)) >= 0:
            line = _LINE.fullmatch(self._arrived[at:end].removesuffix(b"\r"))
            at = end + 1
            if line is None or (code and line[1] != code) or end > _LONGEST_REPLY:
                return self._unreadable()
            code = line[1]
            texts.append((line[3] or b"").strip())
            if line[2] != b"-":
                self._arrived = self._arrived[at:]
                return Reply(code=int(code), text=b"\n".join(texts))
        return self._unreadable() if len(self._arrived) - at > _LONGEST_LINE else None

    def _unreadable(self) -> Reply:
        text, self._arrived = self._arrived, b""
        return Reply(code=UNREADABLE, text=text)


class Smtp(smtplib.SMTP):
    """smtplib's client with our reading of replies. The timeout is for a whole reply, not for each piece of it."""

    _reader = ReplyReader()
    _read_from: socket.socket | None = None

    def getreply(self) -> tuple[int, bytes]:
        """The next reply; raises SMTPServerDisconnected where none comes, with the cause inside."""
        try:
            reply = self._read()
        except OSError as error:
            self.close()
            raise smtplib.SMTPServerDisconnected("no reply") from error
        return reply.code, reply.text

    def has_spoken(self) -> bool:
        """Whether the server has said something unasked, or is gone. Returns at once.

        A server that is waiting for us says nothing but its farewell.
        """
        if self.sock is None or self._reader_of(self.sock).pending:
            return True
        patience = self.sock.gettimeout()
        try:
            # Asked of TLS and not of the socket below: that is readable for what is no word of the server, too.
            self.sock.settimeout(0)
            data = self.sock.recv(_PIECE)
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        except OSError:
            return True
        finally:
            self.sock.settimeout(patience)
        self._reader.feed(data)
        return True

    def _read(self) -> Reply:
        sock = self.sock
        if sock is None:
            raise ConnectionError("not connected")
        reader, patience = self._reader_of(sock), sock.gettimeout()
        until = time.monotonic() + patience if patience else None
        try:
            while (reply := reader.take()) is None:
                if until is not None:
                    sock.settimeout(max(until - time.monotonic(), 0.001))
                data = sock.recv(_PIECE)
                if not data:
                    raise ConnectionError("the connection ended")
                reader.feed(data)
        finally:
            sock.settimeout(patience)
        return reply

    def _reader_of(self, sock: socket.socket) -> ReplyReader:
        if self._read_from is not sock:
            # After STARTTLS it is another one: what was said before in the open is not part of what follows.
            self._reader, self._read_from = ReplyReader(), sock
        return self._reader


class SmtpOverTls(Smtp, smtplib.SMTP_SSL):
    """The same, protected from the first byte."""
