"""When an event is, in one line: on the organiser's clock, and on the reader's."""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING

from mlgroup_mail.content.calendar.events import Event
from mlgroup_mail.content.language.localised_zones import city_of, offset_name

if TYPE_CHECKING:
    from babel import Locale

_NO_COMMA = frozenset({"zh", "ja", "ko"})
_WITHOUT_YEAR = ("MMMMEEEEd", "MMMEEEEd", "MMMMEd", "MMMEd")
"""CLDR's skeletons of weekday, day and month, the one with whole words first."""


def format_day(day: date, format: str, locale: "Locale") -> str:
    """A day in one of Babel's forms (full, long, medium, short) or by a pattern such as "d MMMM"."""
    from babel import dates

    pattern = locale.date_formats[format].pattern if format in locale.date_formats else format
    if locale.language == "fr" and day.day == 1:
        # French counts the first of a month, and CLDR has no form for that.
        pattern = re.sub(r"(?<!d)d(?= MMM)", "d'er'", pattern)
    return dates.format_date(day, pattern, locale=locale)


def clock_time(hour: time, locale: "Locale") -> str:
    """An hour of the day as the language's own clock shows it."""
    from babel import dates

    # Korean shortens 오후 to PM; the wide form (aaaa) is the usual one where the clock has twelve hours.
    pattern = locale.time_formats["short"].pattern.replace("a", "aaaa")
    return dates.format_time(hour, pattern, locale=locale)


def clock_name(moment: datetime, zone: str, locale: "Locale") -> str:
    """Whose clock a time is on: "London, UTC+1", the one way in which mails say it.

    City and offset, because a reader abroad can place them: abbreviations such as IST or BST have several meanings,
    and most languages have none.
    """
    city, offset = city_of(zone, locale), offset_name(moment)
    return _joined(city, offset, locale) if city else offset


def when(event: Event, locale: "Locale") -> str:
    """An event's days and hours on the organiser's clock: "Wednesday, 27 October 2021, 14:00–15:30 (London, UTC+1)"."""
    if event.hours is None:
        first, last = (_day(day, locale) for day in event.days)
        return first if first == last else _range(first, last, locale)
    start, end = event.hours
    clock, clock_at_end = (f"({clock_name(moment, event.zone, locale)})" for moment in event.hours)
    if clock == clock_at_end:
        return f"{_span(start, end, locale)} {clock}"
    # The clocks change meanwhile: an hour tells nothing without the clock that shows it.
    last = clock_time(end.time(), locale) if start.date() == end.date() else _moment(end, locale)
    return _range(f"{_moment(start, locale)} {clock}", f"{last} {clock_at_end}", locale)


_HOUR = r"\d{1,2}[:.]\d\d(?:\s[^\s\d()–]{1,4}){0,2}"
_SPACED_HOURS = re.compile(rf"{_HOUR}\s–\s{_HOUR}")
"""Both hours of a range where halves of the day are named, as in “4:00 – 5:30 pm”; its spaces may be narrow ones."""


def your_time(event: Event, locale: "Locale") -> str:
    """The event's hours on the reader's clock, with its days where they are not the organiser's: "22:00–23:30".

    "" where nothing is to be said: the clock is not known, it shows what the organiser's does, or there is no hour.
    """
    if event.reader_offsets is None or event.hours is None:
        return ""
    start, end = (
        moment.astimezone(timezone(timedelta(minutes=minutes)))
        for moment, minutes in zip(event.hours, event.reader_offsets, strict=True)
    )
    if (start.date(), end.date()) == event.days:
        return _hours(start, end, locale)
    years = {day.year for day in event.days}
    return _span(start, end, locale, year=not {start.year, end.year} <= years)


def unbroken(when: str) -> str:
    """The same line for a page: no break within “16:00–17:30” or “4:00 – 5:30 pm”, nor in what stands in brackets."""
    hours = re.sub(r"(?<=\d)–(?=\d)", "\u2060–\u2060", when)
    hours = _SPACED_HOURS.sub(lambda span: re.sub(r"\s", "\u00a0", span[0]), hours)
    return re.sub(r"\([^()]{0,40}\)", lambda clock: clock[0].replace(" ", "\u00a0"), hours)


def _span(start: datetime, end: datetime, locale: "Locale", *, year: bool = True) -> str:
    """From one moment to another: days once where they are the same, hours."""
    if start.date() == end.date():
        return _joined(_day(start, locale, year=year), _hours(start, end, locale), locale)
    last = _moment(end, locale, year=start.year != end.year)
    return _range(_moment(start, locale, year=year), last, locale)


def _hours(start: datetime, end: datetime, locale: "Locale") -> str:
    """The hours alone; one where the end is not known."""
    from babel import dates

    first, last = (clock_time(moment.time(), locale) for moment in (start, end))
    if start == end:
        return first
    if start.date() == end.date() and "H" in locale.time_formats["short"].pattern:
        span = dates.format_interval(start.replace(tzinfo=UTC), end.replace(tzinfo=UTC), "Hm", locale=locale)
        # Japanese ranges are written otherwise than a single time; a mail has both.
        if span.startswith(first):
            return span
    return _range(first, last, locale)


def _moment(moment: datetime, locale: "Locale", *, year: bool = True) -> str:
    return _joined(_day(moment, locale, year=year), clock_time(moment.time(), locale), locale)


def _day(day: date, locale: "Locale", *, year: bool = True) -> str:
    if year:
        return format_day(day, "full", locale)
    nearest = next(name for name in _WITHOUT_YEAR if name in locale.datetime_skeletons)
    return format_day(day, _in_whole_words(locale.datetime_skeletons[nearest].pattern), locale)


def _in_whole_words(pattern: str) -> str:
    """A pattern with weekday and month written out, as ICU widens its nearest one where a language lacks a skeleton."""
    wide = {"E": "EEEE", "c": "cccc", "MMM": "MMMM", "LLL": "LLLL"}
    return re.sub(r"'[^']*'|E+|c+|M{3,}|L{3,}", lambda found: _widened(found[0], wide), pattern)


def _widened(part: str, wide: dict[str, str]) -> str:
    return part if part.startswith("'") else wide.get(part[:3], wide.get(part[:1], part))


def _joined(first: str, second: str, locale: "Locale") -> str:
    comma = " " if locale.language in _NO_COMMA else "، " if locale.text_direction == "rtl" else ", "
    return f"{first}{comma}{second}"


def _range(first: str, last: str, locale: "Locale") -> str:
    # A line may break beside the dash.
    return str(locale.interval_formats[None]).replace("\u2009", " ").format(first, last)
