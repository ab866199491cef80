"""Lines that belong together: texts that came out of a PDF or an old mail have a paragraph for each line.

The rules, in the order in which they decide:

1. A document counts as wrapped by hand when, at least twice, a line breaks off in the middle of a sentence, the next
   goes on with a small letter, and both breaks come at about the same width.
2. How far such lines are apart (a line break, or so many empty paragraphs) says what does not part paragraphs in this
   document. What stands further apart is two paragraphs.
3. Two lines are joined when the first word of the second had no room any more on the first. A line that breaks off
   although there was room ended on purpose: a heading, a greeting, the last line of a paragraph.
4. A line that could be full and ends a sentence ends a paragraph where it has more blanks at its end than broken
   lines have, or where the next is short and ends no sentence: a heading.
5. Headings, list marks, tables, quotations and bold lines begin something of their own.
"""

import re
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from statistics import median

from mlgroup_mail.content.word.blocks import SAME_PARAGRAPH, Block, BlockKind, Blocks, Step
from mlgroup_mail.content.word.list_marks import begins_item
from mlgroup_mail.content.word.remarks import Remark, look

SHORTEST = 40
"""A shorter line is none that was broken for want of room."""
LONGEST = 130
"""A longer one is a paragraph."""

_TWICE = 2
_ROOM = 0.85
"""A line and the next word that reach this share of the usual width had no room; letters differ in width."""
_SENTENCE_END = re.compile(r"[.!?:…][\"'”’»)\]]*$")
_STOP = re.compile(r"[.,;:!?…][\"'”’»)\]]*$")
_WRAPPING = (BlockKind.TEXT, BlockKind.ITEM)


def joined(blocks: Blocks) -> Step:
    """The blocks with broken lines joined into paragraphs."""
    wrapping = _wrapping(blocks)
    found: list[Block] = []
    joints = 0
    last = None
    for block in blocks:
        if wrapping and last is not None and wrapping.joins(last, block):
            found[-1] = _together(found[-1], block)
            joints += 1
        else:
            found.append(block)
        last = block
    return tuple(found), _told(joints)


def _told(joints: int) -> tuple[Remark, ...]:
    if not joints:
        return ()
    return (look(f"{joints} line{'' if joints == 1 else 's'} that broke off in a sentence joined to the line before"),)


class _Wrapping:
    """How a document was wrapped: at which width, how far apart its lines are, with how many blanks at their ends."""

    def __init__(self, breaks: list[tuple[Block, Block]]) -> None:
        gaps = Counter(after.gap for _, after in breaks)
        self._gap = max((gap for gap, count in gaps.items() if count >= _TWICE), default=SAME_PARAGRAPH)
        self._width = median(_reach(*pair) for pair in breaks)
        self._trailing = Counter(before.trailing for before, _ in breaks).most_common(1)[0][0]

    def joins(self, before: Block, after: Block) -> bool:
        """Whether two blocks are two lines of one paragraph."""
        if not _may_go_on(before, after) or after.gap > self._gap:
            return False
        if _reach(before, after) < _ROOM * self._width:
            return False
        if not _SENTENCE_END.search(before.words):
            return True
        return before.trailing <= self._trailing and not _is_heading_like(after)


def _wrapping(blocks: Blocks) -> _Wrapping | None:
    breaks = [pair for pair in pairwise(blocks) if _are_lines(*pair) and _breaks_off(*pair)]
    if len(breaks) < _TWICE:
        return None
    width = median(_reach(*pair) for pair in breaks)
    alike = [pair for pair in breaks if _may_go_on(*pair) and _ROOM * width <= _reach(*pair) <= width / _ROOM]
    # Lists without marks begin with small letters too; their lines are of all lengths.
    return _Wrapping(alike) if len(alike) >= _TWICE and len(alike) * 4 >= len(breaks) * 3 else None


def _may_go_on(before: Block, after: Block) -> bool:
    return _are_lines(before, after) and len(before.words) >= SHORTEST


def _are_lines(before: Block, after: Block) -> bool:
    return (
        before.kind in _WRAPPING
        and after.kind is BlockKind.TEXT
        and len(before.words) <= LONGEST
        and len(after.words) <= LONGEST
        and before.bold == after.bold
        and not begins_item(after.words)
    )


def _breaks_off(before: Block, after: Block) -> bool:
    return after.words[:1].islower() and not _SENTENCE_END.search(before.words)


def _is_heading_like(block: Block) -> bool:
    return len(block.words) < SHORTEST and block.words[:1].isupper() and not _STOP.search(block.words)


def _reach(before: Block, after: Block) -> int:
    """How long the first line would be with the second's first word."""
    return len(before.words) + 1 + len(after.words.split(" ", 1)[0])


def _together(before: Block, after: Block) -> Block:
    between = "" if re.search(r"\w-$", before.words) and after.words[:1].islower() else " "
    return replace(
        before,
        markdown=f"{before.markdown}{between}{after.markdown}",
        light=f"{before.light}{between}{after.light}",
        words=f"{before.words}{between}{after.words}",
        trailing=after.trailing,
    )
