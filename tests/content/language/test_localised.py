"""Dates, times, numbers and events read as people of that language write them. Each line here was looked at."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from babel.localedata import locale_identifiers

from mlgroup_mail.content.calendar.events import Event
from mlgroup_mail.content.calendar.events_file import event_from
from mlgroup_mail.content.language.localised import language_filters


def event(start: str, end: str = "") -> Event:
    return event_from({"id": "meeting", "title": "Meeting", "start": start, "end": end})


MEETING = event("2021-10-27 14:00 Europe/London", "15:30")


def plain(text: str) -> str:
    """With ordinary spaces: some languages set thin ones around a dash or before a unit."""
    return text.replace("\u2009", " ").replace("\u202f", " ").replace("\xa0", " ")


def said(language: str, filter_name: str, value: object, *arguments: object) -> str:
    return plain(language_filters(language)[filter_name](value, *arguments))


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Wednesday, 27 October 2021, 14:00–15:30 (London, UTC+1)"),
        ("en-US", "Wednesday, October 27, 2021, 2:00 PM – 3:30 PM (London, UTC+1)"),
        ("fr", "mercredi 27 octobre 2021, 14:00 – 15:30 (Londres, UTC+1)"),
        ("es", "miércoles, 27 de octubre de 2021, 14:00–15:30 (Londres, UTC+1)"),
        ("de", "Mittwoch, 27. Oktober 2021, 14:00–15:30 Uhr (London, UTC+1)"),
        ("pt", "quarta-feira, 27 de outubro de 2021, 14:00 – 15:30 (Londres, UTC+1)"),
        ("it", "mercoledì 27 ottobre 2021, 14:00–15:30 (Londra, UTC+1)"),
        ("ru", "среда, 27 октября 2021 г., 14:00–15:30 (Лондон, UTC+1)"),
        ("ar", "الأربعاء، 27 أكتوبر 2021، 2:00 م – 3:30 م (لندن، UTC+1)"),
        ("zh", "2021年10月27日星期三 14:00–15:30 (伦敦 UTC+1)"),
        ("ko", "2021년 10월 27일 수요일 오후 2:00 ~ 오후 3:30 (런던 UTC+1)"),
        ("ja", "2021年10月27日水曜日 14:00～15:30 (ロンドン UTC+1)"),
    ],
)
def test_an_event_is_one_line_with_day_hours_city_and_offset(language: str, text: str) -> None:
    assert said(language, "when", MEETING) == text


@pytest.mark.parametrize(
    ("start", "end", "text"),
    [
        ("2021-10-27 14:00 Europe/London", "", "Wednesday, 27 October 2021, 14:00 (London, UTC+1)"),
        (
            "2021-10-27 22:00 America/New_York",
            "2021-10-28 02:00 America/New_York",
            "Wednesday, 27 October 2021, 22:00 – Thursday 28 October, 02:00 (New York, UTC−4)",
        ),
        (
            "2021-12-31 22:00 UTC",
            "2022-01-01 02:00 UTC",
            "Friday, 31 December 2021, 22:00 – Saturday, 1 January 2022, 02:00 (UTC)",
        ),
        (
            "2021-10-27 09:00 Europe/Paris",
            "2021-10-28 09:00 Europe/Paris",
            "Wednesday, 27 October 2021, 09:00 – Thursday 28 October, 09:00 (Paris, UTC+2)",
        ),
        ("2021-10-27 14:00 +05:30", "15:00", "Wednesday, 27 October 2021, 14:00–15:00 (UTC+5:30)"),
        ("2021-10-27 14:00 -03:30", "", "Wednesday, 27 October 2021, 14:00 (UTC−3:30)"),
        ("2021-10-27", "", "Wednesday, 27 October 2021"),
        ("2021-10-27", "2021-10-29", "Wednesday, 27 October 2021 – Friday, 29 October 2021"),
        (
            "2021-10-31 00:30 Europe/London",
            "03:00",
            "Sunday, 31 October 2021, 00:30 (London, UTC+1) – 03:00 (London, UTC)",
        ),
        (
            "2021-10-30 23:30 Europe/London",
            "2021-10-31 03:00 Europe/London",
            "Saturday, 30 October 2021, 23:30 (London, UTC+1) – Sunday, 31 October 2021, 03:00 (London, UTC)",
        ),
        (
            "2021-10-27 14:00 Europe/London",
            "2021-10-27 16:30 Europe/Paris",
            "Wednesday, 27 October 2021, 14:00–15:30 (London, UTC+1)",
        ),
    ],
    ids=str,
)
def test_every_shape_of_an_event_can_be_read(start: str, end: str, text: str) -> None:
    assert said("en", "when", event(start, end)) == text


@pytest.mark.parametrize(
    ("zone", "cities"),
    [
        ("America/Argentina/Buenos_Aires", {"en": "Buenos Aires", "ru": "Буэнос-Айрес"}),
        ("Asia/Kolkata", {"en": "Kolkata", "fr": "Calcutta", "de": "Kalkutta"}),
        ("Europe/Kyiv", {"en": "Kyiv", "es": "Kiev", "ja": "キーウ"}),
        ("US/Eastern", {"en": "New York", "it": "New York"}),
        ("Etc/GMT+5", {"en": ""}),
        ("CET", {"en": "Brussels"}),
    ],
)
def test_a_zone_is_placed_by_a_city_in_the_language_of_the_text(zone: str, cities: dict[str, str]) -> None:
    """Today's names of zones and their first ones, under which CLDR keeps cities, are the same to us."""
    for language, city in cities.items():
        text = said(language, "when", event(f"2021-10-27 14:00 {zone}"))
        if city:
            assert f"({city}" in text
        else:
            assert text.endswith(" (UTC−5)")


