"""Captions: with the picture that they stand beside, or as plain text."""

import re
from collections.abc import Iterator
from dataclasses import replace

from mlgroup_mail.content.word.blocks import SAME_PARAGRAPH, Block, BlockKind, Blocks, Step
from mlgroup_mail.content.word.remarks import look

_PICTURE = re.compile(r"!\[(?P<alt>(?:[^\[\]\\\n]|\\.)+)\]\((?P<name>[^()\s]+)\)")
"""A paragraph that is one picture, described: a figure must have words for those who do not see it."""


def with_captions(blocks: Blocks) -> Step:
    """A picture and the caption below it, or else above it, as a figure; other captions as paragraphs."""
    found = list(_whole(blocks))
    for at, block in enumerate(found):
        if block.kind is BlockKind.TEXT and (picture := _PICTURE.fullmatch(block.markdown)):
            beside = next((each for each in (at + 1, at - 1) if _is_caption(found, each)), None)
            if beside is not None:
                markdown = _figure(picture["name"], picture["alt"], found[beside].light)
                gap = found[min(at, beside)].gap
                found[at] = replace(block, kind=BlockKind.FIGURE, markdown=markdown, gap=gap)
                found[beside] = replace(found[beside], markdown="")
    left = [block for block in found if block.markdown]
    alone = [block for block in left if block.kind is BlockKind.CAPTION]
    told = tuple(look(f"the caption {block} is a paragraph of its own") for block in alone)
    return tuple(
        replace(block, kind=BlockKind.TEXT) if block.kind is BlockKind.CAPTION else block for block in left
    ), told


def _whole(blocks: Blocks) -> Iterator[Block]:
    """A caption of several lines as one."""
    last: Block | None = None
    for block in blocks:
        if last and last.kind is block.kind is BlockKind.CAPTION and block.gap == SAME_PARAGRAPH:
            last = replace(
                last,
                markdown=f"{last.markdown} {block.markdown}",
                light=f"{last.light} {block.light}",
                words=f"{last.words} {block.words}",
            )
            continue
        if last:
            yield last
        last = block
    if last:
        yield last


def _is_caption(blocks: list[Block], at: int) -> bool:
    return 0 <= at < len(blocks) and blocks[at].kind is BlockKind.CAPTION and bool(blocks[at].markdown)


def _figure(name: str, alt: str, caption: str) -> str:
    return f"```figure\nimage: {name}\nalt: {alt}\ncaption: {caption}\n```"
