"""Blocks `event` and `events`: what the calendar has, by id."""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from mlgroup_mail.content.calendar.events import Calendar, Event
from mlgroup_mail.content.writing.blocks.keys import filled, flow
from mlgroup_mail.content.writing.blocks.pieces import Fence
from mlgroup_mail.content.writing.markdown import value_back
from mlgroup_mail.content.writing.text_lines import TextLines
from mlgroup_mail.content.writing.words import Words
from mlgroup_mail.errors import CampaignError

_EXAMPLE = "the id of an event of campaigns/events.yaml"
_SEVERAL = re.compile(r"[a-z0-9]+(-[a-z0-9]+)+")
"""An id of several words; of one word, only the id itself is taken for one."""
_NEAR = 0.8


@dataclass(frozen=True, kw_only=True, slots=True)
class Diary:
    """What blocks know of dates: the calendar, and the day on which the mail goes out."""

    events: Calendar
    today: date


@dataclass(frozen=True, kw_only=True, slots=True)
class OneEvent:
    """An event and what its author says of it beyond the calendar."""

    event: Event
    details: Words


@dataclass(frozen=True, kw_only=True, slots=True)
class Events:
    """Several events, in the order of their start where the calendar was asked as a whole."""

    events: tuple[Event, ...]


def read_event(fence: Fence, diary: Diary) -> OneEvent:
    """Read an id, and the details below it. Raises CampaignError for an id that the calendar lacks."""
    lines = filled(fence, _EXAMPLE)
    event = event_named(diary.events, lines.part(0, 1))
    return OneEvent(event=event, details=flow(fence, lines.part(1).without_blank_ends()))


def read_events(fence: Fence, diary: Diary) -> Events:
    """Read ids, one a line; none stands for all events from the sending day on.

    Raises CampaignError for an id that the calendar lacks, and where nothing is to come.
    """
    lines = fence.lines.without_blank_ends()
    named = [lines.part(index, index + 1) for index, line in enumerate(lines.lines) if line.strip()]
    if named:
        return Events(events=tuple(event_named(diary.events, line) for line in named))
    to_come = tuple(event for event in diary.events.values() if event.days[1] >= diary.today)
    if not to_come:
        raise CampaignError(
            "the calendar has no event on the sending day or later",
            where=fence.where,
            mend="Write the next ones into campaigns/events.yaml, or take the block out.",
        )
    return Events(events=to_come)


def refuse_further_events(calendar: Calendar, said: Mapping[str, str]) -> None:
    """Raise CampaignError where a block `event` names another one too, or nearly does: it would show the id as text.

    `said` are the lines that follow the id, each with its place.
    """
    for line, where in said.items():
        several = _SEVERAL.fullmatch(line) and difflib.get_close_matches(line, calendar, n=1, cutoff=_NEAR)
        if line in calendar or several:
            raise CampaignError(
                f"“{line}” reads as a second event, and a block “event” shows one",
                where=where,
                mend="Write ```events for several, one id a line, or a block of its own for each.",
            )


def event_named(events: Calendar, line: TextLines) -> Event:
    """The event whose id a line is; raises CampaignError with the nearest one."""
    return events.named(id_in(line.text), where=line.where(0))


def id_in(line: str) -> str:
    """The id that a line is, as an entry of a list too."""
    return value_back(line.strip().removeprefix("- ").strip())
