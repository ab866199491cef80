"""List marks that were typed: paragraphs that begin with "· ", "• ", "- ", "*Text" or "1. "."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from mlgroup_mail.content.word.blocks import Block, BlockKind, Blocks, Step
from mlgroup_mail.content.word.remarks import look

_BULLETS = "·•◦▪‣∙●○■□➢►✓✔\uf0b7\uf0a7\uf0d8\uf0fc"
"""Nobody begins a sentence with one of these. The last ones are the bullets of Word's own symbol fonts."""
_STRONG = re.compile(rf"([{_BULLETS}])\s*(?=\S)")
_WEAK = re.compile(r"([-–—*+])\s+(?=\S)|(\*)(?=[^\W_])(?![^*]*\*)")
"""Marks that begin a list only where there are at least two of them: dashes open dialogues, an asterisk a note."""
_NUMBER = re.compile(r"(\d{1,2})[.)]\s+(?=\S)")
_TWICE = 2


def begins_item(words: str) -> bool:
    """Whether a line begins with something that may be a list mark."""
    return bool(_STRONG.match(words) or _WEAK.match(words) or _NUMBER.match(words))


def with_typed_lists(blocks: Blocks) -> Step:
    """The blocks with typed list marks understood."""
    weak = Counter(_weak_mark(block) for block in blocks if block.kind is BlockKind.TEXT)
    usual = {mark for mark, count in weak.items() if mark and count >= _TWICE}
    numbers = dict(_numbered(blocks))
    found = []
    for position, block in enumerate(blocks):
        if block.kind is not BlockKind.TEXT:
            found.append(block)
        elif position in numbers:
            found.append(_item(block, r"\d{1,2}\\?[.)]", number=numbers[position]))
        elif mark := _STRONG.match(block.words):
            found.append(_item(block, re.escape(mark[1])))
        elif (weak_mark := _weak_mark(block)) in usual:
            found.append(_item(block, rf"\\?{re.escape(weak_mark)}"))
        else:
            found.append(block)
    made = sum(block.kind is BlockKind.ITEM for block in found) - sum(block.kind is BlockKind.ITEM for block in blocks)
    remark = look(f"{made} typed list mark{'' if made == 1 else 's'} taken for items of a list")
    return tuple(found), (remark,) if made else ()


def _weak_mark(block: Block) -> str:
    found = _WEAK.match(block.words)
    return found[1] or found[2] if found else ""


def _numbered(blocks: Blocks) -> Iterator[tuple[int, int]]:
    """Position and number of typed numbers that count: 1, 2, ... with only running text between."""
    run: list[tuple[int, int]] = []
    for position, block in enumerate(blocks):
        found = _NUMBER.match(block.words) if block.kind is BlockKind.TEXT else None
        number = int(found[1]) if found else 0
        if found and run and number == run[-1][1] + 1:
            run.append((position, number))
        elif (found and number == 1) or block.kind in (BlockKind.HEADING, BlockKind.TABLE):
            yield from run if len(run) >= _TWICE else ()
            run = [(position, 1)] if found else []
    yield from run if len(run) >= _TWICE else ()


def _item(block: Block, mark: str, *, number: int = 0) -> Block:
    """A block without its mark, which may stand within emphasis or be all of it."""
    first = re.compile(rf"([*_]{{0,3}})\s*{mark}\s*")
    return replace(
        block,
        kind=BlockKind.ITEM,
        markdown=_unmarked(first, block.markdown),
        light=_unmarked(first, block.light),
        words=re.sub(rf"^{mark}\s*", "", block.words),
        number=number,
    )


def _unmarked(first: re.Pattern[str], markdown: str) -> str:
    found = first.match(markdown)
    if not found:
        return markdown
    rest = markdown[found.end() :]
    emphasis = found[1]
    if emphasis and rest.startswith(emphasis):
        # The mark was all of it.
        return rest[len(emphasis) :].lstrip()
    return f"{emphasis}{rest}"
