"""How rows of the ledger are told to the person whom they are about."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from mlgroup_mail.model import ALL_TOPICS
from mlgroup_mail.reporting.person.record import PersonReport
from mlgroup_mail.reporting.report import words


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A section of the page: what it is about, and its table; without rows it says `nothing`."""

    key: str
    title: str
    told: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    nothing: str


def about(report: PersonReport, topic: str) -> str:
    """A topic by its name for readers."""
    return "all topics" if topic == ALL_TOPICS else report.titles.get(topic, topic)


def when(report: PersonReport, moment: datetime | None) -> str:
    """A moment in the group's time zone; "" for none."""
    return words.short_time(moment, report.zone) if moment else ""


def joined(*texts: str) -> str:
    """Those that say something, one after the other."""
    return ": ".join(filter(None, texts))
