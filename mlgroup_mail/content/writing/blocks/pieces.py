"""A text in pieces: runs of prose, and blocks between them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from markdown_it.token import Token

from mlgroup_mail.content.writing.blocks.kinds import MEMBERS_ONLY, BlockKind, read_head
from mlgroup_mail.content.writing.text_lines import TextLines
from mlgroup_mail.content.writing.words import Writing
from mlgroup_mail.errors import CampaignError


@dataclass(frozen=True, kw_only=True, slots=True)
class Prose:
    """Running text, parsed and prepared."""

    tokens: tuple[Token, ...]
    members_only: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Fence:
    """A block as written: its lines, and the place of its first one in the author's file."""

    kind: BlockKind
    lines: TextLines
    where: str
    writing: Writing
    members_only: bool = False


Piece = Prose | Fence


def pieces_of(lines: TextLines, writing: Writing) -> Iterator[Piece]:
    """The pieces of a text in order; those for members only are left out of a public copy.

    Raises CampaignError, with the line in the author's file, for a block that is misspelt, does not end, or stands
    within a list, a quotation or another block.
    """
    return _pieces(lines, writing, members_only=False)


def refuse_blocks(tokens: list[Token], lines: TextLines) -> None:
    """Raise CampaignError where a block stands in what can hold none."""
    for token in tokens:
        if token.type == "fence" and token.map and (head := read_head(token.info, lines.where(token.map[0]))):
            raise CampaignError(
                f"the block “{head.kind or MEMBERS_ONLY}” stands within a list, a quotation or another block",
                where=lines.where(token.map[0]),
                mend="Begin its lines at the left margin, outside of other blocks.",
            )


def lines_within(fence: Token, lines: TextLines) -> TextLines:
    """The lines that a fence holds, of the `lines` it was read from; the parser has taken its indentation off."""
    begin, _ = fence.map or (0, 0)
    content = tuple(fence.content.split("\n")[:-1])
    return TextLines(place=lines.place, lines=content, numbers=lines.numbers[begin + 1 : begin + 1 + len(content)])


def _pieces(lines: TextLines, writing: Writing, *, members_only: bool) -> Iterator[Piece]:
    prose: list[Token] = []
    tokens, inner = writing.parsed(lines)
    for token in tokens:
        where = lines.where(token.map[0] if token.map else 0)
        head = read_head(token.info, where) if token.type == "fence" and token.level == 0 else None
        if head is None:
            prose.append(token)
            continue
        if prose:
            yield _prose(prose, lines, members_only)
            prose = []
        _must_end(token, lines, where, nested=members_only)
        hidden = members_only or head.members_only
        if hidden and writing.public:
            continue
        content = lines_within(token, lines)
        if head.kind is None:
            yield from _pieces(content, inner, members_only=True)
        else:
            yield Fence(kind=head.kind, lines=content, where=where, writing=inner, members_only=hidden)
    if prose:
        yield _prose(prose, lines, members_only)


def _prose(tokens: list[Token], lines: TextLines, members_only: bool) -> Prose:
    refuse_blocks(tokens, lines)
    return Prose(tokens=tuple(tokens), members_only=members_only)


def _must_end(fence: Token, lines: TextLines, where: str, *, nested: bool) -> None:
    begin, end = fence.map or (0, 0)
    mark = fence.markup
    last = lines.lines[end - 1] if end - 1 > begin else ""
    if not re.fullmatch(rf" {{0,3}}{re.escape(mark)}{re.escape(mark[0])}*\s*", last):
        longer = f" Around it, {MEMBERS_ONLY} needs a longer mark at both its ends: {mark}{mark[0]}." if nested else ""
        raise CampaignError(
            f"the block “{fence.info.split()[0]}” does not end",
            where=where,
            mend=f"Close it with a line {mark}.{longer}",
        )
