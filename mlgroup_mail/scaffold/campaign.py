"""`new`: a campaign folder to fill in."""

import json
import re
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from mlgroup_mail.contacts.config import read_config
from mlgroup_mail.content.campaign import CampaignKind
from mlgroup_mail.errors import ConfigurationError, UsageError
from mlgroup_mail.scaffold.patterns import filled
from mlgroup_mail.settings.project import Project

TOPICS = {CampaignKind.NEWSLETTER: "newsletter", CampaignKind.CALL: "calls"}
"""The kinds that can be made, and the topic that each belongs to where the project has it."""

_SENDERS = {CampaignKind.NEWSLETTER: "newsletter", CampaignKind.CALL: "coordination"}
_AUDIENCE = "members"

_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")
_OPENS_AT = 9
"""The hour on the wall at which a new campaign's mailings are due, until somebody writes another."""
_CALL_IS_OPEN = timedelta(weeks=6)
_REMINDER_BEFORE = timedelta(days=9)
_LAST_CALL_BEFORE = timedelta(days=2)


def make_campaign(project: Project, kind: str, campaign_id: str, *, now: datetime) -> list[Path]:
    """Make `campaigns/<campaign_id>/` from the pattern of its kind; returns the files, `campaign.md` first.

    Raises UsageError, having written nothing, for a kind without a pattern, and for an id that is no name or is taken.
    """
    if kind not in TOPICS:
        raise UsageError(
            f"there is no pattern for the kind “{kind}”",
            mend=f"Kinds: {', '.join(TOPICS)}. More come with a later version.",
        )
    if not _ID.fullmatch(campaign_id):
        raise UsageError(
            f"“{campaign_id}” cannot be a campaign's id",
            mend="Small letters, digits, “-”, “.” and “_”, beginning with a letter or digit: 2030-01-newsletter.",
        )
    folder = project.campaigns / campaign_id
    if folder.exists():
        raise UsageError(
            "this campaign exists already", where=str(folder), mend="Choose another id; nothing is ever overwritten."
        )
    files = list(filled(f"campaigns/{kind}", _values(project, CampaignKind(kind), now)))
    try:
        folder.mkdir(parents=True)
        for path, text in files:
            (folder / path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"the campaign cannot be written: {error.strerror}", where=str(error.filename)) from None
    return [folder / path for path, _ in files]


def _values(project: Project, kind: CampaignKind, now: datetime) -> dict[str, str]:
    zone = project.group.timezone
    first = _on_a_weekday(now.astimezone(ZoneInfo(zone)) + timedelta(days=1))
    deadline = _on_a_weekday(first + _CALL_IS_OPEN)
    times = {
        "send_at": first,
        "reminder_at": _on_a_weekday(deadline - _REMINDER_BEFORE),
        "last_call_at": _on_a_weekday(deadline - _LAST_CALL_BEFORE, earlier=True),
    }
    return {
        "topic": _quoted(_preferred(TOPICS[kind], project.topics)),
        "sender": _quoted(_preferred(_SENDERS[kind], project.file.sender)),
        "audience": _quoted(_preferred(_AUDIENCE, list(_segments(project)))),
        "deadline": f"{deadline:%Y-%m-%d}",
        **{name: f"{day:%Y-%m-%d} {_OPENS_AT:02}:00 {zone}" for name, day in times.items()},
    }


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
