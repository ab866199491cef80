"""Blocks `button`: links to follow, as buttons."""

from dataclasses import dataclass

from markdown_it.token import Token

from mlgroup_mail.content.writing.blocks.keys import filled
from mlgroup_mail.content.writing.blocks.pieces import Fence
from mlgroup_mail.content.writing.text_lines import TextLines
from mlgroup_mail.content.writing.words import Words, line_of
from mlgroup_mail.errors import CampaignError

_EXAMPLE = "[Register](https://example.org/register)"


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """Where a button leads, and what it says."""

    words: Words
    address: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Button:
    """One button or several; none in a public copy where all of them would lead out of the list."""

    links: tuple[Link, ...]


def read_button(fence: Fence) -> Button:
    """Read `[Register](https://...)`, one link or several. Raises CampaignError where there is anything else."""
    lines = filled(fence, _EXAMPLE)
    links: list[Link] = []
    for index, line in enumerate(lines.lines):
        if line.strip():
            links += _links(fence, lines.part(index, index + 1))
    return Button(links=tuple(links))


def _links(fence: Fence, line: TextLines) -> list[Link]:
    (inline,) = fence.writing.inline(line)
    links: list[Link] = []
    words: list[Token] = []
    beside: list[Token] = []
    opened: Token | None = None
    for child in inline.children or []:
        if child.type == "link_open":
            opened, words = child, []
        elif child.type == "link_close" and opened:
            links.append(_link(opened, words, line.where(0)))
            opened = None
        else:
            (words if opened else beside).append(child)
    text = "".join(child.content for child in beside).strip()
    if fence.writing.public and not links:
        return []
    if text or not links:
        raise CampaignError(
            f"“{text}” is no link, and a button is nothing else" if text else "there is no link in the button",
            where=line.where(0),
            mend=f"Write {_EXAMPLE}, one link a line.",
        )
    return links


def _link(opened: Token, words: list[Token], where: str) -> Link:
    address = str(opened.attrs.get("href", ""))
    label = line_of([Token("inline", "", 0, children=words)])
    if not address or not label.strip():
        reason = "says nothing" if address else "leads nowhere"
        raise CampaignError(f"the button {reason}", where=where, mend=f"Write {_EXAMPLE}.")
    return Link(words=label, address=address)
