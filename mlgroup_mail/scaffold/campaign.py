"""`new`: a campaign folder to fill in."""

import difflib
import json
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from mlgroup_mail.contacts.config import read_config
from mlgroup_mail.content.calendar.events import Calendar
from mlgroup_mail.content.calendar.events_file import read_events
from mlgroup_mail.content.campaigns.campaign import ID_MEND, CampaignKind, is_campaign_id, without_campaign_file
from mlgroup_mail.content.word.word_text import WordText
from mlgroup_mail.errors import CampaignError, ConfigurationError, UsageError
from mlgroup_mail.scaffold.from_word import with_word
from mlgroup_mail.scaffold.patterns import filled
from mlgroup_mail.settings.project import Project
from mlgroup_mail.zones import zone_named

TOPICS = {
    CampaignKind.NEWSLETTER: "newsletter",
    CampaignKind.CALL: "calls",
    CampaignKind.INVITATION: "meetings",
    CampaignKind.BOARD_UPDATE: "board",
}
"""The topic that each kind belongs to where the project has it."""

_SENDERS = {CampaignKind.NEWSLETTER: "newsletter"}
_OTHER_SENDER = "coordination"
_AUDIENCES = {CampaignKind.BOARD_UPDATE: "board"}
_OTHER_AUDIENCE = "members"

_OPENS_AT = 9
"""The hour on the wall at which a new campaign's mailings are due, until somebody writes another."""
_CALL_IS_OPEN = timedelta(weeks=6)
_REMINDER_BEFORE = timedelta(days=9)
_LAST_CALL_BEFORE = timedelta(days=2)


def make_campaign(
    project: Project, kind: str, campaign_id: str, *, now: datetime, word: WordText | None = None
) -> list[Path]:
    """Make `campaigns/<campaign_id>/` from the pattern of its kind; returns the files, `campaign.md` first.

    With `word`, title, text and pictures are that document's.

    Raises UsageError, having written nothing, for a kind without a pattern, and for an id that is no name or is taken.
    """
    if kind not in TOPICS:
        near = next((known for known in TOPICS if {*known.split("-")} & {*kind.split("-")}), "") or next(
            iter(difflib.get_close_matches(kind, TOPICS, n=1)), ""
        )
        raise UsageError(
            f"there is no kind “{kind}”",
            mend=f"{f'Did you mean “{near}”? ' if near else ''}Kinds: {', '.join(TOPICS)}.",
        )
    if not is_campaign_id(campaign_id):
        raise UsageError(f"“{campaign_id}” cannot be a campaign's id", mend=ID_MEND)
    folder = project.campaigns / campaign_id
    if folder.exists():
        if lacking := without_campaign_file(project, campaign_id):
            raise UsageError(lacking.message, where=lacking.where, mend=lacking.mend)
        raise UsageError(
            "this campaign exists already", where=str(folder), mend="Choose another id; nothing is ever overwritten."
        )
    pattern = filled(f"campaigns/{kind}", _values(project, CampaignKind(kind), now))
    files = list(with_word(pattern, word) if word else ((path, text.encode()) for path, text in pattern))
    try:
        folder.mkdir(parents=True)
        for path, content in files:
            (folder / path).write_bytes(content)
    except OSError as error:
        raise UsageError(f"the campaign cannot be written: {error.strerror}", where=str(error.filename)) from None
    return [folder / path for path, _ in files]


def _values(project: Project, kind: CampaignKind, now: datetime) -> dict[str, str]:
    zone = project.group.timezone
    first = _on_a_weekday(now.astimezone(zone_named(zone)) + timedelta(days=1))
    deadline = _on_a_weekday(first + _CALL_IS_OPEN)
    times = {
        "send_at": first,
        "reminder_at": _on_a_weekday(deadline - _REMINDER_BEFORE),
        "last_call_at": _on_a_weekday(deadline - _LAST_CALL_BEFORE, earlier=True),
    }
    return {
        "topic": _quoted(_preferred(TOPICS[kind], project.topics)),
        "sender": _quoted(_preferred(_SENDERS.get(kind, _OTHER_SENDER), project.file.sender)),
        "audience": _quoted(_preferred(_AUDIENCES.get(kind, _OTHER_AUDIENCE), list(_segments(project)))),
        "deadline": f"{deadline:%Y-%m-%d}",
        "event": _next_event(project, now),
        **{name: f"{day:%Y-%m-%d} {_OPENS_AT:02}:00 {zone}" for name, day in times.items()},
    }


def _next_event(project: Project, now: datetime) -> str:
    """The setting that names the calendar's next event; commented out where there is none to invite to."""
    try:
        calendar = read_events(project)
    except CampaignError:
        # `check` says what is wrong with it, and where.
        calendar = Calendar({})
    day = now.date()
    to_come = (name for name, event in calendar.items() if event.days[0] > day)
    name = next(to_come, "")
    return f'event = "{name}"' if name else '# event = "spring-meeting"'


def _on_a_weekday(day: datetime, *, earlier: bool = False) -> datetime:
    """That day, or the Monday after it (the Friday before it) where it is on a weekend."""
    while day.weekday() >= 5:
        day += timedelta(days=-1 if earlier else 1)
    return day


def _preferred(name: str, known: Collection[str]) -> str:
    return name if name in known or not known else next(iter(known))


def _quoted(text: str) -> str:
    """As a TOML string: what JSON escapes, TOML's basic strings escape the same way."""
    return json.dumps(text, ensure_ascii=False)


def _segments(project: Project) -> Iterator[str]:
    """The project's segments; none where `contacts.toml` cannot be read, which `check` then says."""
    try:
        yield from read_config(project.contacts).segment
    except ConfigurationError:
        return
