"""Headings: the document's title, bold lines that serve as headings, and the levels that a mail has."""

import re
from dataclasses import replace
from itertools import pairwise

from mlgroup_mail.content.word.blocks import SAME_PARAGRAPH, Block, BlockKind, Blocks, Step
from mlgroup_mail.content.word.remarks import look

LONGEST_TITLE = 150
LONGEST_HEADING = 100
"""Characters of a bold line that may be a heading."""

_LONGEST_ALONE = 60
_LONG_TEXT = 80
_FIRST_LEVEL = 2
"""The mail's own title is its heading of level 1."""
_LAST_LEVEL = 4
_BOLD_LEVEL = 99
_UNFINISHED = re.compile(r"[.,;:!…]$")
_GREETING = re.compile(
    r"(?:dear|hello|hi|good (?:morning|day|afternoon)|bonjour|ch[eè]re?s?|madame|monsieur|sehr geehrte|liebe|guten tag|"
    r"hallo|beste|geachte|estimad|querid|hola|caro|cara|cari|gentil|egregi|prezad|szanown|vážen|kära|kære|hyvä|"
    r"уважаем|дорог)",
    re.IGNORECASE,
)
_LONGEST_GREETING = 60


def split_title(blocks: Blocks) -> tuple[str, Step]:
    """The document's title ("" where it has none), and the blocks without it."""
    position = _title_position(blocks)
    if position is None:
        return "", (blocks, ())
    title = blocks[position]
    told = () if title.kind is BlockKind.HEADING else (look(f"taken for the title: {title}"),)
    return title.words, ((*blocks[:position], *blocks[position + 1 :]), told)


def _title_position(blocks: Blocks) -> int | None:
    named = next((at for at, each in enumerate(blocks) if each.kind is BlockKind.HEADING and not each.level), None)
    if named is not None:
        return named
    if len(blocks) < 2:
        return None
    first = blocks[0]
    if first.kind is BlockKind.HEADING:
        return 0
    if "](" in first.markdown or "<" in first.markdown:
        # A subject has no links.
        return None
    stands_alone = blocks[1].gap != SAME_PARAGRAPH and first.kind is BlockKind.TEXT and _is_heading_like(first)
    return 0 if stands_alone and len(first.words) <= LONGEST_TITLE and not is_greeting(first) else None


def with_bold_headings(blocks: Blocks) -> Step:
    """Bold lines that stand for themselves, with plain text after them, as headings."""
    lines = [block for block in blocks if block.kind is BlockKind.TEXT]
    if sum(block.bold for block in lines) * 2 > len(lines):
        # Where most of a text is bold, bold says nothing.
        return blocks, ()
    found = list(blocks)
    told = []
    for position, (block, after) in enumerate(pairwise(blocks)):
        if _is_bold_heading(block, after):
            found[position] = replace(block, kind=BlockKind.HEADING, markdown=block.light, level=_BOLD_LEVEL)
            told.append(look(f"taken for a heading, because it is bold and alone: {block}"))
    return tuple(found), tuple(told)


def _is_bold_heading(block: Block, after: Block) -> bool:
    return (
        block.kind is BlockKind.TEXT
        and block.bold
        and SAME_PARAGRAPH not in (block.gap, after.gap)
        and len(block.words) <= LONGEST_HEADING
        and not _UNFINISHED.search(block.words)
        and any(char.isalpha() for char in block.words)
        and not (after.kind is BlockKind.TEXT and after.bold)
        and after.kind is not BlockKind.HEADING
    )


def levelled(blocks: Blocks) -> Step:
    """The headings with levels from 2 on, none left out; bold lines below the document's own."""
    levels = sorted({block.level for block in blocks if block.kind is BlockKind.HEADING})
    ours = {level: min(_FIRST_LEVEL + position, _LAST_LEVEL) for position, level in enumerate(levels)}
    return tuple(
        replace(block, level=ours[block.level]) if block.kind is BlockKind.HEADING else block for block in blocks
    ), ()


def with_hints(blocks: Blocks) -> Step:
    """The same blocks; told are lines that look like headings, and a greeting that could name its reader."""
    told = [
        look(f"stands alone like a heading: {block}; if it is one, put ## before it")
        for block, after in pairwise(blocks)
        if _looks_like_heading(block, after)
    ]
    greeting = next((block for block in blocks[:3] if block.kind is BlockKind.TEXT and is_greeting(block)), None)
    if greeting:
        field = '{{ recipient.first_name | default("colleague") }}'
        told.append(look(f"{greeting} greets all alike; to greet each by name: Dear {field},"))
    return blocks, tuple(told)


def is_greeting(block: Block) -> bool:
    """Whether a line greets its readers."""
    return len(block.words) <= _LONGEST_GREETING and bool(_GREETING.match(block.words))


def _looks_like_heading(block: Block, after: Block) -> bool:
    return (
        block.kind is BlockKind.TEXT
        and not block.bold
        and SAME_PARAGRAPH not in (block.gap, after.gap)
        and len(block.words) <= _LONGEST_ALONE
        and _is_heading_like(block)
        and after.kind is BlockKind.TEXT
        and len(after.words) > _LONG_TEXT
    )


def _is_heading_like(block: Block) -> bool:
    first = block.words[:1]
    return bool(first) and not first.islower() and first.isalnum() and not _UNFINISHED.search(block.words)
