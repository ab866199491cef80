"""The calendar part of an invitation, read back by programs that have nothing to do with the one that wrote it."""

import io
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
import vobject
from dateutil.tz import tzical
from hypothesis import given
from hypothesis import strategies as st
from ical.calendar_stream import IcsCalendarStream
from ical.event import Event as IcalEvent

from mlgroup_mail.content.announced import Announcement, sequence_of
from mlgroup_mail.content.calendar.calendar_object import published
from mlgroup_mail.content.calendar.events import Event, EventStatus
from mlgroup_mail.content.calendar.events_file import event_from
from mlgroup_mail.content.calendar.wall_time import WallTime, parse_wall_time
from mlgroup_mail.content.compiling.calendar_part import calendar_part
from mlgroup_mail.content.compiling.compiled import compile_message
from mlgroup_mail.errors import CampaignError
from mlgroup_mail.model.message import Sender
from mlgroup_mail.settings.project import Project
from mlgroup_mail.zones import zone_named
from tests.content.calendar.clock_changes import ZONES, clock_changes
from tests.content.projects import FRONT, frozen

SENDER = Sender(name="Machine Learning Group", address="newsletter@example.org")
SENT = datetime(2021, 10, 20, 8, tzinfo=UTC)


def event(start: str, end: str = "", **more: str) -> Event:
    return event_from({"id": "meeting", "title": "All-group meeting", "start": start, "end": end, **more})


MEETING = event(
    "2021-10-27 14:00 Europe/London",
    "15:30",
    place="Online",
    link="https://example.org/october",
    joining_link="https://meet.example.org/j/1?pwd=2",
)


def written(of: Event, *, sequence: int = 0, sender: Sender = SENDER) -> str:
    return published(of, domain="ml-group.example.org", sequence=sequence, organiser=sender, at=SENT)


def by_vobject(text: str) -> Any:
    # It remembers zones of other calendars by their name.
    vars(vobject.icalendar)["__tzidMap"].clear()
    return vobject.readOne(text).vevent


def by_ical(text: str) -> IcalEvent:
    [found] = IcsCalendarStream.calendar_from_ics(text).events
    return found


def unfolded(text: str) -> list[str]:
    return text.replace("\r\n ", "").split("\r\n")


def test_it_is_published_with_what_a_calendar_needs_and_asks_nobody_for_an_answer() -> None:
    lines = unfolded(written(MEETING, sequence=3))
    assert {
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "METHOD:PUBLISH",
        "UID:meeting@ml-group.example.org",
        "SEQUENCE:3",
        "DTSTAMP:20211020T080000Z",
        "DTSTART;TZID=Europe/London:20211027T140000",
        "DTEND;TZID=Europe/London:20211027T153000",
        "SUMMARY:All-group meeting",
        "LOCATION:Online",
        "URL:https://example.org/october",
        "CONFERENCE;VALUE=URI:https://meet.example.org/j/1?pwd=2",
        'ORGANIZER;CN="Machine Learning Group":mailto:newsletter@example.org',
        "STATUS:CONFIRMED",
        "TRANSP:OPAQUE",
        "CLASS:PRIVATE",
    } <= set(lines)
    assert not any(line.startswith(("ATTENDEE", "BEGIN:VALARM")) for line in lines)


CALENDAR = """\
- id: meeting
  title: Meeting
  start: 2021-12-01 14:00 Europe/London
  joining_link: https://meet.example.org/j/1
  description: "Join at https://meet.example.org/j/1 please"
"""


@pytest.mark.parametrize(
    ("status", "public", "kept", "reach"),
    [
        ("confirmed", False, True, "PRIVATE"),
        ("confirmed", True, False, "PUBLIC"),
        ("cancelled", False, False, "PUBLIC"),
    ],
)
def test_a_joining_link_is_kept_private_and_gone_once_the_event_is_cancelled(
    project: Project, status: str, public: bool, kept: bool, reach: str
) -> None:
    (project.campaigns / "events.yaml").write_text(f"{CALENDAR}  status: {status}\n", encoding="utf-8")
    front = FRONT.replace("[[mailing]]", 'event = "meeting"\n\n[[mailing]]')
    part = calendar_part(frozen(project, front=front), "en", public=public)
    assert ("meet.example.org" in "".join(unfolded(part))) is kept
    assert ("CONFERENCE" in part) is kept
    assert f"CLASS:{reach}" in unfolded(part)


