"""What the rules look at: one mailing, compiled, with what the list says of its audience."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from mlgroup_mail.content.campaign import Campaign, MailingSpec
from mlgroup_mail.model.delivery import DeliveryState
from mlgroup_mail.model.mailing import MailingRef
from mlgroup_mail.model.message import CompiledMessage


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckSubject:
    """One mailing to check, as plain data.

    `variants` are its compiled messages, one at least. `recipients` is how many people would get it now, `missing`
    how many of them have nothing in a merge field (`recipient.first_name` -> 12). `clock` is the real time, UTC: for
    the text, "now" is the mailing's `send_at`. `over` tells that it has gone out or was cancelled. `asked` are the
    mailings that its audience asks about, with how many of their deliveries are in each state.
    """

    campaign: Campaign
    mailing: MailingSpec
    variants: tuple[CompiledMessage, ...]
    recipients: int
    clock: datetime
    missing: Mapping[str, int] = field(default_factory=dict)
    over: bool = False
    asked: Mapping[MailingRef, Mapping[DeliveryState, int]] = field(default_factory=dict)

    def place_of(self, pattern: str) -> str:
        """File and line of the first place in the text where a regular expression matches; else the campaign's file."""
        found = re.search(pattern, self.mailing.text)
        if found is None:
            return self.campaign.file
        line = self.mailing.text_line + self.mailing.text.count("\n", 0, found.start())
        return f"{self.mailing.text_file}, line {line}"
