"""`[retention]` of mlgroup.toml: how long each kind of record is kept."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from pydantic import BeforeValidator

from mlgroup_mail.documents import Document
from mlgroup_mail.model.retention import Period, Retained

FOR_EVER = "for ever"
_PERIOD = re.compile(r"([1-9][0-9]{0,3}) (day|week|month|year)s?")
_LONGEST_YEARS = 100
_DAYS = {"day": 1, "week": 7, "month": 28, "year": 365}
_SHORTEST_DAYS = 28
"""Whatever is still going on about a mailing (events, replies, bounces counted in a window) is over by then."""


def read_period(value: object) -> Period | None:
    """A period as people write it (`18 months`), None for `for ever`; raises ValueError for anything else."""
    text = " ".join(value.lower().split()) if isinstance(value, str) else ""
    if text in (FOR_EVER, "forever"):
        return None
    found = _PERIOD.fullmatch(text)
    if not found:
        raise ValueError('must be a time such as "90 days", "18 months", "3 years", or "for ever"')
    period = Period(int(found[1]), found[2])
    days = period.number * _DAYS[period.unit]
    if not _SHORTEST_DAYS <= days <= _LONGEST_YEARS * _DAYS["year"]:
        raise ValueError(f"must be four weeks at least, and {_LONGEST_YEARS} years at most")
    return period


FIXED = {Retained.JOIN_REQUESTS: Period(1, "week")}
"""What nobody can choose: so long a question whether somebody wants to join can be answered (`store.join_requests`)."""

RetentionPeriod = Annotated[Period | None, BeforeValidator(read_period)]


class Retention(Document):
    """How long each kind of record is kept; None for ever. What they are: `model.retention.Retained`."""

    delivery_details: RetentionPeriod = Period(3, "year")
    events: RetentionPeriod = Period(2, "year")
    evidence: RetentionPeriod = Period(3, "year")
    courtesies: RetentionPeriod = Period(1, "year")
    provider_lists: RetentionPeriod = Period(1, "year")
    outbox: RetentionPeriod = Period(1, "year")
    left_contacts: RetentionPeriod = Period(2, "year")

    def limits(self, now: datetime) -> dict[Retained, datetime]:
        """Before which moment each kind is kept no longer; kinds that are kept for ever are left out."""
        return {kind: period.before(now) for kind, period in self.periods() if period is not None}

    def periods(self) -> Iterator[tuple[Retained, Period | None]]:
        """Each kind with its period."""
        for kind in Retained:
            yield kind, FIXED[kind] if kind in FIXED else getattr(self, kind.value)
