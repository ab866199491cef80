"""One message over an open SMTP connection, phase by phase, so that every ending has one meaning.

smtplib's own `sendmail` raises the same exception on both sides of the final dot, so MAIL, RCPT and DATA are driven
here. The body and its final dot are written apart: what breaks while the body is written has surely not been accepted.
"""

import contextlib
import re
import smtplib
import socket
from dataclasses import dataclass

from mlgroup_mail.delivery.transports.smtp_answers import answer
from mlgroup_mail.delivery.transports.smtp_meaning import Meaning, Next, Phase, broken, meaning_of
from mlgroup_mail.delivery.transports.smtp_refusals import mend_for
from mlgroup_mail.delivery.transports.smtp_replies import UNREADABLE, Smtp
from mlgroup_mail.model import Message, OutcomeKind, Scope

_BARE_LINE_END = re.compile(rb"\r(?!\n)|(?<!\r)\n")
_LINE_DOT = re.compile(rb"(?m)^\.")
_CONTROL = re.compile(r"[\x00-\x20\x7f<>]")
_CHUNK = 1 << 16


@dataclass(frozen=True, kw_only=True, slots=True)
class Handed:
    """What came of one message, and of the connection. `mend` says what to do where `next` is `PAUSE`."""

    meaning: Meaning
    detail: str
    mend: str = ""

    @property
    def next(self) -> Next:
        """What the connection is good for."""
        return self.meaning.next


class Transaction:
    """MAIL, RCPT, DATA, content, dot; remembers how far it has come."""

    def __init__(self, connection: Smtp, message: Message, *, answer_timeout: float) -> None:
        self._smtp = connection
        self._message = message
        self._answer_timeout = answer_timeout
        self.phase = Phase.MAIL

    def run(self) -> Handed:
        """Give the message to the server. Never raises for what the server or the network does."""
        if reason := _unsendable(self._smtp, self._message):
            return Handed(meaning=Meaning(kind=OutcomeKind.REFUSED, scope=Scope.RECIPIENT), detail=reason)
        try:
            return self._conclude(*self._converse())
        except (OSError, smtplib.SMTPException) as error:
            self._smtp.close()
            return self._lost(error)

    def _converse(self) -> tuple[int, bytes]:
        """Say it all; the answer that decides is the first that is no leave to go on, or the one to the final dot."""
        smtp, message = self._smtp, self._message
        # Written out here, because smtplib's own `mail` and `rcpt` parse the address once more, and change some.
        smtp.command_encoding = "ascii" if _ascii(message) else "utf-8"
        sender = " ".join([f"FROM:<{message.envelope_from}>", *_parameters(smtp, message)])
        code, text = self._ask(Phase.MAIL, "MAIL", sender)
        if not _positive(code):
            return code, text
        code, text = self._ask(Phase.RCPT, "RCPT", f"TO:<{message.address}>")
        if not _positive(code):
            return code, text
        code, text = self._ask(Phase.DATA, "DATA")
        if code != 354:
            return code, text
        self.phase = Phase.CONTENT
        if (early := self._write(_stuffed(message.content))) is not None:
            return early
        self.phase = Phase.DOT
        return self._finish()

    def _ask(self, phase: Phase, verb: str, rest: str = "") -> tuple[int, bytes]:
        """Say one command and read its answer. One that is there before the command is none to it."""
        self.phase = phase
        if not self._smtp.has_spoken():
            return self._smtp.docmd(verb, rest)
        code, text = self._smtp.getreply()
        return (code if code == 421 else UNREADABLE), text

    def _write(self, content: bytes) -> tuple[int, bytes] | None:
        """Write the body; returns what the server says before its end, where it does.

        An answer that came before the dot is none to it: read later, it would be taken for one.
        """
        # In pieces, because the timeout is for each: a large message over a slow line is not a silence.
        sock = self._sock
        for start in range(0, len(content), _CHUNK):
            if self._smtp.has_spoken():
                return self._smtp.getreply()
            try:
                sock.sendall(content[start : start + _CHUNK])
            except OSError:
                # Many a server says why before it hangs up.
                if not self._smtp.has_spoken():
                    raise
                return self._smtp.getreply()
        return self._smtp.getreply() if self._smtp.has_spoken() else None

    @property
    def _sock(self) -> socket.socket:
        if self._smtp.sock is None:
            raise ConnectionError("not connected")
        return self._smtp.sock

    def _finish(self) -> tuple[int, bytes]:
        sock = self._sock
        patience = sock.gettimeout()
        self._smtp.send(b".\r\n")
        sock.settimeout(self._answer_timeout)
        code, text = self._smtp.getreply()
        sock.settimeout(patience)
        return code, text

    def _conclude(self, code: int, text: bytes) -> Handed:
        meaning = meaning_of(self.phase, code, text)
        if meaning.kind is OutcomeKind.ACCEPTED:
            return Handed(meaning=meaning, detail=self._quote(code, text))
        readable = 400 <= code <= 599
        detail = f"{self._quote(code, text)} ({self.phase})" if readable else f"an answer out of place {self.phase}"
        over = meaning.next in (Next.DROP, Next.RENEW) or self.phase is Phase.CONTENT
        if over or (self.phase is not Phase.DOT and not self._start_again()):
            self._smtp.close()
        return Handed(meaning=meaning, detail=detail, mend=mend_for(code, text) if meaning.next is Next.PAUSE else "")

    def _lost(self, error: Exception) -> Handed:
        """The connection broke, or nothing came for too long."""
        silent = isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError)
        detail = f"{'no answer' if silent else 'the connection broke'} {self.phase}"
        return Handed(meaning=broken(self.phase, silent=silent), detail=detail)

    def _start_again(self) -> bool:
        """RSET, so that nothing of this transaction stands in the way of the next; whether that is so."""
        with contextlib.suppress(OSError, smtplib.SMTPException):
            return _positive(self._smtp.rset()[0])
        return False

    def _quote(self, code: int, text: bytes) -> str:
        """The server's words without the recipient, whom they often name: "user anna.muller unknown"."""
        return answer(code, _without(self._message.address, text.decode("utf-8", "replace")))


