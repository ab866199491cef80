"""“Your time”: the reader's own clock beside the organiser's, from what is known of the reader, never from a guess."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import cycle, islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgroup_mail.content.calendar.events import Event
from mlgroup_mail.content.calendar.events_file import event_from
from mlgroup_mail.content.calendar.reader_time import event_times, reader_zone, seen_by_reader
from mlgroup_mail.content.calendar.wall_time import parse_wall_time
from mlgroup_mail.content.compiling.compiled import compile_message
from mlgroup_mail.content.compiling.variants import too_many_variants, variant_fields
from mlgroup_mail.content.language.localised import language_filters
from mlgroup_mail.model.contact import Contact
from mlgroup_mail.settings.project import Project
from mlgroup_mail.zones import single_zone, zone_named, zones_by_country
from tests.content.calendar.clock_changes import ZONES, clock_changes
from tests.content.projects import frozen

ENGLISH = language_filters("en")
YOUR_TIME = 'Come. {{ events["meeting"] | when }}{% if events["meeting"] | your_time %}; your time: '
YOUR_TIME += '{{ events["meeting"] | your_time }}{% endif %}.'


def reader(timezone: str = "", country: str = "") -> Contact:
    return Contact(address="reader@example.org", timezone=timezone, country=country)


def event(start: str, end: str = "") -> Event:
    return event_from({"id": "meeting", "title": "Meeting", "start": start, "end": end})


def your_time(of: Event, contact: Contact) -> str:
    seen = seen_by_reader(of, event_times([of])(contact))
    return ENGLISH["your_time"](seen)


@pytest.mark.parametrize(
    ("timezone", "country", "zone"),
    [
        ("Asia/Tokyo", "FR", "Asia/Tokyo"),
        ("", "FR", "Europe/Paris"),
        ("", "CN", "Asia/Shanghai"),
        ("", "DE", "Europe/Berlin"),
        ("", "US", ""),
        ("", "ES", ""),
        ("", "", ""),
        ("", "XX", ""),
        ("Europe/Nowhere", "JP", "Asia/Tokyo"),
    ],
)
def test_a_reader_s_zone_is_their_own_else_their_country_s_only_one_else_none(
    timezone: str, country: str, zone: str
) -> None:
    assert reader_zone(timezone, country) == zone


MEETING = event("2021-10-27 14:00 Europe/London", "15:30")


@pytest.mark.parametrize(
    ("timezone", "text"),
    [
        ("Asia/Tokyo", "22:00–23:30"),
        ("America/Toronto", "09:00–10:30"),
        ("Asia/Kolkata", "18:30–20:00"),
        ("Pacific/Auckland", "Thursday 28 October, 02:00–03:30"),
        ("Australia/Darwin", "Wednesday 27 October, 22:30 – Thursday 28 October, 00:00"),
        ("Europe/Lisbon", ""),
        ("Africa/Lagos", ""),
        ("", ""),
    ],
)
def test_your_time_is_said_where_the_clock_shows_something_else(timezone: str, text: str) -> None:
    assert your_time(MEETING, reader(timezone)) == text


def test_the_days_are_said_where_they_are_others_than_the_organiser_s() -> None:
    night = event("2021-10-27 22:00 Europe/London", "2021-10-28 02:00 Europe/London")
    assert your_time(night, reader("Europe/Paris")) == "23:00 – 03:00"
    assert your_time(night, reader("America/Toronto")) == "Wednesday 27 October, 17:00–21:00"
    new_year = event("2021-12-31 20:00 Europe/London", "22:00")
    assert your_time(new_year, reader("Asia/Tokyo")) == "Saturday, 1 January 2022, 05:00–07:00"


def test_a_country_whose_clocks_differ_gets_no_guess() -> None:
    for country in zones_by_country():
        offsets = your_time(MEETING, reader(country=country))
        assert offsets == (your_time(MEETING, reader(single_zone(country))) if single_zone(country) else "")


def test_whole_days_have_no_reader_s_time() -> None:
    assert your_time(event("2021-10-27"), reader("Asia/Tokyo")) == ""


@st.composite
def meetings(draw: st.DrawFn) -> tuple[Event, str]:
    """An event and a reader's zone, some days beside a change of either one's clocks."""
    change = draw(st.sampled_from(clock_changes()))
    zones = [change.zone, draw(st.sampled_from(ZONES))]
    organiser, there = draw(st.permutations(zones))
    at = change.at.astimezone(zone_named(organiser)).replace(tzinfo=None)
    start = at + timedelta(minutes=draw(st.integers(-2 * 24 * 60, 2 * 24 * 60)))
    end = start + timedelta(minutes=draw(st.integers(1, 3 * 24 * 60)))
    texts = [f"{moment:%Y-%m-%d %H:%M} {organiser}" for moment in (start, end)]
    try:
        moments = [parse_wall_time(text).utc for text in texts]
    except ValueError:
        return draw(meetings())
    return event(texts[0], texts[1] if moments[0] < moments[1] else ""), there


@given(meetings())
def test_your_time_is_what_the_reader_s_zone_makes_of_the_moment(given: tuple[Event, str]) -> None:
    """Computed again from the written times, without offsets; a day is shown exactly where the days are others."""
    of, zone = given
    here = [datetime.fromisoformat(str(moment)[:16]) for moment in (of.start, of.end or of.start)]
    there = [
        wall.replace(tzinfo=zone_named(str(of.start).split()[2])).astimezone(zone_named(zone)).replace(tzinfo=None)
        for wall in here
    ]
    text = your_time(of, reader(zone))
    assert bool(text) == (here != there)
    if text:
        assert list(_read(text, here)) == (there if of.end else there[:1])
        other_days = [wall.date() for wall in here] != [wall.date() for wall in there]
        assert bool(re.search("[a-z]", text)) == other_days


def _read(text: str, organiser: list[datetime]) -> Iterator[datetime]:
    """What a person reads: a part without a day is on the organiser's day, or on the day named before it."""
    named = ""
    for part, here in zip(re.split(" ?– ?", text), organiser, strict=False):
        day, _, hour = part.rpartition(", ")
        named = day or named
        written = (named or f"{here:%A %d %B}").replace(",", "")
        year = written[-4:] if written[-4:].isdigit() else here.year
        yield datetime.strptime(f"{written.removesuffix(f' {year}')} {year} {hour}", "%A %d %B %Y %H:%M")  # noqa: DTZ007


