"""`campaigns/events.yaml`: the group's calendar, wall times and zones kept as written."""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from mlgroup_mail.content.calendar.translated_words import Translations, joined, words_for
from mlgroup_mail.content.calendar.wall_time import WallTime
from mlgroup_mail.errors import CampaignError

EVENTS_FILE = "events.yaml"
PLACE = f"campaigns/{EVENTS_FILE}"

_NOT_WRITTEN = frozenset({"translations", "reader_offsets"})

Moment = WallTime | date
"""A wall time in its zone, or a whole day where no hour is known."""


class EventStatus(StrEnum):
    """Whether an event takes place (RFC 5545, 3.8.1.11)."""

    CONFIRMED = "confirmed"
    """It takes place as written."""
    TENTATIVE = "tentative"
    """Its time or place may still change."""
    CANCELLED = "cancelled"
    """It does not take place; calendars that have it are told."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """Something that happens at a time, as the calendar has it.

    `start` and `end` are both wall times or both days; an `end` that is a day is the last one. `joining_link` is for
    members' eyes, `link` for anybody's. `translations` are its words in other languages. `reader_offsets` are the
    minutes between UTC and one reader's clock at start and end, where that clock is known and shows something else
    than the organiser's.
    """

    id: str
    title: str
    start: Moment
    end: Moment | None = None
    place: str = ""
    link: str = ""
    joining_link: str = ""
    description: str = ""
    status: EventStatus = EventStatus.CONFIRMED
    translations: Translations = field(default_factory=dict, hash=False)
    reader_offsets: tuple[int, int] | None = None

    @property
    def hours(self) -> tuple[datetime, datetime] | None:
        """Start and end on the organiser's clock; twice the start where no end is known, None for whole days."""
        if not isinstance(self.start, WallTime):
            return None
        start = self.start.aware
        return start, self.end.utc.astimezone(start.tzinfo) if isinstance(self.end, WallTime) else start

    @property
    def zone(self) -> str:
        """The zone in which it starts, whose clock is the organiser's; "" for whole days."""
        return self.start.zone if isinstance(self.start, WallTime) else ""

    @property
    def days(self) -> tuple[date, date]:
        """Its first and its last day, where it starts."""
        if self.hours:
            return self.hours[0].date(), self.hours[1].date()
        return _day(self.start), _day(self.start if self.end is None else self.end)

    def as_written(self) -> dict[str, str]:
        """The event as plain texts, which `event_from` reads back; what is not said is left out."""
        written = {entry.name: getattr(self, entry.name) for entry in fields(self) if entry.name not in _NOT_WRITTEN}
        return {name: str(value) for name, value in written.items() if value} | joined(self.translations)

    def in_language(self, language: str) -> "Event":
        """The event in the words of a language (a BCP 47 tag), those that are not translated as they are written."""
        words: Mapping[str, Any] = words_for(language, self.translations)
        return replace(self, **words, translations={})

    def for_everybody(self) -> "Event":
        """The event, in the words it has, without what only members may see."""
        if not self.joining_link:
            return self
        # People write the link into the description too.
        told = {name: getattr(self, name).replace(self.joining_link, "") for name in ("title", "place", "description")}
        link = "" if self.link == self.joining_link else self.link
        return replace(self, joining_link="", link=link, translations={}, **told)


class Calendar(Mapping[str, Event]):
    """The events by id, in the order of their start: `events["webinar-2021"].title` in a text."""

    def __init__(self, events: Mapping[str, Event]) -> None:
        self._events = dict(sorted(events.items(), key=lambda item: _day_and_hour(item[1].start)))

    def __getitem__(self, key: str) -> Event:
        return self._events[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._events)

    def __len__(self) -> int:
        return len(self._events)

    def named(self, event_id: str, *, where: str) -> Event:
        """The event of that id; raises CampaignError, at the place `where` it is named, listing the known ones."""
        if event_id in self:
            return self[event_id]
        near = difflib.get_close_matches(event_id, self, n=1)
        hint = f"Did you mean “{near[0]}”? " if near else ""
        known = f"Known events: {', '.join(self)}." if self else f"Write it into {PLACE}."
        raise CampaignError(f"there is no event “{event_id}” in the calendar", where=where, mend=hint + known)


def _day(moment: Moment) -> date:
    return moment.local.date() if isinstance(moment, WallTime) else moment


def _day_and_hour(moment: Moment) -> tuple[date, str]:
    return _day(moment), moment.utc.isoformat() if isinstance(moment, WallTime) else ""
