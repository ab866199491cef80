"""What the rules look at: one mailing, compiled, with what the list says of its audience."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from mlgroup_mail.content.announced import ChangedEvent
from mlgroup_mail.content.campaigns.campaign import Campaign, MailingSpec
from mlgroup_mail.content.campaigns.mailing_text import MailingText
from mlgroup_mail.model.audience import ExclusionReason
from mlgroup_mail.model.canary import Canary
from mlgroup_mail.model.delivery import DeliveryState
from mlgroup_mail.model.mailing import MailingRef
from mlgroup_mail.model.message import CompiledMessage


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckedText:
    """A mailing's original or one of its translations, with what was made of it and who would read it.

    `variants` are its compiled messages, none where it cannot be compiled, and `said` is what the list says of the
    readers of each, in the same order: data, and no slip of an author. `recipients` is how many people would get it
    now, `missing` how many of them have nothing in a merge field (`recipient.first_name` -> 12). `changed` is when its
    file was written last, UTC; None where nobody asked. `leaking_links` are addresses of parts for members only that
    stand in the public copy too.
    """

    words: MailingText
    variants: tuple[CompiledMessage, ...]
    said: tuple[str, ...] = ()
    recipients: int = 0
    missing: Mapping[str, int] = field(default_factory=dict)
    changed: datetime | None = None
    leaking_links: tuple[str, ...] = ()

    @property
    def variants_and_data(self) -> tuple[tuple[CompiledMessage, str], ...]:
        """Each variant with what the list says of its readers."""
        return tuple(zip(self.variants, self.said or [""] * len(self.variants), strict=True))

    def place_of(self, pattern: str) -> str:
        """File and line of the first place in the text where a regular expression matches; else the text's file."""
        found = re.search(pattern, self.words.text)
        if found is None:
            return self.words.text_file
        line = self.words.text_line + self.words.text.count("\n", 0, found.start())
        return f"{self.words.text_file}, line {line}"


@dataclass(frozen=True, kw_only=True, slots=True)
class UnmetWord:
    """A word that the audience's rule has for one of its keys, and nobody on the list: `where` it is written."""

    key: str
    word: str
    where: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckSubject:
    """One mailing to check, as plain data.

    `texts` are the original, then its translations. `clock` is the real time, UTC: for the text, "now" is the
    mailing's `send_at`. `audience_known` tells that its recipients could be counted, `over` that it has gone out or
    was cancelled. `excluded` is how many people of the audience would not get it, by the reason, and `unmet` are the
    words of its rule that nobody has. `asked` are the mailings that its audience asks about, with how many of their
    deliveries are in each state. `changed_events` are those of which an earlier mailing said something else.
    `canaries` are those of the team who are to ride along.
    """

    campaign: Campaign
    mailing: MailingSpec
    texts: tuple[CheckedText, ...]
    clock: datetime
    audience_known: bool = True
    over: bool = False
    excluded: Mapping[ExclusionReason, int] = field(default_factory=dict)
    unmet: tuple[UnmetWord, ...] = ()
    asked: Mapping[MailingRef, Mapping[DeliveryState, int]] = field(default_factory=dict)
    changed_events: tuple[ChangedEvent, ...] = ()
    canaries: tuple[Canary, ...] = ()

    @property
    def recipients(self) -> int:
        """How many people would get it now, in whatever language."""
        return sum(text.recipients for text in self.texts)

    @property
    def original(self) -> CheckedText:
        """The text as its author wrote it."""
        return self.texts[0]

    @property
    def translations(self) -> tuple[CheckedText, ...]:
        """The texts in other languages."""
        return self.texts[1:]
