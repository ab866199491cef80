"""Bursts: several opt-outs by page of one receiving domain, minutes after a mailing got there.

Some mail gateways press every link and button of a mail to look for traps. What they click is honoured as any other
opt-out, and flagged.
"""

from collections import defaultdict
from datetime import datetime, timedelta

from mlgroup_mail.store import Store
from mlgroup_mail.store.bursts import EarlyOptOut, accepted_at, early_opt_outs, flag

WITHIN = timedelta(minutes=10)
"""So soon after it has gone a gateway looks at a mail; few people read that fast."""
PEOPLE = 3
"""So many people at least: one or two may well have made up their minds at once."""
SHARE = 3
"""One in so many, at least, of those whom the mailing reached there: at a large provider a few are no sign."""
LOOKED_BACK = timedelta(days=1)


def flag_bursts(store: Store, *, now: datetime) -> int:
    """Flag the opt-outs of the last day that a gateway may have clicked; returns how many are new. Safe to repeat."""
    with store.reading() as connection:
        early = early_opt_outs(connection, since=now - LOOKED_BACK, within=WITHIN)
        found = [
            each
            for (mailing_id, domain), some in _by_place(early).items()
            if _is_burst(some, accepted_at(connection, mailing_id, domain))
            for each in some
        ]
    if not found:
        return 0
    with store.writing() as connection:
        return flag(connection, found, now=now)


def _by_place(early: list[EarlyOptOut]) -> dict[tuple[int, str], list[EarlyOptOut]]:
    found: dict[tuple[int, str], list[EarlyOptOut]] = defaultdict(list)
    for each in early:
        found[each.mailing_id, each.domain].append(each)
    return found


def _is_burst(some: list[EarlyOptOut], accepted: int) -> bool:
    people = len({each.contact_id for each in some})
    return people >= PEOPLE and people * SHARE >= accepted
