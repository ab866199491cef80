"""Which time zones there are, and where.

All from the package `tzdata`, never from the machine's own files: two laptops and a server reckon the same hour for a
meeting, and what was approved on one goes out unchanged from another.
"""

from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

_TZDATA = resources.files("tzdata")
_YEAR = 2027
"""Zones that agree in this year are one for us: what they did before does not matter to mail."""
_ONE_CLOCK = {"CN": "Asia/Shanghai", "UA": "Europe/Kyiv", "UZ": "Asia/Tashkent"}
"""Countries that a rarely meant zone keeps from having a single one, or whose single one has a better name."""


@cache
def iana_zones() -> frozenset[str]:
    """The names of all IANA time zones; not "Factory", which stands for a clock that nobody has set."""
    return frozenset(_tzdata("zones")) - {"Factory"}


@cache
def zone_named(name: str) -> ZoneInfo:
    """The clock of a zone. Raises KeyError where there is none of that name."""
    if name not in iana_zones():
        raise KeyError(name)
    with _TZDATA.joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


@cache
def zones_by_country() -> dict[str, tuple[str, ...]]:
    """The zones of each country (ISO 3166 alpha-2), the most important first."""
    zones: dict[str, list[str]] = {}
    for line in _tzdata("zoneinfo/zone.tab"):
        country, _, zone, *_ = line.split("\t")
        zones.setdefault(country, []).append(zone)
    return {country: tuple(zone for zone in listed if zone in iana_zones()) for country, listed in zones.items()}


@cache
def zones_of_places() -> frozenset[str]:
    """The zones that are called after a place today."""
    return frozenset(zone for zones in zones_by_country().values() for zone in zones)


@cache
def single_zone(country: str) -> str:
    """The zone of a country in which all clocks agree; "" where they do not: a zone is never guessed."""
    zones = zones_by_country().get(country, ())
    if country in _ONE_CLOCK:
        return _ONE_CLOCK[country]
    return zones[0] if len({offsets_through_the_year(zone) for zone in zones}) == 1 else ""


@cache
def offsets_through_the_year(zone: str) -> tuple[timedelta | None, ...]:
    """A zone's offsets from UTC, week by week."""
    start = datetime(_YEAR, 1, 1, tzinfo=UTC)
    return tuple((start + timedelta(weeks=week)).astimezone(zone_named(zone)).utcoffset() for week in range(53))


@cache
def renamed_zones() -> dict[str, str]:
    """Old names of zones, and what they are called today."""
    links = (line.split() for line in _tzdata("zoneinfo/tzdata.zi") if line.startswith("L "))
    return {old: new for _, new, old in links if new in iana_zones()}


def _tzdata(file: str) -> list[str]:
    text = _TZDATA.joinpath(*file.split("/")).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if not line.startswith("#")]
