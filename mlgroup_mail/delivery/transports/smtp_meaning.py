"""What an answer in the middle of a message means: for the delivery, for others, and for the connection.

Until the final dot is written the message is surely not accepted: the server has not seen its end (RFC 5321, 4.1.1.4).
From then on only an answer tells: 250 accepted, 4xx deferred, 5xx refused, and no answer, or none that can be read,
uncertain.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from mlgroup_mail.delivery.transports.smtp_refusals import refusal_of_us
from mlgroup_mail.model import OutcomeKind, Scope


class Phase(StrEnum):
    """How far a message has come; the value is what people read."""

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
    RENEW = "renew"
    """Nothing: the server wants no more over it, and said so before this message was begun in earnest. Where it has
    served before, the message goes over a new one at once."""
    PAUSE = "pause"
    """The server takes nothing from us at all: no message need be tried."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Meaning:
    """What became of the message, whom it is about, and what the connection is good for."""

    kind: OutcomeKind
    scope: Scope = Scope.SERVER
    next: Next = Next.KEEP


_ACCEPTED = Meaning(kind=OutcomeKind.ACCEPTED)
_OURS = Meaning(kind=OutcomeKind.DEFERRED, next=Next.PAUSE)
_ENHANCED = re.compile(rb"\s*[245]\.(\d{1,3})\.(\d{1,3})\b")
_GREYLISTED = re.compile(rb"gr[ea]y-?list", re.IGNORECASE)

_SUBJECTS = {
    b"1": Scope.RECIPIENT,  # the address
    b"2": Scope.RECIPIENT,  # the mailbox
    b"3": Scope.SERVER,  # the mail system
    b"4": Scope.DOMAIN,  # network and routing
    b"5": Scope.SERVER,  # the protocol
    b"6": Scope.RECIPIENT,  # the content
    b"7": Scope.DOMAIN,  # policy: too many, too fast, greylisting
}
"""RFC 3463, section 4: the second number of an enhanced code, and whom a temporary answer with it is about."""


def meaning_of(phase: Phase, code: int, text: bytes) -> Meaning:
    """What the server's answer at `phase` means; `code` is -1 where it could not be read."""
    if code == 250 and phase is Phase.DOT:
        return _ACCEPTED
    if not 400 <= code <= 599:
        # Not an answer to what was asked. After the dot it may stand in the place of any answer.
        return broken(phase)
    if code == 503 and phase is not Phase.MAIL:
        # "Bad sequence of commands": the server and we are out of step, and nobody is refused for that.
        return broken(phase)
    if code == 421:
        # The server closes the connection after this (RFC 5321, 3.8), after so many messages or so long a silence.
        early = phase in (Phase.MAIL, Phase.RCPT, Phase.DATA)
        return Meaning(kind=OutcomeKind.DEFERRED, next=Next.RENEW if early else Next.DROP)
    after = Next.DROP if phase is Phase.CONTENT else Next.KEEP
    if code < 500:
        return _put_off(phase, code, text, after)
    if phase is Phase.MAIL or refusal_of_us(code, text):
        # No recipient has been named yet, or it is not about them.
        return _OURS
    subject, _ = _enhanced(text)
    return Meaning(kind=OutcomeKind.REFUSED, scope=Scope.DOMAIN if subject == b"4" else Scope.RECIPIENT, next=after)


def broken(phase: Phase, *, silent: bool = False) -> Meaning:
    """What it means that the connection broke, that nothing came for too long, or nothing that can be read."""
    if phase is Phase.DOT:
        return Meaning(kind=OutcomeKind.UNCERTAIN, next=Next.DROP)
    gone_before = phase is Phase.MAIL and not silent
    return Meaning(kind=OutcomeKind.DEFERRED, next=Next.RENEW if gone_before else Next.DROP)


def _put_off(phase: Phase, code: int, text: bytes, after: Next) -> Meaning:
    subject, detail = _enhanced(text)
    if phase is Phase.MAIL or (subject, detail) == (b"5", b"3"):
        # "Too many recipients" (4.5.3), said to a single one, counts the whole connection.
        return Meaning(kind=OutcomeKind.DEFERRED, next=Next.RENEW)
    if _GREYLISTED.search(text):
        scope = Scope.DOMAIN
    elif subject:
        scope = _SUBJECTS.get(subject, Scope.SERVER)
    else:
        # 450 and 451 to a recipient come from where their mail goes; 452 is the server's own lack of room.
        scope = Scope.DOMAIN if phase is Phase.RCPT and code in (450, 451) else Scope.SERVER
    return Meaning(kind=OutcomeKind.DEFERRED, scope=scope, next=after)


def _enhanced(text: bytes) -> tuple[bytes, bytes]:
    """Subject and detail of an enhanced code; empty where there is none."""
    found = _ENHANCED.match(text)
    return (found[1], found[2]) if found else (b"", b"")
