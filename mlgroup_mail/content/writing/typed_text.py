"""A text as it was typed, paragraph by paragraph, with what Markdown makes of its marks known at each place."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from markdown_it.token import Token

from mlgroup_mail.content.campaigns.mailing_text import MailingText
from mlgroup_mail.content.writing.blocks.kinds import BlockKind, read_head
from mlgroup_mail.content.writing.blocks.pieces import lines_within
from mlgroup_mail.content.writing.every_branch import UNDECIDED, every_branch
from mlgroup_mail.content.writing.markdown import parser_of_marks
from mlgroup_mail.content.writing.text_lines import TextLines

ESCAPED = "\ufffb"
"""Stands before what was written with a backslash or as an entity: it is meant to be read."""
NO_TEXT = "\ufffc"
"""Stands for marks that Markdown has read: emphasis, links, the borders of code."""

_VALUE = "value"


@dataclass(frozen=True, kw_only=True, slots=True)
class TypedText:
    """One paragraph, heading or cell: what readers see of it, with `ESCAPED` and `NO_TEXT` where those belong.

    `code` is what stands in it as code, `block` the kind of block it stands in, None for running text.
    """

    text: str
    code: str
    block: BlockKind | None
    lines: TextLines
    index: int

    def where(self, offset: int) -> str:
        """File and line of what stands at an offset of the text."""
        return self.lines.where(self.index + self.text.count("\n", 0, offset))


def typed_texts(text: MailingText) -> Iterator[TypedText]:
    """The parts of a text, those of all branches, each value as one word. Raises CampaignError for a misspelt block."""
    lines = every_branch(text)
    # What stands for a value has a blank in it, and would end the address of a link.
    whole = replace(lines, lines=tuple(line.replace(UNDECIDED, _VALUE) for line in lines.lines))
    return _typed(whole, None)


def _typed(lines: TextLines, block: BlockKind | None) -> Iterator[TypedText]:
    for token in parser_of_marks().parse(lines.text):
        index = token.map[0] if token.map else 0
        if token.type == "fence" and (head := read_head(token.info, lines.where(index))):
            yield from _typed(lines_within(token, lines), head.kind or block)
        elif token.type in ("fence", "code_block"):
            yield TypedText(text="", code=token.content, block=block, lines=lines, index=index)
        elif token.type == "inline":
            children = token.children or []
            yield TypedText(
                text="".join(map(_text, children)),
                code="\n".join(child.content for child in children if child.type == "code_inline"),
                block=block,
                lines=lines,
                index=index,
            )


def _text(child: Token) -> str:
    match child.type:
        case "text":
            return child.content
        case "text_special":
            return ESCAPED + child.content
        case "softbreak" | "hardbreak":
            return "\n"
        case "image":
            return NO_TEXT + "".join(map(_text, child.children or ())) + NO_TEXT
        case _:
            return NO_TEXT
