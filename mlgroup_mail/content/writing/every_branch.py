"""A text before any value is known: the lines of all branches of its Jinja, each once."""

import functools
import re

from mlgroup_mail.content.campaigns.mailing_text import MailingText
from mlgroup_mail.content.templates.rendering import jinja_tokens
from mlgroup_mail.content.writing.text_lines import TextLines, marked, unmarked

UNDECIDED = "{{ }}"
"""Stands for a value, and within a line for a condition: what such a line says is not known yet."""

_AT_LINE_START = re.compile("(?:\\A|\n)(?:\x02\\d+\x03|[ \t])*\\Z")


def every_branch(text: MailingText) -> TextLines:
    """The lines as Jinja would leave them if every condition held and each loop ran once; values are `UNDECIDED`.

    So a text can be read as Markdown, by the one parser, before it is rendered. Raises CampaignError for Jinja that
    cannot be read.
    """
    return _every_branch(text.text_file, text.templates[text.text_file])


@functools.lru_cache(maxsize=64)
def _every_branch(place: str, text: str) -> TextLines:
    written = ""
    for line, kind, value in jinja_tokens(text, place=place):
        if kind == "data":
            written += marked(value, line)
        # At the beginning of a line a tag decides of the lines that follow; behind words, what those words are.
        elif kind == "variable_begin" or (kind == "block_begin" and not _AT_LINE_START.search(written)):
            written += marked(UNDECIDED, line)
    return unmarked(written, place=place)
