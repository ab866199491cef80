"""Dates and times in the language of the text (Babel)."""

from collections.abc import Callable
from datetime import date, datetime
from typing import TYPE_CHECKING

from mlgroup_mail.content.wall_time import WallTime, parse_wall_time

if TYPE_CHECKING:
    from babel import Locale

Filter = Callable[..., str]


def locale_of(language: str) -> "Locale":
    """Babel's locale of a BCP 47 tag.

    English without a region is taken as British: CLDR's plain English is American, with the month first and a
    twelve-hour clock, and the readers sit in many countries.
    """
    from babel import Locale

    return Locale.parse("en-GB" if language.casefold() == "en" else language, sep="-")


def time_filters(language: str) -> dict[str, Filter]:
    """The filters `date`, `time` and `zone` for texts in that language.

    `date` takes Babel's formats (full, long, medium, short, or a pattern such as "d MMMM"); `time` gives the hour on
    the wall; `zone` its name in force that day. Each takes an event's start or end; `date` also a day as text.
    """
    from babel import dates

    locale = locale_of(language)

    def as_date(value: object, format: str = "full") -> str:
        moment = _moment(value, "date")
        return dates.format_date(moment.local if isinstance(moment, WallTime) else moment, format, locale=locale)

    def as_time(value: object, format: str = "short") -> str:
        return dates.format_time(_with_hour(value, "time").local.time(), format, locale=locale)

    def as_zone(value: object) -> str:
        aware = _with_hour(value, "zone").aware
        name = dates.get_timezone_name(aware, width="short", locale=locale)
        # Where a language has no short name of its own, Babel gives the bare offset.
        return f"UTC{name[:3]}:{name[3:]}" if name[:1] in "+-" else name

    return {"date": as_date, "time": as_time, "zone": as_zone}


def _moment(value: object, filter_name: str) -> WallTime | date:
    if isinstance(value, WallTime | date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            try:
                return parse_wall_time(value)
            except ValueError:
                pass
    raise ValueError(f"the filter “{filter_name}” needs a day such as 2022-01-19 or an event's start, not “{value}”")


def _with_hour(value: object, filter_name: str) -> WallTime:
    moment = _moment(value, filter_name)
    if isinstance(moment, WallTime):
        return moment
    raise ValueError(f"the filter “{filter_name}” needs an hour, and “{value}” is a whole day")
