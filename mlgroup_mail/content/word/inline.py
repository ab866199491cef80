"""A line of HTML as Markdown that reads the same, whatever stands in it.

What the Markdown says is read back and compared; emphasis that Markdown cannot write at that place is given up before
a single word is.
"""

import copy
import functools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString, PageElement
from markdownify import MarkdownConverter

from mlgroup_mail.content.word.addresses import ADDRESS, autolink, link, target
from mlgroup_mail.content.writing.markdown import escape_markdown, parser

_MARKS = re.compile(r"[\\`*\[\]<]|(?<!\w)_|_(?!\w)|~(?=~)|&(?=#?\w+;)")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_JINJA = re.compile(r"(?<=\{)(?=[{%#])|(?<=[}%])(?=\})")
_BLOCK_MARK = re.compile(
    r"(?:\d{1,9}(?=[.)](?:\s|$))|(?=[-+](?:\s|$)|[-=]{2}|=\s*$|#{1,6}(?:\s|$)|>|~~~|:::|:?-+:?\s*\||\|))"
)
_parser = functools.cache(parser)
_EMPHASIS = ("strong", "em")
_RAISED = str.maketrans("0123456789+-=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿ")
_LOWERED = str.maketrans("0123456789+-=()", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎")


@dataclass(frozen=True, kw_only=True, slots=True)
class Inline:
    """A line: its Markdown, the same without bold (`light`), and its words alone.

    `bold` tells that every word is, `trailing` counts the blanks at its end. Nothing in the Markdown means anything
    to Jinja.
    """

    markdown: str
    light: str
    words: str
    bold: bool = False
    trailing: int = 0


def lines_of(element: Tag) -> list[Inline]:
    """The lines of a paragraph: each ends where a line break stands."""
    return [inline(line) for line in _split(element)]


def inline(elements: Iterable[PageElement]) -> Inline:
    """Elements that stand on one line."""
    line = _paragraph(elements)
    text = line.get_text()
    return Inline(
        markdown=_faithful(line),
        light=_faithful(_without(line, "strong")),
        words=_words(line),
        bold=_is_bold(line),
        trailing=len(text) - len(text.rstrip()),
    )


def guarded(line: str) -> str:
    """A line whose beginning starts nothing: no list, no heading, no rule."""
    found = _BLOCK_MARK.match(line)
    return f"{line[: found.end()]}\\{line[found.end() :]}" if found else line


def _paragraph(elements: Iterable[PageElement]) -> Tag:
    """A copy of the elements as one paragraph, tidied: notes, bookmarks, raised figures, controls."""
    soup = BeautifulSoup("<p></p>", "html.parser")
    line = soup.p
    assert isinstance(line, Tag)
    line.extend([copy.copy(each) for each in elements])
    for each in line.find_all("a"):
        if not each.get("href") or str(each["href"]).startswith("#"):
            each.unwrap()
    for name, table in (("sup", _RAISED), ("sub", _LOWERED)):
        for each in line.find_all(name):
            text = each.get_text()
            figures = text.translate(table)
            each.replace_with(figures if text.strip() and all(ord(char) in table for char in text) else text)
    for each in line.find_all("input"):
        each.replace_with("☒" if each.has_attr("checked") else "☐")
    for each in line.find_all(["s", "u", "p", "br"]):
        if each.name == "br":
            each.replace_with(" ")
        else:
            each.unwrap()
    for text in line.find_all(string=_CONTROLS):
        text.replace_with(_CONTROLS.sub(" ", str(text)))
    line.smooth()
    return line


def _split(element: Tag) -> list[list[PageElement]]:
    """What stands on each line; what is around a line break is written around both of its sides."""
    lines: list[list[PageElement]] = [[]]
    for each in list(element.children):
        if not isinstance(each, Tag):
            lines[-1].append(each)
        elif each.name == "br":
            lines.append([])
        elif each.find("br") is None:
            lines[-1].append(each)
        else:
            first, *others = (_around(each, line) for line in _split(each))
            lines[-1].append(first)
            lines += [[other] for other in others]
    return lines


def _around(outer: Tag, line: list[PageElement]) -> Tag:
    new = BeautifulSoup("", "html.parser").new_tag(
        outer.name, attrs={name: str(text) for name, text in outer.attrs.items()}
    )
    new.extend(line)
    return new


def _words(line: Tag) -> str:
    return " ".join(line.get_text().split())


def _is_bold(line: Tag) -> bool:
    texts = [each for each in line.find_all(string=True) if each.strip()]
    return bool(texts) and all(each.find_parent("strong") for each in texts)


def _without(line: Tag, *names: str) -> Tag:
    line = copy.copy(line)
    for each in line.find_all(names):
        each.unwrap()
    line.smooth()
    return line


def _forms(line: Tag) -> Iterator[Tag]:
    yield line
    yield _with_marks_outside(line)
    yield _without(line, *_EMPHASIS)


def _faithful(line: Tag) -> str:
    """The first of several forms whose words, read back, are the line's own."""
    words = _words(line)
    for form in _forms(line):
        markdown = _safe_for_jinja(_markdown(form).strip())
        if _read_back(guarded(markdown)) == words:
            return markdown
    pictures = "".join(f" {_markdown(each)}" for each in line.find_all("img"))
    return _safe_for_jinja(f"{escape_markdown(words)}{pictures}")


def _markdown(element: Tag) -> str:
    writer = _Writer()
    return str(writer.convert_soup(copy.copy(element)))


def _safe_for_jinja(markdown: str) -> str:
    """`{{`, `}}` and their like, with a backslash between: the text shows both, Jinja and `check` see neither."""
    return _JINJA.sub(r"\\", markdown)


def _read_back(markdown: str) -> str | None:
    """The words that a Markdown paragraph shows; None where it is something else."""
    tokens = _parser().parse(markdown)
    if not tokens:
        return ""
    if [token.type for token in tokens] != ["paragraph_open", "inline", "paragraph_close"]:
        return None
    shown = (
        " " if each.type in ("softbreak", "hardbreak") else each.content
        for each in tokens[1].children or ()
        if each.type != "image"
    )
    return " ".join("".join(shown).split())


def _with_marks_outside(line: Tag) -> Tag:
    """Emphasis without punctuation at its edges, which Markdown needs where a letter stands right beside it."""
    line = copy.copy(line)
    for each in line.find_all(_EMPHASIS):
        texts = [text for text in each.find_all(string=True) if text.find_parent("a") is None]
        if not texts:
            continue
        first, last = texts[0], texts[-1]
        if found := re.search(r"[\W_]+$", last):
            each.insert_after(NavigableString(found[0]))
            last.replace_with(kept := NavigableString(last[: found.start()]))
            first = kept if first is last else first
        if found := re.match(r"[\W_]+", first):
            each.insert_before(NavigableString(found[0]))
            first.replace_with(NavigableString(first[found.end() :]))
        if not each.get_text():
            each.decompose()
    line.smooth()
    return line


class _Writer(MarkdownConverter):
    """markdownify, with this house's escapes, links and pictures."""

    def escape(self, text: str, parent_tags: Any) -> str:
        if "a" in parent_tags:
            return _escaped(text)
        pieces: list[str] = []
        end = 0
        for found in ADDRESS.finditer(text):
            pieces += _escaped(text[end : found.start()]), autolink(found[0], _escaped(found[0]))
            end = found.end()
        return "".join([*pieces, _escaped(text[end:])])

    def convert_a(self, el: Tag, text: str, parent_tags: Any) -> str:  # noqa: ARG002
        address = target(str(el.get("href") or ""))
        return link(text, address, words=" ".join(el.get_text().split())) if address else text

    def convert_img(self, el: Tag, text: str, parent_tags: Any) -> str:  # noqa: ARG002
        return f"![{_escaped(str(el.get('alt') or ''))}]({el['src']})"


def _escaped(text: str) -> str:
    return _MARKS.sub(r"\\\g<0>", text)
