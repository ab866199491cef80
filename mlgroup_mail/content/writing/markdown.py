"""Markdown as coordinators write it: one parser for all, and values that are never read as Markdown."""

import functools
import re
from collections.abc import Callable
from urllib.parse import quote

from markdown_it import MarkdownIt

from mlgroup_mail.content.writing.bare_addresses import link_bare_addresses

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_BLANKS = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029]+")
_MARKS = re.compile("\x02\\d*\x03?")
_NOT_PLAIN = re.compile(r"[ !-/:-@\[-`{-~]")
_ENTITY = re.compile(r"&#(\d{2,3});")


@functools.cache
def parser() -> MarkdownIt:
    """CommonMark, tables, and bare web addresses as links; HTML in the text is shown as text, never passed on."""
    found = MarkdownIt("commonmark", {"html": False}).enable("table")
    found.core.ruler.before("text_join", "bare_addresses", link_bare_addresses)
    return found


@functools.cache
def parser_of_marks() -> MarkdownIt:
    """The same for looking at what was typed: escaped marks are no `text`, and bare addresses are."""
    return MarkdownIt("commonmark", {"html": False}).enable("table").disable("text_join")


def escape_markdown(text: str) -> str:
    """Words as people would write them into a Markdown file: a backslash before any punctuation (CommonMark 2.4)."""
    return _PUNCTUATION.sub(r"\\\1", text)


def value_in_markdown(value: object) -> str:
    """A value put into a text stays what it is: no mark in it begins a heading, a link, a list or a block.

    It is one line, and each blank and punctuation mark in it an entity (CommonMark 2.5), which stands for that
    character in link targets too. A blank there would end the link, a backslash at its end hide the border of a cell.
    """
    line = _BLANKS.sub(" ", _MARKS.sub("", str(value)))
    return _NOT_PLAIN.sub(lambda found: f"&#{ord(found[0])};", line)


def value_back(text: str, write: Callable[[str], str] = str) -> str:
    """What `value_in_markdown` wrote, as it was: for what is read as no Markdown, such as code or an event's id."""
    return _ENTITY.sub(lambda found: write(chr(int(found[1]))), text)


def value_in_address(text: str) -> str:
    """The same within an address whose entities the parser leaves alone (<https://...>)."""
    return value_back(text, functools.partial(quote, safe=""))
