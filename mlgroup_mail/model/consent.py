"""Who is not written to: signals (evidence), and the rules they lead to."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

ALL_TOPICS = "*"
"""The topic of a suppression that stands for every kind of mail."""


class Road(StrEnum):
    """A way by which opt-outs reach us."""

    PAGE = "page"
    """A link or the mail program's own button, through our web pages."""
    MAILBOX = "mailbox"
    """A reply or a bounce in one of the group's mailboxes."""
    PROVIDER = "provider"
    """The mail provider's events and suppression lists."""
    FILE = "file"
    """An imported file, or a status such as "left" in a contact source."""
    HAND = "hand"
    """A person of the team, at the command line."""


class SignalKind(StrEnum):
    """What a signal asks for."""

    OPT_OUT = "opt_out"
    """No more mail, on one topic or on all."""
    BOUNCE = "bounce"
    """The mailbox does not exist: the address is suppressed."""
    COMPLAINT = "complaint"
    """Marked as spam: all topics."""
    REVIEW = "review"
    """A message a person must decide on: a hold."""
    LIFT = "lift"
    """The person wants mail again, or a mistake is put right: always by hand, always with a reason."""


class Restriction(StrEnum):
    """What stands between a person and a mailing."""

    SUPPRESSION = "suppression"
    """The standing rule not to write to this person (on this topic)."""
    HOLD = "hold"
    """No bulk mail until somebody has decided on their message."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Signal:
    """Evidence that someone wants no more mail (or mail again), before it is applied.

    `topic` is a topic's name or `ALL_TOPICS`. `address` is as received and normalised; `contact_id` is set where a
    token or a match named the person. `evidence` is what a person could look up: a file and row, a message id, a
    page request. `actor` is who did it where `road` is `hand`.
    """

    kind: SignalKind
    topic: str
    road: Road
    at: datetime
    address: str = ""
    contact_id: int | None = None
    reason: str = ""
    evidence: str = ""
    actor: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Suppression:
    """A standing rule, with the number that consent writers and claims share one sequence for."""

    suppression_id: int
    number: int
    restriction: Restriction
    kind: SignalKind
    topic: str
    address: str
    contact_id: int | None
    reason: str
    road: Road
    evidence: str
    at: datetime
    lifted_at: datetime | None = None
    lifted_by: str = ""
    lifted_reason: str = ""

    @property
    def on(self) -> str:
        """The topic, for people."""
        return "all topics" if self.topic == ALL_TOPICS else self.topic
