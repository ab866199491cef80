"""Which clock a reader has, and how it differs from the organiser's while an event takes place."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cache
from zoneinfo import ZoneInfo

from mlgroup_mail.content.calendar.events import Event
from mlgroup_mail.model.contact import Contact
from mlgroup_mail.zones import iana_zones, single_zone, zone_named

EventTimes = tuple[tuple[str, int, int], ...]
"""Event, and minutes from UTC to a reader's clock at its start and end: of those that the clock shows otherwise."""


def reader_zone(timezone: str, country: str) -> str:
    """A contact's own zone, else the only one of their country; "" where neither tells: a zone is never guessed."""
    return timezone if timezone in iana_zones() else single_zone(country)


def event_times(events: Iterable[Event]) -> Callable[[Contact], EventTimes]:
    """What tells the readers of these events apart.

    Not their zones, of which there are 400, but what those do to these events: all whose clocks agree then, or show
    what the organiser's shows, or are not known, read the same. What is found is kept for each zone and country.
    """
    timed = [event for event in events if event.hours]

    @cache
    def found(timezone: str, country: str) -> EventTimes:
        zone = reader_zone(timezone, country)
        return _times(timed, zone_named(zone)) if zone else ()

    return lambda contact: found(contact.timezone, contact.country)


def seen_by_reader(event: Event, times: Sequence[Sequence[str | int]]) -> Event:
    """The event with what its readers' clock shows, by `times` as `event_times` gives them or JSON has them."""
    offsets = next(((int(start), int(end)) for name, start, end in times if name == event.id), None)
    return replace(event, reader_offsets=offsets)


def _times(events: Iterable[Event], zone: ZoneInfo) -> EventTimes:
    times = []
    for event in events:
        here = event.hours or ()
        there = [moment.astimezone(zone) for moment in here]
        if [moment.replace(tzinfo=None) for moment in there] != [moment.replace(tzinfo=None) for moment in here]:
            start, end = ((moment.utcoffset() or timedelta()) // timedelta(minutes=1) for moment in there)
            times.append((event.id, start, end))
    return tuple(times)
