"""Which time zones there are."""

from functools import cache
from zoneinfo import available_timezones


@cache
def iana_zones() -> frozenset[str]:
    """The names of all IANA time zones; the standard library walks the disk for them at every call."""
    return frozenset(available_timezones())
