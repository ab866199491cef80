"""Reading `campaigns/events.yaml`: every slip is named with its line."""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ValidationError, ValidationInfo, field_validator

from mlgroup_mail.content.calendar.events import EVENTS_FILE, PLACE, Calendar, Event, EventStatus, Moment
from mlgroup_mail.content.calendar.translated_words import TranslatedKeyError, parted
from mlgroup_mail.content.calendar.wall_time import WallTime, parse_wall_time, refuse_far_years
from mlgroup_mail.content.calendar.yaml_slips import yaml_slip
from mlgroup_mail.documents import Document, FilledLine, Line, matching, read_text, validate, web_address
from mlgroup_mail.errors import CampaignError, Collected
from mlgroup_mail.settings.project import Project

_HOUR = re.compile(r"\d\d?:\d\d")


def event_from(written: Mapping[str, str]) -> Event:
    """An event from its texts; raises pydantic's ValidationError, or TranslatedKeyError, where they are none."""
    own, translations = parted(written)
    entry = _Entry.model_validate({key: value for key, value in own.items() if value})
    return Event(**{name: getattr(entry, name) for name in _Entry.model_fields}, translations=translations)


def read_events(project: Project) -> Calendar:
    """Read the calendar; empty where there is no file. Raises CampaignError naming line, key and mend."""
    path = project.campaigns / EVENTS_FILE
    if not path.is_file():
        return Calendar({})
    return _calendar(read_text(path, refusal=CampaignError))


@functools.lru_cache(maxsize=2)
def _calendar(text: str) -> Calendar:
    """The calendar that a file's text is: every mailing asks for the same one."""
    events: dict[str, Event] = {}
    problems = Collected()
    for node in _nodes(text):
        with problems:
            entry = _entry(node)
            event = _event(entry)
            if event.id in events:
                raise CampaignError(
                    f"two events are called “{event.id}”", where=entry.where("id"), mend="Give each an id of its own."
                )
            events[event.id] = event
    problems.refuse()
    return Calendar(events)


def _event(entry: "_Written") -> Event:
    try:
        return event_from(entry.values)
    except TranslatedKeyError as error:
        raise CampaignError(str(error), where=entry.where(error.key), mend=error.mend) from None
    except ValidationError:
        own, _ = parted(entry.values)
        validate(_Entry, own, where=lambda keys: entry.where(str(keys[0]) if keys else ""), refusal=CampaignError)
        raise


def _moment(value: object) -> Moment | None:
    if value is None:
        return None
    text = str(value).strip()
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return parse_wall_time(text)
    refuse_far_years(day)
    return day


Written = Annotated[Any, BeforeValidator(_moment)]
Link = Annotated[str, AfterValidator(web_address)]


class _Entry(Document):
    """One event of the file."""

    id: Annotated[str, matching(r"[a-z0-9][a-z0-9-]*", "is made of small letters, digits and “-”")]
    title: FilledLine
    start: Written
    end: Written = None
    place: Line = ""
    link: Link = ""
    joining_link: Link = ""
    description: str = ""
    status: EventStatus = EventStatus.CONFIRMED

    @field_validator("end", mode="before")
    @classmethod
    def _hour_of_the_same_day(cls, value: object, info: ValidationInfo) -> object:
        """“15:30” as the end means that hour of the day on which the event starts, where it starts."""
        if not _HOUR.fullmatch(text := str(value).strip()):
            return value
        if "start" not in info.data:
            return None  # What is wrong with the start says it all.
        start = info.data["start"]
        if not isinstance(start, WallTime):
            raise ValueError("the event has an hour at its end and none at its start")
        return f"{start.local.date()} {text:0>5} {start.zone}"

    @field_validator("end", mode="after")
    @classmethod
    def _after_the_start(cls, end: Moment | None, info: ValidationInfo) -> Moment | None:
        start = info.data.get("start")
        if end is None or start is None:
            return end
        if isinstance(end, WallTime) != isinstance(start, WallTime):
            raise ValueError("start and end need an hour both, or none")
        if _order(end) < _order(start):
            raise ValueError("the event ends before it starts")
        if isinstance(end, WallTime) and end.utc == start.utc:
            raise ValueError("the event ends when it starts: leave the end out where it is not known")
        return end


def _order(moment: Moment) -> str:
    return moment.utc.isoformat() if isinstance(moment, WallTime) else moment.isoformat()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Written:
    """An event as it stands in the file: its texts, and the line of each key."""

    line: int
    values: dict[str, str]
    lines: dict[str, int]

    def where(self, key: str) -> str:
        """File and line of a key; of the event where it has none of that name."""
        return f"{PLACE}, line {self.lines.get(key, self.line)}"


def _nodes(text: str) -> list[Any]:
    """Each event of the file as YAML has it. Every scalar stays text: YAML's own dates have no room for a zone."""
    import yaml

    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise yaml_slip(error, place=PLACE) from None
    if root is None or (isinstance(root, yaml.ScalarNode) and not root.value):
        return []
    if not isinstance(root, yaml.SequenceNode):
        raise CampaignError("the calendar is not a list", where=PLACE, mend="Begin each event with “- id: ...”.")
    return list(root.value)


def _entry(node: Any) -> _Written:
    import yaml

    line = node.start_mark.line + 1
    if not isinstance(node, yaml.MappingNode):
        raise CampaignError(
            "this event has no keys", where=f"{PLACE}, line {line}", mend="Write “- id: ...” and below it “title: ...”."
        )
    entry = _Written(line=line, values={}, lines={})
    for key, value in node.value:
        where = f"{PLACE}, line {key.start_mark.line + 1}"
        if not isinstance(key, yaml.ScalarNode) or not isinstance(value, yaml.ScalarNode):
            raise CampaignError("a key of an event holds one text, not a list or a table", where=where)
        if re.search("[\ud800-\udfff]", value.value):
            raise CampaignError("this text holds half a character", where=where, mend="Write it anew.")
        if key.value in entry.values:
            raise CampaignError(f"the key “{key.value}” stands twice in this event", where=where, mend="Keep one.")
        entry.values[key.value] = value.value
        entry.lines[key.value] = key.start_mark.line + 1
    return entry