@pytest.mark.parametrize(
    ("language", "hours", "with_days"),
    [
        ("en", "22:00–23:30", "Thursday 28 October, 03:00–04:30"),
        ("fr", "22:00 – 23:30", "jeudi 28 octobre, 03:00 – 04:30"),
        ("es", "22:00–23:30", "jueves, 28 de octubre, 3:00–4:30"),
        ("de", "22:00–23:30 Uhr", "Donnerstag, 28. Oktober, 03:00–04:30 Uhr"),
        ("pt", "22:00 – 23:30", "quinta-feira, 28 de outubro, 03:00 – 04:30"),
        ("it", "22:00–23:30", "giovedì 28 ottobre, 03:00–04:30"),
        ("ru", "22:00–23:30", "четверг, 28 октября, 03:00–04:30"),
        ("ar", "10:00 م – 11:30 م", "الخميس، 28 أكتوبر، 3:00 ص – 4:30 ص"),
        ("zh", "22:00–23:30", "10月28日星期四 03:00–04:30"),
        ("ko", "오후 10:00 ~ 오후 11:30", "10월 28일 목요일 오전 3:00 ~ 오전 4:30"),
        ("ja", "22:00～23:30", "10月28日木曜日 3:00～4:30"),
    ],
)
def test_your_time_has_the_day_only_where_it_is_another(language: str, hours: str, with_days: str) -> None:
    assert said(language, "your_time", replace(MEETING, reader_offsets=(540, 540))) == hours
    assert said(language, "your_time", replace(MEETING, reader_offsets=(840, 840))) == with_days


def test_your_time_is_nothing_where_there_is_nothing_to_say() -> None:
    assert said("en", "your_time", MEETING) == ""
    assert said("en", "your_time", replace(event("2021-10-27"), reader_offsets=(60, 60))) == ""


