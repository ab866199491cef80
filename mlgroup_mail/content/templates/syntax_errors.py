"""Jinja's syntax errors in plain words, with the line where the slip is and not where the reader gave up."""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from jinja2 import TemplateSyntaxError

from mlgroup_mail.errors import CampaignError

_CLOSED_BY = {"{{": "}}", "{%": "%}", "{#": "#}"}
_MARK = re.compile(r"\{\{|\}\}|\{%|%\}|\{#|#\}")
_UNREAD = re.compile(r"\{#.*?#\}|\{%-?\s*raw\s*-?%\}.*?\{%-?\s*endraw\s*-?%\}", re.DOTALL)
_TAG = re.compile(r"\{%[-+]?\s*(?P<end>end)?(?P<name>[a-z]+)(?P<rest>.*?)%\}", re.DOTALL)
_BLOCKS = ("if", "for", "set", "block", "macro", "call", "filter", "raw", "trans", "with")
_OTHER_TAGS = ("else", "elif", "include", "extends", "import", "from")
_HOW = "Values stand in {{ }}, conditions in {% %}; each {% if %} needs its {% endif %}."
_VALUE = "In {{ }} stands one value with its filters, {{ deadline | date }}, and texts stand in quotes."
_SENTENCES = (
    (r".*(?:got|unexpected) 'end of", "something is missing before the closing braces", _VALUE),
    (r"expected token '[^']*', got '([^']*)'", "“{0}” cannot stand here", _VALUE),
    (r"unexpected '}'$", "a single “}}” closes nothing", "Write “}}”."),
    (r"unexpected '.', expected '(.)'", "a bracket is not closed", "Write its other half, as in {{ range(3) }}."),
    (r"unexpected '([)\]])'", "“{0}” closes nothing", "Take it away, or write the other half before it."),
    (r"unexpected char '[“”„‟«»‘’]'", "the quotes are curly, and only straight ones count", "Type them anew."),
    (r"unexpected char [\"']['\"][\"']", "a text in quotes is not closed", "Write the same quote at its end."),
    (r"unexpected char '(.)'", "“{0}” cannot stand here", _VALUE),
    (r"expected name or number", "nothing stands behind a “.”", "Write {{ group.name }}, say."),
    (r"block '(.*)' defined twice", "{{% block {0} %}} stands here twice", "Each block has a name of its own."),
    (r"no filter named '(.*)'", "there is no filter “{0}”", _VALUE),
    (r"no test named '(.*)'", "there is no test “{0}”", _VALUE),
)
"""How Jinja's sentences go, what we say, and what helps."""


def syntax_error(error: TemplateSyntaxError, *, place: str) -> CampaignError:
    """What is wrong, where, and what to write instead. `place` is the file as shown to people."""
    text = _UNREAD.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), error.source or "")
    slip = _unclosed_mark(text) or _explained(str(error.message or error), error.lineno, text)
    return CampaignError(slip.message, where=f"{place}, line {slip.line}", mend=slip.mend)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Slip:
    line: int
    message: str
    mend: str


def _unclosed_mark(text: str) -> _Slip | None:
    """The first {{ that nothing closes before the next begins."""
    opened: re.Match[str] | None = None
    for mark in _MARK.finditer(text):
        if opened and mark[0] == _CLOSED_BY[opened[0]]:
            opened = None
        elif opened and mark[0] in _CLOSED_BY:
            break
        elif mark[0] in _CLOSED_BY:
            opened = mark
    if opened is None:
        return None
    begin, end = opened[0], _CLOSED_BY[opened[0]]
    return _Slip(
        line=_line(text, opened.start()),
        message=f"“{begin}” is not closed",
        mend=f"Write “{end}” behind what it holds; a single brace does not close it.",
    )


def _explained(message: str, line: int, text: str) -> _Slip:
    if found := re.match(r"[Ee]ncountered unknown tag '(\w+)'", message):
        return _unknown_tag(found[1], line)
    if message.startswith("Unexpected end of template") and (last := next(_open_blocks(text), None)):
        name, opened = last
        return _Slip(
            line=opened,
            message=f"{{% {name} %}} is not closed",
            mend=f"Write {{% end{name} %}} behind what it is to hold.",
        )
    for pattern, ours, mend in _SENTENCES:
        if found := re.match(pattern, message, re.IGNORECASE):
            return _Slip(line=line, message=ours.format(*found.groups()), mend=mend)
    return _Slip(line=line, message="this line cannot be read", mend=_HOW)


def _unknown_tag(name: str, line: int) -> _Slip:
    block = name.removeprefix("end")
    if name.startswith("end") and block in _BLOCKS:
        return _Slip(
            line=line,
            message=f"{{% {name} %}} closes nothing",
            mend=f"Take it away, or write {{% {block} %}} before it. What was opened last is closed first.",
        )
    if name in ("else", "elif"):
        return _Slip(line=line, message=f"{{% {name} %}} stands in no {{% if %}}", mend="Write {% if ... %} before it.")
    known = [f"end{block}" for block in _BLOCKS] if name.startswith("end") else [*_BLOCKS, *_OTHER_TAGS]
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"Did you mean {{% {near[0]} %}}? " if near else ""
    return _Slip(line=line, message=f"there is no {{% {name} %}}", mend=f"{hint}Known: {', '.join(sorted(known))}.")


def _open_blocks(text: str) -> Iterator[tuple[str, int]]:
    """The blocks that are still open at the end and the lines they begin on, the innermost first."""
    opened: list[tuple[str, int]] = []
    for tag in _TAG.finditer(text):
        name = tag["name"]
        if tag["end"]:
            if opened and opened[-1][0] == name:
                opened.pop()
        elif name in _BLOCKS and not (name == "set" and "=" in tag["rest"]):
            opened.append((name, _line(text, tag.start())))
    yield from reversed(opened)


def _line(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1
