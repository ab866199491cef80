"""A mail that answers one person, from its template alone: it has no text of the team's, and no merge fields."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from mlgroup_mail.content.campaigns.campaign import AudienceRule
from mlgroup_mail.content.compiling.html import check_elements, mjml_to_html
from mlgroup_mail.content.frozen import FrozenSource
from mlgroup_mail.content.language.catalogues import (
    SOURCE_LANGUAGE,
    catalogue_language,
    catalogue_languages,
    direction_of,
)
from mlgroup_mail.content.pictures.image_files import freeze_images, read_pictures
from mlgroup_mail.content.pictures.placing import image_sources, place_images
from mlgroup_mail.content.templates.rendering import Renderer
from mlgroup_mail.content.templates.template_files import (
    HTML_SUFFIX,
    TEMPLATE_SUFFIX,
    TEXT_SUFFIX,
    reachable_templates,
    template_place,
)
from mlgroup_mail.content.templates.theming import theme_context
from mlgroup_mail.model.message import CompiledMessage, Sender
from mlgroup_mail.settings.project import Project
from mlgroup_mail.shipped import shipped

FOLDER = "courtesies/"
"""Of `templates/`: a project's files there come before those of the same name that are shipped."""
_SUBJECT = f".subject{TEXT_SUFFIX}"
_NOBODY: AudienceRule = {}
_NEVER = datetime.min.replace(tzinfo=UTC)
_NOT_ASKED_FOR = (("Auto-Submitted", "auto-generated"),)
"""A machine wrote it, so that none answers it (RFC 3834, section 5)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Courtesy:
    """A compiled courtesy, and the bytes of the pictures that travel within it, by their digests."""

    compiled: CompiledMessage
    pictures: Mapping[str, bytes]


def compile_courtesy(
    project: Project, name: str, *, language: str, sender: Sender, values: Mapping[str, Any]
) -> Courtesy:
    """The mail of the templates `courtesies/NAME`, in a language that has a catalogue, with `values` in them.

    Raises CampaignError naming the template and what to write instead.
    """
    language = catalogue_language(language) or SOURCE_LANGUAGE
    template = FOLDER + name
    subject_name, html_name, text_name = template + _SUBJECT, template + HTML_SUFFIX, template + TEXT_SUFFIX
    templates = reachable_templates(project, template, further=[subject_name])
    check_elements({template_place(each): text for each, text in templates.items()})
    source = _source(project, template, templates, language, sender)
    source = replace(source, images=freeze_images(project, source))
    images, direction = image_sources(source), direction_of(language)
    facts = {"language": language, "direction": direction, "preheader": "", "public": False, "event": None}
    context = {**values, "group": source.group, "theme": theme_context(source.theme, images, direction)}
    frames = Renderer(templates, language=language, place=template_place)
    subject = " ".join(frames.render(subject_name, context | {"campaign": facts}).split())
    context |= {"campaign": facts | {"subject": subject, "title": subject}}
    mjml = frames.render(html_name, context)
    page = mjml_to_html(mjml, place_at=lambda offset: frames.place_at(html_name, context, offset))
    html, shown = place_images(page, source)
    compiled = CompiledMessage(
        subject=subject,
        html=html,
        text=frames.render(text_name, context).strip("\n") + "\n",
        language=language,
        headers=_NOT_ASKED_FOR,
        images=shown,
    )
    return Courtesy(compiled=compiled, pictures=read_pictures(project, source))


def rehearse_courtesy(project: Project, name: str, *, sender: Sender, values: Mapping[str, Any]) -> None:
    """Make it for nobody, in every language if the project has templates of its own; those that are shipped are tried.

    Raises CampaignError as `compile_courtesy` does.
    """
    own = project.templates != shipped("templates") and any(project.templates.rglob(f"*{TEMPLATE_SUFFIX}"))
    for language in catalogue_languages() if own else (SOURCE_LANGUAGE,):
        compile_courtesy(project, name, language=language, sender=sender, values=values)


def _source(
    project: Project, template: str, templates: Mapping[str, str], language: str, sender: Sender
) -> FrozenSource:
    """What pictures are found by: all else of a mailing is empty."""
    return FrozenSource(
        campaign=template,
        mailing="",
        kind="",
        topic="",
        topic_title="",
        topic_default=False,
        language=language,
        subject="",
        title="",
        preheader="",
        text="",
        text_file=template_place(template),
        text_line=1,
        sender=sender,
        audience=_NOBODY,
        send_at=_NEVER,
        send_written="",
        stop_at=_NEVER,
        stop_written="",
        template=template,
        templates=dict(templates),
        theme=project.theme.model_dump(mode="json"),
        group=project.group.model_dump(),
    )
