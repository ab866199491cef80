"""Reading `campaigns/events.yaml`: every slip is named with its line."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, ValidationInfo, field_validator

from mlgroup_mail.content.calendar.events import EVENTS_FILE, PLACE, Calendar, Event, EventStatus, Moment
from mlgroup_mail.content.calendar.wall_time import WallTime, parse_wall_time, refuse_far_years
from mlgroup_mail.content.campaigns.campaign_file import Line
from mlgroup_mail.documents import Document, read_text, validate
from mlgroup_mail.errors import CampaignError
from mlgroup_mail.settings.project import Project

_HOUR = re.compile(r"\d\d?:\d\d")


def event_from(written: Mapping[str, str]) -> Event:
    """An event from its texts; raises pydantic's ValidationError where they are none."""
    entry = _Entry.model_validate({key: value for key, value in written.items() if value})
    return Event(**{name: getattr(entry, name) for name in _Entry.model_fields})


def read_events(project: Project) -> Calendar:
    """Read the calendar; empty where there is no file. Raises CampaignError naming line, key and mend."""
    path = project.campaigns / EVENTS_FILE
    if not path.is_file():
        return Calendar({})
    events: dict[str, Event] = {}
    for entry in _entries(read_text(path, refusal=CampaignError)):
        try:
            event = event_from(entry.values)
        except ValidationError as error:
            key = str(error.errors()[0]["loc"][0])
            validate(_Entry, entry.values, where=entry.where(key), refusal=CampaignError)
            raise
        if event.id in events:
            where = entry.where("id")
            raise CampaignError(f"two events are called “{event.id}”", where=where, mend="Give each an id of its own.")
        events[event.id] = event
    return Calendar(events)


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


def _web_link(value: str) -> str:
    try:
        parts = urlsplit(value)
        complete = parts.scheme in ("https", "http") and bool(parts.hostname)
    except ValueError:
        complete = False
    if value and (not complete or re.search(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029]", value)):
        raise ValueError("must be a web address that begins with https://")
    return value


Written = Annotated[Any, BeforeValidator(_moment)]
Link = Annotated[str, AfterValidator(_web_link)]


class _Entry(Document):
    """One event of the file."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    title: Annotated[Line, Field(min_length=1)]
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
        if not _HOUR.fullmatch(text := str(value).strip()) or "start" not in info.data:
            return value
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


def _entries(text: str) -> list[_Written]:
    """Each event of the file. Every scalar stays text: YAML's own dates have no room for a zone."""
    import yaml

    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise CampaignError(
            f"this is not valid YAML: {error.problem or error.context}",
            where=f"{PLACE}, line {mark.line + 1}" if mark else PLACE,
            mend="See the events above it for the form; a text with “: ” or “ #” in it stands in quotes.",
        ) from None
    except yaml.YAMLError as error:
        raise CampaignError(f"this is not valid YAML: {error}", where=PLACE) from None
    if root is None or (isinstance(root, yaml.ScalarNode) and not root.value):
        return []
    if not isinstance(root, yaml.SequenceNode):
        raise CampaignError("the calendar is not a list", where=PLACE, mend="Begin each event with “- id: ...”.")
    return [_entry(node) for node in root.value]


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
