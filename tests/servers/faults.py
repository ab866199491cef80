"""What can go wrong in an SMTP conversation, and when."""

from __future__ import annotations

import enum
import threading
from dataclasses import dataclass


class Phase(enum.StrEnum):
    """A point of the conversation at which a fault can happen."""

    GREETING = enum.auto()
    """Instead of the 220 after the connection."""
    EHLO = enum.auto()
    STARTTLS = enum.auto()
    HANDSHAKE = enum.auto()
    """After STARTTLS was answered with 220, or at the start of an implicit TLS connection."""
    AUTH = enum.auto()
    MAIL = enum.auto()
    RCPT = enum.auto()
    DATA = enum.auto()
    """Instead of the 354."""
    BODY = enum.auto()
    """After the first piece of the content, long before its final dot."""
    DOT = enum.auto()
    """The whole message is there, its final dot too: the answer to that."""
    RSET = enum.auto()
    NOOP = enum.auto()
    QUIT = enum.auto()


@dataclass(kw_only=True, slots=True)
class Fault:
    """What goes wrong at a phase: a reply of the test's own, a broken connection, or silence."""

    phase: Phase
    reply: bytes | None
    close: bool
    stall: bool
    to: str
    after: int
    times: int | None
    until: threading.Event | None = None
    """The ordinary reply, but not before the test says so."""

    def applies(self, line: str) -> bool:
        """Whether it is this fault's turn; counts the turn."""
        if self.to not in line or self.times == 0:
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True
