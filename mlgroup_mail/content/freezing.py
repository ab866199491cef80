"""Freezing: everything a mailing is made of, read once from the project's files."""

import dataclasses
import re
from collections.abc import Iterable, Mapping
from typing import Any

from mlgroup_mail.content.announced import Announcement, sequence_of
from mlgroup_mail.content.calendar.events import Calendar
from mlgroup_mail.content.calendar.events_file import read_events
from mlgroup_mail.content.campaigns.campaign import Campaign, MailingSpec
from mlgroup_mail.content.frozen import FrozenSource, texts_of
from mlgroup_mail.content.pictures.image_files import freeze_images
from mlgroup_mail.content.templates.overrides import check_overrides
from mlgroup_mail.content.templates.template_fields import field_use
from mlgroup_mail.content.templates.template_files import reachable_templates
from mlgroup_mail.content.writing.blocks.event import refuse_further_events
from mlgroup_mail.content.writing.blocks.naming import Named, named_by_blocks
from mlgroup_mail.errors import CampaignError
from mlgroup_mail.settings.project import PROJECT_FILE, Project
from mlgroup_mail.settings.theme import ImagePlace


def freeze(
    project: Project,
    campaign: Campaign,
    mailing_name: str,
    figures: Mapping[str, int],
    *,
    opt_out_page: bool = False,
    images_url: str = "",
    announced: Iterable[Announcement] = (),
) -> FrozenSource:
    """Read everything that a mailing is made of; raises CampaignError naming file, line and mend.

    `opt_out_page` is whether a public URL is configured, `images_url` the address under it where pictures are hosted
    ("" for none). `announced` is what the other approved mailings say of events.
    """
    mailing = campaign.mailing(mailing_name)
    blocks = named_by_blocks(mailing.texts)
    templates = reachable_templates(project, campaign.template, blocks.kinds)
    check_overrides(templates)
    group = project.group.model_dump()
    source = FrozenSource(
        campaign=campaign.campaign_id,
        mailing=mailing.name,
        kind=campaign.kind.value,
        topic=campaign.topic,
        topic_title=project.topic_title(campaign.topic),
        topic_default=project.topics[campaign.topic],
        language=campaign.language,
        subject=mailing.original.subject,
        title=mailing.original.title,
        preheader=mailing.original.preheader,
        text=mailing.original.text,
        text_file=mailing.original.text_file,
        text_line=mailing.original.text_line,
        places=mailing.original.places | {"audience": mailing.audience_place},
        translations={text.language: text for text in mailing.translations},
        sender=project.sender(campaign.sender),
        audience=mailing.audience,
        send_at=mailing.send_at,
        send_written=str(mailing.send_wall),
        stop_at=mailing.stop_at,
        stop_written=str(mailing.stop_wall or ""),
        template=campaign.template,
        templates=templates,
        theme=project.theme.model_dump(mode="json"),
        group=group,
        opt_out_page=opt_out_page,
        figures=dict(figures),
        values=dict(campaign.values),
        canaries=project.canaries,
    )
    used = field_use(texts_of(source)).events
    images = freeze_images(project, source)
    return dataclasses.replace(
        source,
        **_events(read_events(project), used, blocks, mailing, announced, texts_of(source)),
        images=images,
        images_url=_images_url(project, images_url) if images else "",
    )


def _images_url(project: Project, url: str) -> str:
    if project.theme.images is ImagePlace.EMBEDDED:
        return ""
    if not url:
        raise CampaignError(
            "pictures are to be hosted, and there is no public address for them",
            where=f"{PROJECT_FILE}, [theme]",
            mend='Set MLGROUP_PUBLIC_URL, or write images = "embedded": then they travel within the mail.',
        )
    return url


def _events(
    calendar: Calendar,
    used: tuple[str, ...] | None,
    blocks: Named,
    mailing: MailingSpec,
    announced: Iterable[Announcement],
    texts: Mapping[str, str],
) -> dict[str, Any]:
    """The events that the texts and their blocks name, and the one that the mail invites to."""
    names = calendar if used is None or blocks.whole_calendar else used
    places = {name: _first_mention(texts, name) for name in names} | blocks.events
    named = {name: calendar.named(name, where=where) for name, where in places.items()}
    refuse_further_events(calendar, blocks.said)
    invited: dict[str, Any] = {}
    if mailing.event:
        event = calendar.named(mailing.event, where=mailing.event_place)
        named[event.id] = event
        invited = {"event": event.id, "event_sequence": sequence_of(event, announced)}
    return {"events": {name: event.as_written() for name, event in named.items()}, **invited}


def _first_mention(texts: Mapping[str, str], name: str) -> str:
    """File and line where an event is first named."""
    for place, text in texts.items():
        if found := re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text):
            return f"{place}, line {text.count(chr(10), 0, found.start()) + 1}"
    return next(iter(texts))
