"""The body of a mail: what its author wrote, as MJML sections and as plain text."""

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from mlgroup_mail.content.markdown import to_html
from mlgroup_mail.content.plain_text import to_text
from mlgroup_mail.content.rendering import Renderer

PROSE = "blocks/prose.mjml.j2"
"""The template of running text."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Body:
    """Both forms of a body: `mjml` is a sequence of `<mj-section>`, `text` has no line break at its end."""

    mjml: Markup
    text: str


def render_body(markdown: str, frames: Renderer, context: Mapping[str, object]) -> Body:
    """Make both forms of a text after Jinja; `frames` holds the templates, `context` is what they see."""
    prose = Markup(to_html(markdown))  # noqa: S704 - our own renderer's
    return Body(mjml=Markup(frames.render(PROSE, {**context, "prose": prose})), text=to_text(markdown).rstrip("\n"))  # noqa: S704
