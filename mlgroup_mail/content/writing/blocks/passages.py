"""Blocks that hold text and little else: `quote`, `note`, `signature`."""

import re
from dataclasses import dataclass

from mlgroup_mail.content.writing.blocks.keys import filled, flow, read_keys
from mlgroup_mail.content.writing.blocks.pieces import Fence
from mlgroup_mail.content.writing.text_lines import TextLines
from mlgroup_mail.content.writing.words import Words
from mlgroup_mail.errors import CampaignError

_WHO = re.compile(r"(?:--+|[–—])\s*(?P<who>\S.*)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Quote:
    """What somebody said, as a quotation, and who (empty where nobody is named)."""

    words: Words
    who: Words


@dataclass(frozen=True, kw_only=True, slots=True)
class Note:
    """Text set apart, with a title or without."""

    title: Words
    words: Words


@dataclass(frozen=True, kw_only=True, slots=True)
class Signature:
    """Who signs, line by line."""

    lines: tuple[Words, ...]


def read_quote(fence: Fence) -> Quote:
    """Read Markdown whose last line may be `-- Who`."""
    lines = filled(fence, "the words, and on the last line “-- Who said them”")
    who = Words("", "")
    if found := _WHO.fullmatch(lines.lines[-1].strip()):
        last = TextLines(place=lines.place, lines=(found["who"],), numbers=lines.numbers[-1:])
        who, lines = fence.writing.line(last), lines.part(0, -1).without_blank_ends()
    if not lines.lines:
        raise CampaignError("the quote has no words", where=fence.where, mend="Write them above “-- Who said them”.")
    quoted = TextLines(place=lines.place, lines=tuple(f"> {line}" for line in lines.lines), numbers=lines.numbers)
    return Quote(words=flow(fence, quoted), who=who)


def read_note(fence: Fence) -> Note:
    """Read Markdown, `title:` before it where it has one."""
    filled(fence, "the text, with a first line “title: ...” if it needs one")
    keys = read_keys(fence, ("title",), prose=True)
    if not keys.below.lines:
        raise CampaignError("the note has a title only", where=fence.where, mend="Write its text below the title.")
    return Note(title=keys.line("title"), words=keys.flow())


def read_signature(fence: Fence) -> Signature:
    """Read Markdown lines that stay lines."""
    lines = filled(fence, "who signs, a line each")
    return Signature(lines=tuple(fence.writing.line(lines.part(index, index + 1)) for index in range(len(lines.lines))))
