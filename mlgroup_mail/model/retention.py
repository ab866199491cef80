"""What is kept of people for a time, and how long a time is."""

import calendar
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Retained(StrEnum):
    """A kind of record that is kept for a time, which `[retention]` says where a member does not."""

    DELIVERY_DETAILS = "delivery_details"
    """The address and the merged fields of a delivery, from its mailing's end on; what became of it stays."""
    EVENTS = "events"
    """Delivery events and the provider's names of deliveries; those that settled a doubt stay."""
    EVIDENCE = "evidence"
    """Texts about a person: reasons and evidence of opt-outs, reasons in the journal. The rules themselves stay."""
    COURTESIES = "courtesies"
    """To whom mail outside mailings went: tests, confirmations."""
    JOIN_REQUESTS = "join_requests"
    """Who asked to join, confirmed or not; where a stranger's question went: a week, whatever `[retention]` says."""
    PROVIDER_LISTS = "provider_lists"
    """What the provider's own lists say of addresses; of those whose opt-out or bounce stands, as long as it does."""
    OUTBOX = "outbox"
    """Copies of messages that lie in the outbox."""
    LEFT_CONTACTS = "left_contacts"
    """People who left the list. Of those who opted out, what their opt-out is known by stays."""


@dataclass(frozen=True, slots=True)
class Period:
    """So many days, weeks, months or years."""

    number: int
    unit: str

    def before(self, moment: datetime) -> datetime:
        """The moment a period earlier; where that month is shorter, its last day."""
        match self.unit:
            case "day" | "week":
                return moment - timedelta(days=self.number * (7 if self.unit == "week" else 1))
            case _:
                months = self.number * (12 if self.unit == "year" else 1)
                year, month = divmod(moment.year * 12 + moment.month - 1 - months, 12)
                day = min(moment.day, calendar.monthrange(year, month + 1)[1])
                return moment.replace(year=year, month=month + 1, day=day)

    def __str__(self) -> str:
        return f"{self.number} {self.unit}{'' if self.number == 1 else 's'}"
