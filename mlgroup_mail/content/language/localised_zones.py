"""What a clock is called: by the place it hangs in and by its distance from UTC."""

from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

from mlgroup_mail.zones import zones_of_places

if TYPE_CHECKING:
    from babel import Locale


def offset_name(aware: datetime) -> str:
    """How far a clock stands from UTC at that moment: "UTC+1", "UTC−3:30", "UTC"."""
    minutes = (aware.utcoffset() or timedelta()) // timedelta(minutes=1)
    if not minutes:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'+' if minutes > 0 else '−'}{hours}" + (f":{rest:02}" if rest else "")


def city_of(zone: str, locale: "Locale") -> str:
    """The place after which an IANA zone is called, in that language; "" for zones that are called after none."""
    place = next((name for name in _names_of(zone) if name in zones_of_places()), "")
    named = (locale.time_zones.get(name, {}).get("city") for name in _names_of(zone))
    return place and next((str(city) for city in named if city), place.rpartition("/")[2].replace("_", " "))


@cache
def _names_of(zone: str) -> tuple[str, ...]:
    """A zone's name, today's name for it, and the older ones: CLDR keeps a zone's first name for ever."""
    from babel.core import get_global

    aliases = get_global("zone_aliases")
    today = aliases.get(zone, zone)
    return (zone, today, *(old for old, new in aliases.items() if new == today))
