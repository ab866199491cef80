"""Markdown as coordinators write it: one parser, one HTML form. The plain-text form is `plain_text`."""

import re

from markdown_it import MarkdownIt

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_BREAKS = re.compile(r"\s*[\r\n\v\f\x85\u2028\u2029]\s*")


class Markdown(str):
    """Text that is Markdown already and is not escaped when it is put into a text."""

    __slots__ = ()


def parser() -> MarkdownIt:
    """CommonMark and tables; HTML in the text is shown as text, never passed on."""
    return MarkdownIt("commonmark", {"html": False}).enable("table")


def to_html(text: str) -> str:
    """Markdown as HTML, without the frame of a page."""
    return str(parser().render(text))


def escape_markdown(value: object) -> object:
    """A value put into a text stays what it is: no mark in it begins a heading, a link or a list.

    A backslash before any ASCII punctuation stands for that character, in link targets too (CommonMark 2.4).
    """
    if isinstance(value, Markdown) or not isinstance(value, str):
        return value
    return _PUNCTUATION.sub(r"\\\1", _BREAKS.sub(" ", value))
