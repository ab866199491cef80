"""`campaigns/events.yaml`: the group's calendar, wall times and zones kept as written."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from mlgroup_mail.content.wall_time import WallTime, parse_wall_time
from mlgroup_mail.documents import Document, read_text, validate
from mlgroup_mail.errors import CampaignError
from mlgroup_mail.settings.project import Project

EVENTS_FILE = "events.yaml"
PLACE = f"campaigns/{EVENTS_FILE}"

Moment = WallTime | date
"""A wall time in its zone, or a whole day where no hour is known."""


def _moment(value: object) -> Moment:
    text = str(value).strip()
    try:
        return date.fromisoformat(text)
    except ValueError:
        return parse_wall_time(text)


def _web_link(value: str) -> str:
    parts = urlsplit(value)
    if value and (parts.scheme not in ("https", "http") or not parts.hostname):
        raise ValueError("must be a web address that begins with https://")
    return value


Written = Annotated[Any, BeforeValidator(_moment)]


class _Entry(Document):
    """One event of the file."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    title: str = Field(min_length=1)
    start: Written
    end: Written = None
    place: str = ""
    link: Annotated[str, AfterValidator(_web_link)] = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """Something that happens at a time, as the calendar has it."""

    id: str
    title: str
    start: Moment
    end: Moment | None = None
    place: str = ""
    link: str = ""

    def as_written(self) -> dict[str, str]:
        """The event as plain texts, which `event_from` reads back."""
        end = "" if self.end is None else str(self.end)
        return {
            "id": self.id,
            "title": self.title,
            "start": str(self.start),
            "end": end,
            "place": self.place,
            "link": self.link,
        }


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


def event_from(written: Mapping[str, str]) -> Event:
    """An event from its texts; raises pydantic's ValidationError where they are none."""
    entry = _Entry.model_validate({key: value for key, value in written.items() if value})
    return Event(id=entry.id, title=entry.title, start=entry.start, end=entry.end, place=entry.place, link=entry.link)


def read_events(project: Project) -> Calendar:
    """Read the calendar; empty where there is no file. Raises CampaignError naming line, key and mend."""
    path = project.campaigns / EVENTS_FILE
    if not path.is_file():
        return Calendar({})
    events: dict[str, Event] = {}
    for line, written in _entries(read_text(path, refusal=CampaignError)):
        where = f"{PLACE}, line {line}"
        validate(_Entry, written, where=where, refusal=CampaignError)
        event = event_from(written)
        if event.id in events:
            raise CampaignError(f"two events are called “{event.id}”", where=where, mend="Give each an id of its own.")
        if event.end is not None and _day_and_hour(event.end) < _day_and_hour(event.start):
            raise CampaignError("the event ends before it starts", where=where, mend="Mend its start or its end.")
        events[event.id] = event
    return Calendar(events)


def _day_and_hour(moment: Moment) -> tuple[date, str]:
    if isinstance(moment, WallTime):
        return moment.local.date(), moment.utc.isoformat()
    return moment, ""


def _entries(text: str) -> list[tuple[int, dict[str, str]]]:
    """Each event with its line. Every scalar stays text: YAML's own dates have no room for a zone."""
    import yaml

    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise CampaignError(
            f"this is not valid YAML: {error.problem or error.context}",
            where=f"{PLACE}, line {mark.line + 1}" if mark else PLACE,
            mend="See the events above it for the form.",
        ) from None
    except yaml.YAMLError as error:
        raise CampaignError(f"this is not valid YAML: {error}", where=PLACE) from None
    if root is None or (isinstance(root, yaml.ScalarNode) and not root.value):
        return []
    if not isinstance(root, yaml.SequenceNode):
        raise CampaignError("the calendar is not a list", where=PLACE, mend="Begin each event with “- id: ...”.")
    return [_entry(node) for node in root.value]


def _entry(node: Any) -> tuple[int, dict[str, str]]:
    import yaml

    line = node.start_mark.line + 1
    if not isinstance(node, yaml.MappingNode):
        raise CampaignError(
            "this event has no keys", where=f"{PLACE}, line {line}", mend="Write “- id: ...” and below it “title: ...”."
        )
    entry = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode) or not isinstance(value, yaml.ScalarNode):
            raise CampaignError(
                "a key of an event holds one text, not a list or a table",
                where=f"{PLACE}, line {key.start_mark.line + 1}",
            )
        entry[key.value] = value.value
    return line, entry