MEMBERS = [
    *(reader(country=country) for country in ("GB", "FR", "DE", "IT", "ES", "PT", "NL", "BE", "LU", "IE", "DK")),
    *(reader(country=country) for country in ("SE", "NO", "FI", "IS", "EE", "PL", "CZ", "AT", "CH", "SI", "TR")),
    *(reader(country=country) for country in ("JP", "KR", "IN", "NZ", "ZA", "CO", "AE")),
    *(reader(f"America/{city}", "US") for city in ("New_York", "Chicago", "Denver", "Los_Angeles")),
    *(reader(f"America/{city}", "CA") for city in ("Toronto", "Vancouver", "St_Johns")),
    *(reader(f"Australia/{city}", "AU") for city in ("Sydney", "Adelaide", "Perth")),
    *(reader(f"America/{city}", "MX") for city in ("Mexico_City", "Tijuana")),
]
"""From 33 countries; those of the large ones have told their zone, but for Spain's and Portugal's."""


def test_members_of_33_countries_read_few_variants(project: Project) -> None:
    (project.campaigns / "events.yaml").write_text(
        "- id: meeting\n  title: Meeting\n  start: 2021-10-27 14:00 Europe/London\n  end: 15:30\n", encoding="utf-8"
    )
    source = frozen(project, YOUR_TIME)
    fields = variant_fields(source)
    assert len({person.country for person in MEMBERS}) == 33
    keys = {fields.key(person) for person in islice(cycle(MEMBERS), 250)}
    assert len(keys) == 15
    texts = {compile_message(source, fields.shared(key)).text for key in keys}
    assert len(texts) == len(keys)