def test_the_same_event_gives_the_same_bytes() -> None:
    assert written(MEETING) == written(replace(MEETING))


def test_outlook_finds_one_winter_and_one_summer_clock_with_a_yearly_rule() -> None:
    """It reads nothing else of a VTIMEZONE (MS-OXCICAL, 2.1.3.1.1.19)."""
    lines = unfolded(written(MEETING))
    assert lines.count("BEGIN:STANDARD") == lines.count("BEGIN:DAYLIGHT") == 1
    assert "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3" in lines
    assert "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10" in lines
    new_york = unfolded(written(event("2021-10-27 14:00 America/New_York")))
    assert "RRULE:FREQ=YEARLY;BYDAY=2SU;BYMONTH=3" in new_york
    assert "RRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=11" in new_york


def test_all_mails_of_a_zone_define_it_in_the_same_words() -> None:
    """Programs keep what they have read of a zone under its name."""
    first, second = (
        re.search("BEGIN:VTIMEZONE.*END:VTIMEZONE", written(event(start)), re.DOTALL)
        for start in ("2021-10-27 14:00 Europe/London", "2026-02-03 09:00 Europe/London")
    )
    assert first is not None
    assert second is not None
    assert first[0] == second[0]


def test_an_offset_and_utc_are_written_in_utc() -> None:
    for start in ("2021-10-27 14:00 +01:00", "2021-10-27 13:00 UTC"):
        text = written(event(start, "2021-10-27 14:30 UTC"))
        assert "DTSTART:20211027T130000Z" in text
        assert "DTEND:20211027T143000Z" in text
        assert "VTIMEZONE" not in text


def test_an_event_without_an_end_has_none_made_up() -> None:
    text = written(event("2021-10-27 14:00 Europe/London"))
    assert "DTEND" not in text
    assert "DURATION" not in text


@pytest.mark.parametrize(("end", "behind"), [("", date(2021, 10, 28)), ("2021-10-29", date(2021, 10, 30))])
def test_whole_days_end_before_the_day_behind_the_last_and_take_no_time(end: str, behind: date) -> None:
    text = written(event("2021-10-27", end))
    assert "DTSTART;VALUE=DATE:20211027" in text
    assert "TRANSP:TRANSPARENT" in text
    for found in (by_ical(text).dtend, by_vobject(text).dtend.value):
        assert found == behind


def test_start_and_end_may_lie_in_two_zones() -> None:
    text = written(event("2021-10-27 14:00 Europe/London", "2021-10-27 16:30 Europe/Paris"))
    assert text.count("BEGIN:VTIMEZONE") == 2
    assert by_vobject(text).dtend.value.astimezone(UTC) == datetime(2021, 10, 27, 14, 30, tzinfo=UTC)


def test_a_cancelled_event_frees_the_time() -> None:
    text = written(replace(MEETING, status=EventStatus.CANCELLED), sequence=1)
    assert "STATUS:CANCELLED" in text
    assert "TRANSP:TRANSPARENT" in text
    assert "METHOD:PUBLISH" in text


def _same_on_this_machine(moment: WallTime) -> bool:
    if moment.zone not in available_timezones():
        return True
    return moment.local.replace(tzinfo=ZoneInfo(moment.zone)).astimezone(UTC) == moment.utc


