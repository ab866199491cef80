"""Who gets a mailing, and who does not and why."""

from dataclasses import dataclass, field
from enum import StrEnum

from mlgroup_mail.model.contact import Contact


class ExclusionReason(StrEnum):
    """Why somebody in the segment is not written to. A person reads the line of meaning."""

    OPTED_OUT = "opted_out"
    """asked for no more mail"""
    OPTED_OUT_TOPIC = "opted_out_topic"
    """asked for no more mail of this topic"""
    NOT_SUBSCRIBED = "not_subscribed"
    """has not chosen this topic"""
    BOUNCED = "bounced"
    """their mailbox does not exist"""
    COMPLAINED = "complained"
    """marked our mail as spam"""
    HELD = "held"
    """their message waits for somebody's decision"""
    DUPLICATE = "duplicate"
    """the same mailbox belongs to another recipient"""
    NOT_ALLOWED = "not_allowed"
    """outside the allowed domains of this environment"""

    @property
    def meaning(self) -> str:
        """The reason in words that fit behind "because they ..." or in a table."""
        return _MEANINGS[self]


_MEANINGS = {
    ExclusionReason.OPTED_OUT: "opted out of all mail",
    ExclusionReason.OPTED_OUT_TOPIC: "opted out of this topic",
    ExclusionReason.NOT_SUBSCRIBED: "has not chosen this topic",
    ExclusionReason.BOUNCED: "mailbox does not exist",
    ExclusionReason.COMPLAINED: "marked our mail as spam",
    ExclusionReason.HELD: "their message waits for a decision",
    ExclusionReason.DUPLICATE: "same mailbox as another recipient",
    ExclusionReason.NOT_ALLOWED: "outside the allowed domains",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Exclusion:
    """Somebody in the segment who will not, and why."""

    contact: Contact
    reason: ExclusionReason


@dataclass(frozen=True, kw_only=True, slots=True)
class Audience:
    """The result for one mailing: recipients, and exclusions each with a reason."""

    recipients: tuple[Contact, ...]
    exclusions: tuple[Exclusion, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.recipients) + len(self.exclusions)
