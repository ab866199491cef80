"""The iCalendar object that goes with an invitation."""

from mlgroup_mail.content.calendar.events import EventStatus
from mlgroup_mail.content.calendar.events_file import event_from
from mlgroup_mail.content.frozen import FrozenSource


def calendar_part(source: FrozenSource, language: str, *, public: bool = False) -> str:
    """The calendar of the event that the mail invites to; "" where it invites to none. Lines end with CRLF.

    Its words are those of the text's `language`. The same source gives the same text. A `public` copy has no joining
    link, and nobody can join an event that was cancelled.
    """
    if not source.event:
        return ""
    from mlgroup_mail.content.calendar.calendar_object import published

    event = event_from(source.events[source.event]).in_language(language)
    return published(
        event.for_everybody() if public or event.status is EventStatus.CANCELLED else event,
        domain=source.group["list_id"],
        sequence=source.event_sequence,
        organiser=source.sender,
        at=source.send_at,
    )
