"""An event as an iCalendar object (RFC 5545) that is published, not sent for an answer (RFC 5546, 3.2.1)."""

import re
from datetime import UTC, datetime, timedelta

import icalendar

from mlgroup_mail.content.calendar.events import Event, EventStatus
from mlgroup_mail.content.calendar.vtimezone import vtimezone
from mlgroup_mail.content.calendar.wall_time import WallTime
from mlgroup_mail.model.message import Sender
from mlgroup_mail.zones import iana_zones

PRODUCT = "-//mlgroup-mail//invitations//EN"

_BREAKS = re.compile("\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_UNSEEN = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters, and those that turn the order of what is shown around them."""


def published(event: Event, *, domain: str, sequence: int, organiser: Sender, at: datetime) -> str:
    """The object as text, with CRLF at the ends of lines.

    It names nobody as attendee, so that nobody's calendar sends an answer. Its UID is `<event's id>@<domain>`, so that
    a later mail about the same event changes the entry that calendars have, where `sequence` is higher. `at` (aware)
    stands as the time of writing: the same values give the same text.
    """
    calendar = icalendar.Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    for zone in _zones(event):
        calendar.add_component(vtimezone(zone, *(event.hours or ())))
    entry = icalendar.Event()
    entry.add("uid", f"{event.id}@{domain}")
    entry.add("dtstamp", at.astimezone(UTC))
    entry.add("sequence", sequence)
    # A joining link is for members only: those who may look into a member's calendar are told when, not how (3.8.1.3).
    entry.add("class", "PRIVATE" if event.joining_link else "PUBLIC")
    _add_times(entry, event)
    _add_words(entry, event)
    _add_organiser(entry, organiser)
    calendar.add_component(entry)
    return str(calendar.to_ical().decode())


def _add_times(entry: icalendar.Event, event: Event) -> None:
    entry.add("status", event.status.upper())
    # A day in the calendar, as a deadline, keeps nobody from meeting others.
    takes_time = event.hours is not None and event.status is not EventStatus.CANCELLED
    entry.add("transp", "OPAQUE" if takes_time else "TRANSPARENT")
    if isinstance(event.start, WallTime):
        _add_time(entry, "dtstart", event.start)
        # Without an end it takes no time at all (RFC 5545, 3.6.1): none is made up.
        if isinstance(event.end, WallTime):
            _add_time(entry, "dtend", event.end)
    else:
        first, last = event.days
        entry.add("dtstart", first)
        entry.add("dtend", last + timedelta(days=1))


def _add_time(entry: icalendar.Event, name: str, moment: WallTime) -> None:
    if _has_rules(moment.zone):
        entry.add(name, moment.local, parameters={"TZID": moment.zone})
    else:
        entry.add(name, moment.utc)


def _zones(event: Event) -> list[str]:
    zones = [moment.zone for moment in (event.start, event.end) if isinstance(moment, WallTime)]
    return [zone for zone in dict.fromkeys(zones) if _has_rules(zone)]


def _has_rules(zone: str) -> bool:
    """Whether a calendar program must be told of the zone's clock; an offset is as well said in UTC."""
    return zone in iana_zones() and zone != "UTC"


def _add_words(entry: icalendar.Event, event: Event) -> None:
    entry.add("summary", _Text(_line(event.title)))
    if event.place:
        entry.add("location", _Text(_line(event.place)))
    description = _UNSEEN.sub("", _BREAKS.sub("\n", event.description)).strip()
    if words := "\n\n".join(filter(None, (description, event.joining_link, event.link))):
        entry.add("description", _Text(words))
    if link := event.link or event.joining_link:
        entry.add("url", link)
    if event.joining_link:
        # RFC 7986, 5.11.
        entry.add("conference", event.joining_link, parameters={"VALUE": "URI"})


def _add_organiser(entry: icalendar.Event, organiser: Sender) -> None:
    address = icalendar.vCalAddress(f"mailto:{organiser.address}")
    address.params["CN"] = _line(organiser.name)
    entry.add("organizer", address)


def _line(text: str) -> str:
    return _UNSEEN.sub("", _BREAKS.sub(" ", text))


class _Text(icalendar.vText):
    """A text as RFC 5545, 3.3.11 escapes it; the library takes a backslash before N for a line break."""

    def to_ical(self) -> bytes:
        return re.sub(r"([\\;,])", r"\\\1", str(self)).replace("\n", "\\n").encode()
