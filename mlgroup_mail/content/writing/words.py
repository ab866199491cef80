"""Markdown in both forms a mail has: HTML and plain text. Pictures get their sources, tables their narrow form."""

import difflib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote

from markdown_it.token import Token
from markupsafe import Markup

from mlgroup_mail.content.templates.theming import Picture
from mlgroup_mail.content.writing.markdown import parser, value_back, value_in_address
from mlgroup_mail.content.writing.plain_text import to_line, to_text
from mlgroup_mail.content.writing.tables import prepare_tables
from mlgroup_mail.content.writing.text_lines import TextLines
from mlgroup_mail.errors import CampaignError

TEXT_WIDTH = 528
"""CSS pixels between the margins of the card."""
_PICTURE_STYLE = "max-width:100%;height:auto;border:0"


class Words(str):
    """Words for a template: plain text, in whose place a template of HTML puts their HTML; `text` is never HTML."""

    html: Markup

    def __new__(cls, text: str, html: str) -> "Words":
        """`html` is our own renderer's."""
        words = super().__new__(cls, text)
        words.html = Markup(html)  # noqa: S704
        return words

    @property
    def text(self) -> str:
        """The plain text, for an attribute."""
        return str(self)

    def __html__(self) -> Markup:
        return self.html


@dataclass(frozen=True, kw_only=True, slots=True)
class Writing:
    """What the Markdown of one text may draw on.

    `images` are the pictures by name, `references` the link targets that the text defines by name ([words][name]).
    In a `public` copy a link without a target is only its words. `right_to_left` is the direction of the text.
    """

    images: Mapping[str, Picture] = field(default_factory=dict)
    references: Mapping[str, Any] = field(default_factory=dict)
    public: bool = False
    right_to_left: bool = False

    def parsed(self, lines: TextLines) -> tuple[list[Token], "Writing"]:
        """Paragraphs, lists, tables and fences, and what Markdown within those fences may draw on.

        Raises CampaignError for a picture that cannot be shown.
        """
        env = self._env()
        tokens = parser().parse(lines.text, env)
        self._prepare(tokens, lines)
        return tokens, replace(self, references=env["references"])

    def line(self, lines: TextLines) -> Words:
        """What stands within a paragraph: no list, no heading; line breaks are blanks."""
        return line_of(self.inline(lines))

    def inline(self, lines: TextLines) -> list[Token]:
        """The tokens of `line`: one, whose children they are."""
        text = " ".join(line.strip() for line in lines.lines)
        tokens = parser().parseInline(text, self._env())
        self._prepare(tokens, lines)
        return tokens

    def picture(self, name: str, where: str) -> Picture:
        """A picture by its name in the campaign's folder; raises CampaignError."""
        # A Mac writes the names of files in another form of Unicode than texts.
        written = unicodedata.normalize("NFC", name.strip())
        if "://" in written or written.startswith(("//", "data:", "cid:")):
            raise CampaignError(
                "this picture lies on another server, which would see who opens the mail",
                where=where,
                mend="Put the file into the campaign's folder and write its name: ![what it shows](chart.png).",
            )
        if (name := written.removeprefix("./")) in self.images:
            return self.images[name]
        near = difflib.get_close_matches(name, self.images, n=1)
        raise CampaignError(
            f"there is no picture “{name}”" if name else "a picture has no name",
            where=where,
            mend=f"Did you mean “{near[0]}”?" if near else "Put the file beside campaign.md and write its whole name.",
        )

    def _env(self) -> dict[str, Any]:
        return {"references": dict(self.references)}

    def _prepare(self, tokens: Sequence[Token], lines: TextLines) -> None:
        for token in tokens:
            if token.type == "inline":
                self._prepare_inline(token, lines)
        prepare_tables(tokens, width=TEXT_WIDTH, right_to_left=self.right_to_left)

    def _prepare_inline(self, token: Token, lines: TextLines) -> None:
        children = token.children or []
        index = token.map[0] if token.map else 0
        in_address = False
        for child in children:
            match child.type:
                case "softbreak" | "hardbreak":
                    index += 1
                case "image":
                    self._place(child, lines.where(index))
                case "code_inline":
                    child.content = value_back(child.content)
                case "link_open" | "link_close":
                    in_address = child.type == "link_open" and child.info == "auto"
                    if in_address:
                        child.attrs["href"] = value_in_address(str(child.attrs["href"]))
                case "text" if in_address:
                    child.content = value_in_address(child.content)
        if self.public:
            token.children = _without_empty_links(children)

    def _place(self, image: Token, where: str) -> None:
        name = unquote(str(image.attrs["src"]))
        if not to_line(image.children or ()).strip():
            raise CampaignError(
                f"the picture “{name}” has no words for those who do not see it",
                where=where,
                mend=f"Write what the picture shows: ![Members by country]({name}).",
            )
        picture = self.picture(name, where)
        width = min(picture.width, TEXT_WIDTH)
        image.attrs |= {"src": picture.src, "width": width, "style": _PICTURE_STYLE}


def flow_of(tokens: Sequence[Token]) -> Words:
    """Prepared paragraphs, lists, tables and code as words."""
    with_code = [
        token.copy(content=value_back(token.content)) if token.type in ("fence", "code_block") else token
        for token in tokens
    ]
    return Words(to_text(with_code), _html(with_code))


def line_of(tokens: Sequence[Token]) -> Words:
    """Prepared inline tokens as words."""
    return Words(to_line(tokens), _html(tokens))


def _html(tokens: Sequence[Token]) -> str:
    return str(parser().renderer.render(tokens, parser().options, {})).strip("\n")


def _without_empty_links(children: list[Token]) -> list[Token]:
    kept, empty = [], 0
    for child in children:
        if child.type == "link_open" and not child.attrs.get("href"):
            empty += 1
        elif child.type == "link_close" and empty:
            empty -= 1
        else:
            kept.append(child)
    return kept
