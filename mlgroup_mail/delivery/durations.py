"""How long a mailing will take, by the limits that hold; the sending itself takes next to no time beside them."""

import math
from collections.abc import Mapping

from mlgroup_mail.store.limits import DAY, MINUTE
from mlgroup_mail.store.rates import Rates

_HOUR = 3600


def expected_seconds(domains: Mapping[str, int], rates: Rates, *, today: int = 0, last_batch: float = 0.0) -> int:
    """How many seconds pass until the last of these messages has gone; 0 where nothing slows them down.

    `domains`: how many go to each receiving domain. `today`: how many count towards the limit of 24 hours already.
    `last_batch`: how many seconds after the beginning the last batch is due. What somebody else sends, and who has to
    be tried again, is not known.
    """
    whole = sum(domains.values())
    if not whole:
        return 0
    by_domain = [
        number * limit.seconds / limit.number for name, number in domains.items() if (limit := rates.domain_limit(name))
    ]
    return math.ceil(max(last_batch, _by_limits(whole, rates, today), *by_domain, 0.0))


def _by_limits(whole: int, rates: Rates, today: int) -> float:
    each = MINUTE / rates.per_minute if rates.per_minute else 0.0
    if rates.per_day is None:
        return whole * each
    beyond = whole - max(rates.per_day - today, 0)
    if beyond <= 0:
        return whole * each
    days = math.ceil(beyond / rates.per_day)
    on_the_last = beyond - (days - 1) * rates.per_day
    return days * DAY + on_the_last * each


def in_words(seconds: float) -> str:
    """A duration, as people say it: no more exact than it is known."""
    if seconds < 90:
        return "about a minute"
    if seconds < 2 * _HOUR:
        return f"about {round(seconds / MINUTE)} minutes"
    if seconds < 2 * DAY:
        return f"about {round(seconds / _HOUR)} hours"
    return f"about {math.ceil(seconds / DAY)} days"


def rates_in_words(rates: Rates) -> str:
    """The limits that hold, for people; empty where none does."""
    limits = []
    if rates.per_minute:
        limits.append(f"{rates.per_minute:,} a minute")
    if rates.per_day:
        limits.append(f"{rates.per_day:,} in 24 hours")
    if rates.per_domain:
        limits.append(f"{rates.per_domain:,} a minute to each receiving domain")
    elif rates.domains:
        limits.append("fewer to some receiving domains")
    return f"at {', '.join(limits)}" if limits else ""
