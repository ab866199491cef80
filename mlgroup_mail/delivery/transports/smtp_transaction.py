"""One message over an open SMTP connection, phase by phase, so that every ending has one meaning.

Until the final dot is written the message is surely not accepted: the server has not seen its end (RFC 5321,
4.1.1.4). From then on only an answer tells: 2xx accepted, 4xx deferred, 5xx refused, and no answer, or none
that can be read, uncertain. smtplib's own `sendmail` raises the same exception on both sides of that line.
"""

import contextlib
import re
import smtplib
from dataclasses import dataclass
from enum import StrEnum

from mlgroup_mail.addresses import mask
from mlgroup_mail.delivery.transports.smtp_answers import answer
from mlgroup_mail.model import Message, OutcomeKind

_BARE_LINE_END = re.compile(rb"\r(?!\n)|(?<!\r)\n")
_LINE_DOT = re.compile(rb"(?m)^\.")
_CONTROL = re.compile(r"[\x00-\x20\x7f<>]")
_CHUNK = 1 << 16


class Phase(StrEnum):
    """How far a transaction has come; the value is what people read."""

    MAIL = "at MAIL"
    """The sender was named: the answer is about us, not about a recipient."""
    RCPT = "at RCPT"
    """The recipient was named."""
    DATA = "at DATA"
    """The server was asked whether it takes content."""
    CONTENT = "within the message"
    """Content is on its way; its final dot is not."""
    DOT = "after the final dot"
    """The final dot may have left: from here on only an answer tells."""