def assert_moments(text: str, of: Event) -> None:
    """What our parsers read is the moment that was written; so is what the VTIMEZONE alone makes of it."""
    expected = [moment.utc for moment in (of.start, of.end) if isinstance(moment, WallTime)]
    seen, other = by_vobject(text), by_ical(text)
    names = ("dtstart", "dtend")[: len(expected)]
    assert [getattr(seen, name).value.astimezone(UTC) for name in names] == expected
    # This parser takes an IANA zone's rules from the machine, which may be years older than the package tzdata.
    if all(_same_on_this_machine(moment) for moment in (of.start, of.end) if isinstance(moment, WallTime)):
        assert [getattr(other, name).astimezone(UTC) for name in names] == expected
    if "VTIMEZONE" in text:
        zones = tzical(io.StringIO(text))
        assert [
            moment.local.replace(tzinfo=zones.get(moment.zone)).astimezone(UTC)
            for moment in (of.start, of.end)
            if isinstance(moment, WallTime)
        ] == expected


@pytest.mark.parametrize("zone", ZONES)
def test_two_parsers_read_the_moment_in_every_zone(zone: str) -> None:
    """In winter and summer of a year, through a night."""
    for month in (1, 4, 7, 10):
        meeting = event(f"2024-{month:02}-15 22:00 {zone}", f"2024-{month:02}-16 06:00 {zone}")
        assert_moments(written(meeting), meeting)


@given(st.data())
def test_two_parsers_read_the_moment_around_every_clock_change(data: st.DataObject) -> None:
    change = data.draw(st.sampled_from(clock_changes()))
    at = change.at.astimezone(zone_named(change.zone)).replace(tzinfo=None)
    start = at + timedelta(minutes=data.draw(st.integers(-3000, 3000)))
    end = start + timedelta(minutes=data.draw(st.integers(1, 4000)))
    try:
        moments = [parse_wall_time(f"{moment:%Y-%m-%d %H:%M} {change.zone}") for moment in (start, end)]
    except ValueError:
        return
    if moments[0].utc < moments[1].utc:
        meeting = event(*map(str, moments))
        assert_moments(written(meeting), meeting)


HOSTILE = st.text(max_size=300) | st.text(alphabet="ab,;:\\\"'nN^\n\r\t =日é\u200f\u202e\u2028\x0b\x85", max_size=200)
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")


def shown(text: str, breaks: str) -> str:
    """What a calendar can show: controls and turned directions are gone, line ends are one kind."""
    text = re.sub("\r\n|[\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029]", breaks, text)
    return _BIDI.sub("", "".join(char for char in text if char in "\t\n" or not _is_control(char)))


def _is_control(char: str) -> bool:
    return ord(char) < 32 or 0x7F <= ord(char) < 0xA0


@given(HOSTILE.filter(str.strip), HOSTILE, HOSTILE)
def test_words_come_back_from_two_parsers_as_they_went_in(title: str, place: str, description: str) -> None:
    """Whatever they hold, they add no line and no property."""
    meeting = replace(MEETING, title=title, place=place, description=description, link="", joining_link="")
    text = written(meeting)
    seen, other = by_vobject(text), by_ical(text)
    expected = {
        "summary": shown(title, " "),
        "location": shown(place, " "),
        "description": shown(description, "\n").strip(),
    }
    for name, words in expected.items():
        assert (getattr(other, name) or "") == words
        assert (getattr(seen, name).value if hasattr(seen, name) else "") == words
    known = {"SUMMARY", "LOCATION", "DESCRIPTION"}
    names = [re.split("[;:]", line)[0] for line in unfolded(text)]
    plain = [re.split("[;:]", line)[0] for line in unfolded(written(MEETING))]
    assert [name for name in names if name not in known] == [
        name for name in plain if name not in {*known, "URL", "CONFERENCE"}
    ]


@given(HOSTILE, HOSTILE.filter(str.strip))
def test_lines_are_short_end_with_crlf_and_are_cut_between_characters(title: str, name: str) -> None:
    """RFC 5545, 3.1: 75 octets without the line end."""
    text = written(replace(MEETING, title=title), sender=Sender(name=name, address="a@example.org"))
    lines = text.encode().split(b"\r\n")
    assert lines[-1] == b""
    assert all(len(line) <= 75 and b"\r" not in line and b"\n" not in line for line in lines)
    for line in lines:
        line.decode()


