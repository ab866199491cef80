"""A campaign: one thing the team writes, and its mailings."""

import difflib
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from mlgroup_mail.content.calendar.wall_time import WallTime
from mlgroup_mail.content.campaigns.campaign_file import (
    CAMPAIGN_FILE,
    CampaignFile,
    MailingTable,
    Value,
    read_campaign_file,
)
from mlgroup_mail.content.campaigns.mailing_text import MailingText
from mlgroup_mail.content.campaigns.mailing_texts import MailingTexts, mailing_texts
from mlgroup_mail.content.templates.template_files import known_templates
from mlgroup_mail.errors import CampaignError, UsageError
from mlgroup_mail.settings.project import PROJECT_FILE, Project

STOP_AFTER = timedelta(hours=48)
"""A mailing that has not begun so long after its `send_at` does not start by itself."""
RESERVED = frozenset({"recipient", "links", "group", "theme", "campaign", "events", "images", "body"})
"""Names that templates and texts find already taken."""

AudienceRule = str | dict[str, Any]


class CampaignKind(StrEnum):
    """What a campaign is; names its template."""

    NEWSLETTER = "newsletter"
    """The monthly letter: news, dates, reading."""
    CALL = "call"
    """A call for proposals: a deadline, reminders, a programme."""
    INVITATION = "invitation"
    """To a meeting or another event."""
    BOARD_UPDATE = "board-update"
    """What the Executive Board is told every two months."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MailingSpec:
    """One dispatch as written, with what it does not say itself taken from the campaign.

    `send_at` and `stop_at` are UTC, `send_wall` and `stop_wall` the same as written (None where nothing was).
    `translations` stand in the order of their tags; `where` is the place of the mailing's own table. `event` is
    the id of the event that it invites to ("" for none), named at `event_place`.
    """

    name: str
    send_at: datetime
    send_wall: WallTime
    stop_at: datetime
    stop_wall: WallTime | None
    audience: AudienceRule
    original: MailingText
    translations: tuple[MailingText, ...]
    where: str
    event: str = ""
    event_place: str = ""

    @property
    def texts(self) -> tuple[MailingText, ...]:
        """The original, then its translations."""
        return self.original, *self.translations


@dataclass(frozen=True, kw_only=True, slots=True)
class Campaign:
    """A campaign folder, read. `file` is the path of its `campaign.md` as shown to people."""

    campaign_id: str
    kind: CampaignKind
    topic: str
    sender: str
    language: str
    template: str
    values: dict[str, Value]
    mailings: tuple[MailingSpec, ...]
    file: str

    def mailing(self, name: str) -> MailingSpec:
        """The mailing of that name; raises UsageError listing the known ones."""
        for mailing in self.mailings:
            if mailing.name == name:
                return mailing
        known = [mailing.name for mailing in self.mailings]
        raise _unknown("mailing", name, known, where=self.file, refusal=UsageError)


def campaign_ids(project: Project) -> tuple[str, ...]:
    """The ids of the project's campaigns, in order: every folder with a `campaign.md`."""
    return tuple(sorted(path.parent.name for path in project.campaigns.glob(f"*/{CAMPAIGN_FILE}")))


def read_campaign(project: Project, campaign_id: str) -> Campaign:
    """Read one campaign. Its segments are the contacts room's to know.

    Raises UsageError where there is none of that name, CampaignError naming file, line and mend.
    """
    known = campaign_ids(project)
    if campaign_id not in known:
        raise _unknown("campaign", campaign_id, known, where=str(project.campaigns), refusal=UsageError)
    folder = project.campaigns / campaign_id
    file = read_campaign_file(folder / CAMPAIGN_FILE, place=f"campaigns/{campaign_id}/{CAMPAIGN_FILE}")
    matter = file.matter
    template = matter.template or matter.kind
    _must_be_known("kind", matter.kind, list(CampaignKind), file)
    _must_be_known("topic", matter.topic, project.topics, file)
    _must_be_known(
        "sender", matter.sender, project.file.sender, file, mend=f"Or add [sender.{matter.sender}] to {PROJECT_FILE}."
    )
    _must_be_known("template", template, known_templates(project), file, key="template" if matter.template else "kind")
    return Campaign(
        campaign_id=campaign_id,
        kind=CampaignKind(matter.kind),
        topic=matter.topic,
        sender=matter.sender,
        language=matter.language,
        template=template,
        values=_values(file),
        mailings=_mailings(file, folder),
        file=file.place,
    )


def _values(file: CampaignFile) -> dict[str, Value]:
    for name in file.matter.values:
        if name in RESERVED or not re.fullmatch(r"[a-z][a-z0-9_]*", name):
            reason = "is taken" if name in RESERVED else "is not a name"
            raise CampaignError(
                f"the value “{name}” {reason}",
                where=file.where(name),
                mend="Names are small letters, digits and _, and begin with a letter; "
                f"taken are {', '.join(sorted(RESERVED))}.",
            )
    return {
        # A TOML date and time is kept to the day's text: a moment needs a zone, and events have one.
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in file.matter.values.items()
    }


def _mailings(file: CampaignFile, folder: Path) -> tuple[MailingSpec, ...]:
    names: set[str] = set()
    for index, table in enumerate(file.matter.mailing):
        if table.name in names:
            raise CampaignError(
                f"two mailings are called “{table.name}”",
                where=file.where("name", index),
                mend="Each mailing of a campaign needs a name of its own.",
            )
        names.add(table.name)
    found = zip(file.matter.mailing, mailing_texts(file, folder), strict=True)
    return tuple(_mailing(file, index, table, texts) for index, (table, texts) in enumerate(found))


def _mailing(file: CampaignFile, index: int, table: MailingTable, texts: MailingTexts) -> MailingSpec:
    return MailingSpec(
        name=table.name,
        send_at=table.send_at.utc,
        send_wall=table.send_at,
        stop_at=table.stop_at.utc if table.stop_at else table.send_at.utc + STOP_AFTER,
        stop_wall=table.stop_at,
        audience=file.matter.audience if table.audience is None else table.audience,
        original=texts.original,
        translations=texts.translations,
        where=file.where("name", index),
        event=file.matter.event if table.event is None else table.event,
        event_place=file.where("event") if table.event is None else file.where("event", index),
    )


def _must_be_known(
    noun: str, name: str, known: Collection[str], file: CampaignFile, *, key: str = "", mend: str = ""
) -> None:
    if name not in known:
        raise _unknown(noun, name, known, where=file.where(key or noun), mend=mend)


def _unknown(
    noun: str,
    name: str,
    known: Collection[str],
    *,
    where: str,
    mend: str = "",
    refusal: type[CampaignError] | type[UsageError] = CampaignError,
) -> CampaignError | UsageError:
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean “{near[0]}”? " if near else ""
    listed = f"Known {noun}s: {', '.join(known)}." if known else f"There is no {noun} here yet."
    return refusal(f"there is no {noun} “{name}”", where=where, mend=f"{hint}{listed} {mend}".rstrip())
