"""Dates, times and numbers in the language of the text (Babel), as filters for texts and templates."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from mlgroup_mail.content.calendar.events import Event, Moment
from mlgroup_mail.content.calendar.wall_time import WallTime, parse_wall_time
from mlgroup_mail.content.language.localised_events import clock_name, clock_time, format_day, unbroken, when, your_time

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


def language_filters(language: str) -> dict[str, Filter]:
    """The filters for texts in that language.

    `date`, `weekday` and `month` ("October 2021") take an event's start or end, or a day as text; `date` also Babel's
    formats (full, long, medium, short, or a pattern such as "d MMMM"). `time` gives the hour on the wall, `zone` whose
    clock that is ("London, UTC+1"). `number` groups thousands. `when` and `your_time` take an event.
    `unbroken` keeps hours and the name of a clock on one line where that fits.
    """
    from babel import dates, numbers

    locale = locale_of(language)

    def as_date(value: object, format: str = "full") -> str:
        return format_day(_day(value, "date"), format, locale)

    def as_weekday(value: object) -> str:
        return format_day(_day(value, "weekday"), "EEEE", locale)

    def as_month(value: object) -> str:
        return dates.format_skeleton("yMMMM", _day(value, "month"), locale=locale)

    def as_time(value: object, format: str = "short") -> str:
        hour = _with_hour(value, "time").local.time()
        return clock_time(hour, locale) if format == "short" else dates.format_time(hour, format, locale=locale)

    def as_zone(value: object) -> str:
        moment = _with_hour(value, "zone")
        return clock_name(moment.aware, moment.zone, locale)

    def as_number(value: object) -> str:
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
            raise ValueError(f"the filter “number” needs a number such as {{{{ group.members }}}}, not “{value}”")
        return numbers.format_decimal(value, locale=locale)

    return {
        "date": as_date,
        "weekday": as_weekday,
        "month": as_month,
        "time": as_time,
        "zone": as_zone,
        "number": as_number,
        "when": lambda value: when(_event(value, "when"), locale),
        "unbroken": lambda value: unbroken(str(value)),
        "your_time": lambda value: your_time(_event(value, "your_time"), locale),
    }


def _event(value: object, filter_name: str) -> Event:
    if isinstance(value, Event):
        return value
    raise ValueError(f'the filter “{filter_name}” needs an event, such as events["webinar-2021"], not “{value}”')


def _day(value: object, filter_name: str) -> date:
    moment = _moment(value, filter_name)
    return moment.local.date() if isinstance(moment, WallTime) else moment


def _moment(value: object, filter_name: str) -> Moment:
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