EVENTS = """\
- id: meeting
  title: All-group meeting
  start: 2021-11-10 14:00 Europe/London
  end: 15:30
  link: https://example.org/november
  joining_link: https://meet.example.org/j/1
"""


def with_event(project: Project) -> None:
    (project.campaigns / "events.yaml").write_text(EVENTS, encoding="utf-8")


def test_a_mail_carries_the_calendar_of_the_event_that_its_front_matter_names(project: Project) -> None:
    with_event(project)
    source = frozen(project, "Come.", front='event = "meeting"\n' + FRONT)
    message = compile_message(source, {})
    assert by_ical(message.calendar).uid == "meeting@ml-group.example.org"
    assert "https://meet.example.org/j/1" in message.calendar
    assert message.calendar == calendar_part(source, "en") == compile_message(source, {}).calendar


def test_a_public_copy_has_no_joining_link(project: Project) -> None:
    """Neither in the calendar, nor where a text prints it."""
    with_event(project)
    text = "Join: {{ campaign.event.joining_link or 'members know where' }}."
    source = frozen(project, text, front='event = "meeting"\n' + FRONT)
    assert "meet.example.org" in compile_message(source, {}).text
    public = compile_message(source, {}, public=True)
    assert "members know where" in public.text
    assert "meet.example.org" not in public.calendar + public.html + public.text
    assert "https://example.org/november" in public.calendar


def test_each_text_and_its_calendar_entry_have_the_words_of_their_language(project: Project) -> None:
    """It is the same entry all the same: one UID, one SEQUENCE."""
    with_event(project)
    file = project.campaigns / "events.yaml"
    plain = frozen(project, "```event\nmeeting\n```", front='event = "meeting"\n' + FRONT)
    file.write_text(
        EVENTS.replace("- id: meeting\n", "- id: meeting\n  title_fr: Réunion générale\n"), encoding="utf-8"
    )
    (project.campaigns / "letter" / "campaign.fr.md").write_text(
        '+++\nsubject = "Nouvelles"\n+++\n```event\nmeeting\n```\n', encoding="utf-8"
    )
    source = frozen(project, "```event\nmeeting\n```", front='event = "meeting"\n' + FRONT)
    english, french = (compile_message(source, {"translation": tag}) for tag in ("", "fr"))
    for form in ("html", "text"):
        assert "Réunion générale" in getattr(french, form)
        assert "Réunion" not in getattr(english, form)
    entries = [by_ical(message.calendar) for message in (english, french)]
    assert entries[1].summary == "Réunion générale"
    assert entries[0].summary != entries[1].summary
    assert (entries[0].uid, entries[0].sequence) == (entries[1].uid, entries[1].sequence)
    said = Announcement(
        ref=source.ref,
        send_at=source.send_at,
        at=source.send_at,
        invites_to="meeting",
        sequence=0,
        events={"meeting": event_from(plain.events["meeting"])},
    )
    assert sequence_of(event_from(source.events["meeting"]), [said]) == 0


def test_a_mailing_may_invite_to_another_event_or_to_none(project: Project) -> None:
    with_event(project)
    assert frozen(project, front='event = "other"\n' + FRONT + 'event = "meeting"\n').event == "meeting"
    none = frozen(project, front='event = "meeting"\n' + FRONT + 'event = ""\n')
    assert none.event == ""
    assert compile_message(none, {}).calendar == ""


@pytest.mark.parametrize(("front", "line"), [('event = "meting"\n' + FRONT, 2), (FRONT + 'event = "meting"\n', 12)])
def test_an_unknown_event_is_named_with_its_line_and_the_nearest_one(project: Project, front: str, line: int) -> None:
    with_event(project)
    with pytest.raises(CampaignError, match="there is no event “meting”") as refused:
        frozen(project, front=front)
    assert refused.value.problem.where == f"campaigns/letter/campaign.md, line {line}"
    assert "Did you mean “meeting”?" in refused.value.problem.mend
