"""Whether rendered MJML is built as MJML allows it.

mrml lets much through in silence: an unknown element, an element in a wrong place, text outside of any `<mj-text>`, the
wrong end tag. All of that is lost to the reader, or breaks the page. What it does refuse, it refuses without a line.
Source of the rules: the documentation of MJML 4, "Components".
"""

import re
from dataclasses import dataclass

_CONTENT = frozenset(
    {"mj-accordion", "mj-button", "mj-carousel", "mj-divider", "mj-image", "mj-navbar", "mj-raw", "mj-social"}
    | {"mj-spacer", "mj-table", "mj-text"}
)
_INSIDE = {
    "": frozenset({"mjml"}),
    "mjml": frozenset({"mj-head", "mj-body", "mj-raw"}),
    "mj-head": frozenset({"mj-attributes", "mj-breakpoint", "mj-preview", "mj-raw", "mj-style", "mj-title"}),
    "mj-body": frozenset({"mj-hero", "mj-raw", "mj-section", "mj-wrapper"}),
    "mj-wrapper": frozenset({"mj-hero", "mj-raw", "mj-section"}),
    "mj-section": frozenset({"mj-column", "mj-group", "mj-raw"}),
    "mj-group": frozenset({"mj-column", "mj-raw"}),
    "mj-column": _CONTENT,
    "mj-hero": _CONTENT,
    "mj-accordion": frozenset({"mj-accordion-element", "mj-raw"}),
    "mj-accordion-element": frozenset({"mj-accordion-text", "mj-accordion-title", "mj-raw"}),
    "mj-carousel": frozenset({"mj-carousel-image", "mj-raw"}),
    "mj-navbar": frozenset({"mj-navbar-link", "mj-raw"}),
    "mj-social": frozenset({"mj-raw", "mj-social-element"}),
}
"""What may stand in the elements that hold others; `mj-attributes` holds any, the remaining ones hold text and HTML."""
_EMPTY = frozenset({"mj-all", "mj-breakpoint", "mj-carousel-image", "mj-class", "mj-divider", "mj-image", "mj-spacer"})
ELEMENTS = frozenset(
    {*_INSIDE, *_EMPTY, *(name for names in _INSIDE.values() for name in names), "mj-attributes"} - {""}
)
"""Every element there is here. Includes are Jinja's; fonts are not loaded."""

_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"}
)
_ATTRIBUTES = r"""(?:\s+[^\s=<>"'/]+(?:\s*=\s*(?:"[^"<]*"|'[^'<]*'))?)*"""
_PIECE = re.compile(
    r"<!--(?P<comment>.*?)-->"
    rf"|<(?P<end>/)?(?P<name>[A-Za-z][A-Za-z0-9:-]*)(?P<attributes>{_ATTRIBUTES})\s*(?P<empty>/)?>"
    r"|(?P<stray><)"
    r"|(?P<text>[^<]+)",
    re.DOTALL,
)
_STYLE_END = re.compile(r"</(?:mj-)?style\s*>")


class MjmlError(ValueError):
    """What is wrong at `offset` of a rendered text, and what to write instead."""

    def __init__(self, message: str, mend: str, offset: int) -> None:
        super().__init__(message)
        self.mend, self.offset = mend, offset


@dataclass(frozen=True, kw_only=True, slots=True)
class _Open:
    name: str
    offset: int

    @property
    def holds_html(self) -> bool:
        return self.name not in _INSIDE and self.name != "mj-attributes"


def check_structure(mjml: str) -> None:
    """Raise MjmlError for the first thing that MJML does not allow."""
    if not mjml.strip():
        raise MjmlError("this is empty", "A page begins with <mjml> and ends with </mjml>.", 0)
    check_part(mjml, around="")


def check_part(mjml: str, *, around: str) -> None:
    """The same for what is to stand within an element: `mj-column`, `mj-body`; "" for a whole page."""
    opened = [_Open(name=around, offset=0)]
    position = 0
    while piece := _PIECE.match(mjml, position):
        position = piece.end()
        if piece["stray"]:
            raise _stray(mjml, piece.start())
        if piece["text"]:
            _check_text(piece, opened[-1])
        elif (name := piece["name"]) and piece["end"]:
            _close(name.lower(), piece.start(), opened)
        elif name:
            name = name.lower()
            _check_place(name, piece.start(), opened[-1])
            if not piece["empty"] and name not in _VOID:
                opened.append(_Open(name=name, offset=piece.start()))
                if name in ("mj-style", "style") and (end := _STYLE_END.search(mjml, position)):
                    position = end.start()
    if len(opened) > 1:
        raise _unclosed(opened[-1])


def _check_text(piece: re.Match[str], around: _Open) -> None:
    if (end := piece["text"].find("]]>")) >= 0:
        raise MjmlError("“]]>” cannot stand here", "Write ]]&gt; for it.", piece.start() + end)
    if piece["text"].strip() and not around.holds_html:
        start = piece.start() + len(piece["text"]) - len(piece["text"].lstrip())
        where = f"directly in <{around.name}>" if around.name else "outside of <mjml>"
        raise MjmlError(f"text stands {where}, where nobody would read it", "Put it into <mj-text>.", start)


def _check_place(name: str, offset: int, around: _Open) -> None:
    if around.name == "mj-attributes":
        return
    is_mjml = name == "mjml" or name.startswith("mj-")
    if around.holds_html:
        if is_mjml:
            raise MjmlError(
                f"<{name}> stands in <{around.name}>, which holds HTML only",
                f"Close <{around.name}> before it.",
                offset,
            )
        return
    allowed = sorted(_INSIDE[around.name])
    if name not in allowed:
        where = f"in <{around.name}>" if around.name else "at the top"
        mend = f"There may stand: {', '.join(f'<{each}>' for each in allowed)}."
        raise MjmlError(
            f"<{name}> cannot stand {where}", mend if is_mjml else f"{mend} HTML goes into <mj-text>.", offset
        )


def _close(name: str, offset: int, opened: list[_Open]) -> None:
    last = opened[-1]
    if name == last.name and len(opened) > 1:
        opened.pop()
        return
    if name in _VOID:
        raise MjmlError(f"</{name}> closes nothing", f"<{name}> has no end: take it away.", offset)
    if any(each.name == name for each in opened[1:]):
        raise _unclosed(last)
    raise MjmlError(f"</{name}> closes nothing", f"Take it away, or open <{name}> before it.", offset)


def _unclosed(element: _Open) -> MjmlError:
    return MjmlError(
        f"<{element.name}> is not closed", f"Write </{element.name}> behind what it holds.", element.offset
    )


def _stray(mjml: str, offset: int) -> MjmlError:
    if mjml.startswith("<!", offset) or mjml.startswith("<?", offset):
        return MjmlError("there are no declarations and no entities in MJML", "Take this away.", offset)
    begin = re.match(r"</?[A-Za-z][A-Za-z0-9:-]*", mjml[offset : offset + 80])
    if begin:
        return MjmlError(
            f"“{begin[0]}” does not end as a tag",
            "Close it with >, and put the value of each attribute into quotes.",
            offset,
        )
    return MjmlError("“<” begins no tag here", "Write &lt; for the sign.", offset)
