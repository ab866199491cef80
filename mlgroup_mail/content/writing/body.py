"""The body of a mail: what its author wrote, as MJML sections and as plain text."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from markupsafe import Markup

from mlgroup_mail.content.templates.rendering import Renderer
from mlgroup_mail.content.templates.template_files import BODY, HTML_SUFFIX, PROSE, TEXT_SUFFIX, block_template
from mlgroup_mail.content.writing.blocks.event import Diary
from mlgroup_mail.content.writing.blocks.pieces import Piece, Prose, pieces_of
from mlgroup_mail.content.writing.blocks.reading import read_block
from mlgroup_mail.content.writing.blocks.speaker import in_line
from mlgroup_mail.content.writing.plain_text import wrap_lines
from mlgroup_mail.content.writing.text_lines import TextLines
from mlgroup_mail.content.writing.words import Writing, flow_of
from mlgroup_mail.errors import CampaignError

CheckPart = Callable[[str, str, Callable[[int], str]], None]
"""Refuses MJML that cannot stand in an element of that name; what gives file and line of an offset comes third."""

_WHOLE = ("<mj-section", "<mj-wrapper", "<mj-hero", "<mj-raw")


@dataclass(frozen=True, kw_only=True, slots=True)
class Body:
    """Both forms of a body: `mjml` is a sequence of `<mj-section>`, `text` has no line break at its end."""

    mjml: Markup
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """Pieces one below the other: what stands in a column (`<mj-text>` ...), or whole sections."""

    in_column: bool
    mjml: Markup


def render_body(
    lines: TextLines,
    *,
    writing: Writing,
    diary: Diary,
    frames: Renderer,
    context: Mapping[str, Any],
    check: CheckPart,
) -> Body:
    """Make both forms of a text after Jinja: each of its pieces through the template of its own.

    `frames` holds the templates, `context` is what they see, besides `block` or `prose`, and whether the piece is the
    `first`. Each piece is put before `check`, so that what is wrong with it is told with its own template. Raises
    CampaignError naming file and line.
    """
    pages, texts = [], []
    pieces = list(pieces_of(lines, writing))
    blocks = in_line([None if isinstance(piece, Prose) else read_block(piece, diary) for piece in pieces])
    for index, (piece, block) in enumerate(zip(pieces, blocks, strict=True)):
        page, text = _rendered(piece, block, frames, {**context, "first": index == 0}, check)
        pages.append(page.strip())
        texts.append(text)
    mjml = frames.render(BODY + HTML_SUFFIX, {**context, "runs": _runs(pages)})
    return Body(mjml=Markup(mjml), text="\n\n".join(filter(None, texts)))  # noqa: S704 - templates escape


def _runs(pages: list[str]) -> list[Run]:
    """A section of its own for each piece would cost two kilobytes a piece, and Gmail cuts long mails."""
    return [
        Run(in_column=in_column, mjml=Markup("\n".join(run)))  # noqa: S704 - templates escape
        for in_column, run in groupby(filter(None, pages), key=lambda page: not page.startswith(_WHOLE))
    ]


def _rendered(
    piece: Piece, block: object, frames: Renderer, context: Mapping[str, Any], check: CheckPart
) -> tuple[str, str]:
    if isinstance(piece, Prose):
        prose = flow_of(piece.tokens)
        return _page(PROSE + HTML_SUFFIX, frames, {**context, "prose": prose}, check), str(prose)
    name = block_template(piece.kind)
    if name + HTML_SUFFIX not in frames:
        raise CampaignError(
            "the name of a block comes from a value, so approval cannot cover its template",
            where=piece.where,
            mend=f"Write it out: ```{piece.kind}.",
        )
    seen = {**context, "block": block}
    text = frames.render(name + TEXT_SUFFIX, seen)
    return _page(name + HTML_SUFFIX, frames, seen, check), wrap_lines(text.strip("\n"))


def _page(name: str, frames: Renderer, context: Mapping[str, Any], check: CheckPart) -> str:
    page = frames.render(name, context)
    around = "mj-body" if page.lstrip().startswith(_WHOLE) else "mj-column"
    check(page, around, lambda offset: frames.place_at(name, context, offset))
    return page
