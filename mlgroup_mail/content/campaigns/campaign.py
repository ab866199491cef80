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
from mlgroup_mail.errors import CampaignError, Collected, Problem, UsageError
from mlgroup_mail.settings.project import PROJECT_FILE, Project

STOP_AFTER = timedelta(hours=48)
"""A mailing that has not begun so long after its `send_at` does not start by itself."""
RESERVED = frozenset({"recipient", "links", "group", "theme", "campaign", "events", "images", "body"})
"""Names that templates and texts find already taken."""

_MEANT_AS_CAMPAIGN_FILE = frozenset({"campaign.md", "campaign.md.txt", "campaign.txt", "campaign.md.md", "campaign"})
"""How else its file is called, in small letters: other systems hide endings, or do not tell capitals from them."""

ID_MEND = "Small letters, digits, “-”, “.” and “_”, beginning with a letter or digit: 2030-01-newsletter."
"""What a campaign's id is made of."""
_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")

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
    `translations` stand in the order of their tags; `where` is the place of the mailing's own table, `audience_place`,
    `send_place` and `stop_place` those of its audience and times. `event` is the id of the event that it invites to
    ("" for none), named at `event_place`.
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
    audience_place: str
    send_place: str
    stop_place: str
    event: str = ""
    event_place: str = ""

    @property
    def texts(self) -> tuple[MailingText, ...]:
        """The original, then its translations."""
        return self.original, *self.translations


@dataclass(frozen=True, kw_only=True, slots=True)
class Campaign:
    """A campaign folder, read.

    `file` is the path of its `campaign.md` as shown to people, `value_places` file and line of each value. `unread` are
    the files that cannot be read, `unread_mailings` the mailings without a text because of that; only
    `read_as_far_as_possible` gives a campaign that has any.
    """

    campaign_id: str
    kind: CampaignKind
    topic: str
    sender: str
    language: str
    template: str
    values: dict[str, Value]
    value_places: dict[str, str]
    mailings: tuple[MailingSpec, ...]
    file: str
    unread: frozenset[str] = frozenset()
    unread_mailings: frozenset[str] = frozenset()

    def mailing(self, name: str) -> MailingSpec:
        """The mailing of that name; raises UsageError listing the known ones."""
        for mailing in self.mailings:
            if mailing.name == name:
                return mailing
        known = [mailing.name for mailing in self.mailings]
        raise _unknown("mailing", name, known, where=self.file, refusal=UsageError)

    def asked_for(self, name: str | None) -> tuple[MailingSpec, ...]:
        """All mailings, or the one of that name; none where its text cannot be read. Raises UsageError."""
        if name is None:
            return self.mailings
        return () if name in self.unread_mailings else (self.mailing(name),)


def is_campaign_id(name: str) -> bool:
    """Whether a campaign's folder may be called so, see ID_MEND."""
    return _ID.fullmatch(name) is not None


def campaign_ids(project: Project) -> tuple[str, ...]:
    """The ids of the project's campaigns, in order: every folder with a `campaign.md`."""
    return tuple(sorted(path.name for path in project.campaigns.glob("*") if _may_be_campaign(path)))


def _may_be_campaign(folder: Path) -> bool:
    try:
        (folder / CAMPAIGN_FILE).lstat()
    except PermissionError:
        # Not to be passed over in silence: whoever reads it is told.
        return True
    except OSError:
        return False
    return True


def without_campaign_file(project: Project, campaign_id: str) -> Problem | None:
    """What is wrong with a campaign's folder in which there is no `campaign.md`; None for any other."""
    folder = project.campaigns / campaign_id
    if campaign_id in ("", ".", "..") or not re.fullmatch(r"[^/\\\0]+", campaign_id) or not folder.is_dir():
        return None
    names = [path.name for path in folder.iterdir()]
    if CAMPAIGN_FILE in names:
        return None
    meant = next((name for name in sorted(names) if name.lower() in _MEANT_AS_CAMPAIGN_FILE), "")
    hidden = " Windows hides the ending .txt: let it show the endings of names." if meant.endswith(".txt") else ""
    return Problem(
        message=f"the folder is there, {CAMPAIGN_FILE} is not",
        where=f"campaigns/{campaign_id}",
        mend=f"Rename {meant} to {CAMPAIGN_FILE}.{hidden}"
        if meant
        else f"Write {CAMPAIGN_FILE} into it; or take the folder away, and: mlgroup-mail new KIND {campaign_id}.",
    )


def read_campaign(project: Project, campaign_id: str) -> Campaign:
    """Read one campaign. Its segments are the contacts room's to know.

    Raises UsageError where there is none of that name, CampaignError naming file, line and mend of all that is wrong.
    """
    campaign, problems = read_as_far_as_possible(project, campaign_id)
    if campaign is None or problems:
        raise CampaignError.of(problems)
    return campaign


