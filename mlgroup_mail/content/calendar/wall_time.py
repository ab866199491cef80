"""A moment as people write it: the clock on the wall, and where that clock hangs."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo

from mlgroup_mail.zones import iana_zones, zone_named

_WRITTEN = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d(?::\d\d)?)\s*(\S.*)?")
_OFFSET = re.compile(r"(?:UTC|GMT)?([+-])(\d\d):?(\d\d)?")
_YEARS = range(1970, 2200)
_HOW = "Write it like 2021-11-02 09:00 Europe/London"


@dataclass(frozen=True, kw_only=True, slots=True)
class WallTime:
    """A wall time (naive) and its zone as written: an IANA name, UTC, or an offset such as +01:00."""

    local: datetime
    zone: str

    @property
    def aware(self) -> datetime:
        """The same moment with its zone attached."""
        return self.local.replace(tzinfo=_tzinfo(self.zone))

    @property
    def utc(self) -> datetime:
        """The same moment in UTC."""
        return self.aware.astimezone(UTC)

    def __str__(self) -> str:
        seconds = ":%S" if self.local.second else ""
        return f"{self.local.strftime(f'%Y-%m-%d %H:%M{seconds}')} {self.zone}"


def parse_wall_time(text: str) -> WallTime:
    """Read "2021-11-02 09:00 Europe/London" (seconds optional; an IANA zone, UTC or an offset).

    Raises ValueError for anything else, and for a wall time that a clock change skips or makes happen twice.
    """
    found = _WRITTEN.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"“{text}” is not a date, a time and a zone. {_HOW}.")
    day, time, zone = found.groups()
    if zone is None:
        raise ValueError(f"“{text}” has no time zone. {_HOW}, or end it with UTC or an offset such as +01:00.")
    try:
        local = datetime.fromisoformat(f"{day} {time}")
    except ValueError:
        raise ValueError(f"“{text}” names a day or an hour that does not exist. {_HOW}.") from None
    refuse_far_years(local)
    wall = WallTime(local=local, zone=_zone(zone.strip()))
    _refuse_clock_change(wall)
    return wall


def refuse_far_years(day: date) -> None:
    """Raise ValueError for a year in which nobody of this group meets: a slip, and none that clocks are known for."""
    if day.year not in _YEARS:
        raise ValueError(
            f"the year {day.year} is meant otherwise: years from {_YEARS[0]} to {_YEARS[-1]} are known here"
        )


def _zone(text: str) -> str:
    if text.upper() in ("UTC", "Z"):
        return "UTC"
    if text in iana_zones():
        return text
    found = _OFFSET.fullmatch(text)
    if found is None or int(found[2]) > 14 or int(found[3] or 0) > 59:
        raise ValueError(
            f"“{text}” is not an IANA time zone such as Europe/London, nor UTC, nor an offset such as +01:00"
        )
    return f"{found[1]}{found[2]}:{found[3] or '00'}"


def _tzinfo(zone: str) -> tzinfo:
    found = _OFFSET.fullmatch(zone)
    if found is None:
        return UTC if zone == "UTC" else zone_named(zone)
    offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return timezone(-offset if found[1] == "-" else offset)


def _refuse_clock_change(wall: WallTime) -> None:
    first, second = (wall.aware.replace(fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return
    # In a gap, going to UTC and back lands on another wall time (PEP 495).
    there_and_back = first.astimezone(UTC).astimezone(first.tzinfo).replace(tzinfo=None)
    if there_and_back != wall.local:
        raise ValueError(f"“{wall}” does not exist: the clocks go forward over it. Choose another hour.")
    offsets = " or ".join(moment.isoformat()[-6:] for moment in (first, second))
    raise ValueError(f"“{wall}” happens twice: the clocks go back over it. Write its offset instead: {offsets}.")
