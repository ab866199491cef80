"""A mail provider's own suppression lists, in our words."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mlgroup_mail.model.consent import SignalKind
from mlgroup_mail.model.delivery import Bounce


class ProviderList(StrEnum):
    """One of SendGrid's lists, by its name there."""

    BOUNCES = "bounces"
    """Gave mail back: nothing is sent there any more."""
    BLOCKS = "blocks"
    """Gave one message back; the next one is sent all the same."""
    INVALID = "invalid_emails"
    """Cannot be an address."""
    SPAM = "spam_reports"
    """Marked mail as spam."""
    UNSUBSCRIBES = "unsubscribes"
    """Wants no mail at all of this account."""

    @property
    def ended_by(self) -> frozenset[SignalKind]:
        """Rules of these kinds correspond to it: to lift one means to take the address off this list."""
        return _ENDED_BY.get(self, frozenset())


_ENDED_BY = {
    ProviderList.BOUNCES: frozenset({SignalKind.BOUNCE}),
    ProviderList.INVALID: frozenset({SignalKind.BOUNCE}),
    ProviderList.SPAM: frozenset({SignalKind.COMPLAINT}),
    # A complaint that came by another road may have been put there by us.
    ProviderList.UNSUBSCRIBES: frozenset({SignalKind.OPT_OUT, SignalKind.COMPLAINT}),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class ListEntry:
    """One address on one list.

    `address` is normalised, `listed` as the provider writes it: by that it is taken off. `at` is when it was put there,
    by the provider's clock, to the second. `asks` is the opt-out that follows from it, `bounce` of which sort a bounce
    is; a soft one asks for nothing by itself. `detail` is a short text without addresses or names.
    """

    on: ProviderList
    address: str
    listed: str
    at: datetime
    asks: SignalKind | None = None
    bounce: Bounce | None = None
    detail: str = ""
