"""`key: value` lines at the head of a block, and the Markdown below them."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from mlgroup_mail.content.writing.blocks.pieces import Fence, refuse_blocks
from mlgroup_mail.content.writing.markdown import value_back
from mlgroup_mail.content.writing.text_lines import TextLines
from mlgroup_mail.content.writing.words import Words, flow_of
from mlgroup_mail.errors import CampaignError

_KEY = re.compile(r"(?P<key>[A-Za-z][A-Za-z_ -]{0,20}?)\s*:(?:\s+(?P<value>.*))?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Keys:
    """What a block says of itself by key, each on its line, and the lines below."""

    fence: Fence
    entries: dict[str, TextLines]
    below: TextLines

    def where(self, key: str) -> str:
        """File and line of a key; of the block where it is not there."""
        return self.entries[key].where(0) if key in self.entries else self.fence.where

    def plain(self, key: str) -> str:
        """A value that is no Markdown, such as a file's name; "" where it is missing."""
        return value_back(self.entries[key].text.strip()) if key in self.entries else ""

    def line(self, key: str) -> Words:
        """A value as Markdown on one line; empty where it is missing."""
        return self.fence.writing.line(self.entries[key]) if key in self.entries else Words("", "")

    def flow(self) -> Words:
        """The Markdown below the keys."""
        return flow(self.fence, self.below)


def read_keys(fence: Fence, known: Sequence[str], *, required: Sequence[str] = (), prose: bool = False) -> Keys:
    """Read the keys at the head of a block, up to a blank line or to what is no key.

    In a block of `prose`, a line such as “Remember: ...” is no key unless it is nearly one. Raises CampaignError for
    an unknown key, one that is given twice, and a required one that is missing or empty.
    """
    lines = fence.lines.without_blank_ends()
    entries: dict[str, TextLines] = {}
    index = 0
    for index, line in enumerate([*lines.lines, ""]):
        found = _KEY.fullmatch(line.strip())
        if not found:
            break
        key, where = _key(found["key"]), lines.where(index)
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            if prose and not near:
                break
            raise CampaignError(
                f"there is no key “{found['key']}” in a block “{fence.kind}”",
                where=where,
                mend=f"{f'Did you mean “{near[0]}”? ' if near else ''}Its keys are {', '.join(known)}; "
                "running text stands below them, behind an empty line.",
            )
        if key in entries:
            raise CampaignError(f"“{key}” is given twice", where=where, mend="Keep one of the two lines.")
        entries[key] = TextLines(place=lines.place, lines=(found["value"] or "",), numbers=(lines.numbers[index],))
    for key in required:
        if key not in entries or not entries[key].text.strip():
            raise CampaignError(
                f"the block “{fence.kind}” has no {key}",
                where=entries[key].where(0) if key in entries else fence.where,
                mend=f"Write a line “{key}: ...” into it.",
            )
    return Keys(fence=fence, entries=entries, below=lines.part(index).without_blank_ends())


def flow(fence: Fence, lines: TextLines) -> Words:
    """Lines of a block as paragraphs, lists and tables; raises CampaignError for a block among them."""
    tokens, _ = fence.writing.parsed(lines)
    refuse_blocks(tokens, lines)
    return flow_of(tokens)


def filled(fence: Fence, example: str) -> TextLines:
    """The lines of a block that must say something; raises CampaignError where it does not."""
    lines = fence.lines.without_blank_ends()
    if not lines.lines:
        raise CampaignError(f"the block “{fence.kind}” is empty", where=fence.where, mend=f"Write into it {example}.")
    return lines


def _key(written: str) -> str:
    return re.sub(r"[ -]", "_", written.casefold())