@pytest.mark.parametrize(
    ("language", "month", "weekday", "thousands"),
    [
        ("en", "October 2021", "Wednesday", "1,234,567"),
        ("fr", "octobre 2021", "mercredi", "1 234 567"),
        ("es", "octubre de 2021", "miércoles", "1.234.567"),
        ("de", "Oktober 2021", "Mittwoch", "1.234.567"),
        ("pt", "outubro de 2021", "quarta-feira", "1.234.567"),
        ("it", "ottobre 2021", "mercoledì", "1.234.567"),
        ("ru", "октябрь 2021 г.", "среда", "1 234 567"),
        ("ar", "أكتوبر 2021", "الأربعاء", "1,234,567"),
        ("zh", "2021年10月", "星期三", "1,234,567"),
        ("ko", "2021년 10월", "수요일", "1,234,567"),
        ("ja", "2021年10月", "水曜日", "1,234,567"),
    ],
)
def test_months_weekdays_and_numbers_are_the_language_s(
    language: str, month: str, weekday: str, thousands: str
) -> None:
    assert said(language, "month", MEETING.start) == month
    assert said(language, "weekday", "2021-10-27") == weekday
    assert said(language, "number", 1234567) == thousands


def test_dates_and_hours_take_an_event_s_moment_or_a_day_as_text() -> None:
    assert said("en", "date", MEETING.start, "d MMMM") == said("en", "date", "2021-10-27", "d MMMM") == "27 October"
    assert said("fr", "date", date(2022, 1, 1)) == "samedi 1er janvier 2022"
    assert said("fr", "date", "2022-01-01", "d/M") == "1/1"
    assert said("en-US", "time", MEETING.start) == "2:00 PM"
    assert said("ko", "time", MEETING.start) == "오후 2:00"
    assert said("en", "zone", MEETING.start) == "London, UTC+1"
    assert said("fr", "zone", MEETING.start) == "Londres, UTC+1"
    assert said("en", "number", Decimal("1234.5")) == "1,234.5"


@pytest.mark.parametrize(
    ("filter_name", "value", "reason"),
    [
        ("date", "tomorrow", "needs a day such as 2022-01-19"),
        ("month", MEETING, "needs a day such as 2022-01-19"),
        ("time", "2022-01-19", "is a whole day"),
        ("zone", date(2022, 1, 19), "is a whole day"),
        ("number", "many", "needs a number"),
        ("number", True, "needs a number"),
        ("when", MEETING.start, "needs an event, such as events"),
        ("your_time", "2021-10-27", "needs an event, such as events"),
    ],
)
def test_a_filter_says_what_it_needs(filter_name: str, value: object, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        language_filters("en")[filter_name](value)


def test_every_language_that_babel_knows_can_say_everything() -> None:
    """A text may be in any of them; also those that write twelve hours, or another order of day and month."""
    events = [
        replace(event(start, end), reader_offsets=(840, 840))
        for start, end in (
            ("2021-10-27 14:00 Europe/London", "15:30"),
            ("2021-10-27 22:00 America/New_York", "2021-10-28 02:00 America/New_York"),
            ("2021-12-31 22:00 UTC", ""),
            ("2021-10-27", "2021-10-29"),
        )
    ]
    for identifier in locale_identifiers():
        filters = language_filters(identifier.replace("_", "-"))
        for each in events:
            assert filters["when"](each)
            assert bool(filters["your_time"](each)) is not (each.hours is None)
        assert filters["month"]("2021-10-27")
        assert filters["number"](1234)


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        (
            "Monday, 1 May 2023, 16:00–17:30 (New York, UTC−4)",
            "Monday, 1 May 2023, 16:00\u2060–\u206017:30 (New\u00a0York,\u00a0UTC−4)",
        ),
        ("1 May, 22:00 – 2 May, 01:30", "1 May, 22:00 – 2 May, 01:30"),
        ("May 1, 2023, 4:00 – 5:30\u202fPM", "May 1, 2023, 4:00\u00a0–\u00a05:30\u00a0PM"),
        ("4:00\u202fp.\u202fm. – 5:30\u202fp.\u202fm.", "4:00\u00a0p.\u00a0m.\u00a0–\u00a05:30\u00a0p.\u00a0m."),
    ],
)
def test_a_page_breaks_no_line_within_hours_or_within_the_name_of_a_clock(line: str, kept: str) -> None:
    unbroken = language_filters("en")["unbroken"]
    assert unbroken(line) == kept
