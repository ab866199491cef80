"""What approved mailings have said of events: how often that changed, and what a reader may remember otherwise."""

import json
import logging
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationError

from mlgroup_mail.content.calendar.events import Event
from mlgroup_mail.content.calendar.events_file import event_from
from mlgroup_mail.content.calendar.translated_words import TranslatedKeyError
from mlgroup_mail.content.frozen import FrozenSource
from mlgroup_mail.model.mailing import MailingRef

log = logging.getLogger(__name__)

_FACTS: dict[str, Callable[[Event], str]] = {
    "time": lambda event: " to ".join(str(moment) for moment in (event.start, event.end) if moment is not None),
    "place": lambda event: event.place,
    "title": lambda event: event.title,
    "status": lambda event: event.status,
}
_FURTHER: tuple[Callable[[Event], str], ...] = (
    lambda event: event.joining_link,
    lambda event: event.link,
    lambda event: event.description,
)
"""What readers plan by, and what it is called."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Announcement:
    """What one approved mailing says of events.

    `invites_to` is the id of the one whose calendar part it carries ("" for none), `sequence` that part's SEQUENCE.
    `events` are those that can still be read. `last_attempt` is the number of the newest try to hand it over, which
    goes up over all mailings, and `at` its time, UTC; 0 and its `send_at` where nothing of it has gone out.
    `withdrawn` tells that the mailing was cancelled before anybody could get it.
    """

    ref: MailingRef
    send_at: datetime
    at: datetime
    invites_to: str
    sequence: int
    events: dict[str, Event]
    last_attempt: int = 0
    withdrawn: bool = False

    @property
    def order(self) -> tuple[bool, int, datetime, MailingRef]:
        """Sorts announcements as readers get them: what has gone out, then what is still to go."""
        return (not self.last_attempt, self.last_attempt, self.send_at, self.ref)


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangedEvent:
    """An event of which an earlier mailing said something else: `facts` are what ("time", "place" ...) and how then."""

    event: Event
    facts: dict[str, str]
    announced_by: MailingRef
    announced_at: datetime


def read_announcement(
    source: str, ref: MailingRef, *, send_at: datetime, last_attempt: tuple[int, datetime] | None, cancelled: bool
) -> Announcement:
    """Read it from an approved source as the ledger has it (`FrozenSource.to_json`), with its newest attempt.

    An old approval may have an event that is none any more: it is left out, so that it stands in nobody's way.
    """
    data = json.loads(source)
    number, at = last_attempt or (0, send_at)
    events: dict[str, Event] = {}
    for name, written in data.get("events", {}).items():
        try:
            events[name] = event_from(written)
        except (ValidationError, TranslatedKeyError):
            log.warning("%s: what it said of the event %s cannot be read any more, and is left out", ref, name)
    return Announcement(
        ref=ref,
        send_at=send_at,
        invites_to=data.get("event", ""),
        sequence=data.get("event_sequence", 0),
        events=events,
        last_attempt=number,
        at=at,
        withdrawn=cancelled and not number,
    )


def sequence_of(event: Event, announced: Iterable[Announcement]) -> int:
    """The SEQUENCE of an event's calendar part, after those of other mailings (RFC 5545, 3.8.7.4).

    It stays while the event stays, so that a mailing frozen again gets the same number, and goes up with every change.
    """
    others = [each for each in announced if each.invites_to == event.id]
    if not others:
        return 0
    # Every number was given after all lower ones, and only to one form of the event.
    last = max(others, key=lambda each: each.sequence)
    said = last.events.get(event.id)
    # What cannot be read any more counts as another form: a number too high is harmless, one too low is passed over.
    return last.sequence + (said is None or _in_calendars(said) != _in_calendars(event))


def changed_events(source: FrozenSource, announced: Iterable[Announcement]) -> Iterator[ChangedEvent]:
    """The events of a source of which the last mailing before it said something else.

    What has gone out comes before it, in the order in which it went, whatever was planned; so does what is due earlier.
    """
    before = [each for each in announced if not each.withdrawn and (each.last_attempt or each.send_at < source.send_at)]
    for name, written in source.events.items():
        mentions = [each for each in before if name in each.events]
        if not mentions:
            continue
        event, last = event_from(written), max(mentions, key=lambda each: each.order)
        earlier = last.events[name]
        facts = {fact: of(earlier) for fact, of in _FACTS.items() if _one_form(of(event)) != _one_form(of(earlier))}
        if facts:
            yield ChangedEvent(event=event, facts=facts, announced_by=last.ref, announced_at=last.at)


def _in_calendars(event: Event) -> list[str]:
    """What a calendar that has the event must be told of when it changes."""
    return [_one_form(text) for text in (of(event) for of in (*_FACTS.values(), *_FURTHER))]


def _one_form(text: str) -> str:
    # What was approved is kept in Unicode's form NFC, whatever an editor wrote.
    return unicodedata.normalize("NFC", text)
