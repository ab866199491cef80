"""Blocks as the Markdown of a campaign: one blank line between paragraphs, lists without, headings with #."""

from mlgroup_mail.content.word.blocks import SAME_PARAGRAPH, Block, BlockKind, Blocks
from mlgroup_mail.content.word.inline import guarded

_BULLET = "-"


def written(blocks: Blocks) -> str:
    """The text, without a line break at its end."""
    pieces: list[str] = []
    marks: list[str] = []
    last: Block | None = None
    delimiter = "."
    for block in blocks:
        in_list = block.kind is BlockKind.ITEM and last is not None and last.kind is BlockKind.ITEM
        if not in_list:
            marks, delimiter = [], "."
        elif block.level == 0 and block.number == 1 and marks[0] != _BULLET:
            # Two lists right beside each other: another delimiter keeps them two (CommonMark 5.3).
            delimiter = ")" if delimiter == "." else "."
        if last is not None:
            pieces.append(_between(last, block))
        if block.kind is BlockKind.ITEM:
            mark = f"{block.number}{delimiter}" if block.number else _BULLET
            marks = [*marks[: block.level], mark]
            indent = "".join(" " * (len(outer) + 1) for outer in marks[:-1])
            pieces.append(f"{indent}{mark} {guarded(block.markdown)}")
        else:
            pieces.append(_block(block))
        last = block
    return "".join(pieces)


def _block(block: Block) -> str:
    match block.kind:
        case BlockKind.HEADING:
            return f"{'#' * block.level} {_closed(block.markdown)}"
        case BlockKind.QUOTE:
            return f"> {guarded(block.markdown)}"
        case BlockKind.TABLE | BlockKind.FIGURE:
            return block.markdown
        case _:
            return guarded(block.markdown)


def _closed(heading: str) -> str:
    """A heading whose own last number signs stay: Markdown takes them for a closing mark."""
    return f"{heading[:-1]}\\#" if heading.endswith("#") and not heading.endswith("\\#") else heading


def _between(last: Block, block: Block) -> str:
    if block.kind is BlockKind.ITEM and last.kind is BlockKind.ITEM:
        return "\n"
    if last.kind is block.kind and block.gap == SAME_PARAGRAPH:
        return "\\\n"
    return "\n>\n" if last.kind is block.kind is BlockKind.QUOTE else "\n\n"
