"""What approval freezes: everything that decides what goes out, to whom and when, in one value with one digest."""

import dataclasses
import functools
import hashlib
import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mlgroup_mail.content.campaign import AudienceRule, Campaign
from mlgroup_mail.content.events import Calendar, read_events
from mlgroup_mail.content.template_fields import field_use
from mlgroup_mail.content.template_files import reachable_templates, template_place
from mlgroup_mail.errors import CampaignError
from mlgroup_mail.model.mailing import MailingRef
from mlgroup_mail.model.message import Sender
from mlgroup_mail.settings.project import Project

_NOT_HASHED = ("text_file", "text_line")
"""Where the text stood: named in errors, of no weight in what goes out."""

_WORDS = {
    "kind": "the kind",
    "topic": "the topic",
    "topic_title": "the topic's title",
    "topic_default": "whether those who have chosen no topics get this one",
    "language": "the language",
    "subject": "the subject",
    "title": "the title",
    "preheader": "the preheader",
    "text": "the text",
    "sender": "the sender",
    "audience": "the audience rule",
    "send_at": "the sending time",
    "send_written": "the sending time as written",
    "stop_at": "the stop time",
    "stop_written": "the stop time as written",
    "template": "the template's name",
    "theme": "the theme",
    "group": "the group's entry in mlgroup.toml",
    "opt_out_page": "whether opting out has a page",
    "campaign": "the campaign's id",
    "mailing": "the mailing's name",
}
_WORDS_EACH = {
    "templates": "the template {}",
    "events": "the event {}",
    "figures": "the figure {}",
    "values": "the value {}",
    "assets": "the file {}",
}


@dataclass(frozen=True, kw_only=True)
class FrozenSource:
    """All that compiling and planning need, so that neither reads a file again.

    `audience` is the rule; `send_at` and `stop_at` are UTC, `*_written` the same as written ("" where nothing was).
    `figures` are counts (`members`, `countries`), `events` the calendar's entries that are named, `templates` the
    files' contents by name, `assets` the SHA-256 of each other file of the campaign's folder. `opt_out_page` tells
    whether the opt-out is a page; otherwise the footer asks for a reply.
    """

    campaign: str
    mailing: str
    kind: str
    topic: str
    topic_title: str
    topic_default: bool
    language: str
    subject: str
    title: str
    preheader: str
    text: str
    text_file: str
    text_line: int
    sender: Sender
    audience: AudienceRule
    send_at: datetime
    send_written: str
    stop_at: datetime
    stop_written: str
    template: str
    templates: dict[str, str]
    theme: dict[str, str]
    group: dict[str, str]
    opt_out_page: bool = False
    figures: dict[str, int] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    events: dict[str, dict[str, str]] = field(default_factory=dict)
    assets: dict[str, str] = field(default_factory=dict)

    @property
    def ref(self) -> MailingRef:
        """The mailing's name."""
        return MailingRef(self.campaign, self.mailing)

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical form: what an approval is given for."""
        data = {key: value for key, value in self._plain().items() if key not in _NOT_HASHED}
        return hashlib.sha256(_canonical(data).encode()).hexdigest()

    def to_json(self) -> str:
        """The whole value as JSON, in the canonical form."""
        return _canonical(self._plain())

    @classmethod
    def from_json(cls, text: str) -> "FrozenSource":
        """Read back what `to_json` wrote."""
        data = json.loads(text)
        data["sender"] = Sender(**data["sender"])
        for key in ("send_at", "stop_at"):
            data[key] = datetime.fromisoformat(data[key])
        return cls(**data)

    def _plain(self) -> dict[str, Any]:
        data = {entry.name: getattr(self, entry.name) for entry in dataclasses.fields(self)}
        data["sender"] = dataclasses.asdict(self.sender)
        for key in ("send_at", "stop_at"):
            data[key] = data[key].isoformat()
        return data


def freeze(
    project: Project,
    campaign: Campaign,
    mailing_name: str,
    figures: Mapping[str, int],
    *,
    opt_out_page: bool = False,
) -> FrozenSource:
    """Read everything that a mailing is made of; raises CampaignError naming file, line and mend.

    `opt_out_page` is whether a public URL is configured.
    """
    mailing = campaign.mailing(mailing_name)
    templates = reachable_templates(project, campaign.template)
    group = project.group.model_dump()
    source = FrozenSource(
        campaign=campaign.campaign_id,
        mailing=mailing.name,
        kind=campaign.kind.value,
        topic=campaign.topic,
        topic_title=project.topic_title(campaign.topic),
        topic_default=project.topics[campaign.topic],
        language=campaign.language,
        subject=mailing.subject,
        title=mailing.title,
        preheader=mailing.preheader,
        text=mailing.text,
        text_file=mailing.text_file,
        text_line=mailing.text_line,
        sender=project.sender(campaign.sender),
        audience=mailing.audience,
        send_at=mailing.send_at,
        send_written=str(mailing.send_wall),
        stop_at=mailing.stop_at,
        stop_written=str(mailing.stop_wall or ""),
        template=campaign.template,
        templates=templates,
        theme=project.theme.model_dump(),
        group=group,
        opt_out_page=opt_out_page,
        figures=dict(figures),
        values=dict(campaign.values),
        assets=_assets(project, campaign.campaign_id),
    )
    used = field_use(texts_of(source)).events
    return dataclasses.replace(source, events=_events(read_events(project), used, campaign.file))


def texts_of(source: FrozenSource) -> dict[str, str]:
    """Every Jinja text of a source by its place as shown to people; the campaign's own begins on its true line."""
    return {
        f"{source.text_file} (subject)": source.subject,
        f"{source.text_file} (title)": source.title,
        f"{source.text_file} (preheader)": source.preheader,
        source.text_file: "\n" * (source.text_line - 1) + source.text,
        **{template_place(name): text for name, text in source.templates.items()},
    }


def differences(old: FrozenSource, new: FrozenSource) -> list[str]:
    """What changed between two sources, in words, one change a line; empty exactly when the digests agree."""
    before, after = (json.loads(source.to_json()) for source in (old, new))
    changes = [f"{words} changed" for key, words in _WORDS.items() if before[key] != after[key]]
    for key, words in _WORDS_EACH.items():
        for name in sorted(before[key].keys() | after[key].keys()):
            if before[key].get(name) != after[key].get(name):
                verb = "is new" if name not in before[key] else "is gone" if name not in after[key] else "changed"
                changes.append(f"{words.format(name)} {verb}")
    return changes


def _events(calendar: Calendar, used: tuple[str, ...] | None, where: str) -> dict[str, dict[str, str]]:
    for name in used or ():
        if name not in calendar:
            raise CampaignError(
                f"there is no event “{name}” in the calendar",
                where=where,
                mend=f"Known events: {', '.join(calendar)}." if calendar else "Write it into campaigns/events.yaml.",
            )
    return {name: calendar[name].as_written() for name in (calendar if used is None else used)}


def _assets(project: Project, campaign_id: str) -> dict[str, str]:
    folder = project.campaigns / campaign_id
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".md" and not path.name.startswith(".")
    }


def _canonical(value: Any) -> str:
    """JSON with sorted keys, texts in one form: line ends LF, Unicode NFC. An editor's habits void no approval."""
    return json.dumps(_one_form(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _one_form(value: Any) -> Any:
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value.replace("\r\n", "\n").replace("\r", "\n"))
    if isinstance(value, Mapping):
        return {_one_form(key): _one_form(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_one_form(entry) for entry in value]
    return value