def test_all_zones_of_the_world_are_some_forty_variants(project: Project) -> None:
    (project.campaigns / "events.yaml").write_text(
        "- {id: meeting, title: Meeting, start: 2021-10-27 14:00 Europe/London}\n", encoding="utf-8"
    )
    fields = variant_fields(frozen(project, YOUR_TIME))
    offsets = {
        datetime(2021, 10, 27, 14, tzinfo=zone_named("Europe/London")).astimezone(zone_named(z)).utcoffset()
        for z in ZONES
    }
    assert len({fields.key(reader(zone)) for zone in ZONES}) == len(offsets) < 45


def test_a_million_contacts_are_told_apart_by_looking_at_each_zone_once(project: Project) -> None:
    """A key is looked up, not reckoned anew: this test would take minutes."""
    (project.campaigns / "events.yaml").write_text(
        "- {id: meeting, title: Meeting, start: 2021-10-27 14:00 Europe/London}\n", encoding="utf-8"
    )
    fields = variant_fields(frozen(project, YOUR_TIME))
    people = [reader(zone) for zone in ZONES]
    keys = {fields.key(person) for person in islice(cycle(people), 1_000_000)}
    assert len(keys) < 45


def test_a_mail_that_shows_no_reader_s_time_has_one_variant_for_all_zones(project: Project) -> None:
    (project.campaigns / "events.yaml").write_text(
        "- {id: meeting, title: Meeting, start: 2021-10-27 14:00 Europe/London}\n", encoding="utf-8"
    )
    fields = variant_fields(frozen(project, 'Come on {{ events["meeting"].start | date }}.'))
    assert {fields.key(reader(zone)) for zone in ZONES} == {()}


def test_each_variant_says_its_readers_time_and_those_without_one_read_only_the_organiser_s(project: Project) -> None:
    (project.campaigns / "events.yaml").write_text(
        "- {id: meeting, title: Meeting, start: 2021-10-27 14:00 Europe/London, end: '15:30'}\n", encoding="utf-8"
    )
    source = frozen(project, YOUR_TIME)
    fields = variant_fields(source)

    def text(contact: Contact) -> str:
        return " ".join(compile_message(source, fields.shared(fields.key(contact))).text.split())

    assert "your time: 22:00–23:30." in text(reader("Asia/Tokyo"))
    assert "your time: 22:00–23:30." in text(reader(country="JP"))
    assert "your time" not in text(reader(country="US"))
    assert "your time" not in text(reader("Europe/London"))
    assert text(reader("Asia/Tokyo")) == text(reader("Asia/Seoul"))
    # Without anybody's zone, as `preview` of a public copy compiles it.
    assert "your time" not in compile_message(source, {}).text


def test_a_zone_used_by_hand_is_the_contact_s_own(project: Project) -> None:
    source = frozen(project, "Your zone: {{ recipient.timezone }}.")
    fields = variant_fields(source)
    assert "Asia/Tokyo" in compile_message(source, fields.shared(fields.key(reader("Asia/Tokyo")))).text.replace(
        "\\", ""
    )


def test_too_many_variants_are_told_in_words_that_coordinators_know(project: Project) -> None:
    (project.campaigns / "events.yaml").write_text(
        "- {id: meeting, title: Meeting, start: 2021-10-27 14:00 Europe/London}\n", encoding="utf-8"
    )
    fields = variant_fields(frozen(project, YOUR_TIME + " {{ recipient.status }}"))
    people = [replace(reader(zone), status=status) for zone in ZONES for status in ("a", "b", "c", "d", "e", "f")]
    error = too_many_variants(fields, {fields.key(person) for person in people})
    assert "38 for readers' time zones alone" in str(error)
    assert "fewer events" in error.problem.mend
