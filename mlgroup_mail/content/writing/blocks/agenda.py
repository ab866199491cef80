"""Blocks `agenda`: times and what happens at them."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import chain

from mlgroup_mail.content.calendar.events import Event
from mlgroup_mail.content.calendar.wall_time import WallTime
from mlgroup_mail.content.writing.blocks.event import Diary, event_named
from mlgroup_mail.content.writing.blocks.keys import filled
from mlgroup_mail.content.writing.blocks.pieces import Fence
from mlgroup_mail.content.writing.markdown import value_back
from mlgroup_mail.content.writing.text_lines import TextLines
from mlgroup_mail.content.writing.words import Words
from mlgroup_mail.errors import CampaignError

_EXAMPLE = "a line such as “13:00-13:30 Welcome”"
# A value's blanks and marks are entities (`value_in_markdown`).
_TIME = r"\d{1,2}(?:[:.]|&#58;|&#46;)\d\d"
_BLANK = r"(?:\s|&#32;)"
_ITEM = re.compile(
    rf"(?P<start>{_TIME})(?:{_BLANK}*(?:[-–]|&#45;){_BLANK}*(?P<end>{_TIME}))?(?:{_BLANK}+(?P<title>.*))?"
)
_BAR = re.compile(r"(?:^|\s+)\|\s*")
_EVENT = re.compile(r"event\s*:\s*(?P<id>.*)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """One line of an agenda, and what stands below it (a speaker, a remark)."""

    start: WallTime
    end: WallTime | None
    title: Words
    details: tuple[Words, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Agenda:
    """What happens when; `event` is the one it belongs to, whose zone its times are in."""

    event: Event | None
    items: tuple[Item, ...]


def read_agenda(fence: Fence, diary: Diary) -> Agenda:
    """Read `13:00 Title` or `13:00-13:30 Title` lines, each with its details behind “|” or below it, indented.

    A first line `event: ID` names the event: the times are in its zone then and must lie within it. Raises
    CampaignError for a line without a time, a time that does not exist, and one outside the event.
    """
    lines = filled(fence, _EXAMPLE)
    event = None
    if (name := event_of(lines.lines[0])) is not None:
        event = event_named(diary.events, TextLines(place=lines.place, lines=(name,), numbers=lines.numbers[:1]))
        lines = lines.part(1)
    items: list[tuple[TextLines, list[TextLines]]] = []
    for index, line in enumerate(lines.lines):
        only = lines.part(index, index + 1)
        if not line.strip():
            continue
        if line.startswith((" ", "\t", "|")) and items:
            items[-1][1].append(only)
        else:
            items.append((only, []))
    if not items:
        raise CampaignError("the agenda names its event only", where=fence.where, mend=f"Write {_EXAMPLE} below it.")
    return Agenda(event=event, items=tuple(_item(fence, line, below, event, diary) for line, below in items))


def event_of(line: str) -> str | None:
    """The id in an agenda's line “event: ID”; None for any other line."""
    found = _EVENT.fullmatch(line.strip())
    return found["id"] if found else None


def _item(fence: Fence, line: TextLines, below: list[TextLines], event: Event | None, diary: Diary) -> Item:
    where = line.where(0)
    found = _ITEM.fullmatch(line.text.strip())
    said = _parts(_with_text(line, found["title"] or "")) if found else []
    if found is None or not said:
        raise CampaignError(
            "this line of the agenda has no time" if found is None else "this line of the agenda says nothing",
            where=where,
            mend=f"Write {_EXAMPLE}. What belongs to the line above is indented.",
        )
    start = _moment(found["start"], event, diary, where)
    end = _moment(found["end"], event, diary, where) if found["end"] else None
    _must_fit(start, end, event, where)
    return Item(
        start=start,
        end=end,
        title=fence.writing.line(said[0]),
        details=tuple(fence.writing.line(each) for each in (*said[1:], *chain.from_iterable(map(_parts, below)))),
    )


def _parts(line: TextLines) -> list[TextLines]:
    """What stands between the marks “|” of a line; behind a backslash, or within a word, it is a letter like others."""
    parts = _BAR.split(line.text.strip())
    return [_with_text(line, part) for part in parts if part.strip()]


def _moment(written: str, event: Event | None, diary: Diary, where: str) -> WallTime:
    """A time on the event's day and in its zone; without an event only the clock's face counts."""
    plain = value_back(written).replace(".", ":")
    try:
        clock = time.fromisoformat(plain.zfill(5))
    except ValueError:
        raise CampaignError(
            f"there is no time “{plain}”", where=where, mend="Write hours and minutes from 00:00 to 23:59."
        ) from None
    start = event.start if event else None
    if isinstance(start, WallTime):
        return WallTime(local=datetime.combine(start.local.date(), clock), zone=start.zone)
    return WallTime(local=datetime.combine(start if isinstance(start, date) else diary.today, clock), zone="UTC")


def _must_fit(start: WallTime, end: WallTime | None, event: Event | None, where: str) -> None:
    if end is not None and end.local <= start.local and not _overnight(event):
        raise CampaignError("this line of the agenda ends before it starts", where=where, mend="Mend its times.")
    if event is None or not isinstance(event.start, WallTime) or _overnight(event):
        return
    last = event.end if isinstance(event.end, WallTime) else None
    if start.local < event.start.local or (last and (end or start).local > last.local):
        until = f" to {last.local:%H:%M}" if last else ""
        raise CampaignError(
            f"this line of the agenda lies outside the event, which is from {event.start.local:%H:%M}{until}",
            where=where,
            mend="Mend the time here, or the event's in campaigns/events.yaml.",
        )


def _overnight(event: Event | None) -> bool:
    """Whether an event goes on past midnight: a time alone does not tell its day then."""
    if event is None or not isinstance(event.start, WallTime) or event.end is None:
        return False
    day = event.end.local.date() if isinstance(event.end, WallTime) else event.end
    return day != event.start.local.date()


def _with_text(line: TextLines, text: str) -> TextLines:
    return TextLines(place=line.place, lines=(text,), numbers=line.numbers)