def read_as_far_as_possible(project: Project, campaign_id: str) -> tuple[Campaign | None, tuple[Problem, ...]]:
    """A campaign, and all that is wrong with its files.

    Where something is, the campaign goes without: without a mailing whose text cannot be read, without a translation.
    A misspelt kind, topic, sender or template counts as the one that was probably meant. It is None where nothing can
    be told without the front matter. Raises UsageError where there is no campaign of that name.
    """
    known = campaign_ids(project)
    if campaign_id not in known:
        if lacking := without_campaign_file(project, campaign_id):
            raise UsageError(lacking.message, where=lacking.where, mend=lacking.mend)
        raise _unknown("campaign", campaign_id, known, where=str(project.campaigns), refusal=UsageError)
    problems = Collected()
    with problems:
        folder = project.campaigns / campaign_id
        file = read_campaign_file(folder / CAMPAIGN_FILE, place=f"campaigns/{campaign_id}/{CAMPAIGN_FILE}")
        return _campaign(project, campaign_id, file, folder, problems), problems.problems
    return None, problems.problems


def _campaign(
    project: Project, campaign_id: str, file: CampaignFile, folder: Path, problems: Collected
) -> Campaign | None:
    matter = file.matter
    names = _Names(file=file, problems=problems)
    kind = names.meant("kind", matter.kind, list(CampaignKind))
    topic = names.meant("topic", matter.topic, project.topics)
    sender = names.meant(
        "sender", matter.sender, project.file.sender, mend=f"Or add [sender.{matter.sender}] to {PROJECT_FILE}."
    )
    template = names.meant("template", matter.template or kind, known_templates(project)) if kind else ""
    values = _values(file, problems)
    mailings = _mailings(file, folder, problems)
    if not (kind and topic and sender and template):
        return None
    return Campaign(
        campaign_id=campaign_id,
        kind=CampaignKind(kind),
        topic=topic,
        sender=sender,
        language=matter.language,
        template=template,
        values=values,
        value_places={name: file.where_value(name) for name in values},
        mailings=mailings,
        file=file.place,
        unread_mailings=frozenset(table.name for table in matter.mailing) - {mailing.name for mailing in mailings},
        unread=frozenset(problem.where.partition(",")[0] for problem in problems.problems) - {file.place},
    )


def _values(file: CampaignFile, problems: Collected) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for name, value in file.matter.values.items():
        if name in RESERVED or not re.fullmatch(r"[a-z][a-z0-9_]*", name):
            reason = "is taken" if name in RESERVED else "is not a name"
            problems.add(
                Problem(
                    message=f"the value “{name}” {reason}",
                    where=file.where_value(name),
                    mend="Names are small letters, digits and _, and begin with a letter; "
                    f"taken are {', '.join(sorted(RESERVED))}.",
                )
            )
        else:
            # A TOML date and time is kept to the day's text: a moment needs a zone, and events have one.
            found[name] = value.isoformat() if isinstance(value, date) else value
    return found


def _mailings(file: CampaignFile, folder: Path, problems: Collected) -> tuple[MailingSpec, ...]:
    tables = file.matter.mailing
    texts = mailing_texts(file, folder, problems)
    found: list[MailingSpec] = []
    for index, table in enumerate(tables):
        if any(other.name == table.name for other in tables[:index]):
            problems.add(
                Problem(
                    message=f"two mailings are called “{table.name}”",
                    where=file.where("name", index),
                    mend="Each mailing of a campaign needs a name of its own.",
                )
            )
        elif words := texts[index]:
            found.append(_mailing(file, index, table, words))
    return tuple(found)


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
        audience_place=file.where("audience", None if table.audience is None else index),
        send_place=file.where("send_at", index),
        stop_place=file.where("stop_at", index),
        event=file.matter.event if table.event is None else table.event,
        event_place=file.where("event") if table.event is None else file.where("event", index),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Names:
    """Looks up the names that front matter gives; notes each that there is not."""

    file: CampaignFile
    problems: Collected

    def meant(self, noun: str, name: str, known: Collection[str], *, mend: str = "") -> str:
        """The name where it is known, else the one that is nearest to it; "" where none is near."""
        if name in known:
            return name
        # A template that front matter does not name is its kind's.
        where = self.file.where(noun if getattr(self.file.matter, noun) else "kind")
        self.problems.add(_unknown(noun, name, known, where=where, mend=mend).problem)
        return next(iter(difflib.get_close_matches(name, known, n=1)), "")


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