class Next(StrEnum):
    """What the connection is good for afterwards."""

    KEEP = "keep"
    """The next message."""
    DROP = "drop"
    """Nothing: it is gone, or out of step."""
    STALE = "stale"
    """Nothing: it was gone before the message began, so the message may begin again on a new one."""
    SERVER_REFUSES = "server_refuses"
    """The server takes nothing from us at all: no message need be tried."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Handed:
    """What came of one message, and of the connection."""

    kind: OutcomeKind
    detail: str
    next: Next = Next.KEEP


def hand_over(connection: smtplib.SMTP, message: Message, *, answer_timeout: float) -> Handed:
    """Give one message to the server. Never raises for what the server or the network does."""
    if reason := _unsendable(connection, message):
        return Handed(kind=OutcomeKind.REFUSED, detail=reason)
    transaction = _Transaction(connection, message, answer_timeout)
    try:
        return transaction.run()
    except (OSError, smtplib.SMTPException) as error:
        connection.close()
        return transaction.lost(error)


class _Transaction:
    """MAIL, RCPT, DATA, content, dot; remembers how far it has come."""

    def __init__(self, connection: smtplib.SMTP, message: Message, answer_timeout: float) -> None:
        self._smtp = connection
        self._message = message
        self._answer_timeout = answer_timeout
        self._phase = Phase.MAIL

    def run(self) -> Handed:
        smtp, message = self._smtp, self._message
        # Written out here, because smtplib's own `mail` and `rcpt` parse the address once more, and change some.
        if not _ascii(message):
            smtp.command_encoding = "utf-8"
        code, text = smtp.docmd("MAIL", " ".join([f"FROM:<{message.envelope_from}>", *_parameters(smtp, message)]))
        if not _positive(code):
            return self._not_taken(code, text)
        self._phase = Phase.RCPT
        code, text = smtp.docmd("RCPT", f"TO:<{message.address}>")
        if not _positive(code):
            return self._not_taken(code, text)
        self._phase = Phase.DATA
        code, text = smtp.docmd("DATA")
        if code != 354:
            return self._not_taken(code, text)
        self._phase = Phase.CONTENT
        self._write(_stuffed(message.content))
        self._phase = Phase.DOT
        code, text = self._finish()
        if not _positive(code):
            return self._not_taken(code, text)
        return Handed(kind=OutcomeKind.ACCEPTED, detail=self._quote(code, text))

    def lost(self, error: Exception) -> Handed:
        """The connection broke, or nothing came for too long."""
        silent = isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError)
        detail = f"{'no answer' if silent else 'the connection broke'} {self._phase}"
        if self._phase is Phase.DOT:
            return Handed(kind=OutcomeKind.UNCERTAIN, detail=detail, next=Next.DROP)
        stale = self._phase is Phase.MAIL and not silent
        return Handed(kind=OutcomeKind.DEFERRED, detail=detail, next=Next.STALE if stale else Next.DROP)

    def _write(self, content: bytes) -> None:
        # In pieces, because the timeout is for each: a large message over a slow line is not a silence.
        for start in range(0, len(content), _CHUNK):
            self._smtp.send(content[start : start + _CHUNK])

    def _finish(self) -> tuple[int, bytes]:
        sock = self._smtp.sock
        assert sock is not None, "the content has just gone over it"
        patience = sock.gettimeout()
        self._smtp.send(b".\r\n")
        sock.settimeout(self._answer_timeout)
        code, text = self._smtp.getreply()
        sock.settimeout(patience)
        return code, text

    def _not_taken(self, code: int, text: bytes) -> Handed:
        """The server said anything but yes."""
        detail = f"{self._quote(code, text)} ({self._phase})"
        if code == 421:
            # It closes the connection after this (RFC 5321, 3.8); to MAIL it may mean "you were idle too long".
            self._smtp.close()
            gone = Next.STALE if self._phase is Phase.MAIL else Next.DROP
            return Handed(kind=OutcomeKind.DEFERRED, detail=detail, next=gone)
        if not 400 <= code <= 599:
            # Not an answer to what was asked. After the dot it may stand in the place of any answer.
            self._smtp.close()
            kind = OutcomeKind.UNCERTAIN if self._phase is Phase.DOT else OutcomeKind.DEFERRED
            return Handed(kind=kind, detail=f"an answer that cannot be read {self._phase}", next=Next.DROP)
        if self._is_about_us(code, text):
            self._start_again()
            return Handed(kind=OutcomeKind.DEFERRED, detail=detail, next=Next.SERVER_REFUSES)
        kind = OutcomeKind.DEFERRED if code < 500 else OutcomeKind.REFUSED
        return Handed(kind=kind, detail=detail, next=self._start_again())

    def _is_about_us(self, code: int, text: bytes) -> bool:
        """Whether a permanent refusal is of the sender, the login or this machine, and so would meet everybody.

        At MAIL no recipient has been named yet; 552 is there for one message that is too large. Later 530 and 538
        ask for a login and TLS, and a relay that we may not use says "relay" (with any of several codes).
        """
        match self._phase:
            case Phase.MAIL:
                return code >= 500 and code != 552
            case Phase.RCPT | Phase.DATA:
                return code in (530, 538) or (code >= 500 and _may_not_relay(text))
            case _:
                return False

    def _start_again(self) -> Next:
        """RSET, so that nothing of this transaction stands in the way of the next."""
        if self._phase is not Phase.DOT:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                if _positive(self._smtp.rset()[0]):
                    return Next.KEEP
            self._smtp.close()
            return Next.DROP
        return Next.KEEP

    def _quote(self, code: int, text: bytes) -> str:
        """The server's words without the recipient, whom they often name: "user anna.muller unknown"."""
        local = self._message.address.rpartition("@")[0]
        said = answer(code, text)
        alone = rf"(?<![\w.…]){re.escape(local)}(?![\w.])"
        return re.sub(alone, mask(f"{local}@").rstrip("@"), said, flags=re.IGNORECASE) if len(local) > 1 else said


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


_NO_RELAY = re.compile(
    rb"\brelay(ing)?\s+(is\s+)?(access\s+)?(denied|not\s+permitted|not\s+allowed|prohibited)|unable\s+to\s+relay", re.I
)
_NO_SUCH_ADDRESS = re.compile(rb"\b5\.1\.\d")


def _may_not_relay(text: bytes) -> bool:
    """Whether an answer says that this server does not forward our mail at all; a host or mailbox may be called so."""
    return bool(_NO_RELAY.search(text)) and not _NO_SUCH_ADDRESS.search(text)