def _without(address: str, said: str) -> str:
    """What was said, with the part before the @ masked where it stands alone, and in the forms that servers give it."""
    local = address.rpartition("@")[0]
    for name in dict.fromkeys((local, local.partition("+")[0])):
        if len(name) > 1:
            written = "".join(map(_as_written, name))
            # A dot may end the sentence; before a letter or a digit the name goes on.
            alone = re.compile(rf"(?<![\w…])(?<!\w\.){written}(?!\w|\.\w)", re.IGNORECASE)
            said = alone.sub(f"{name[0]}…".replace("\\", r"\\"), said)
    return said


def _as_written(letter: str) -> str:
    """A pattern for a letter of a name: itself, or its bytes in hexadecimal after "=", "%" or "+"."""
    code = "".join(f"[=%+]{byte:02x}" for byte in letter.encode())
    return f"(?:{re.escape(letter)}|{code})"


def _positive(code: int) -> bool:
    return 200 <= code <= 299


def _unsendable(connection: smtplib.SMTP, message: Message) -> str:
    """Why this message must not be put on the wire at all; empty where nothing is wrong with it."""
    if _BARE_LINE_END.search(message.content):
        # Servers differ over where such a message ends, which lets its text forge a second one ("SMTP smuggling").
        return "not sent: the message has a line end other than CRLF"
    if _CONTROL.search(message.address) or _CONTROL.search(message.envelope_from):
        return "not sent: the address has a character that no address may have"
    if not _ascii(message) and not connection.has_extn("smtputf8"):
        return "not sent: the server takes no address with letters outside ASCII before the @"
    return ""


def _ascii(message: Message) -> bool:
    return message.address.isascii() and message.envelope_from.isascii()


def _parameters(connection: smtplib.SMTP, message: Message) -> list[str]:
    """What the server may know beforehand, where it has said that it understands it."""
    parameters = []
    if connection.has_extn("size"):
        parameters.append(f"SIZE={len(message.content)}")
    if connection.has_extn("8bitmime") and not message.content.isascii():
        parameters.append("BODY=8BITMIME")
    if not _ascii(message):
        parameters.append("SMTPUTF8")
    return parameters


def _stuffed(content: bytes) -> bytes:
    """The content as it stands between DATA and the final dot: complete lines, leading dots doubled."""
    whole = content if content.endswith(b"\r\n") else content + b"\r\n"
    return _LINE_DOT.sub(b"..", whole)
