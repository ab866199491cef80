"""HTML that an author typed into a text: Markdown is all that is read there, so readers would see the tags."""

import re
from collections.abc import Iterator

from mlgroup_mail.content.campaigns.mailing_text import LINES, MailingText
from mlgroup_mail.content.writing.blocks.kinds import read_head
from mlgroup_mail.content.writing.blocks.pieces import lines_within
from mlgroup_mail.content.writing.every_branch import every_branch
from mlgroup_mail.content.writing.markdown import parser
from mlgroup_mail.content.writing.text_lines import TextLines

_NAMES = (
    "a|b|big|blockquote|br|center|code|div|em|font|h[1-6]|hr|i|img|li|mark|ol|p|pre|s|small|span|strike|strong|style"
    "|sub|sup|table|tbody|td|th|thead|tr|u|ul"
)
_TAG = re.compile(rf"</?(?P<name>{_NAMES})(?:\s[^<>]*)?/?>", re.IGNORECASE)


def typed_tags(text: MailingText) -> Iterator[tuple[str, str]]:
    """Each tag that would be shown as it is, with its file and line; tags in code are meant to be.

    Raises CampaignError for a misspelt block.
    """
    for key in LINES:
        yield from _tags(getattr(text, key), text.places.get(key, text.text_file))
    yield from _typed(every_branch(text))


def _typed(lines: TextLines) -> Iterator[tuple[str, str]]:
    for token in parser().parse(lines.text):
        index = token.map[0] if token.map else 0
        if token.type == "fence" and read_head(token.info, lines.where(index)):
            yield from _typed(lines_within(token, lines))
        for child in token.children or ():
            if child.type == "text":
                yield from _tags(child.content, lines.where(index))
            index += child.type in ("softbreak", "hardbreak")


def _tags(words: str, where: str) -> Iterator[tuple[str, str]]:
    for found in _TAG.finditer(words):
        yield where, found[0]
