"""Freezing: everything a mailing is made of, read once from the project's files."""

import dataclasses
import hashlib
from collections.abc import Mapping

from mlgroup_mail.content.campaign import Campaign
from mlgroup_mail.content.events import Calendar, read_events
from mlgroup_mail.content.frozen import FrozenSource, texts_of
from mlgroup_mail.content.template_fields import field_use
from mlgroup_mail.content.template_files import reachable_templates
from mlgroup_mail.errors import CampaignError
from mlgroup_mail.settings.project import Project


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
